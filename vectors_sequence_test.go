package vigia_test

import (
	"encoding/json"
	"testing"

	"github.com/vigiaguard/vigia"
)

// step is one operation of a sequence.
type step struct {
	Op       string         `json:"op"`
	Side     orderSide      `json:"side"`
	Quantity vigia.USD      `json:"quantity_usd"`
	Price    priceOrWords   `json:"price_usd"`
	Amount   vigia.Sats     `json:"amount_sats"`
	Leverage vigia.Leverage `json:"leverage"`
	Margin   vigia.Sats     `json:"margin_sats"`
	Entry    vigia.Price    `json:"entry_price_usd"`
	Mark     vigia.Price    `json:"mark_price_usd"`
	Value    vigia.Price    `json:"value_usd"`
	Fixing   vigia.Price    `json:"fixing_price_usd"`
	Rate     rate           `json:"rate"`
}

// priceOrWords is a price, or none where a vector says it in words and gives
// the figure as value_usd.
type priceOrWords struct{ vigia.Price }

func (p *priceOrWords) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return nil
	}
	return p.Price.UnmarshalJSON(data)
}

func stepsOf(t *testing.T, v vector) []step {
	t.Helper()
	steps := make([]step, len(v.Steps))
	for i, raw := range v.Steps {
		strictly(t, raw, &steps[i])
	}
	return steps
}

// crossAccount runs a sequence on a book and adds up what a book does not keep.
type crossAccount struct {
	vigia.CrossBook
	Mark                            vigia.Price
	Wallet, Realised, Fees, Funding vigia.Sats
	// Before is the liquidation of the position before it ended.
	Before vigia.Price
	Err    error
}

func crossSequence(t *testing.T, v vector) {
	account := crossAccount{CrossBook: vigia.CrossBook{Leverage: vigia.OneX}}
	for _, s := range stepsOf(t, v) {
		if account.Err != nil {
			t.Fatalf("refused before %s: %v", s.Op, account.Err)
		}
		account.do(t, s, feeRate(v.FeePercent))
	}
	account.compare(t, v.Expected)
}

func (a *crossAccount) do(t *testing.T, s step, fees vigia.FeeRate) {
	t.Helper()
	var fill vigia.CrossFill
	if s.Price.Price != 0 {
		a.Mark = s.Price.Price
	}
	if a.Quantity != 0 {
		a.Before = a.Liquidation()
	}
	switch s.Op {
	case "given":
		a.CrossBook = vigia.CrossBook{Margin: s.Margin, Leverage: s.Leverage, Quantity: s.Quantity, Entry: s.Entry}
		a.Mark = s.Mark
		a.Err = a.Check()
	case "deposit":
		a.CrossBook = a.Deposit(s.Amount)
		a.Wallet -= s.Amount
	case "withdraw":
		a.CrossBook, a.Err = a.Withdraw(s.Amount, a.Mark)
	case "set_leverage":
		a.CrossBook, a.Err = a.SetLeverage(s.Leverage)
	case "market_order":
		a.CrossBook, fill, a.Err = a.Order(s.Side.Side, s.Quantity, a.Mark, fees)
	case "close_position":
		a.CrossBook, fill = a.Close(a.Mark, fees)
	case "mark":
		if s.Value != 0 {
			a.Mark = s.Value
		}
		if a.LiquidatedAt(a.Mark) {
			a.CrossBook, fill = a.Liquidate(fees)
		}
	case "funding":
		var funding vigia.CrossFunding
		a.CrossBook, funding = a.SettleFunding(s.Fixing, s.Rate.funding(), a.Mark, fees)
		a.Funding += funding.Fee
		fill = funding.Close
	default:
		t.Fatalf("unknown step %s", s.Op)
	}
	a.Realised += fill.PL
	a.Fees += fill.Fee
}

// compare checks every figure the vector gives, and fails on one that nobody
// compares.
func (a *crossAccount) compare(t *testing.T, expected json.RawMessage) {
	t.Helper()
	var names map[string]json.RawMessage
	strictly(t, expected, &names)
	if _, ok := names["error"]; !ok && a.Err != nil {
		t.Fatalf("refused: %v", a.Err)
	}
	liquidation := a.Before
	if a.Quantity != 0 {
		liquidation = a.Liquidation()
	}
	got := map[string]any{
		"margin_sats":                a.Margin,
		"quantity_usd":               a.Quantity,
		"leverage":                   a.Leverage,
		"entry_price_usd":            a.Entry,
		"running_margin_sats":        a.RunningMargin(),
		"maintenance_margin_sats":    a.Maintenance(),
		"liquidation_usd":            liquidation,
		"trading_fees_sats":          a.Fees,
		"funding_fees_sats":          a.Funding,
		"realized_pl_sats":           a.Realised,
		"wallet_balance_delta_sats":  a.Wallet,
		"free_margin_sats_at_90000":  a.FreeMargin(vigia.Dollars(90_000)),
		"free_margin_sats_at_100000": a.FreeMargin(vigia.Dollars(100_000)),
		"running_pl_sats_at_90000":   a.PL(vigia.Dollars(90_000)),
		"error":                      crossError(a.Err),
	}
	for name, raw := range names {
		value, ok := got[name]
		if !ok {
			t.Fatalf("nobody compares %s", name)
		}
		sameJSON(t, name, value, raw)
	}
}

// sameJSON compares a figure with the document's, read as the figure's type.
func sameJSON(t *testing.T, name string, got any, want json.RawMessage) {
	t.Helper()
	switch got := got.(type) {
	case vigia.Sats:
		sameAs(t, name, got, want)
	case vigia.USD:
		sameAs(t, name, got, want)
	case vigia.Price:
		sameAs(t, name, got, want)
	case vigia.Leverage:
		sameAs(t, name, got, want)
	case string:
		sameAs(t, name, got, want)
	default:
		t.Fatalf("%s has an unexpected type", name)
	}
}

func sameAs[T comparable](t *testing.T, name string, got T, raw json.RawMessage) {
	t.Helper()
	var want T
	strictly(t, raw, &want)
	same(t, name, got, want)
}
