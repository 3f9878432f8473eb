package paper_test

import (
	"errors"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// exchange is an engine, one account on it, and a market time that a test
// moves by a second per price.
type exchange struct {
	*testing.T
	*paper.Engine
	acc vigia.AccountID
	at  time.Time
}

// fees are the exchange's fees without spread and funding.
var fees = paper.Rules{}

func newExchange(t *testing.T, rules paper.Rules, usd int64) *exchange {
	t.Helper()
	if rules.Seed == 0 {
		rules.Seed = 1
	}
	return onEngine(t, paper.New(rules), usd)
}

func onEngine(t *testing.T, e *paper.Engine, usd int64) *exchange {
	t.Helper()
	x := &exchange{T: t, Engine: e, at: midnight.Add(time.Hour)}
	x.price(usd)
	key, err := e.NewAccount(10_000_000)
	if err != nil {
		t.Fatal(err)
	}
	x.acc = key.ID
	return x
}

// price moves the last price to whole dollars.
func (x *exchange) price(usd int64) { x.Helper(); x.ticks(vigia.Dollars(usd)) }

func (x *exchange) ticks(p vigia.Price) {
	x.Helper()
	x.at = x.at.Add(time.Second)
	if err := x.Tick(p, x.at); err != nil {
		x.Fatalf("tick %s: %v", p, err)
	}
	x.sound()
}

func (x *exchange) sound() {
	x.Helper()
	if err := x.CheckLedger(); err != nil {
		x.Fatal(err)
	}
}

// must is the trade of a call that the exchange takes.
func (x *exchange) must(t vigia.Trade, err error) vigia.Trade {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
	x.sound()
	return t
}

// refused is the refusal of a call, which left wallet and trades alone.
func (x *exchange) refused(call func() error) paper.Refusal {
	x.Helper()
	wallet, postings := x.Wallet(x.acc), len(x.Postings(x.acc))
	err := call()
	var refusal *paper.Refusal
	if !errors.As(err, &refusal) {
		x.Fatalf("got %v, want a refusal", err)
	}
	if got := x.Wallet(x.acc); got != wallet || len(x.Postings(x.acc)) != postings {
		x.Errorf("a refusal moved money: wallet %d, was %d", got, wallet)
	}
	x.sound()
	return *refusal
}

func (x *exchange) market(side vigia.Side, q vigia.USD, leverage int64) vigia.Trade {
	x.Helper()
	return x.must(x.Open(x.acc, paper.NewTrade{Side: side, Quantity: q, Leverage: vigia.Leverage(leverage) * vigia.OneX}))
}

func (x *exchange) limit(side vigia.Side, q vigia.USD, leverage, usd int64) vigia.Trade {
	x.Helper()
	return x.must(x.Open(x.acc, paper.NewTrade{
		Type: paper.Limit, Side: side, Quantity: q, Leverage: vigia.Leverage(leverage) * vigia.OneX, Price: vigia.Dollars(usd),
	}))
}

// now is a trade as it stands.
func (x *exchange) now(id vigia.TradeID) vigia.Trade {
	x.Helper()
	t, _, ok := x.Trade(x.acc, id)
	if !ok {
		x.Fatalf("trade %s is gone", id)
	}
	return t
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
