package vigia_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// The worked example of the product's description: long 1,000 USD at 100,000
// with 20×, the price at 96,000.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	const quantity, margin = 1_000, 50_000
	entry, mark := vigia.Dollars(100_000), vigia.Dollars(96_000)
	same(t, "margin of 20×", vigia.MarginFor(quantity, entry, 20*vigia.OneX), margin)
	liquidation := vigia.Liquidation(vigia.Long, quantity, entry, margin)
	same(t, "liquidation", liquidation, vigia.Dollars(95_238))
	same(t, "distance, said to be 0.79 %", vigia.Distance(vigia.Long, mark, liquidation).String(), "0.793")
	same(t, "path used, said to be 84 %", vigia.PathUsed(entry, mark, liquidation).String(), "83.998")

	needed := vigia.MarginAtDistance(vigia.Long, quantity, entry, mark, 10*vigia.OnePercent)
	same(t, "margin that stands 10 % away", needed, 157_408)
	same(t, "sats to add", needed-margin, 107_408)
	same(t, "liquidation then", vigia.Liquidation(vigia.Long, quantity, entry, needed), vigia.Dollars(86_400))
}

func TestDistanceAndPathAgreeWithExactFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		side := anySide.Draw(t, "side")
		entry, mark, liquidation := anyPrice.Draw(t, "entry"), anyPrice.Draw(t, "mark"), anyPrice.Draw(t, "liquidation")
		x := vigia.Percent(rapid.Int64Range(0, 10*int64(vigia.HundredPercent)).Draw(t, "percent"))

		distance := exactDistance(side, mark, dollars(liquidation))
		percents := multiply(distance, whole(vigia.HundredPercent))
		same(t, "distance", int64(vigia.Distance(side, mark, liquidation)), max(0, floor(percents)))
		same(t, "within distance", vigia.WithinDistance(side, mark, liquidation, x), distance.Cmp(share(x)) <= 0)
		if entry == liquidation {
			same(t, "path used of nothing", vigia.PathUsed(entry, mark, liquidation), vigia.HundredPercent)
			return
		}
		path := exactPath(entry, mark, dollars(liquidation))
		used := vigia.PathUsed(entry, mark, liquidation)
		same(t, "path used", int64(used), floor(multiply(path, whole(vigia.HundredPercent))))
		same(t, "path reached", vigia.PathReached(entry, mark, liquidation, x), path.Cmp(share(x)) >= 0)
		same(t, "path reached and path used", vigia.PathReached(entry, mark, liquidation, x), used >= x)
	})
}

func TestPriceAtDistanceIsTheFirstWithinIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		side, liquidation := anySide.Draw(t, "side"), anyPrice.Draw(t, "liquidation")
		x := vigia.Percent(rapid.Int64Range(0, 2*int64(vigia.HundredPercent)).Draw(t, "percent"))
		first := vigia.PriceAtDistance(side, liquidation, x)
		if !first.Valid() {
			t.Fatalf("%s is not on the grid", first)
		}
		same(t, "within at "+first.String(), vigia.WithinDistance(side, first, liquidation, x), true)
		if before := first + vigia.Price(side); before.Valid() {
			same(t, "within a tick before", vigia.WithinDistance(side, before, liquidation, x), false)
		}
	})
}

func TestPriceAtPathIsTheFirstThatReachesIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entry, liquidation := anyPrice.Draw(t, "entry"), anyPrice.Draw(t, "liquidation")
		if entry == liquidation {
			return
		}
		x := vigia.Percent(rapid.Int64Range(-int64(vigia.HundredPercent), int64(vigia.HundredPercent)).Draw(t, "percent"))
		side := vigia.Long
		if liquidation > entry {
			side = vigia.Short
		}
		first := vigia.PriceAtPath(entry, liquidation, x)
		same(t, "reached at "+first.String(), vigia.PathReached(entry, first, liquidation, x), true)
		same(t, "reached a tick before", vigia.PathReached(entry, first+vigia.Price(side), liquidation, x), false)
		same(t, "price at all of the path", vigia.PriceAtPath(entry, liquidation, vigia.HundredPercent), liquidation)
		same(t, "price at none of it", vigia.PriceAtPath(entry, liquidation, 0), entry)
	})
}

