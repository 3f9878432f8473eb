package lnmarkets

import (
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
)

// Words of the wire become words of package vigia, and back, here and nowhere
// else. What comes in is checked: a trade that leaves here can be calculated with.

// Bounds of what is believed. They lie far beyond the exchange's own limits and
// keep nonsense out of the arithmetic.
const (
	maxQuantity = 20 * Int(vigia.MaxIsolatedQuantity)
	maxAmount   = Int(vigia.MaxWalletSats)
	maxLeverage = 1e9
)

// fractionParts is the number of vigia.Percent units in a fraction of 1.
const fractionParts = float64(vigia.HundredPercent)

// Vigia is the trade in the vocabulary of package vigia. An error names the
// field that cannot be right.
func (t *Trade) Vigia() (vigia.Trade, error) {
	side, err := t.Side.Vigia()
	if err != nil {
		return vigia.Trade{}, t.wrong("side", err)
	}
	state, err := t.state()
	if err != nil {
		return vigia.Trade{}, t.wrong("state", err)
	}
	if err := t.check(state); err != nil {
		return vigia.Trade{}, err
	}
	leverage, trailing, err := t.fractions()
	if err != nil {
		return vigia.Trade{}, err
	}
	return vigia.Trade{
		ID: vigia.TradeID(t.ID), State: state, Side: side, Quantity: vigia.USD(t.Quantity),
		Margin: vigia.Sats(t.Margin), EntryMargin: vigia.Sats(orZero(t.EntryMargin)), Leverage: leverage,
		Price: vigia.Price(t.Price), EntryPrice: vigia.Price(orZero(t.EntryPrice)), Liquidation: vigia.Price(t.Liquidation),
		StopLoss: vigia.Price(t.Stoploss), TakeProfit: vigia.Price(t.Takeprofit), Trailing: trailing,
		ExitPrice: vigia.Price(orZero(t.ExitPrice)), PL: vigia.Sats(t.PL),
		OpeningFee: vigia.Sats(t.OpeningFee), ClosingFee: vigia.Sats(t.ClosingFee),
		FeeReserve: vigia.Sats(t.MaintenanceMargin), Funding: vigia.Sats(t.SumFundingFees),
		CashInPL: vigia.Sats(t.SumCashInPL), CashInMargin: vigia.Sats(t.SumCashInMargin),
		CreatedAt: t.CreatedAt.Time, FilledAt: orZero(t.FilledAt).Time, ClosedAt: orZero(t.ClosedAt).Time,
		ClientID: orZero(t.ClientID),
	}, nil
}

// TradeOf is a trade as the exchange writes it. The order's type, which package
// vigia does not keep, is the caller's. Times are cut to the millisecond.
func TradeOf(t *vigia.Trade, kind OrderType) Trade {
	return Trade{
		ID: string(t.ID), Type: kind, Side: SideOf(t.Side), Quantity: Int(t.Quantity),
		Margin: Int(t.Margin), Leverage: t.Leverage.Float(), Price: Price(t.Price), Liquidation: Price(t.Liquidation),
		Stoploss: Price(t.StopLoss), Takeprofit: Price(t.TakeProfit),
		StoplossTrailingDistance: float64(t.Trailing) / fractionParts,
		EntryPrice:               orNull(Price(t.EntryPrice)), EntryMargin: orNull(Int(t.EntryMargin)), ExitPrice: orNull(Price(t.ExitPrice)),
		PL: Int(t.PL), OpeningFee: Int(t.OpeningFee), ClosingFee: Int(t.ClosingFee),
		MaintenanceMargin: Int(t.FeeReserve), SumFundingFees: Int(t.Funding),
		SumCashInPL: Int(t.CashInPL), SumCashInMargin: Int(t.CashInMargin),
		CreatedAt: At(t.CreatedAt), FilledAt: timeOrNull(t.FilledAt), ClosedAt: timeOrNull(t.ClosedAt),
		Open: t.State == vigia.TradeOpen, Running: t.State == vigia.TradeRunning,
		Closed: t.State == vigia.TradeClosed, Canceled: t.State == vigia.TradeCanceled,
		ClientID: orNull(t.ClientID),
	}
}

// Vigia turns buy into long and sell into short.
func (s Side) Vigia() (vigia.Side, error) {
	switch s {
	case Buy:
		return vigia.Long, nil
	case Sell:
		return vigia.Short, nil
	}
	return 0, fmt.Errorf("%q is not a side: buy or sell", string(s))
}

