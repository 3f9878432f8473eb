package vigia_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// cashing in as reference 7.6 writes it, in exact fractions up to the tick.
func exactCashIn(p position, mark vigia.Price, amount vigia.Sats) (vigia.Price, vigia.Sats) {
	pl := exactPL(p.side, p.quantity, p.entry, mark)
	if pl.Sign() <= 0 {
		return p.entry, p.margin - amount
	}
	truncated := vigia.Sats(floor(pl))
	if amount >= truncated {
		return mark, p.margin - (amount - truncated)
	}
	return tickLiquidation(p.side, p.quantity, p.entry, whole(-amount)), p.margin
}

// anyCashIn is an amount that may be taken out at a mark.
func anyCashIn(t *rapid.T) (p position, mark vigia.Price, amount vigia.Sats) {
	p = anyPosition.Draw(t, "position")
	mark = anyPrice.Draw(t, "mark")
	most := vigia.MaxCashIn(p.side, p.quantity, p.entry, p.margin, mark)
	return p, mark, satsBetween(0, most).Draw(t, "amount")
}

func TestCashInAgreesWithExactFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, mark, amount := anyCashIn(t)
		stop := anyPrice.Draw(t, "stop")
		got := vigia.CashIn(p.side, p.quantity, p.entry, p.margin, stop, mark, amount)
		price, margin := exactCashIn(p, mark, amount)
		same(t, "price", got.Price, price)
		same(t, "margin", got.Margin, margin)
		same(t, "liquidation", got.Liquidation, vigia.Liquidation(p.side, p.quantity, price, margin))
		same(t, "stop dropped", got.StopDropped, p.side.Worse(stop, got.Liquidation))
		same(t, "from profit", int64(got.FromPL), nearest(exactPL(p.side, p.quantity, p.entry, price)))
		same(t, "from profit and margin", got.FromPL+got.FromMargin, amount)
	})
}

// The path is measured with the price the exchange moves, so that it starts
// again at a cash-in: nothing used at the new price, all of it at the new
// liquidation.
func TestPathUsedStaysRightAfterACashIn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, mark, amount := anyCashIn(t)
		after := vigia.CashIn(p.side, p.quantity, p.entry, p.margin, 0, mark, amount)
		if after.Price == after.Liquidation {
			return // closer than a tick: there is no path
		}
		same(t, "path used at the new price", vigia.PathUsed(after.Price, after.Price, after.Liquidation), 0)
		same(t, "path used at the new liquidation", vigia.PathUsed(after.Price, after.Liquidation, after.Liquidation), vigia.HundredPercent)
		same(t, "first price of all of the path", vigia.PriceAtPath(after.Price, after.Liquidation, vigia.HundredPercent), after.Liquidation)
		if used := vigia.PathUsed(after.Price, mark, after.Liquidation); used > 0 && !p.side.Worse(mark, p.entry) {
			// Within the half tick by which the new price is rounded.
			same(t, "mark and new price", after.Price-mark, vigia.Price(p.side))
		}
	})
}

func TestPathOfTheEntryPriceIsWrongAfterACashIn(t *testing.T) {
	t.Parallel()
	entry, mark := vigia.Dollars(100_000), vigia.Dollars(110_000)
	after := vigia.CashIn(vigia.Long, 1_000, entry, 100_000, 0, mark, 90_909)
	same(t, "price", after.Price, mark)
	same(t, "liquidation", after.Liquidation, vigia.Dollars(99_099))
	same(t, "path used half way", vigia.PathUsed(after.Price, vigia.Dollars(104_549)+1, after.Liquidation), 50*vigia.OnePercent)
	if wrong := vigia.PathUsed(entry, vigia.Dollars(104_549)+1, after.Liquidation); wrong >= 0 {
		t.Errorf("the entry price says %s, and would say that nothing is used", wrong)
	}
}

func TestCashInNeverMovesLiquidationAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, mark, amount := anyCashIn(t)
		after := vigia.CashIn(p.side, p.quantity, p.entry, p.margin, 0, mark, amount)
		if p.side.Worse(after.Liquidation, p.liquidation()) {
			t.Fatalf("liquidation went from %s to %s", p.liquidation(), after.Liquidation)
		}
	})
}

func TestMaxCashInKeepsTheLeverageTheExchangeTakes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, mark, amount := anyCashIn(t)
		after := vigia.CashIn(p.side, p.quantity, p.entry, p.margin, 0, mark, amount)
		if leverage := divide(valueOf(p.quantity, after.Price), whole(after.Margin)); leverage.Cmp(big.NewRat(100, 1)) > 0 {
			t.Fatalf("taking %d leaves %s at leverage %s", amount, after.Price, leverage.FloatString(6))
		}
	})
}

func TestMaxCashInOfATradeWithoutProfitLeavesLeverageOneHundred(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		same(t, "most", vigia.MaxCashIn(p.side, p.quantity, p.entry, p.margin, p.entry), p.margin-p.leastMargin())
		p.margin = satsBetween(0, p.leastMargin()).Draw(t, "eaten by funding")
		same(t, "most of a trade beyond it", vigia.MaxCashIn(p.side, p.quantity, p.entry, p.margin, p.entry), 0)
	})
}

// A long in profit may take what the reference's formula says; a short less.
func TestMaxCashInOfATradeInProfit(t *testing.T) {
	t.Parallel()
	entry := vigia.Dollars(100_000)
	for _, c := range []struct {
		name         string
		side         vigia.Side
		margin, want vigia.Sats
		mark         vigia.Price
	}{
		{"long", vigia.Long, 100_000, 90_909 + 100_000 - 10_000, vigia.Dollars(110_000)},
		{"short", vigia.Short, 100_000, 86_956 + 100_000 - 10_870, vigia.Dollars(92_000)},
		{"short with the margin of leverage 100", vigia.Short, 10_000, 0, vigia.Dollars(92_000)},
		{"short with a little more", vigia.Short, 10_100, 9_998, vigia.Dollars(92_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			same(t, "most", vigia.MaxCashIn(c.side, 1_000, entry, c.margin, c.mark), c.want)
		})
	}
}

func TestCollateralDeltaReachesTheTargetAndOneSatMoreWouldMissIt(t *testing.T) {
	t.Parallel()
	reaches := func(p position, margin vigia.Sats, target vigia.Price) bool {
		liquidation, ok := exactLiquidation(p.side, p.quantity, p.entry, whole(margin))
		return !ok || signed(p.side, subtract(dollars(target), liquidation)).Sign() >= 0
	}
	rapid.Check(t, func(t *rapid.T) {
		p, target := anyPosition.Draw(t, "position"), anyPrice.Draw(t, "target")
		if p.side.Worse(p.entry, target) {
			return // beyond the mark: no amount reaches it
		}
		// No profit to take, so that all of it is margin.
		delta := vigia.CollateralDelta(p.side, p.quantity, p.entry, p.margin, p.entry, target)
		same(t, "target reached", reaches(p, p.margin+delta, target), true)
		same(t, "target reached with one sat less", reaches(p, p.margin+delta-1, target), false)
	})
}
