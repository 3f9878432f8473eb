package guard_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/guard"
)

// endangered is a trade at 20× under a live guard, and the price that fires it.
func endangered(w *world, change ...func(*vigia.Automation)) (*client, vigia.TradeID, float64) {
	w.Helper()
	c := w.trader(1_000_000)
	id := c.open(vigia.Long, 1_000, 20)
	c.rule(change...)
	return c, id, vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent).Float()
}

// target is the margin a rescue at a price brings a trade to.
func target(t *vigia.Trade, usd float64) vigia.Sats {
	return vigia.MarginAtDistance(t.Side, t.Quantity, t.Price, vigia.PriceFromFloat(usd), 4*vigia.OnePercent)
}

func TestALostAnswerIsUnknownUntilAReadShowsIt(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		c.next(fault{kind: lost})
		before := c.trade(id)
		w.price(fires)
		w.pass(2900 * time.Millisecond)
		c.wantDid("add_margin intent")
		c.readsFail.Store(true)
		w.pass(150 * time.Millisecond)
		c.wantDid("add_margin unknown")
		need := target(before, fires) - before.Margin
		if held, spent := c.reserves(); held != before.AddCost(need) || spent != 0 {
			t.Errorf("got %d held and %d spent, want %d held by the unknown", held, spent, before.AddCost(need))
		}
		c.readsFail.Store(false)
		w.pass(2 * time.Second)
		c.wantDid("add_margin done")
		if held, spent := c.reserves(); held != 0 || spent < need {
			t.Errorf("got %d held and %d spent, want at least %d spent", held, spent, need)
		}
		c.wantTold(vigia.EventUnknown, 1)
		c.wantTold(vigia.EventSettled, 1)
		w.price(fires - 1)
		w.pass(time.Minute)
		c.wantDid("add_margin done")
	})
}

func TestALostCallIsTriedAgainAfterTwoAgreeingReads(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		c.next(fault{kind: dropped})
		before := c.trade(id)
		w.price(fires)
		w.pass(3500 * time.Millisecond)
		if n := len(c.received()); n != 1 {
			t.Fatalf("%d calls after one read, want 1", n)
		}
		w.pass(2 * time.Second)
		c.wantDid("add_margin unknown, add_margin done")
		if got, want := c.trade(id).Margin, target(before, fires); got != want {
			t.Errorf("margin: got %d, want %d", got, want)
		}
		all := c.executions()
		if all[1].Replaces != all[0].ID {
			t.Errorf("the second attempt replaces %q, want the first", all[1].Replaces)
		}
		if held, _ := c.reserves(); held == 0 {
			t.Error("the first attempt no longer holds its sats, though it may still come")
		}
		w.pass(28 * time.Second)
		c.wantDid("add_margin failed, add_margin done")
		if held, _ := c.reserves(); held != 0 {
			t.Errorf("%d sats are still held", held)
		}
		if n := len(c.received()); n != 2 {
			t.Errorf("%d calls in all, want 2", n)
		}
	})
}

// The first attempt comes after the second was made: both count, and nothing goes
// beyond the limits.
func TestAnAnswerLostAndExecutedLateIsCounted(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, ifShort(vigia.ShortLeave), func(a *vigia.Automation) { a.Guard.Limits.PerTrade = ptr(vigia.Sats(60_000)) })
		w.guard()
		c.next(fault{kind: late, after: 9 * time.Second})
		before := c.trade(id)
		w.price(fires)
		w.pass(40 * time.Second)
		c.wantDid("add_margin done, add_margin done")
		need := target(before, fires) - before.Margin
		if got := c.trade(id).Margin; got != before.Margin+2*need {
			t.Errorf("margin: got %d, want both adds of %d in it", got, need)
		}
		if _, spent := c.reserves(); spent < 2*need || spent > 60_000 {
			t.Errorf("%d sats count as spent, want both adds, within the limit", spent)
		}
		w.price(fires - 4_200)
		w.pass(40 * time.Second)
		if got := c.trade(id); got.Margin-before.Margin > 60_000 {
			t.Errorf("%d sats were added, beyond the limit of 60,000", got.Margin-before.Margin)
		}
	})
}

