package paper_test

import (
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// The vectors stoploss_takeprofit_validation: 10 USD at 90,000, 10×.
func TestStopsOnTheRightSideOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		side vigia.Side
		take bool
		usd  int64
		ok   bool
	}{
		{vigia.Long, false, 95_000, false}, {vigia.Long, false, 90_000, false},
		{vigia.Long, false, 81_000, false}, {vigia.Long, false, 85_000, true},
		{vigia.Long, true, 85_000, false}, {vigia.Long, true, 90_000, false}, {vigia.Long, true, 95_000, true},
		{vigia.Short, false, 85_000, false}, {vigia.Short, false, 90_000, false}, {vigia.Short, false, 95_000, true},
		{vigia.Short, true, 95_000, false}, {vigia.Short, true, 90_000, false}, {vigia.Short, true, 85_000, true},
	} {
		x := newExchange(t, fees, 90_000)
		trade, order := x.market(c.side, 10, 10), paper.NewTrade{Side: c.side, Quantity: 10, Leverage: 10 * vigia.OneX}
		set := func() (vigia.Trade, error) { return x.SetStop(x.acc, trade.ID, vigia.Dollars(c.usd)) }
		order.StopLoss = vigia.Dollars(c.usd)
		if c.take {
			set = func() (vigia.Trade, error) { return x.SetTakeProfit(x.acc, trade.ID, vigia.Dollars(c.usd)) }
			order.StopLoss, order.TakeProfit = 0, vigia.Dollars(c.usd)
		}
		opened := func() (vigia.Trade, error) { return x.Open(x.acc, order) }
		for _, call := range []func() (vigia.Trade, error){set, opened} {
			if c.ok {
				x.must(call())
				continue
			}
			x.refused(func() error { _, err := call(); return err })
		}
	}
}

func TestStopsOfAnOpenOrderAreJudgedByItsLimit(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	// A short limit 30 % under the market with a stop 5 % over it (reference 7.9).
	order := x.must(x.Open(x.acc, paper.NewTrade{
		Type: paper.Limit, Side: vigia.Short, Quantity: 10, Leverage: 5 * vigia.OneX,
		Price: vigia.Dollars(70_000), StopLoss: vigia.Dollars(73_500),
	}))
	x.must(x.SetTakeProfit(x.acc, order.ID, vigia.Dollars(65_000)))
	x.price(75_000)
	equal(t, "state", x.now(order.ID).State, vigia.TradeOpen)
	x.price(70_000)
	x.price(73_500)
	stopped := x.now(order.ID)
	equal(t, "state", stopped.State, vigia.TradeClosed)
	equal(t, "exit", stopped.ExitPrice, vigia.Dollars(73_500))
}

func TestStopTakeProfitAndLiquidationFillAtTheirLevel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		side             vigia.Side
		stop, take, goes int64
		want             paper.EventKind
		exit             int64
	}{
		{"a long's stop", vigia.Long, 95_000, 0, 94_000, paper.EventStopLoss, 95_000},
		{"a long's target", vigia.Long, 0, 105_000, 106_000, paper.EventTakeProfit, 105_000},
		{"a short's stop", vigia.Short, 105_000, 0, 106_000, paper.EventStopLoss, 105_000},
		{"a short's target", vigia.Short, 0, 95_000, 94_000, paper.EventTakeProfit, 95_000},
		{"a long's liquidation", vigia.Long, 0, 0, 80_000, paper.EventLiquidation, 90_909},
		{"a short's liquidation", vigia.Short, 0, 0, 150_000, paper.EventLiquidation, 111_111},
		{"liquidation only if no stop lies between", vigia.Long, 91_000, 0, 80_000, paper.EventStopLoss, 91_000},
		{"a short's stop before its liquidation", vigia.Short, 111_000, 0, 150_000, paper.EventStopLoss, 111_000},
		{"a stop at the liquidation itself", vigia.Long, 90_909, 0, 80_000, paper.EventStopLoss, 90_909},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, fees, 100_000)
			var got []paper.Event
			x.Listen(func(e paper.Event) { got = append(got, e) })
			trade := x.market(c.side, 1000, 10)
			if c.stop != 0 {
				x.must(x.SetStop(x.acc, trade.ID, vigia.Dollars(c.stop)))
			}
			if c.take != 0 {
				x.must(x.SetTakeProfit(x.acc, trade.ID, vigia.Dollars(c.take)))
			}
			x.price(c.goes)
			last := got[len(got)-1]
			equal(t, "event", last.Kind, c.want)
			equal(t, "exit", last.Trade.ExitPrice, vigia.Dollars(c.exit))
			equal(t, "state", x.now(trade.ID).State, vigia.TradeClosed)
		})
	}
}

