package vigia

import "math"

// The arithmetic of the inverse contract: quantity in dollars, collateral and
// profit in sats. Formulas and roundings are those of reference section 7; with
// prices in half-dollar ticks p, K·Q/P is 2·K·Q/p.

// The limits of reference 7.10.
const (
	MaxIsolatedQuantity USD      = 500_000
	MaxCrossQuantity    USD      = 15_000_000
	MinLeverage         Leverage = 1 * OneX
	MaxLeverage         Leverage = 100 * OneX
	// MaxTradesPerAccount counts open and running trades together.
	MaxTradesPerAccount = 50
	// ReserveRate is the tier-1 fee, in hundred-thousandths: the fee reserve is
	// always taken at it (reference 7.4).
	ReserveRate FeeRate = 100
)

// FeeRate is a trading fee in hundred-thousandths of the notional: 0.1 % is 100.
type FeeRate int64

// FeeRateOfTier is the rate of a fee tier as the account shows it, 0 to 3
// (reference 7.3). A tier outside is taken as the dearest.
func FeeRateOfTier(tier int) FeeRate {
	switch tier {
	case 1:
		return 80
	case 2:
		return 70
	case 3:
		return 60
	}
	return ReserveRate
}

// notional is K·Q scaled by two: divided by a price in ticks it is the value of
// the contracts in sats.
func notional(q USD) int64 { return TicksPerDollar * SatsPerBTC * int64(q) }

func one(n int64) wide { return wide{0, uint64(n)} }

// MarginFor is the margin an order of q dollars at price p takes with leverage
// lev: ceil(K·Q/(P·L)) (reference 7.1).
func MarginFor(q USD, p Price, lev Leverage) Sats {
	return Sats(mul(notional(q), int64(OneX)).overUp(mul(int64(p), int64(lev))))
}

// MarginAtLeverageOne is the most margin a trade may hold: beyond it the
// leverage would be under 1 and the exchange refuses (reference 7.5).
func MarginAtLeverageOne(q USD, p Price) Sats { return MarginFor(q, p, OneX) }

// QuantityFor is the quantity a margin buys: floor(M·L·P/K) (reference 7.1); a
// cross position's running margin as well as an order's (7.8). No margin buys
// nothing; whether an order may have the quantity, CheckOrderQuantity says.
func QuantityFor(margin Sats, p Price, lev Leverage) USD {
	if margin <= 0 {
		return 0
	}
	return USD(mul(int64(margin), int64(lev)).times(int64(p)).over(mul(TicksPerDollar*SatsPerBTC, int64(OneX))))
}

// LeverageOf is K·Q/(M·P), rounded to the millionth (reference 7.1). It may come
// out a little under 1 for a trade sized by its margin, whose quantity was
// floored; the exchange shows MinLeverage then. What does not fit, as the leverage
// of no margin, is math.MaxInt64.
func LeverageOf(q USD, margin Sats, p Price) Leverage {
	if margin <= 0 {
		return math.MaxInt64
	}
	return Leverage(mul(notional(q), int64(OneX)).overNearest(mul(int64(margin), int64(p))))
}

// FlooredMargin is the margin the exchange computes the liquidation of a fresh
// order from: floor(K·Q/P/L), understated on purpose (reference 7.2).
func FlooredMargin(q USD, p Price, lev Leverage) Sats {
	return Sats(mul(notional(q), int64(OneX)).over(mul(int64(p), int64(lev))))
}

// Liquidation is the price at which an isolated trade of reference price entry
// has lost the margin: tick(1/(1/P + s·M/(K·Q))) (reference 7.2). The fee
// reserve does not enter. A short whose margin covers any price gets NeverPrice.
//
// A fresh order's is computed from its FlooredMargin, a trade's after
// add-margin, cash-in or funding from its margin.
func Liquidation(side Side, q USD, entry Price, margin Sats) Price {
	numerator := mul(notional(q), int64(entry))
	denominator := one(notional(q))
	share := mul(abs(int64(margin)), int64(entry))
	if (side == Long) == (margin >= 0) {
		denominator = denominator.plus(share)
	} else if denominator.cmp(share) <= 0 {
		return NeverPrice
	} else {
		denominator = denominator.minus(share)
	}
	return clampPrice(numerator.overNearest(denominator))
}

// PL is the realised profit of q dollars from entry to exit, floored
// (reference 7.1).
func PL(side Side, q USD, entry, exit Price) Sats {
	gain, magnitude, scale := plParts(side, q, entry, exit)
	if gain {
		return Sats(magnitude.over(scale))
	}
	return -Sats(magnitude.overUp(scale))
}

// RunningPL is the profit as displayed while a trade runs: the nearest sat
// (reference 7.1). Stored and compared amounts use PL.
func RunningPL(side Side, q USD, entry, mark Price) Sats {
	gain, magnitude, scale := plParts(side, q, entry, mark)
	n := Sats(magnitude.overNearest(scale))
	if gain {
		return n
	}
	return -n
}

func plParts(side Side, q USD, entry, exit Price) (gain bool, magnitude, scale wide) {
	move := int64(side) * int64(exit-entry)
	return move >= 0, mul(notional(q), abs(move)), mul(int64(entry), int64(exit))
}

// PriceForPL is the price at which a trade would have earned pl sats, on the
// nearest tick: 1/(1/P − s·x/(K·Q)) (reference 7.6).
func PriceForPL(side Side, q USD, entry Price, pl Sats) Price {
	return Liquidation(side, q, entry, -pl)
}

// Fee is the fee of one fill: floor(K·Q/P·rate) (reference 7.3).
func Fee(q USD, p Price, rate FeeRate) Sats {
	return Sats(mul(notional(q), int64(rate)).over(mul(int64(p), int64(HundredPercent))))
}

// ClosingReserve is the part of the fee reserve kept for the close at the
// liquidation price (reference 7.4). It moves with the liquidation: more margin
// on a long costs a little more reserve, on a short it gives some back.
func ClosingReserve(q USD, liquidation Price) Sats { return Fee(q, liquidation, ReserveRate) }

// FundingFee is what a trade pays at a settlement, negative when it receives:
// nearest(Q/fixing·rate·K), longs pay a positive rate (reference 7.7).
func FundingFee(side Side, q USD, fixing Price, rate FundingRate) Sats {
	const scale = 10_000_000_000
	fee := Sats(mul(notional(q), abs(int64(rate))).overNearest(mul(int64(fixing), scale)))
	if (side == Long) == (rate >= 0) {
		return fee
	}
	return -fee
}

// SettleFunding is what a funding fee does to an isolated trade: paid from the
// margin, received into the wallet (reference 7.7). The liquidation follows from
// the margin; a margin that no longer carries the trade is the caller's to see.
func SettleFunding(margin, fee Sats) (after, toWallet Sats) {
	if fee > 0 {
		return margin - fee, 0
	}
	return margin, -fee
}

func clampPrice(ticks int64) Price {
	return max(MinPrice, min(MaxPrice, Price(ticks)))
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