func TestASecondAttemptWaitsForTheLimits(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, ifShort(vigia.ShortLeave), func(a *vigia.Automation) { a.Guard.Limits.PerTrade = ptr(vigia.Sats(30_000)) })
		w.guard()
		c.next(fault{kind: dropped})
		before := c.trade(id).Margin
		w.price(fires)
		w.pass(20 * time.Second)
		c.wantDid("add_margin unknown")
		w.pass(20 * time.Second)
		c.wantDid("add_margin failed, add_margin done")
		if added := c.trade(id).Margin - before; added > 30_000 {
			t.Errorf("%d sats were added, beyond the limit", added)
		}
	})
}

// With the first attempt unknown and the second done, the trade comes into danger
// again: the claim the first one gave up is not asked for twice.
func TestAThirdAttemptDoesNotWaitForTheFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		c.next(fault{kind: dropped})
		w.price(fires)
		w.pass(6 * time.Second)
		c.wantDid("add_margin unknown, add_margin done")
		again := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent).Float()
		w.price(again)
		w.pass(time.Second)
		c.wantDid("add_margin unknown, add_margin done, add_margin done")
		w.pass(40 * time.Second)
		c.wantDid("add_margin failed, add_margin done, add_margin done")
	})
}

func TestAfterARestartTheClaimThatWasGivenUpIsNotAskedFor(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		g := w.guard()
		c.next(fault{kind: dropped}, fault{kind: slowRefused})
		w.price(fires)
		w.pass(4700 * time.Millisecond)
		g.stop()
		w.guard()
		w.pass(8 * time.Second)
		if got := c.trade(id); got.Margin != target(got, fires) {
			t.Errorf("the trade was not rescued: %s", c.did())
		}
		w.pass(40 * time.Second)
		for _, e := range c.executions() {
			if !e.State.Settled() {
				t.Errorf("%s is still %s", e.ID, e.State)
			}
		}
	})
}

func TestAHandsActAtTheSameMoment(t *testing.T) {
	for name, c := range map[string]struct {
		fault faultKind
		hand  func(*client, vigia.TradeID) error
		want  string
	}{
		"its add, ours executed": {lost, func(c *client, id vigia.TradeID) error {
			_, err := c.engine.AddMargin(c.ID, id, 7_777)
			return err
		}, "add_margin done"},
		"its small add, ours not executed": {dropped, func(c *client, id vigia.TradeID) error {
			_, err := c.engine.AddMargin(c.ID, id, 7_777)
			return err
		}, "add_margin failed, add_margin done"},
		"its cash-in, ours executed": {lost, func(c *client, id vigia.TradeID) error {
			_, err := c.engine.CashIn(c.ID, id, 5_000)
			return err
		}, "add_margin done"},
		"its cash-in, ours not executed": {dropped, func(c *client, id vigia.TradeID) error {
			_, err := c.engine.CashIn(c.ID, id, 5_000)
			return err
		}, "add_margin failed, add_margin done"},
		"its close, ours executed": {lost, func(c *client, id vigia.TradeID) error {
			_, err := c.engine.Close(c.ID, id)
			return err
		}, "add_margin done"},
		"its close, ours not executed": {dropped, func(c *client, id vigia.TradeID) error {
			_, err := c.engine.Close(c.ID, id)
			return err
		}, "add_margin gone"},
		"a funding settlement, ours executed": {lost, func(c *client, _ vigia.TradeID) error {
			return c.fund(1_000_000)
		}, "add_margin done"},
		"a funding settlement, ours not executed": {dropped, func(c *client, _ vigia.TradeID) error {
			return c.fund(1_000_000)
		}, "add_margin failed, add_margin done"},
		"funding received, ours executed": {lost, func(c *client, _ vigia.TradeID) error {
			return c.fund(-1_000_000)
		}, "add_margin done"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.shift = 8*time.Hour - 5*time.Second // a settlement of funding is near
				trader, id, fires := endangered(w)
				w.guard()
				trader.next(fault{kind: c.fault})
				w.price(fires)
				w.pass(time.Second)
				if err := c.hand(trader, id); err != nil {
					t.Fatal(err)
				}
				w.price(fires - 900)
				w.pass(45 * time.Second)
				trader.wantDid(c.want)
				if held, _ := trader.reserves(); held != 0 {
					t.Errorf("%d sats are still held", held)
				}
			})
		})
	}
}

