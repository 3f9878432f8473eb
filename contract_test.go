package vigia_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// sums is one set of inputs for all of the contract's arithmetic.
type sums struct {
	side        vigia.Side
	quantity    vigia.USD
	entry, exit vigia.Price
	leverage    vigia.Leverage
	margin      vigia.Sats
	fee         vigia.FeeRate
	funding     vigia.FundingRate
}

func TestContractAgreesWithExactFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := sums{
			side:     anySide.Draw(t, "side"),
			quantity: vigia.USD(rapid.Int64Range(1, int64(vigia.MaxCrossQuantity)).Draw(t, "quantity")),
			entry:    anyPrice.Draw(t, "entry"),
			exit:     anyPrice.Draw(t, "exit"),
			leverage: anyLeverage.Draw(t, "leverage"),
			fee:      vigia.FeeRateOfTier(rapid.IntRange(0, 3).Draw(t, "tier")),
			funding:  vigia.FundingRate(rapid.Int64Range(-1e10, 1e10).Draw(t, "funding")),
		}
		s.margin = satsBetween(1, 2*vigia.MarginAtLeverageOne(s.quantity, s.entry)).Draw(t, "margin")
		s.agree(t)
	})
}

// The corners of quantity, price and leverage: a product that did not fit would
// show as a wrong figure or a panic.
func TestContractAgreesWithExactFractionsAtTheLimits(t *testing.T) {
	t.Parallel()
	prices := []vigia.Price{vigia.MinPrice, vigia.MinPrice + 1, vigia.Dollars(100_000), vigia.MaxPrice - 1, vigia.MaxPrice}
	for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
		for _, q := range []vigia.USD{1, vigia.MaxIsolatedQuantity, vigia.MaxCrossQuantity} {
			for _, entry := range prices {
				for _, exit := range prices {
					for _, leverage := range []vigia.Leverage{vigia.MinLeverage, vigia.MaxLeverage} {
						s := sums{side: side, quantity: q, entry: entry, exit: exit, leverage: leverage, fee: vigia.ReserveRate, funding: 1e10}
						s.margin = vigia.MarginFor(q, entry, leverage)
						s.agree(t)
						s.funding = -1e10
						s.margin *= 100
						s.agree(t)
					}
				}
			}
		}
	}
}

func (s sums) agree(t reporter) {
	t.Helper()
	s.agreeOnMargins(t)
	s.agreeOnPrices(t)
	s.agreeOnFees(t)
}

func (s sums) agreeOnMargins(t reporter) {
	t.Helper()
	value := valueOf(s.quantity, s.entry)
	bound := divide(value, times(s.leverage))
	same(t, "margin", int64(vigia.MarginFor(s.quantity, s.entry, s.leverage)), ceil(bound))
	same(t, "floored margin", int64(vigia.FlooredMargin(s.quantity, s.entry, s.leverage)), floor(bound))
	same(t, "margin at leverage one", int64(vigia.MarginAtLeverageOne(s.quantity, s.entry)), ceil(value))
	bought := divide(multiply(multiply(whole(s.margin), times(s.leverage)), dollars(s.entry)), whole(int64(vigia.SatsPerBTC)))
	same(t, "quantity", int64(vigia.QuantityFor(s.margin, s.entry, s.leverage)), floor(bought))
	leverage := multiply(divide(value, whole(s.margin)), whole(vigia.OneX))
	same(t, "leverage", int64(vigia.LeverageOf(s.quantity, s.margin, s.entry)), nearest(leverage))
	same(t, "running margin", int64(vigia.CrossRunningMargin(-s.quantity, s.entry, s.leverage)), floor(bound))
	same(t, "maintenance margin", int64(vigia.CrossMaintenance(-s.quantity, s.entry)), s.maintenance())
}

func (s sums) maintenance() int64 {
	return floor(divide(multiply(valueOf(s.quantity, s.entry), whole(int64(15))), whole(int64(10_000))))
}

