package vigia

// Distance to liquidation, path used, and their inverses: the prices at which
// a rule begins to act and the margin that restores a distance. Comparisons are
// exact; the percentages shown are rounded.

// Distance is 100·|P − L|/P, rounded down to the thousandth of a percent; 0
// when the price stands at or beyond the liquidation.
func Distance(side Side, p, liquidation Price) Percent {
	gap := int64(side) * int64(p-liquidation)
	if gap <= 0 {
		return 0
	}
	return Percent(mul(gap, int64(HundredPercent)).over(one(int64(p))))
}

// WithinDistance says whether the liquidation is at most x percent of the price
// away. It is exact, where Distance is rounded.
func WithinDistance(side Side, p, liquidation Price, x Percent) bool {
	return int64(side)*int64(p-liquidation)*int64(HundredPercent) <= int64(x)*int64(p)
}

// PathUsed is 100·(E − P)/(E − L), E being the exchange's price and not the
// entry price: 0 at E, 100 at liquidation, negative in profit; rounded towards
// profit. Towards NeverPrice next to nothing is ever used; a trade whose
// liquidation stands at E has used all of it.
func PathUsed(entry, p, liquidation Price) Percent {
	span := int64(entry - liquidation)
	if span == 0 {
		return HundredPercent
	}
	return Percent(floorDiv(int64(entry-p)*int64(HundredPercent), span))
}

// PathReached says whether at least x percent of the path is used. It is exact,
// where PathUsed is rounded.
func PathReached(entry, p, liquidation Price, x Percent) bool {
	span, used := int64(entry-liquidation), int64(entry-p)
	if span == 0 {
		return x <= HundredPercent
	}
	if span < 0 {
		span, used = -span, -used
	}
	return used*int64(HundredPercent) >= int64(x)*span
}

// PriceAtDistance is the first price on the way to liquidation that stands
// within x percent of it: for a long the highest, for a short the lowest.
func PriceAtDistance(side Side, liquidation Price, x Percent) Price {
	scaled := int64(liquidation) * int64(HundredPercent)
	if side == Long {
		if x >= HundredPercent {
			return MaxPrice
		}
		return min(MaxPrice, Price(floorDiv(scaled, int64(HundredPercent-x))))
	}
	return max(MinPrice, Price(-floorDiv(-scaled, int64(HundredPercent+x))))
}

// PriceAtPath is the first price on the way to liquidation at which x percent
// of the path is used: for a long the highest, for a short the lowest. Beyond
// 100 % it may leave the grid.
func PriceAtPath(entry, liquidation Price, x Percent) Price {
	span := int64(entry - liquidation)
	if span >= 0 {
		return entry + Price(floorDiv(-span*int64(x), int64(HundredPercent)))
	}
	return entry - Price(floorDiv(span*int64(x), int64(HundredPercent)))
}

// MarginAtDistance is the margin with which a trade of reference price entry,
// watched at price p, stands y percent away from liquidation: the untick'd
// formula K·Q·s·(1/L' − 1/E) with L' = P·(1 − s·y), rounded up. One sat less
// would miss it. It is never negative, and for a long it may be more than
// MarginAtLeverageOne, which is all the exchange takes; a long asked to stand
// 100 % away or more, which no margin gives, gets that.
func MarginAtDistance(side Side, q USD, entry, p Price, y Percent) Sats {
	ratio := int64(HundredPercent) - int64(side)*int64(y)
	if ratio <= 0 {
		return MarginAtLeverageOne(q, entry)
	}
	scaledEntry, scaledTarget := int64(entry)*int64(HundredPercent), int64(p)*ratio
	gap := int64(side) * (scaledEntry - scaledTarget)
	if gap <= 0 {
		return 0
	}
	return Sats(mul(notional(q), gap).overUp(mul(scaledTarget, int64(entry))))
}

// MarginForLiquidation is the least margin whose untick'd liquidation is at or
// beyond the target price, rounded up.
func MarginForLiquidation(side Side, q USD, entry, target Price) Sats {
	gap := int64(side) * int64(entry-target)
	if gap <= 0 {
		return 0
	}
	return Sats(mul(notional(q), gap).overUp(mul(int64(entry), int64(target))))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// MarginAtPath is the margin with which a trade watched at price p has used x
// percent of its path: the untick'd formula with L' = E − (E − P)/x, rounded up.
// A trade in profit needs none.
func MarginAtPath(side Side, q USD, entry, p Price, x Percent) Sats {
	used := int64(side) * int64(entry-p)
	if used <= 0 {
		return 0
	}
	if x <= 0 {
		return MarginAtLeverageOne(q, entry)
	}
	// L' scaled by x: E·x ∓ (E − P)·100 %.
	target := int64(entry)*int64(x) - int64(side)*used*int64(HundredPercent)
	if target <= 0 {
		return MarginAtLeverageOne(q, entry)
	}
	gap := used * int64(HundredPercent)
	return Sats(mul(notional(q), gap).overUp(mul(target, int64(entry))))
}
