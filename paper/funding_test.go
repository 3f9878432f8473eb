package paper_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// rate is 0.1 % per settlement, as in the worked example.
const rate vigia.FundingRate = 10_000_000

func funded(t *testing.T, usd int64) *exchange {
	t.Helper()
	x := newExchange(t, paper.Rules{NoFees: true, FundingRate: rate}, usd)
	x.at = midnight.Add(8*time.Hour - 10*time.Second)
	x.price(usd)
	return x
}

// settle moves the market past 08:00.
func (x *exchange) settle(usd int64) {
	x.Helper()
	x.at = midnight.Add(8 * time.Hour)
	x.price(usd)
}

// Vectors funding_effect_isolated.
func TestFundingIsPaidFromTheMarginAndReceivedIntoTheWallet(t *testing.T) {
	t.Parallel()
	x := funded(t, 100_000)
	long, short, open := x.market(vigia.Long, 500, 10), x.market(vigia.Short, 500, 1), x.limit(vigia.Long, 500, 10, 90_000)
	wallet := x.Wallet(x.acc)
	var events []paper.Event
	x.Listen(func(e paper.Event) { events = append(events, e) })
	x.settle(100_000)

	paid := x.now(long.ID)
	equal(t, "margin", paid.Margin, 49_500)
	equal(t, "leverage", paid.Leverage, 10_101_010)
	equal(t, "liquidation", paid.Liquidation, vigia.Dollars(90_992))
	equal(t, "paid", paid.Funding, 500)
	received := x.now(short.ID)
	equal(t, "margin of the receiver", received.Margin, 500_000)
	equal(t, "leverage of the receiver", received.Leverage, vigia.OneX)
	equal(t, "received", received.Funding, -500)
	equal(t, "wallet", x.Wallet(x.acc)-wallet, 500)
	equal(t, "an open order", x.now(open.ID).Funding, 0)

	fees := x.FundingFees(x.acc)
	equal(t, "rows", len(fees), 2)
	equal(t, "the last row's fee", fees[0].Fee, -500)
	equal(t, "the first row", fees[1], paper.FundingFee{
		At: midnight.Add(8 * time.Hour), Settlement: x.Settlements()[0].ID, Trade: long.ID, Fee: 500,
	})
	equal(t, "settlement", x.Settlements()[0], paper.Settlement{
		ID: fees[0].Settlement, At: midnight.Add(8 * time.Hour), Rate: rate, Fixing: vigia.Dollars(100_000),
	})
	equal(t, "events", len(events), 2)
	equal(t, "event", events[0].Kind, paper.EventFunding)
	equal(t, "event's fee", events[0].Fee, 500)
	if err := vigia.CheckID(x.Settlements()[0].ID); err != nil {
		t.Error(err)
	}
}

// Vector funding_effect_isolated-03: the quantity was floored, so the leverage
// is a little under 1.
func TestATradeSizedByItsMarginSurvivesFundingAtLeverageOne(t *testing.T) {
	t.Parallel()
	x := newExchange(t, paper.Rules{NoFees: true, FundingRate: paper.DefaultFundingRate}, 42_879)
	trade := x.must(x.Open(x.acc, paper.NewTrade{Side: vigia.Long, Margin: 99_876, Leverage: vigia.OneX}))
	equal(t, "quantity", trade.Quantity, 42)
	x.settle(42_879)
	after := x.now(trade.ID)
	equal(t, "margin", after.Margin, 99_866)
	equal(t, "leverage", after.Leverage, vigia.OneX)
}

func TestFundingIsFixedAtTheIndexOfTheMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		at   time.Duration // of the tick, after 08:00
		want int64
	}{
		{"a tick at the moment itself", 0, 80_000},
		{"the price that stood when the next tick comes later", time.Minute, 100_000},
	} {
		x := funded(t, 100_000)
		if err := x.Tick(vigia.Dollars(80_000), midnight.Add(8*time.Hour+c.at)); err != nil {
			t.Fatal(err)
		}
		equal(t, c.name, x.Settlements()[0].Fixing, vigia.Dollars(c.want))
	}
	x := funded(t, 100_000)
	if err := x.SetIndex(vigia.Dollars(99_000)); err != nil {
		t.Fatal(err)
	}
	x.settle(100_000)
	equal(t, "an index of its own", x.Settlements()[0].Fixing, vigia.Dollars(99_000))
	if err := x.SetIndex(0); err != nil {
		t.Fatal(err)
	}
	equal(t, "the index follows again", x.Ticker().Index, vigia.Dollars(100_000))
}

