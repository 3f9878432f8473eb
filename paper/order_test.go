package paper_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

func TestLimitsRestOnEitherSideAndFillAtTheirPrice(t *testing.T) {
	t.Parallel()
	for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
		for _, usd := range []int64{95_000, 105_000} {
			x := newExchange(t, fees, 100_000)
			order := x.limit(side, 1000, 10, usd)
			equal(t, "state beyond the market", order.State, vigia.TradeOpen)
			x.price(100_000)
			equal(t, "state while untouched", x.now(order.ID).State, vigia.TradeOpen)
			x.price(100_000 + 2*(usd-100_000)) // through it in one step
			filled := x.now(order.ID)
			equal(t, "entry", filled.EntryPrice, vigia.Dollars(usd))
			if filled.FilledAt.IsZero() || !filled.FilledAt.After(filled.CreatedAt) {
				t.Errorf("filled at %s, created at %s", filled.FilledAt, filled.CreatedAt)
			}
		}
	}
}

func TestALimitAtThePriceFillsWithTheNextTickWhicheverWayItGoes(t *testing.T) {
	t.Parallel()
	for _, next := range []int64{99_999, 100_000, 100_001} {
		x := newExchange(t, fees, 100_000)
		order := x.limit(vigia.Long, 10, 10, 100_000)
		equal(t, "state at once", order.State, vigia.TradeOpen)
		x.price(next)
		equal(t, "state", x.now(order.ID).State, vigia.TradeRunning)
		x.price(99_000) // the other side's level is gone
		equal(t, "fee", x.now(order.ID).OpeningFee, 10)
	}
}

func TestLimitsOfOneTickFillInTheOrderOfTheirMaking(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	var filled []vigia.TradeID
	x.Listen(func(e paper.Event) {
		if e.Kind == paper.EventFilled {
			filled = append(filled, e.Trade.ID)
		}
	})
	far, near := x.limit(vigia.Long, 10, 10, 98_000), x.limit(vigia.Long, 10, 10, 99_000)
	x.price(97_000)
	equal(t, "fills", len(filled), 2)
	equal(t, "first", filled[0], far.ID)
	if !x.now(near.ID).FilledAt.After(x.now(far.ID).FilledAt) {
		t.Error("two fills have one time")
	}
}

func TestCanceledOrdersReturnMarginAndReserve(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	before := x.Wallet(x.acc)
	running := x.market(vigia.Long, 1000, 10)
	left := x.Wallet(x.acc)
	one := x.limit(vigia.Long, 1000, 10, 95_000)
	two, three := x.limit(vigia.Short, 500, 3, 105_000), x.limit(vigia.Short, 5, 3, 90_000)
	canceled := x.must(x.Cancel(x.acc, one.ID))
	equal(t, "state", canceled.State, vigia.TradeCanceled)
	equal(t, "reserve", canceled.FeeReserve, 0)
	equal(t, "entry price", canceled.EntryPrice, vigia.Dollars(95_000))

	all, err := x.CancelAll(x.acc)
	if err != nil || len(all) != 2 || all[0].ID != two.ID || all[1].ID != three.ID {
		t.Fatalf("cancel all: %v, %v", all, err)
	}
	equal(t, "wallet", x.Wallet(x.acc), left)
	equal(t, "open orders", len(x.OpenOrders(x.acc)), 0)
	equal(t, "canceled", len(x.Canceled(x.acc)), 3)
	x.price(90_000)
	x.price(106_000)
	equal(t, "closed", len(x.Closed(x.acc)), 1) // the running one was liquidated
	equal(t, "the running one", x.now(running.ID).State, vigia.TradeClosed)
	none, err := x.CancelAll(x.acc)
	if err != nil || len(none) != 0 {
		t.Errorf("cancel all of nothing: %v, %v", none, err)
	}
	if x.Wallet(x.acc) >= before {
		t.Error("a liquidation cost nothing")
	}
}