// fund lets the settlement at the full hours happen at a rate.
func (c *client) fund(rate vigia.FundingRate) error {
	if err := c.engine.SetFundingRate(rate); err != nil {
		return err
	}
	c.pass(5 * time.Second)
	return c.engine.Tick(vigia.Price(c.last.Load()), c.clock.Now().Add(c.shift))
}

func TestAClockThatIsOffSettlesNothingTooEarly(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"ours ahead by a minute": -time.Minute, "ours behind by a minute": time.Minute} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				c, _, fires := endangered(w)
				c.ahead = ahead
				g := w.guard()
				g.ClockOffset(ahead)
				c.next(fault{kind: late, after: 28 * time.Second})
				w.price(fires)
				w.pass(27 * time.Second)
				c.wantDid("add_margin unknown, add_margin done")
				w.pass(10 * time.Second)
				c.wantDid("add_margin done, add_margin done")
			})
		})
	}
}

func TestALostCloseIsSuperseded(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, func(a *vigia.Automation) { a.Guard.Limits.PerAction = ptr(vigia.Sats(0)) })
		c.next(fault{kind: refused}) // of the stop at the trigger price
		w.guard()
		c.wantDid("set_stop failed")
		c.next(fault{kind: lost})
		w.price(fires)
		w.pass(10 * time.Second)
		c.wantDid("set_stop failed, close superseded")
		if c.trade(id).Running() {
			t.Error("the trade still runs")
		}
		c.wantTold(vigia.EventClosed, 1)
	})
}

func TestACloseThatWasNotExecutedIsSentAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, func(a *vigia.Automation) { a.Guard.Limits.PerAction = ptr(vigia.Sats(0)) })
		c.next(fault{kind: refused})
		w.guard()
		c.next(fault{kind: dropped})
		w.price(fires)
		w.pass(5 * time.Second)
		if c.trade(id).Running() {
			t.Errorf("the trade still runs: %s", c.did())
		}
		w.pass(40 * time.Second)
		c.wantDid("set_stop failed, close superseded, close done")
	})
}

// A refusal of what is safe to repeat may mean that it is done.
func TestARefusedCloseOfATradeThatIsGoneDidNotFail(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, func(a *vigia.Automation) { a.Guard.Limits.PerAction = ptr(vigia.Sats(0)) })
		c.next(fault{kind: refused})
		w.guard()
		c.next(fault{kind: slowRefused, after: time.Second})
		w.price(fires)
		if _, err := w.engine.Close(c.ID, id); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Second)
		c.wantDid("set_stop failed, close superseded")
		c.wantTold(vigia.EventFailed, 1) // the stop
	})
}

// An older answer to a newer request neither settles nor frees an unknown.
func TestStaleReadsSettleNothingWrongly(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		old := w.engine.Running(c.ID)
		c.next(fault{kind: lost})
		w.price(fires)
		w.pass(3200 * time.Millisecond)
		c.stale.Store(&old)
		w.pass(time.Second)
		c.stale.Store(nil)
		w.pass(40 * time.Second)
		c.wantDid("add_margin done")
		if got := c.trade(id).Margin; got != target(c.trade(id), fires) {
			t.Errorf("margin: got %d", got)
		}
	})
}

func ptr[T any](v T) *T { return &v }

var _ guard.Exchange = (*client)(nil)