func TestSettingWhatIsSetAlreadyIsRefused(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade := x.market(vigia.Long, 10, 10)
	stop := func(usd int64) func() error {
		return func() error { _, err := x.SetStop(x.acc, trade.ID, vigia.Dollars(usd)); return err }
	}
	for _, call := range []func() error{
		stop(0),
		func() error { _, err := x.SetTakeProfit(x.acc, trade.ID, 0); return err },
	} {
		if r := x.refused(call); !strings.Contains(r.Message, "same as the previous one") {
			t.Error(r.Message)
		}
	}
	x.must(x.SetStop(x.acc, trade.ID, vigia.Dollars(95_000)))
	x.refused(stop(95_000))
	equal(t, "removed", x.must(x.SetStop(x.acc, trade.ID, 0)).StopLoss, 0)
	x.price(91_000)
	equal(t, "state", x.now(trade.ID).State, vigia.TradeRunning)
	x.must(x.Close(x.acc, trade.ID))
	if r := x.refused(stop(90_950)); !strings.Contains(r.Message, "not open or running") {
		t.Error(r.Message)
	}
}

func TestTrailingStopFollowsTheBestPriceAndNeverGoesBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		side vigia.Side
		path []int64
		want []vigia.Price
		exit vigia.Price
	}{
		{
			vigia.Long, []int64{99_000, 102_000, 101_000, 103_000, 97_000},
			[]vigia.Price{190_000, 193_800, 193_800, 195_700, 195_700}, 195_700,
		},
		{
			vigia.Short, []int64{101_000, 98_000, 99_000, 97_000, 103_000},
			[]vigia.Price{210_000, 205_800, 205_800, 203_700, 203_700}, 203_700,
		},
	} {
		x := newExchange(t, fees, 100_000)
		trade := x.market(c.side, 10, 10)
		set := x.must(x.SetTrailingStop(x.acc, trade.ID, 5*vigia.OnePercent))
		equal(t, "distance", set.Trailing, 5*vigia.OnePercent)
		for i, usd := range c.path {
			x.price(usd)
			equal(t, "level", x.now(trade.ID).StopLoss, c.want[i])
		}
		equal(t, "state", x.now(trade.ID).State, vigia.TradeClosed)
		equal(t, "exit", x.now(trade.ID).ExitPrice, c.exit)
	}
}

func TestTrailingStopsAndFixedOnesReplaceEachOther(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade, order := x.market(vigia.Long, 10, 10), x.limit(vigia.Long, 10, 10, 98_000)
	x.must(x.SetTrailingStop(x.acc, trade.ID, 4*vigia.OnePercent))
	fixed := x.must(x.SetStop(x.acc, trade.ID, vigia.Dollars(96_000))) // the level it had
	equal(t, "trailing", fixed.Trailing, 0)
	x.price(110_000)
	equal(t, "a fixed stop stays", x.now(trade.ID).StopLoss, vigia.Dollars(96_000))

	for _, distance := range []vigia.Percent{99, 10 * vigia.OnePercent, 1000*vigia.OnePercent + 1} {
		x.refused(func() error { _, err := x.SetTrailingStop(x.acc, order.ID, distance); return err })
	}
	waiting := x.must(x.SetTrailingStop(x.acc, order.ID, vigia.OnePercent))
	equal(t, "from the limit", waiting.StopLoss, vigia.Dollars(97_020))
	x.refused(func() error { _, err := x.SetTrailingStop(x.acc, order.ID, vigia.OnePercent); return err })
	x.price(98_000) // fills it
	x.price(100_000)
	equal(t, "from the best price after the fill", x.now(order.ID).StopLoss, vigia.Dollars(99_000))
}

func TestACashInDropsTheStopBeyondTheNewLiquidation(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade := x.market(vigia.Long, 1000, 10)
	x.must(x.SetStop(x.acc, trade.ID, vigia.Dollars(92_000)))
	after := x.must(x.CashIn(x.acc, trade.ID, 40_000))
	equal(t, "stop", after.StopLoss, 0)
	x.price(95_000)
	equal(t, "state", x.now(trade.ID).State, vigia.TradeRunning)
}