func TestOrdersThatTheExchangeRefuses(t *testing.T) {
	t.Parallel()
	ok := paper.NewTrade{Side: vigia.Long, Quantity: 10, Leverage: 10 * vigia.OneX}
	limit := ok
	limit.Type, limit.Price = paper.Limit, vigia.Dollars(95_000)
	for _, c := range []struct {
		name, want string
		from       paper.NewTrade
		change     func(*paper.NewTrade)
	}{
		{"no side", "side", ok, func(n *paper.NewTrade) { n.Side = 0 }},
		{"neither quantity nor margin", "exactly one", ok, func(n *paper.NewTrade) { n.Quantity = 0 }},
		{"quantity and margin", "exactly one", ok, func(n *paper.NewTrade) { n.Margin = 10 }},
		{"negative", "positive", ok, func(n *paper.NewTrade) { n.Quantity = -1 }},
		{"a market order with a price", "price", ok, func(n *paper.NewTrade) { n.Price = 2 }},
		{"a limit without a price", "price", limit, func(n *paper.NewTrade) { n.Price = 0 }},
		{"a limit off the grid", "price", limit, func(n *paper.NewTrade) { n.Price = 1 }},
		{"another type", "type", ok, func(n *paper.NewTrade) { n.Type = "stop" }},
		{"too many dollars", "quantity", ok, func(n *paper.NewTrade) { n.Quantity = 500_001 }},
		{"a margin that buys nothing", "quantity", ok, func(n *paper.NewTrade) { n.Quantity, n.Margin = 0, 1 }},
		{"too little leverage", "leverage", ok, func(n *paper.NewTrade) { n.Leverage = vigia.OneX - 1 }},
		{"too much leverage", "leverage", ok, func(n *paper.NewTrade) { n.Leverage = 100*vigia.OneX + 1 }},
		{"a long client id", "clientId", ok, func(n *paper.NewTrade) { n.ClientID = strings.Repeat("x", 65) }},
		{"a stop beyond the liquidation", "Stop-loss", ok, func(n *paper.NewTrade) { n.StopLoss = vigia.Dollars(90_000) }},
		{"a stop above the market", "Stop-loss", ok, func(n *paper.NewTrade) { n.StopLoss = vigia.Dollars(100_001) }},
		{"a target below the market", "Take-profit", ok, func(n *paper.NewTrade) { n.TakeProfit = vigia.Dollars(99_000) }},
		{"a target below the limit", "Take-profit", limit, func(n *paper.NewTrade) { n.TakeProfit = vigia.Dollars(94_000) }},
		{"more than there is", "Insufficient balance", ok, func(n *paper.NewTrade) { n.Quantity, n.Leverage = 100_000, 5*vigia.OneX }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, fees, 100_000)
			order := c.from
			c.change(&order)
			refusal := x.refused(func() error { _, err := x.Open(x.acc, order); return err })
			if refusal.Status != http.StatusBadRequest || refusal.Code != paper.CodeBadRequest || !strings.Contains(refusal.Message, c.want) {
				t.Errorf("got %d %s %q, want %q in it", refusal.Status, refusal.Code, refusal.Message, c.want)
			}
		})
	}
}

func TestLimitsOfAnAccount(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	for range 25 {
		x.market(vigia.Long, 1, 100)
		x.limit(vigia.Short, 1, 100, 120_000)
	}
	refusal := x.refused(func() error {
		_, err := x.Open(x.acc, paper.NewTrade{Side: vigia.Long, Quantity: 1, Leverage: vigia.OneX})
		return err
	})
	if !strings.Contains(refusal.Message, "at most 50") {
		t.Error(refusal.Message)
	}

	rich := newExchange(t, fees, 100_000)
	if err := rich.Deposit(rich.acc, 1_000_000_000); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rich.market(vigia.Long, 500_000, 100)
	}
	refusal = rich.refused(func() error {
		_, err := rich.Open(rich.acc, paper.NewTrade{Side: vigia.Long, Quantity: 1, Leverage: vigia.OneX})
		return err
	})
	if !strings.Contains(refusal.Message, "Total quantity") {
		t.Error(refusal.Message)
	}
}

func TestAnOrderSizedByItsMargin(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade := x.must(x.Open(x.acc, paper.NewTrade{Side: vigia.Long, Margin: 700, Leverage: 2 * vigia.OneX}))
	equal(t, "quantity", trade.Quantity, 1)
	equal(t, "margin", trade.Margin, 700)
	equal(t, "leverage as asked for", trade.Leverage, 2*vigia.OneX)
	equal(t, "liquidation of the floored margin", trade.Liquidation, vigia.Liquidation(vigia.Long, 1, trade.Price, 500))
}

func TestTheLadderPricesBySize(t *testing.T) {
	t.Parallel()
	x := newExchange(t, paper.Rules{Ladder: []paper.Rung{{UpTo: 100, Half: 2}, {UpTo: 500_000, Half: 40}}}, 100_000)
	small, large := x.market(vigia.Long, 100, 10), x.market(vigia.Short, 101, 10)
	equal(t, "bought at the ask", small.EntryPrice, vigia.Dollars(100_001))
	equal(t, "sold at the bid", large.EntryPrice, vigia.Dollars(99_980))
	equal(t, "marked at the bid", small.PL, vigia.RunningPL(vigia.Long, 100, small.Price, vigia.Dollars(99_999)))
	equal(t, "marked at the ask", large.PL, vigia.RunningPL(vigia.Short, 101, large.Price, vigia.Dollars(100_020)))
	sized := x.must(x.Open(x.acc, paper.NewTrade{Side: vigia.Long, Margin: 20_000, Leverage: 10 * vigia.OneX}))
	equal(t, "by margin, in the rung of its size", sized.EntryPrice, vigia.Dollars(100_020))
	equal(t, "closed at the bid", x.must(x.Close(x.acc, small.ID)).ExitPrice, vigia.Dollars(99_999))
	quotes := x.Ticker().Quotes
	equal(t, "rungs", len(quotes), 2)
	equal(t, "first", quotes[0], paper.Quote{MinSize: 0, MaxSize: 100, Bid: vigia.Dollars(99_999), Ask: vigia.Dollars(100_001)})
	equal(t, "second", quotes[1], paper.Quote{MinSize: 101, MaxSize: 500_000, Bid: vigia.Dollars(99_980), Ask: vigia.Dollars(100_020)})
}

