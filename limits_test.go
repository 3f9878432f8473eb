package vigia_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

func TestOrderHasOneToHalfAMillionDollars(t *testing.T) {
	t.Parallel()
	for q, want := range map[vigia.USD]error{
		-1: vigia.ErrQuantityTooLow, 0: vigia.ErrQuantityTooLow, 1: nil,
		500_000: nil, 500_001: vigia.ErrQuantityTooHigh,
	} {
		if err := vigia.CheckOrderQuantity(q); !errors.Is(err, want) {
			t.Errorf("%d USD: %v", q, err)
		}
	}
}

func TestLeverageIsOneToOneHundred(t *testing.T) {
	t.Parallel()
	for leverage, want := range map[vigia.Leverage]error{
		0: vigia.ErrLeverage, vigia.OneX - 1: vigia.ErrLeverage, vigia.OneX: nil,
		100 * vigia.OneX: nil, 100*vigia.OneX + 1: vigia.ErrLeverage,
	} {
		if err := vigia.CheckLeverage(leverage); !errors.Is(err, want) {
			t.Errorf("%s: %v", leverage, err)
		}
	}
}

func TestMaxCrossQuantityFallsWithLeverageAndStaysWithinItsEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		low, high := anyLeverage.Draw(t, "a"), anyLeverage.Draw(t, "b")
		if low > high {
			low, high = high, low
		}
		more, less := vigia.MaxCrossQuantityAt(low), vigia.MaxCrossQuantityAt(high)
		if less > more || more > vigia.MaxCrossQuantity || less < 10_000_000 || more%5 != 0 {
			t.Fatalf("%d at %s, %d at %s", more, low, less, high)
		}
	})
	same(t, "below 1×", vigia.MaxCrossQuantityAt(0), vigia.MaxCrossQuantity)
	same(t, "above 100×", vigia.MaxCrossQuantityAt(1_000*vigia.OneX), 10_000_000)
}

// A stop at the liquidation is taken, at the market it is not (reference 7.9).
func TestStopLossStandsBetweenLiquidationAndTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPosition.Draw(t, "position")
		reference, stop := anyPrice.Draw(t, "reference"), anyPrice.Draw(t, "stop")
		low, high := p.liquidation(), reference-1
		if p.side == vigia.Short {
			low, high = reference+1, p.liquidation()
		}
		same(t, "allowed", vigia.StopLossAllowed(p.side, reference, p.liquidation(), stop), low <= stop && stop <= high)
		same(t, "take-profit and stop-loss at once", vigia.TakeProfitAllowed(p.side, reference, stop) && p.side.Worse(stop, reference), false)
	})
	p := vigia.Dollars(100_000)
	same(t, "take-profit at the reference", vigia.TakeProfitAllowed(vigia.Long, p, p), false)
}

func TestSwapThereAndBackNeverGains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount, bid := satsBetween(1_000, 21_000_000*vigia.SatsPerBTC).Draw(t, "amount"), anyPrice.Draw(t, "bid")
		cents := vigia.SwapToUSD(amount, bid)
		want := divide(multiply(multiply(whole(amount), dollars(bid)), whole(int64(100))), whole(int64(vigia.SatsPerBTC)))
		same(t, "cents", int64(cents), floor(want))
		back := vigia.SwapToSats(cents, bid)
		same(t, "sats", int64(back), floor(divide(multiply(whole(cents), whole(int64(vigia.SatsPerBTC))), multiply(whole(int64(100)), dollars(bid)))))
		if back > amount {
			t.Fatalf("%d sats came back as %d", amount, back)
		}
	})
}
