package paper_test

import (
	"testing"

	"github.com/vigiaguard/vigia"
)

// Reference 7.4: a limit long of 1,000 USD at 100,000, 10×, tier 1.
func TestRoundTripCostsWhatTheReferenceWorksOut(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_010)
	before := x.Wallet(x.acc)
	open := x.limit(vigia.Long, 1000, 10, 100_000)
	equal(t, "state", open.State, vigia.TradeOpen)
	equal(t, "margin", open.Margin, 100_000)
	equal(t, "reserve while open", open.FeeReserve, 2100)
	equal(t, "liquidation", open.Liquidation, vigia.Dollars(90_909))
	equal(t, "opening fee while open", open.OpeningFee, 0)
	equal(t, "wallet", x.Wallet(x.acc)-before, -102_100)

	x.price(100_000)
	running := x.now(open.ID)
	equal(t, "state", running.State, vigia.TradeRunning)
	equal(t, "opening fee", running.OpeningFee, 1000)
	equal(t, "reserve", running.FeeReserve, 1100)
	equal(t, "wallet", x.Wallet(x.acc)-before, -102_100)

	x.price(110_000)
	closed := x.must(x.Close(x.acc, open.ID))
	equal(t, "pl", closed.PL, 90_909)
	equal(t, "closing fee", closed.ClosingFee, 909)
	equal(t, "reserve", closed.FeeReserve, 191)
	equal(t, "wallet", x.Wallet(x.acc)-before, 89_000)
}

func TestLiquidationTakesMarginAndReserve(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	before := x.Wallet(x.acc)
	trade := x.market(vigia.Long, 1000, 10)
	x.price(90_910)
	equal(t, "a dollar above", x.now(trade.ID).State, vigia.TradeRunning)
	x.price(90_909)
	dead := x.now(trade.ID)
	equal(t, "state", dead.State, vigia.TradeClosed)
	equal(t, "exit", dead.ExitPrice, vigia.Dollars(90_909))
	equal(t, "pl", dead.PL, -100_002)
	equal(t, "margin", dead.Margin, 100_000)
	equal(t, "closing fee", dead.ClosingFee, 1100)
	equal(t, "reserve", dead.FeeReserve, 0)
	equal(t, "wallet", x.Wallet(x.acc)-before, -102_100)
	equal(t, "how it ended", vigia.Ended(&dead, false), vigia.EndedLiquidated)
}

// Vectors isolated_sequences-03 and -04.
func TestCashInOfAShortInProfit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                                       string
		leverage                                   int64
		amount, margin, cashedPL, closedPL, closed vigia.Sats
	}{
		{"a part of the profit moves the price", 1, 5000, 500_000, 4999, 5204, 1010},
		{"more than the profit takes margin too", 10, 15_000, 45_204, 10_204, 0, 1010},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, fees, 100_000)
			trade := x.market(vigia.Short, 500, c.leverage)
			x.price(98_000)
			equal(t, "running pl", x.now(trade.ID).PL, 10_204)
			after := x.must(x.CashIn(x.acc, trade.ID, c.amount))
			equal(t, "margin", after.Margin, c.margin)
			equal(t, "sumCashInPl", after.CashInPL, c.cashedPL)
			equal(t, "sumCashInMargin", after.CashInMargin, c.amount-c.cashedPL)
			closed := x.must(x.Close(x.acc, trade.ID))
			equal(t, "pl of the rest", closed.PL, c.closedPL)
			equal(t, "fees", closed.OpeningFee+closed.ClosingFee, c.closed)
		})
	}
}

// The vectors of cash_in, reference 7.6.
func TestCashInOfTheReference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		side        vigia.Side
		mark        int64
		amount      vigia.Sats
		price       vigia.Price
		margin      vigia.Sats
		leverage    vigia.Leverage
		liquidation vigia.Price
		stopStays   bool
	}{
		{vigia.Long, 110_000, 40_000, 208_333, 100_000, 9_600_015, 188_679, true},
		{vigia.Long, 110_000, 90_909, 220_000, 100_000, 9_090_909, 198_198, false},
		{vigia.Long, 110_000, 150_000, 220_000, 40_909, 22_222_272, 210_526, false},
		{vigia.Long, 98_000, 40_000, 200_000, 60_000, 16_666_667, 188_679, true},
		{vigia.Short, 92_000, 30_000, 194_175, 100_000, 10_299_987, 215_054, true},
		{vigia.Short, 92_000, 86_956, 184_000, 100_000, 10_869_565, 202_643, false},
		{vigia.Short, 92_000, 150_000, 184_000, 36_956, 29_412_180, 190_476, false},
		{vigia.Short, 102_000, 40_000, 200_000, 60_000, 16_666_667, 212_766, true},
	} {
		x := newExchange(t, fees, 100_000)
		trade, stop := x.market(c.side, 1000, 10), vigia.Dollars(100_000-5_000*int64(c.side))
		x.must(x.SetStop(x.acc, trade.ID, stop))
		x.price(c.mark)
		wallet := x.Wallet(x.acc)
		after := x.must(x.CashIn(x.acc, trade.ID, c.amount))
		equal(t, "price", after.Price, c.price)
		equal(t, "entry price", after.EntryPrice, trade.EntryPrice)
		equal(t, "margin", after.Margin, c.margin)
		equal(t, "leverage", after.Leverage, c.leverage)
		equal(t, "liquidation", after.Liquidation, c.liquidation)
		if !c.stopStays {
			stop = 0
		}
		equal(t, "stop", after.StopLoss, stop)
		equal(t, "wallet", x.Wallet(x.acc)-wallet, c.amount-(after.FeeReserve-trade.FeeReserve))
	}
}

func TestAddMarginCostsTheAmountAndTheReserve(t *testing.T) {
	t.Parallel()
	for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
		x := newExchange(t, fees, 100_000)
		trade := x.market(side, 1000, 20)
		wallet, cost := x.Wallet(x.acc), trade.AddCost(57_408)
		after := x.must(x.AddMargin(x.acc, trade.ID, 57_408))
		equal(t, "margin", after.Margin, trade.Margin+57_408)
		equal(t, "liquidation", after.Liquidation, vigia.Liquidation(side, 1000, trade.Price, after.Margin))
		equal(t, "leverage", after.Leverage, vigia.LeverageOf(1000, after.Margin, trade.Price))
		equal(t, "wallet", wallet-x.Wallet(x.acc), cost)
		equal(t, "entry margin", after.EntryMargin, trade.EntryMargin)
		equal(t, "reserve", after.FeeReserve-trade.FeeReserve, cost-57_408)
	}
}

func TestFreshLiquidations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		side          vigia.Side
		q             vigia.USD
		usd, leverage int64
		want          vigia.Price
	}{
		{vigia.Long, 1000, 110_000, 1, vigia.Dollars(55_000)},
		{vigia.Long, 1000, 110_000, 100, vigia.Dollars(108_911)},
		{vigia.Short, 1000, 110_000, 1, vigia.NeverPrice},
		{vigia.Short, 1000, 110_000, 100, vigia.Dollars(111_111)},
		{vigia.Long, 1, 100_000, 100, vigia.Dollars(99_010)},
		{vigia.Long, 60, 60_000, 10, 109_091},
	} {
		x := newExchange(t, fees, c.usd)
		equal(t, "liquidation", x.market(c.side, c.q, c.leverage).Liquidation, c.want)
	}
}
