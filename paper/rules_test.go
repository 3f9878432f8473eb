package paper_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

func TestTouchOrCross(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cross bool
		at    vigia.Price
		want  vigia.TradeState
	}{
		{false, vigia.Dollars(90_909), vigia.TradeClosed},
		{true, vigia.Dollars(90_909), vigia.TradeRunning},
		{true, vigia.Dollars(90_909) - 1, vigia.TradeClosed},
	} {
		x := newExchange(t, paper.Rules{Cross: c.cross}, 100_000)
		trade := x.market(vigia.Long, 1000, 10)
		x.ticks(c.at)
		equal(t, "state", x.now(trade.ID).State, c.want)
		if c.want == vigia.TradeClosed {
			equal(t, "exit", x.now(trade.ID).ExitPrice, vigia.Dollars(90_909))
		}
	}
	x := newExchange(t, paper.Rules{Cross: true}, 100_000)
	order := x.limit(vigia.Short, 10, 10, 101_000)
	x.price(101_000)
	equal(t, "a touched limit", x.now(order.ID).State, vigia.TradeOpen)
	x.ticks(vigia.Dollars(101_000) + 1)
	equal(t, "a crossed limit", x.now(order.ID).EntryPrice, vigia.Dollars(101_000))
	trail := x.market(vigia.Long, 10, 10)
	x.must(x.SetTrailingStop(x.acc, trail.ID, vigia.OnePercent))
	x.price(102_000)
	equal(t, "a better price is followed at once", x.now(trail.ID).StopLoss, vigia.Dollars(100_980))
}

func TestFillAtMarketFillsBehindTheLevel(t *testing.T) {
	t.Parallel()
	rules := paper.Rules{FillAtMarket: true, Ladder: []paper.Rung{{UpTo: 500_000, Half: 20}}}
	x := newExchange(t, rules, 100_000)
	order := x.limit(vigia.Long, 1000, 10, 95_000)
	x.price(94_000)
	filled := x.now(order.ID)
	equal(t, "entry at the ask", filled.EntryPrice, vigia.Dollars(94_010))
	equal(t, "margin as ordered", filled.Margin, order.Margin)
	equal(t, "liquidation of that margin", filled.Liquidation, vigia.Liquidation(vigia.Long, 1000, filled.Price, order.Margin))
	x.price(80_000)
	dead := x.now(order.ID)
	equal(t, "exit at the bid", dead.ExitPrice, vigia.Dollars(79_990))
	equal(t, "the loss is the whole one", dead.PL, vigia.PL(vigia.Long, 1000, filled.Price, dead.ExitPrice))
}

func TestWhatALiquidationLeaves(t *testing.T) {
	t.Parallel()
	// Above 250,000 USD the fees are lower than the reserve that was taken.
	leftover := func(rules paper.Rules) vigia.Sats {
		x := newExchange(t, rules, 100_000)
		if err := x.Deposit(x.acc, 100_000_000); err != nil {
			t.Fatal(err)
		}
		x.market(vigia.Long, 300_000, 100)
		equal(t, "tier", x.FeeTier(x.acc), 1)
		x.market(vigia.Long, 10_000, 50)
		wallet := x.Wallet(x.acc)
		x.price(98_000)
		equal(t, "running", len(x.Running(x.acc)), 0)
		return x.Wallet(x.acc) - wallet
	}
	equal(t, "nothing returned", leftover(paper.Rules{}), 0)
	if got := leftover(paper.Rules{ReturnLeftover: true}); got <= 0 {
		t.Errorf("with the switch %d sats came back", got)
	}
}

func TestFeesByVolume(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	if err := x.Deposit(x.acc, 100_000_000); err != nil {
		t.Fatal(err)
	}
	first := x.market(vigia.Long, 250_001, 100)
	equal(t, "fee of the first tier", first.OpeningFee, 250_001)
	second := x.market(vigia.Long, 1000, 100)
	equal(t, "fee of the second", second.OpeningFee, 800)
	equal(t, "the reserve is of the first", second.FeeReserve+second.OpeningFee,
		1000+vigia.ClosingReserve(1000, second.Liquidation))
	x.at = x.at.Add(30 * 24 * time.Hour)
	x.price(100_000)
	equal(t, "after thirty days", x.FeeTier(x.acc), 0)
	equal(t, "fee", x.market(vigia.Long, 1000, 100).OpeningFee, 1000)
}