func TestSomebodyElsesTradeIsNotYours(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade := x.market(vigia.Long, 10, 10)
	other, err := x.NewAccount(1000)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"close":       func() error { _, err := x.Close(other.ID, trade.ID); return err },
		"cancel":      func() error { _, err := x.Cancel(other.ID, trade.ID); return err },
		"add margin":  func() error { _, err := x.AddMargin(other.ID, trade.ID, 1); return err },
		"cash in":     func() error { _, err := x.CashIn(other.ID, trade.ID, 1); return err },
		"stop":        func() error { _, err := x.SetStop(other.ID, trade.ID, vigia.Dollars(95_000)); return err },
		"take profit": func() error { _, err := x.SetTakeProfit(other.ID, trade.ID, vigia.Dollars(105_000)); return err },
		"unknown":     func() error { _, err := x.Close(x.acc, "7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11"); return err },
	} {
		if refusal := x.refused(call); refusal.Message != "You do not own this trade" {
			t.Errorf("%s: %q", name, refusal.Message)
		}
	}
	equal(t, "state", x.now(trade.ID).State, vigia.TradeRunning)
	if _, _, ok := x.Trade(other.ID, trade.ID); ok {
		t.Error("another account reads the trade")
	}
}

func TestWithoutAPriceNothingTrades(t *testing.T) {
	t.Parallel()
	e := paper.New(fees)
	key, err := e.NewAccount(1000)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Open(key.ID, paper.NewTrade{Side: vigia.Long, Quantity: 1, Leverage: vigia.OneX})
	var refusal *paper.Refusal
	if !errors.As(err, &refusal) || refusal.Status != http.StatusServiceUnavailable || refusal.Message != "Trading engine is temporarily unavailable" {
		t.Errorf("got %v", err)
	}
}

func TestWhatMarginCallsRefuse(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade, order := x.market(vigia.Long, 1000, 10), x.limit(vigia.Long, 1000, 10, 95_000)
	x.price(99_000)
	most := vigia.MaxCashIn(vigia.Long, 1000, trade.Price, trade.Margin, vigia.Dollars(99_000))
	for _, c := range []struct {
		name, want string
		call       func() (vigia.Trade, error)
	}{
		{"margin for an open order", "not running", func() (vigia.Trade, error) { return x.AddMargin(x.acc, order.ID, 1) }},
		{"cash-in of an open order", "not running", func() (vigia.Trade, error) { return x.CashIn(x.acc, order.ID, 1) }},
		{"closing an open order", "not running", func() (vigia.Trade, error) { return x.Close(x.acc, order.ID) }},
		{"canceling a running trade", "not open", func() (vigia.Trade, error) { return x.Cancel(x.acc, trade.ID) }},
		{"no sats", "at least 1", func() (vigia.Trade, error) { return x.AddMargin(x.acc, trade.ID, 0) }},
		{"minus sats", "at least 1", func() (vigia.Trade, error) { return x.CashIn(x.acc, trade.ID, -5) }},
		{"leverage under 1", "below 1", func() (vigia.Trade, error) { return x.AddMargin(x.acc, trade.ID, 900_001) }},
		{"more than can be cashed in", "At most", func() (vigia.Trade, error) { return x.CashIn(x.acc, trade.ID, most+1) }},
		{"a cash-in into liquidation", "liquidated", func() (vigia.Trade, error) { return x.CashIn(x.acc, trade.ID, most) }},
	} {
		if refusal := x.refused(func() error { _, err := c.call(); return err }); !strings.Contains(refusal.Message, c.want) {
			t.Errorf("%s: %q, want %q in it", c.name, refusal.Message, c.want)
		}
	}
	x.must(x.AddMargin(x.acc, trade.ID, 900_000))
	if err := x.Withdraw(x.acc, x.Wallet(x.acc)); err != nil {
		t.Fatal(err)
	}
	poor := x.refused(func() error { _, err := x.AddMargin(x.acc, trade.ID, 1); return err })
	if !strings.Contains(poor.Message, "below 1") {
		t.Error(poor.Message)
	}
}

func TestAddMarginNeedsTheReserveToo(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	trade := x.market(vigia.Long, 10_000, 20)
	const amount = 100_000
	cost := trade.AddCost(amount)
	if cost <= amount {
		t.Fatalf("the reserve of a long grows: cost %d", cost)
	}
	if err := x.Withdraw(x.acc, x.Wallet(x.acc)-cost+1); err != nil {
		t.Fatal(err)
	}
	refusal := x.refused(func() error { _, err := x.AddMargin(x.acc, trade.ID, amount); return err })
	if !strings.Contains(refusal.Message, "Insufficient balance") {
		t.Error(refusal.Message)
	}
	if err := x.Deposit(x.acc, 1); err != nil {
		t.Fatal(err)
	}
	x.must(x.AddMargin(x.acc, trade.ID, amount))
	equal(t, "wallet", x.Wallet(x.acc), 0)
}