func TestEachSettlementOfALongSilenceIsCharged(t *testing.T) {
	t.Parallel()
	x := funded(t, 100_000)
	trade := x.market(vigia.Long, 500, 10)
	x.at = midnight.Add(32 * time.Hour) // 08:00, 16:00, 00:00 and, with this tick, 08:00
	if err := x.Tick(vigia.Dollars(100_000), x.at); err != nil {
		t.Fatal(err)
	}
	equal(t, "paid", x.now(trade.ID).Funding, 2000)
	equal(t, "settlements", len(x.Settlements()), 4)
	equal(t, "next", x.Ticker().FundingAt, midnight.Add(40*time.Hour))
}

func TestFundingThatMovesTheLiquidationIntoThePriceLiquidates(t *testing.T) {
	t.Parallel()
	x := funded(t, 100_000)
	trade := x.market(vigia.Long, 500, 50)
	near := trade.Liquidation + 1
	x.ticks(near)
	equal(t, "state before", x.now(trade.ID).State, vigia.TradeRunning)
	x.at = midnight.Add(8*time.Hour - time.Second)
	x.ticks(near)
	dead := x.now(trade.ID)
	equal(t, "state", dead.State, vigia.TradeClosed)
	equal(t, "margin after funding", dead.Margin, trade.Margin-vigia.FundingFee(vigia.Long, 500, near, rate))
	equal(t, "how", vigia.Ended(&dead, false), vigia.EndedLiquidated)
}

func TestAMarginTooSmallForFundingIsClosedAtMarket(t *testing.T) {
	t.Parallel()
	x := funded(t, 100_000)
	trade := x.market(vigia.Long, 1000, 100)
	wallet := x.Wallet(x.acc)
	x.settle(100_000)
	closed := x.now(trade.ID)
	equal(t, "state", closed.State, vigia.TradeClosed)
	equal(t, "exit", closed.ExitPrice, vigia.Dollars(100_000))
	equal(t, "pl", closed.PL, 0)
	equal(t, "the fee is paid all the same", closed.Funding, 1000)
	equal(t, "wallet", x.Wallet(x.acc)-wallet, trade.Margin-1000)

	rules := paper.Rules{NoFees: true, FundingRate: rate, FundAnyLeverage: true}
	y := newExchange(t, rules, 100_000)
	kept := y.market(vigia.Long, 1000, 100)
	y.settle(100_000)
	equal(t, "with the switch it runs on", y.now(kept.ID).Margin, kept.Margin-1000)
}

func TestDrawnRatesRepeatForASeed(t *testing.T) {
	t.Parallel()
	rates := func(seed uint64) [4]vigia.FundingRate {
		x := newExchange(t, paper.Rules{FundingSeed: seed, FundingRate: rate}, 100_000)
		var out [4]vigia.FundingRate
		for i := range out {
			x.at = midnight.Add(time.Duration(8*(i+1)) * time.Hour)
			x.price(100_000)
			out[i] = x.Ticker().Rate
			if d := out[i] - rate; d < -5_000_000 || d > 5_000_000 {
				t.Errorf("rate %s is too far from %s", out[i], rate)
			}
		}
		return out
	}
	equal(t, "the same seed", rates(7), rates(7))
	if rates(7) == rates(8) {
		t.Error("two seeds draw alike")
	}
}

func TestAnAnnouncedRateCountsAtTheNextSettlement(t *testing.T) {
	t.Parallel()
	x := funded(t, 100_000)
	trade := x.market(vigia.Long, 500, 10)
	if err := x.SetFundingRate(-rate); err != nil {
		t.Fatal(err)
	}
	x.settle(100_000)
	equal(t, "a negative rate pays longs", x.now(trade.ID).Funding, -500)
}