// SideOf turns long into buy and short into sell; no side is empty.
func SideOf(s vigia.Side) Side {
	switch s {
	case vigia.Long:
		return Buy
	case vigia.Short:
		return Sell
	}
	return ""
}

func (t *Trade) state() (vigia.TradeState, error) {
	var state vigia.TradeState
	count := 0
	for _, flag := range []struct {
		set   bool
		means vigia.TradeState
	}{
		{t.Open, vigia.TradeOpen}, {t.Running, vigia.TradeRunning},
		{t.Closed, vigia.TradeClosed}, {t.Canceled, vigia.TradeCanceled},
	} {
		if flag.set {
			state = flag.means
			count++
		}
	}
	if count != 1 {
		return "", fmt.Errorf("%d of open, running, closed and canceled are true instead of one", count)
	}
	return state, nil
}

func (t *Trade) check(state vigia.TradeState) error {
	if t.ID == "" {
		return t.wrong("id", fmt.Errorf("it is empty"))
	}
	if t.Quantity < 1 || t.Quantity > maxQuantity {
		return t.wrong("quantity", fmt.Errorf("got %d; it takes 1 to %d dollars", t.Quantity, maxQuantity))
	}
	if t.Margin < 0 {
		return t.wrong("margin", fmt.Errorf("got %d; it cannot be negative", t.Margin))
	}
	for _, amount := range []struct {
		field string
		value Int
	}{
		{"margin", t.Margin}, {"entryMargin", orZero(t.EntryMargin)}, {"pl", t.PL},
		{"openingFee", t.OpeningFee}, {"closingFee", t.ClosingFee}, {"maintenanceMargin", t.MaintenanceMargin},
		{"sumFundingFees", t.SumFundingFees}, {"sumCashInPl", t.SumCashInPL}, {"sumCashInMargin", t.SumCashInMargin},
	} {
		if amount.value > maxAmount || amount.value < -maxAmount {
			return t.wrong(amount.field, fmt.Errorf("got %d; there are %d sats", amount.value, maxAmount))
		}
	}
	if state == vigia.TradeRunning && (t.Price == 0 || t.Liquidation == 0) {
		return t.wrong("price", fmt.Errorf("a running trade has no price (%s) or no liquidation (%s)", t.Price, t.Liquidation))
	}
	return nil
}

func (t *Trade) fractions() (vigia.Leverage, vigia.Percent, error) {
	if !(t.Leverage >= 0 && t.Leverage <= maxLeverage) {
		return 0, 0, t.wrong("leverage", fmt.Errorf("got %v; it takes 0 to %v", t.Leverage, maxLeverage))
	}
	trailing, err := scale(t.StoplossTrailingDistance, fractionParts)
	if err != nil || trailing < 0 {
		return 0, 0, t.wrong("stoplossTrailingDistance", fmt.Errorf("got %v; it takes a fraction of 0 or more", t.StoplossTrailingDistance))
	}
	return vigia.LeverageFromFloat(t.Leverage), vigia.Percent(trailing), nil
}

func (t *Trade) wrong(field string, err error) error {
	return fmt.Errorf("trade %q: %s: %w", t.ID, field, err)
}

func tradesOf(wire []Trade) ([]vigia.Trade, error) {
	trades := make([]vigia.Trade, len(wire))
	for i := range wire {
		var err error
		if trades[i], err = wire[i].Vigia(); err != nil {
			return nil, err
		}
	}
	return trades, nil
}