func (s sums) agreeOnPrices(t reporter) {
	t.Helper()
	q := s.quantity
	same(t, "liquidation", vigia.Liquidation(s.side, q, s.entry, s.margin), tickLiquidation(s.side, q, s.entry, whole(s.margin)))
	carried := subtract(whole(s.margin), whole(s.maintenance()))
	same(t, "cross liquidation", vigia.CrossLiquidation(vigia.USD(s.side)*q, s.entry, s.margin), tickLiquidation(s.side, q, s.entry, carried))
	lost := whole(-s.margin)
	same(t, "liquidation without margin", vigia.Liquidation(s.side, q, s.entry, -s.margin), tickLiquidation(s.side, q, s.entry, lost))
	same(t, "price that earns", vigia.PriceForPL(s.side, q, s.entry, s.margin), tickLiquidation(s.side, q, s.entry, lost))
	lowest := divide(divide(multiply(whole(int64(vigia.SatsPerBTC)), whole(q)), times(s.leverage)), whole(s.margin))
	ticks := vigia.Price(ceil(multiply(lowest, whole(int64(vigia.TicksPerDollar)))))
	same(t, "price at leverage", vigia.PriceAtLeverage(q, s.margin, s.leverage), max(vigia.MinPrice, min(vigia.MaxPrice, ticks)))
}

func (s sums) agreeOnFees(t reporter) {
	t.Helper()
	pl := exactPL(s.side, s.quantity, s.entry, s.exit)
	same(t, "pl", int64(vigia.PL(s.side, s.quantity, s.entry, s.exit)), floor(pl))
	same(t, "running pl", int64(vigia.RunningPL(s.side, s.quantity, s.entry, s.exit)), nearest(pl))
	fee := divide(multiply(valueOf(s.quantity, s.exit), whole(s.fee)), whole(int64(100_000)))
	same(t, "fee", int64(vigia.Fee(s.quantity, s.exit, s.fee)), floor(fee))
	same(t, "closing reserve", int64(vigia.ClosingReserve(s.quantity, s.exit)), floor(divide(valueOf(s.quantity, s.exit), whole(int64(1_000)))))
	funding := signed(s.side, divide(multiply(valueOf(s.quantity, s.exit), whole(s.funding)), whole(int64(10_000_000_000))))
	same(t, "funding fee", int64(vigia.FundingFee(s.side, s.quantity, s.exit, s.funding)), nearest(funding))
}

func TestMarginAlwaysBuysTheQuantityItWasComputedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q, p, leverage := anyQuantity.Draw(t, "quantity"), anyPrice.Draw(t, "price"), anyLeverage.Draw(t, "leverage")
		if got := vigia.QuantityFor(vigia.MarginFor(q, p, leverage), p, leverage); got < q {
			t.Fatalf("%d USD, want at least %d", got, q)
		}
	})
}

func TestMoreMarginNeverBringsLiquidationCloser(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		less := anyPosition.Draw(t, "position")
		more := less
		more.margin += satsBetween(0, less.mostMargin()).Draw(t, "more")
		if less.side.Worse(less.liquidation(), more.liquidation()) {
			t.Fatalf("liquidation went from %s to %s with %d sats more", less.liquidation(), more.liquidation(), more.margin-less.margin)
		}
		mark := anyPrice.Draw(t, "mark")
		before, after := vigia.Distance(less.side, mark, less.liquidation()), vigia.Distance(less.side, mark, more.liquidation())
		if after < before {
			t.Fatalf("distance went from %s to %s", before, after)
		}
	})
}

func TestFundingIsPaidFromMarginAndReceivedIntoTheWallet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		margin := satsBetween(0, vigia.SatsPerBTC).Draw(t, "margin")
		fee := satsBetween(-vigia.SatsPerBTC, vigia.SatsPerBTC).Draw(t, "fee")
		after, toWallet := vigia.SettleFunding(margin, fee)
		same(t, "margin and wallet together", after+toWallet, margin-fee)
		if after > margin || toWallet < 0 {
			t.Fatalf("margin %d to %d, wallet %d", margin, after, toWallet)
		}
	})
}

func TestNoMarginBuysNothingAndHasNoLeverage(t *testing.T) {
	t.Parallel()
	p := vigia.Dollars(100_000)
	for _, margin := range []vigia.Sats{0, -1, math.MinInt64} {
		same(t, "quantity", vigia.QuantityFor(margin, p, vigia.MaxLeverage), 0)
		same(t, "leverage", vigia.LeverageOf(1, margin, p), math.MaxInt64)
		same(t, "price at leverage 100", vigia.PriceAtLeverage(1, margin, vigia.MaxLeverage), vigia.MaxPrice)
	}
}

func TestFeeTierOutsideTheTableIsTheDearest(t *testing.T) {
	t.Parallel()
	for tier, want := range map[int]vigia.FeeRate{-1: 100, 0: 100, 1: 80, 2: 70, 3: 60, 4: 100} {
		same(t, "rate", vigia.FeeRateOfTier(tier), want)
	}
}
