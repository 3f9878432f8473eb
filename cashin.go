package vigia

// CashedIn is a running trade after sats were taken out of it.
type CashedIn struct {
	Price       Price
	Margin      Sats
	Liquidation Price
	// StopDropped says that the stop-loss lay beyond the new liquidation and
	// the exchange removes it.
	StopDropped bool
	// FromPL and FromMargin are what goes to sumCashInPl and sumCashInMargin.
	FromPL, FromMargin Sats
}

// CashIn takes amount out of a trade marked at mark: out of the profit first,
// moving the reference price, then out of the margin (reference 7.6). It does
// not check what may be taken; see MaxCashIn.
func CashIn(side Side, q USD, entry Price, margin Sats, stop, mark Price, amount Sats) CashedIn {
	out := CashedIn{Price: entry, Margin: margin}
	profit := truncatedPL(side, q, entry, mark)
	switch {
	case !side.Worse(entry, mark):
		out.Margin = margin - amount
	case amount < profit:
		out.Price = PriceForPL(side, q, entry, amount)
	default:
		out.Price = mark
		out.Margin = margin - (amount - profit)
	}
	out.FromPL = RunningPL(side, q, entry, out.Price)
	out.FromMargin = amount - out.FromPL
	out.Liquidation = Liquidation(side, q, out.Price, out.Margin)
	out.StopDropped = stop != 0 && side.Worse(stop, out.Liquidation)
	return out
}

// MaxCashIn is the most that can be taken out: max(pl, 0) + margin −
// ceil(K·Q/(P·100)) (reference 7.6). The P of the source is the price before
// the cash-in; for a short in profit the price after it is lower and needs more
// margin at the same leverage, so that one counts there, and the exchange's own
// limit on leverage is kept.
func MaxCashIn(side Side, q USD, entry Price, margin Sats, mark Price) Sats {
	profit := max(0, truncatedPL(side, q, entry, mark))
	if side == Long || profit == 0 {
		return max(0, profit+margin-MarginFor(q, entry, MaxLeverage))
	}
	if least := MarginFor(q, mark, MaxLeverage); margin >= least {
		return profit + margin - least
	}
	lowest := PriceAtLeverage(q, margin, MaxLeverage)
	return max(0, truncatedPL(side, q, entry, lowest))
}

// CollateralDelta is what brings the liquidation to target with the trade marked
// at mark: margin to add when positive, an amount to cash in when negative
// (reference 7.6). It rounds towards safety, more to add and less to take. A
// target beyond the mark is not reached by any amount.
func CollateralDelta(side Side, q USD, entry Price, margin Sats, mark, target Price) Sats {
	change := -PL(side, q, entry, target) - margin
	profit := truncatedPL(side, q, entry, mark)
	if profit > 0 && -change >= profit {
		return MarginForLiquidation(side, q, mark, target) - margin - profit
	}
	return change
}

// PriceAtLeverage is the lowest price at which the margin carries q dollars with
// at most the leverage: K·Q/(M·L), rounded up.
func PriceAtLeverage(q USD, margin Sats, lev Leverage) Price {
	if margin <= 0 {
		return MaxPrice
	}
	return clampPrice(mul(notional(q), int64(OneX)).overUp(mul(int64(margin), int64(lev))))
}

func truncatedPL(side Side, q USD, entry, mark Price) Sats {
	gain, magnitude, scale := plParts(side, q, entry, mark)
	n := Sats(magnitude.over(scale))
	if gain {
		return n
	}
	return -n
}
