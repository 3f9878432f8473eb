package replay_test

import (
	"math/big"

	"github.com/vigiaguard/vigia"
)

// What the exchange and the rules must come to, reckoned a second time: exact
// fractions from the words of the product and of reference 7, none of the code
// under test.

func rat(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// contracts is K·Q in sats, for prices in half-dollar ticks.
func contracts(q vigia.USD) *big.Rat { return rat(2 * vigia.SatsPerBTC * int64(q)) }

func over(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }

func floor(x *big.Rat) int64 {
	return new(big.Int).Div(x.Num(), x.Denom()).Int64()
}

func nearest(x *big.Rat) int64 { return floor(new(big.Rat).Add(x, big.NewRat(1, 2))) }

// liquidationAt is tick(1/(1/P + s·M/(K·Q))).
func liquidationAt(side vigia.Side, q vigia.USD, entry vigia.Price, margin vigia.Sats) vigia.Price {
	share := over(rat(int64(side)*int64(margin)), contracts(q))
	inverse := new(big.Rat).Add(over(rat(1), rat(int64(entry))), share)
	if inverse.Sign() <= 0 {
		return vigia.NeverPrice
	}
	return min(vigia.MaxPrice, vigia.Price(nearest(over(rat(1), inverse))))
}

// freshLiquidation is that of an order just filled: from floor(K·Q/P/L).
func freshLiquidation(side vigia.Side, q vigia.USD, entry vigia.Price, leverage int64) vigia.Price {
	floored := floor(over(contracts(q), rat(int64(entry)*leverage)))
	return liquidationAt(side, q, entry, vigia.Sats(floored))
}

// within says that the liquidation is at most x away: 100·|P − L|/P ≤ x.
func within(side vigia.Side, p, liquidation vigia.Price, x vigia.Percent) bool {
	gap := int64(side) * int64(p-liquidation)
	return gap*100_000 <= int64(x)*int64(p)
}

// firstWithin is the first price on the way to the liquidation that is within x.
func firstWithin(side vigia.Side, liquidation vigia.Price, x vigia.Percent) vigia.Price {
	p := liquidation
	for within(side, p+vigia.Price(side), liquidation, x) {
		p += vigia.Price(side)
	}
	return p
}

// neededAt is the least margin that stands y away at p, untick'd:
// K·Q·s·(1/(P·(1 − s·y)) − 1/E), rounded up.
func neededAt(t *vigia.Trade, p vigia.Price, y vigia.Percent) vigia.Sats {
	away := new(big.Rat).Sub(rat(1), big.NewRat(int64(t.Side)*int64(y), 100_000))
	level := new(big.Rat).Mul(rat(int64(p)), away)
	gap := new(big.Rat).Sub(over(rat(1), level), over(rat(1), rat(int64(t.Price))))
	margin := gap.Mul(gap, contracts(t.Quantity))
	margin.Mul(margin, rat(int64(t.Side)))
	return vigia.Sats(-floor(margin.Neg(margin)))
}

// roughly is neededAt, good for looking away early and for nothing else.
func roughly(t *vigia.Trade, p vigia.Price, y vigia.Percent) float64 {
	side := float64(t.Side)
	level := float64(p) * (1 - side*float64(y)/100_000)
	return 2 * vigia.SatsPerBTC * float64(t.Quantity) * side * (1/level - 1/float64(t.Price))
}

// closingFee is what is reserved for the close at the liquidation: 0.1 %, floored.
func closingFee(q vigia.USD, liquidation vigia.Price) vigia.Sats {
	return vigia.Sats(floor(over(contracts(q), rat(1000*int64(liquidation)))))
}

// costOf is what an add takes out of the wallet: itself and the reserve's change.
func costOf(t *vigia.Trade, amount vigia.Sats) vigia.Sats {
	after := liquidationAt(t.Side, t.Quantity, t.Price, t.Margin+amount)
	return amount + closingFee(t.Quantity, after) - closingFee(t.Quantity, t.Liquidation)
}

// mostMargin is the margin at leverage one.
func mostMargin(t *vigia.Trade) vigia.Sats {
	all := over(contracts(t.Quantity), rat(int64(t.Price)))
	return vigia.Sats(-floor(all.Neg(all)))
}