func TestTradeWhoseLiquidationStandsAtItsPriceHasUsedAllOfItsPath(t *testing.T) {
	t.Parallel()
	p := vigia.Dollars(1)
	for _, mark := range []vigia.Price{p, p + 1, vigia.Dollars(100)} {
		same(t, "path used", vigia.PathUsed(p, mark, p), vigia.HundredPercent)
		same(t, "all of it reached", vigia.PathReached(p, mark, p, vigia.HundredPercent), true)
		same(t, "more than all reached", vigia.PathReached(p, mark, p, vigia.HundredPercent+1), false)
	}
}

// stands says whether the position is at least y away from its liquidation
// before the tick.
func (p position) stands(mark vigia.Price, y vigia.Percent) bool {
	liquidation, ok := exactLiquidation(p.side, p.quantity, p.entry, whole(p.margin))
	return !ok || exactDistance(p.side, mark, liquidation).Cmp(share(y)) >= 0
}

func TestMarginAtDistanceReachesTheTargetAndOneSatLessMissesIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		mark, y := anyPrice.Draw(t, "mark"), anyShare.Draw(t, "target")
		p.margin = vigia.MarginAtDistance(p.side, p.quantity, p.entry, mark, y)
		same(t, "target reached", p.stands(mark, y), true)
		if p.margin == 0 {
			return
		}
		p.margin--
		same(t, "target reached with one sat less", p.stands(mark, y), false)
	})
}

// The preview is what a rule adds: to a trade that stands nearer than the
// target, seen at a price on its way to liquidation.
func TestAddOfThePreviewIsTheLeastThatReachesTheTarget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		y := anyShare.Draw(t, "target")
		mark := vigia.PriceAtDistance(p.side, p.liquidation(), anyShare.Draw(t, "distance"))
		add := vigia.MarginAtDistance(p.side, p.quantity, p.entry, mark, y) - p.margin
		if add <= 0 {
			same(t, "stands there already", p.stands(mark, y), true)
			return
		}
		same(t, "stands there already", p.stands(mark, y), false)
		p.margin += add
		same(t, "target reached", p.stands(mark, y), true)
		p.margin--
		same(t, "target reached with one sat less", p.stands(mark, y), false)
	})
}

func TestMarginAtAllOfTheDistanceIsThatOfLeverageOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		mark := anyPrice.Draw(t, "mark")
		same(t, "margin", vigia.MarginAtDistance(vigia.Long, p.quantity, p.entry, mark, vigia.HundredPercent), p.mostMargin())
		if got := vigia.MarginAtDistance(vigia.Short, p.quantity, p.entry, mark, vigia.HundredPercent); got > p.mostMargin() {
			t.Fatalf("a short needs %d, more than leverage one's %d", got, p.mostMargin())
		}
	})
}

// usesAtMost says whether at most x of the path is used before the tick.
func (p position) usesAtMost(mark vigia.Price, x vigia.Percent) bool {
	if p.margin == 0 {
		return !p.side.Worse(mark, p.entry)
	}
	liquidation, ok := exactLiquidation(p.side, p.quantity, p.entry, whole(p.margin))
	return !ok || exactPath(p.entry, mark, liquidation).Cmp(share(x)) <= 0
}

func TestMarginAtPathUsesThatMuchAndOneSatLessUsesMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		mark, x := anyPrice.Draw(t, "mark"), anyShare.Draw(t, "path")
		p.margin = vigia.MarginAtPath(p.side, p.quantity, p.entry, mark, x)
		if beyondEveryMargin := subtract(multiply(share(x), dollars(p.entry)), subtract(dollars(p.entry), dollars(mark))).Sign() <= 0; p.side == vigia.Long && beyondEveryMargin {
			same(t, "margin", p.margin, p.mostMargin())
			return
		}
		same(t, "used at most", p.usesAtMost(mark, x), true)
		if p.margin == 0 {
			return
		}
		p.margin--
		same(t, "used at most with one sat less", p.usesAtMost(mark, x), false)
	})
}

func TestMarginForLiquidationReachesItAndOneSatLessMissesIt(t *testing.T) {
	t.Parallel()
	reaches := func(p position, target vigia.Price) bool {
		liquidation, ok := exactLiquidation(p.side, p.quantity, p.entry, whole(p.margin))
		return !ok || signed(p.side, subtract(dollars(target), liquidation)).Sign() >= 0
	}
	rapid.Check(t, func(t *rapid.T) {
		p, target := anyPosition.Draw(t, "position"), anyPrice.Draw(t, "target")
		p.margin = vigia.MarginForLiquidation(p.side, p.quantity, p.entry, target)
		same(t, "target reached", reaches(p, target), true)
		if p.margin == 0 {
			return
		}
		p.margin--
		same(t, "target reached with one sat less", reaches(p, target), false)
	})
}