// Vigia is the position in the vocabulary of package vigia; a flat one has no
// prices.
func (c *CrossPosition) Vigia() (vigia.CrossPosition, error) {
	limit := 10 * Int(vigia.MaxCrossQuantity)
	if c.Quantity > limit || c.Quantity < -limit {
		return vigia.CrossPosition{}, fmt.Errorf("cross position: quantity: got %d; it takes at most %d dollars either way", c.Quantity, limit)
	}
	if c.Leverage < 0 || c.Leverage > maxLeverage {
		return vigia.CrossPosition{}, fmt.Errorf("cross position: leverage: got %d; it takes 0 to %v", c.Leverage, maxLeverage)
	}
	if c.Quantity != 0 && (orZero(c.EntryPrice) == 0 || orZero(c.Liquidation) == 0) {
		return vigia.CrossPosition{}, fmt.Errorf("cross position: %d dollars stand without entry price or liquidation", c.Quantity)
	}
	return vigia.CrossPosition{
		Quantity: vigia.USD(c.Quantity), Margin: vigia.Sats(c.Margin), Leverage: vigia.Leverage(c.Leverage) * vigia.OneX,
		EntryPrice: vigia.Price(orZero(c.EntryPrice)), Liquidation: vigia.Price(orZero(c.Liquidation)),
		Running: vigia.Sats(c.RunningMargin), Maintenance: vigia.Sats(c.MaintenanceMargin), Initial: vigia.Sats(c.InitialMargin),
		TotalPL: vigia.Sats(c.TotalPL), DeltaPL: vigia.Sats(c.DeltaPL),
		Funding: vigia.Sats(c.FundingFees), Fees: vigia.Sats(c.TradingFees),
	}, nil
}

// CrossPositionOf is a position as the exchange writes it: leverage is cut to a
// whole number. The id and the time, which package vigia does not keep, are the
// caller's.
func CrossPositionOf(c *vigia.CrossPosition, id string, updated time.Time) CrossPosition {
	return CrossPosition{
		ID: id, Margin: Int(c.Margin), Quantity: Int(c.Quantity), Leverage: Int(c.Leverage / vigia.OneX),
		EntryPrice: orNull(Price(c.EntryPrice)), Liquidation: orNull(Price(c.Liquidation)),
		RunningMargin: Int(c.Running), MaintenanceMargin: Int(c.Maintenance), InitialMargin: Int(c.Initial),
		TotalPL: Int(c.TotalPL), DeltaPL: Int(c.DeltaPL), FundingFees: Int(c.Funding), TradingFees: Int(c.Fees),
		UpdatedAt: timeOrNull(updated),
	}
}

// Vigia is the market confirmed at a time of the caller's clock. A ticker
// without a last price is an error: nothing can be judged by it.
func (t *Ticker) Vigia(confirmed time.Time) (vigia.Market, error) {
	if t.LastPrice == 0 {
		return vigia.Market{}, fmt.Errorf("ticker: lastPrice is missing")
	}
	return vigia.Market{Last: vigia.Price(t.LastPrice), ConfirmedAt: confirmed,
		FundingRate: vigia.FundingRateFromFloat(t.FundingRate), FundingAt: t.FundingTime.Time}, nil
}

// TickerOf is a market as the exchange writes it.
func TickerOf(m *vigia.Market, index vigia.Price, ladder []Bucket) Ticker {
	return Ticker{Index: Price(index), LastPrice: Price(m.Last), FundingRate: m.FundingRate.Float(),
		FundingTime: At(m.FundingAt), Prices: ladder}
}

// TickOf is the last price in an event of the stream, if it carries one.
func TickOf(e Event) (vigia.Tick, bool) {
	switch u := e.(type) {
	case Update[StreamLastPrice]:
		return vigia.Tick{Last: vigia.Price(u.Data.LastPrice), At: u.At}, u.Data.LastPrice != 0
	case Update[StreamTicker]:
		last := orZero(u.Data.LastPrice)
		return vigia.Tick{Last: vigia.Price(last), At: u.At}, last != 0
	}
	return vigia.Tick{}, false
}

// Free is the balance that margin can be taken from.
func (a *Account) Free() vigia.Sats { return vigia.Sats(a.Balance) }

// Amount is the fee in sats, positive when paid.
func (f *FundingFee) Amount() vigia.Sats { return vigia.Sats(f.Fee) }

// Trade is the trade it was paid for; empty for the cross position.
func (f *FundingFee) Trade() vigia.TradeID { return vigia.TradeID(orZero(f.TradeID)) }

// Rate is the settlement's rate.
func (f *FundingSettlement) Rate() vigia.FundingRate {
	return vigia.FundingRateFromFloat(f.FundingRate)
}

// wirePrice is a price that may go out in a request; 0, "none", may not.
func wirePrice(field string, p vigia.Price) (Price, error) {
	if !p.Valid() {
		return 0, vigia.Invalid(field, fmt.Sprintf("got %s; it takes $1 to $100,000,000 in steps of half a dollar", p))
	}
	return Price(p), nil
}

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func timeOrNull(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	wire := At(t)
	return &wire
}
