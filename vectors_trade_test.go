package vigia_test

import (
	"encoding/json"
	"testing"

	"github.com/vigiaguard/vigia"
)

// isolatedTrade runs a sequence on one isolated trade, with the wallet beside
// it, by the rules of reference 7.4 to 7.6 out of the root's functions.
type isolatedTrade struct {
	side                       vigia.Side
	quantity                   vigia.USD
	price, liquidation, mark   vigia.Price
	margin, reserve            vigia.Sats
	openingFee, closingFee, pl vigia.Sats
	plBefore, cashedIn         vigia.Sats
	marginBefore               vigia.Sats
	wallet, paidBack           vigia.Sats
	moments                    map[string]map[string]any
}

func isolatedSequence(t *testing.T, v vector) {
	trade := isolatedTrade{moments: map[string]map[string]any{}}
	for _, s := range stepsOf(t, v) {
		trade.do(t, s, feeRate(v.FeePercent))
	}
	var expected map[string]json.RawMessage
	strictly(t, v.Expected, &expected)
	for name, raw := range expected {
		if figures, ok := trade.moments[name]; ok {
			var nested map[string]json.RawMessage
			strictly(t, raw, &nested)
			compareFigures(t, figures, nested)
			continue
		}
		compareFigures(t, trade.figures(), map[string]json.RawMessage{name: raw})
	}
}

func compareFigures(t *testing.T, got map[string]any, want map[string]json.RawMessage) {
	t.Helper()
	for name, raw := range want {
		value, ok := got[name]
		if !ok {
			t.Fatalf("nobody compares %s", name)
		}
		sameJSON(t, name, value, raw)
	}
}

func (i *isolatedTrade) do(t *testing.T, s step, fees vigia.FeeRate) {
	t.Helper()
	if s.Price.Price != 0 {
		i.mark = s.Price.Price
	}
	switch s.Op {
	case "limit_order":
		i.place(s)
		i.moments["while_open"] = i.figures()
	case "market_order":
		i.place(s)
		i.fill(fees)
	case "fill":
		i.fill(fees)
		i.moments["after_fill"] = i.figures()
	case "mark":
		i.plBefore = i.runningPL()
	case "cash_in":
		i.cashIn(s.Amount)
	case "liquidation", "close":
		i.end(fees)
		i.moments["after_close"] = i.figures()
	default:
		t.Fatalf("unknown step %s", s.Op)
	}
}

func (i *isolatedTrade) place(s step) {
	i.side, i.quantity, i.price = s.Side.Side, s.Quantity, i.mark
	i.margin = vigia.MarginFor(s.Quantity, i.mark, s.Leverage)
	i.liquidation = vigia.Liquidation(i.side, s.Quantity, i.mark, vigia.FlooredMargin(s.Quantity, i.mark, s.Leverage))
	i.reserve = vigia.Fee(s.Quantity, i.mark, vigia.ReserveRate) + vigia.ClosingReserve(s.Quantity, i.liquidation)
	i.wallet -= i.margin + i.reserve
}

func (i *isolatedTrade) fill(fees vigia.FeeRate) {
	i.openingFee = vigia.Fee(i.quantity, i.price, fees)
	i.reserve -= i.openingFee
}

func (i *isolatedTrade) runningPL() vigia.Sats { return vigia.PL(i.side, i.quantity, i.price, i.mark) }

func (i *isolatedTrade) cashIn(amount vigia.Sats) {
	i.marginBefore = i.margin
	after := vigia.CashIn(i.side, i.quantity, i.price, i.margin, 0, i.mark, amount)
	i.price, i.margin, i.liquidation = after.Price, after.Margin, after.Liquidation
	i.cashedIn += after.FromPL
	i.wallet += amount
}

// end pays back what is left, never less than nothing: the reference floors
// the sat or two that tick rounding takes at a liquidation.
func (i *isolatedTrade) end(fees vigia.FeeRate) {
	i.pl = i.runningPL()
	i.closingFee = vigia.Fee(i.quantity, i.mark, fees)
	i.reserve -= i.closingFee
	i.paidBack = max(0, i.margin+i.pl+i.reserve)
	i.wallet += i.paidBack
}

func (i *isolatedTrade) figures() map[string]any {
	return map[string]any{
		"margin_sats":               i.margin,
		"margin_before_sats":        i.marginBefore,
		"margin_after_cash_in_sats": i.margin,
		"maintenance_margin_sats":   i.reserve,
		"opening_fee_sats":          i.openingFee,
		"closing_fee_sats":          i.closingFee,
		"total_fees_sats":           i.openingFee + i.closingFee,
		"liquidation_usd":           i.liquidation,
		"price_after_cash_in_usd":   i.price,
		"wallet_balance_delta_sats": i.wallet,
		"paid_back_sats":            i.paidBack,
		"pl_sats":                   i.pl,
		"pl_before_cash_in_sats":    i.plBefore,
		"cashed_in_pl_sats":         i.cashedIn,
		"pl_after_cash_in_sats":     i.pl,
		"total_realized_pl_sats":    i.cashedIn + i.pl,
	}
}