func TestNearestFeesAndNoFees(t *testing.T) {
	t.Parallel()
	// 60 USD at 60,000, 10×: the docs print a closing reserve of 110.
	for _, c := range []struct {
		rules paper.Rules
		want  vigia.Sats
	}{{paper.Rules{}, 209}, {paper.Rules{NearestFees: true}, 210}, {paper.Rules{NoFees: true}, 0}} {
		x := newExchange(t, c.rules, 60_000)
		equal(t, "reserve", x.limit(vigia.Long, 60, 10, 60_000).FeeReserve, c.want)
	}
}

func TestKeepReserveLeavesTheWalletAlone(t *testing.T) {
	t.Parallel()
	x := newExchange(t, paper.Rules{KeepReserve: true}, 100_000)
	trade := x.market(vigia.Long, 10_000, 20)
	wallet := x.Wallet(x.acc)
	after := x.must(x.AddMargin(x.acc, trade.ID, 100_000))
	equal(t, "reserve", after.FeeReserve, trade.FeeReserve)
	equal(t, "wallet", wallet-x.Wallet(x.acc), 100_000)
}

func TestRulesThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, rules := range []paper.Rules{
		{Ladder: []paper.Rung{{UpTo: 10}, {UpTo: 10}}},
		{Ladder: []paper.Rung{{UpTo: 0}}},
		{Ladder: []paper.Rung{{UpTo: 10, Half: -1}}},
		{KeepPostings: -1},
	} {
		if rules.Check() == nil {
			t.Errorf("%+v passed", rules)
		}
		if _, err := paper.New(rules).NewAccount(1); err == nil {
			t.Errorf("an engine runs on %+v", rules)
		}
	}
	rules := paper.DefaultRules()
	if err := rules.Check(); err != nil {
		t.Error(err)
	}
}

func TestTheMarketDoesNotGoBackOrOffTheGrid(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	if err := x.Tick(vigia.Dollars(1), x.at.Add(-time.Nanosecond)); err == nil {
		t.Error("the time went back")
	}
	for _, p := range []vigia.Price{0, 1, -4, vigia.MaxPrice + 1} {
		if err := x.Tick(p, x.at); err == nil {
			t.Errorf("a price of %d ticks", p)
		}
	}
	equal(t, "last", x.Last(), vigia.Dollars(100_000))
}

func TestCandlesOfTheMarket(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	x.at = midnight.Add(2 * time.Hour)
	for _, usd := range []int64{100, 104, 98, 101} {
		x.price(usd * 1000)
	}
	x.market(vigia.Long, 10, 10)
	x.at = midnight.Add(2*time.Hour + 3*time.Minute)
	x.price(99_000)
	got := x.Candles(midnight.Add(2*time.Hour), midnight.Add(3*time.Hour))
	equal(t, "candles", len(got), 2)
	equal(t, "first", got[0], paper.Candle{
		Time: midnight.Add(2 * time.Hour), Open: vigia.Dollars(100_000), High: vigia.Dollars(104_000),
		Low: vigia.Dollars(98_000), Close: vigia.Dollars(101_000), Volume: 10,
	})
	equal(t, "second opens at", got[1].Time, midnight.Add(2*time.Hour+3*time.Minute))
	equal(t, "before", len(x.Candles(midnight.Add(4*time.Hour), midnight.Add(5*time.Hour))), 0)
}

func TestATickThatTouchesNothingCostsNoMemory(t *testing.T) {
	x := newExchange(t, fees, 100_000)
	for i := range int64(20) {
		x.market(vigia.Long, 10, 2+i)
		x.limit(vigia.Short, 10, 5, 120_000+i)
	}
	price := vigia.Dollars(100_000)
	allocs := testing.AllocsPerRun(1000, func() {
		price ^= 1
		if err := x.Tick(price, x.at); err != nil {
			t.Fatal(err)
		}
	})
	equal(t, "allocations", allocs, 0)
}

// A tick that reaches nothing, with a hundred thousand levels waiting.
func BenchmarkQuietTick(b *testing.B) {
	e := paper.New(paper.Rules{NoFees: true, Seed: 1})
	if err := e.Tick(vigia.Dollars(100_000), midnight); err != nil {
		b.Fatal(err)
	}
	for range 2000 {
		key, err := e.NewAccount(1_000_000)
		if err != nil {
			b.Fatal(err)
		}
		for i := range vigia.Leverage(50) {
			if _, err := e.Open(key.ID, paper.NewTrade{Side: vigia.Long, Quantity: 1, Leverage: (2 + i) * vigia.OneX}); err != nil {
				b.Fatal(err)
			}
		}
	}
	price := vigia.Dollars(100_000)
	for b.Loop() {
		price ^= 1
		if err := e.Tick(price, midnight); err != nil {
			b.Fatal(err)
		}
	}
}
