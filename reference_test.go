package vigia_test

import (
	"math"
	"math/big"

	"github.com/vigiaguard/vigia"
)

// The formulas of reference section 7 once more, in exact fractions of dollars
// and sats and as literally as they are written there: what the integer
// arithmetic is held against.

func whole[N ~int64](n N) *big.Rat { return new(big.Rat).SetInt64(int64(n)) }

func dollars(p vigia.Price) *big.Rat { return big.NewRat(int64(p), vigia.TicksPerDollar) }

func share(p vigia.Percent) *big.Rat { return big.NewRat(int64(p), int64(vigia.HundredPercent)) }

func times(leverage vigia.Leverage) *big.Rat { return big.NewRat(int64(leverage), int64(vigia.OneX)) }

func add(a, b *big.Rat) *big.Rat      { return new(big.Rat).Add(a, b) }
func subtract(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func multiply(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
func divide(a, b *big.Rat) *big.Rat   { return new(big.Rat).Quo(a, b) }
func invert(a *big.Rat) *big.Rat      { return new(big.Rat).Inv(a) }

func signed(side vigia.Side, a *big.Rat) *big.Rat { return multiply(whole(int64(side)), a) }

// floor is math.MaxInt64 for what does not fit, as it is in the product.
func floor(r *big.Rat) int64 {
	quotient, _ := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int)) // Euclidean; the divisor is positive
	if r.Sign() > 0 && !quotient.IsInt64() {
		return math.MaxInt64
	}
	return quotient.Int64()
}

func ceil(r *big.Rat) int64 { return -floor(new(big.Rat).Neg(r)) }

// nearest rounds halves away from zero.
func nearest(r *big.Rat) int64 {
	if r.Sign() < 0 {
		return -nearest(new(big.Rat).Neg(r))
	}
	return floor(add(r, big.NewRat(1, 2)))
}

// tick is the nearest half dollar, held on the grid.
func tick(r *big.Rat) vigia.Price {
	ticks := multiply(r, whole(int64(vigia.TicksPerDollar)))
	if ticks.Cmp(whole(vigia.MaxPrice)) > 0 {
		return vigia.MaxPrice
	}
	return max(vigia.MinPrice, vigia.Price(nearest(ticks)))
}

// valueOf is K·Q/P: what q dollars are in sats.
func valueOf(q vigia.USD, p vigia.Price) *big.Rat {
	return divide(multiply(whole(int64(vigia.SatsPerBTC)), whole(q)), dollars(p))
}

// exactPL is s·Q·K·(1/entry − 1/exit).
func exactPL(side vigia.Side, q vigia.USD, entry, exit vigia.Price) *big.Rat {
	return signed(side, subtract(valueOf(q, entry), valueOf(q, exit)))
}

// exactLiquidation is 1/(1/P + s·M/(K·Q)), before the tick; none when there is
// no such price.
func exactLiquidation(side vigia.Side, q vigia.USD, entry vigia.Price, margin *big.Rat) (*big.Rat, bool) {
	perContract := divide(margin, multiply(whole(int64(vigia.SatsPerBTC)), whole(q)))
	denominator := add(invert(dollars(entry)), signed(side, perContract))
	if denominator.Sign() <= 0 {
		return nil, false
	}
	return invert(denominator), true
}

func tickLiquidation(side vigia.Side, q vigia.USD, entry vigia.Price, margin *big.Rat) vigia.Price {
	price, ok := exactLiquidation(side, q, entry, margin)
	if !ok {
		return vigia.NeverPrice
	}
	return tick(price)
}

// exactDistance is s·(P − L)/P.
func exactDistance(side vigia.Side, p vigia.Price, liquidation *big.Rat) *big.Rat {
	return signed(side, divide(subtract(dollars(p), liquidation), dollars(p)))
}

// exactPath is (E − P)/(E − L).
func exactPath(entry, p vigia.Price, liquidation *big.Rat) *big.Rat {
	return divide(subtract(dollars(entry), dollars(p)), subtract(dollars(entry), liquidation))
}
