package guard_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func TestAPersonClosesATrade(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(100_000)
		id := c.open(vigia.Long, 1_000, 20)
		c.alert(vigia.AlertVanished)
		w.guard()
		w.pass(20 * time.Second)
		asked := w.clock.Now()
		closing := c.ask(vigia.ActionClose, vigia.TradeSubject(id), 0)
		w.pass(1500 * time.Millisecond)
		e := c.execution(closing)
		if e.State != vigia.ExecutionDone || c.trade(id).Running() {
			t.Fatalf("got %s, the trade %s; want it closed", e.State, c.trade(id).State)
		}
		if e.SentAt.Sub(asked) > time.Second {
			t.Errorf("it was sent after %s", e.SentAt.Sub(asked))
		}
		c.wantTold(vigia.EventClosed, 1)
		w.pass(20 * time.Second)
		c.wantTold(vigia.EventVanished, 0)
	})
}

func TestACommandNeedsALookBegunAfterIt(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(100_000)
		id := c.open(vigia.Long, 1_000, 20)
		w.guard()
		c.readsFail.Store(true)
		closing := c.ask(vigia.ActionClose, vigia.TradeSubject(id), 0)
		w.pass(20 * time.Second)
		if e := c.execution(closing); e.State != vigia.ExecutionRequested {
			t.Errorf("got %s, want it to wait", e.State)
		}
		w.pass(12 * time.Second)
		if e := c.execution(closing); e.State != vigia.ExecutionSkipped || e.Reason != vigia.ReasonExpired {
			t.Errorf("got %s, %s; want it expired", e.State, e.Reason)
		}
		c.readsFail.Store(false)
		w.pass(time.Minute)
		if !c.trade(id).Running() {
			t.Error("the trade was closed after the command had lapsed")
		}
	})
}

func TestACommandLapsesThoughNothingWasEverSeen(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(100_000)
		id := c.open(vigia.Long, 1_000, 20)
		c.readsFail.Store(true)
		w.guard()
		closing := c.ask(vigia.ActionClose, vigia.TradeSubject(id), 0)
		w.pass(32 * time.Second)
		if e := c.execution(closing); e.Reason != vigia.ReasonExpired {
			t.Errorf("got %s, %s; want it expired", e.State, e.Reason)
		}
	})
}

func TestCommandsOfTradesThatAreGoneOrBusy(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(1_000_000)
		id := c.open(vigia.Long, 1_000, 20)
		w.guard()
		gone := c.ask(vigia.ActionClose, vigia.TradeSubject("00000000-0000-0000-0000-000000000000"), 0)
		c.next(fault{kind: slow, after: 2 * time.Second})
		first := c.ask(vigia.ActionAddMargin, vigia.TradeSubject(id), 1_000)
		w.pass(time.Second)
		second := c.ask(vigia.ActionAddMargin, vigia.TradeSubject(id), 2_000)
		w.pass(time.Second)
		if e := c.execution(second); e.State != vigia.ExecutionRequested {
			t.Errorf("got %s, want it to wait for the first", e.State)
		}
		w.pass(5 * time.Second)
		for id, want := range map[vigia.ExecutionID]vigia.ExecutionState{gone: vigia.ExecutionGone,
			first: vigia.ExecutionDone, second: vigia.ExecutionDone} {
			if e := c.execution(id); e.State != want {
				t.Errorf("%s %d: got %s, want %s", e.Action, e.Amount, e.State, want)
			}
		}
	})
}

// What a person asked for counts against no limit, and is taken into account: the
// guard does not add its target on top of it.
func TestAnAddByHandAndTheGuard(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, ifShort(vigia.ShortLeave), func(a *vigia.Automation) { a.Guard.Limits.PerTrade = ptr(vigia.Sats(30_000)) })
		w.guard()
		c.next(fault{kind: slow, after: 2 * time.Second})
		adding := c.ask(vigia.ActionAddMargin, vigia.TradeSubject(id), 60_000)
		w.pass(1500 * time.Millisecond)
		before := c.trade(id).Margin
		w.price(fires)
		w.pass(10 * time.Second)
		c.wantDid("add_margin done")
		if got := c.trade(id).Margin; got != before {
			t.Errorf("margin: got %d, want the %d of the person's add", got, before)
		}
		if e := c.execution(adding); e.Automation != "" || e.State != vigia.ExecutionDone {
			t.Errorf("got %+v", e)
		}
		again := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent).Float()
		w.price(again)
		w.pass(5 * time.Second)
		c.wantDid("add_margin done, add_margin done")
	})
}

func TestTheWriteProof(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(1_000_000)
		near, far := c.open(vigia.Long, 1_000, 20), c.open(vigia.Long, 1_000, 5)
		c.rule()
		g := w.guard()
		before := c.trade(far).Margin
		proof := c.ask(vigia.ActionProve, vigia.AccountSubject(), 0)
		w.pass(3 * time.Second)
		e := c.execution(proof)
		if e.State != vigia.ExecutionDone || e.Subject != vigia.TradeSubject(far) || c.trade(far).Margin != before+1 {
			t.Fatalf("got %s on %s, want a sat more on the trade farthest from liquidation", e.State, e.Subject)
		}
		if a := g.Status().Accounts[0]; !a.ProvedAt.After(e.CreatedAt) || a.NextProof.Before(a.ProvedAt) {
			t.Errorf("proved at %s, want the time of the answer", a.ProvedAt)
		}
		c.wantTold(vigia.EventProved, 1)

		// An unknown proof never holds back a rescue.
		w.pass(10 * time.Second)
		c.next(fault{kind: lost})
		c.ask(vigia.ActionProve, vigia.AccountSubject(), 0)
		w.pass(time.Second)
		fires := vigia.PriceAtDistance(vigia.Long, c.trade(near).Liquidation, 2*vigia.OnePercent)
		w.price(fires.Float())
		w.pass(2 * time.Second)
		if !c.wasRescued(near, fires) {
			t.Errorf("the rescue waited for the proof: %s", c.did())
		}
		w.pass(10 * time.Second)
		refused := c.ask(vigia.ActionProve, vigia.AccountSubject(), 0)
		w.price(float64(int(vigia.PriceAtDistance(vigia.Long, c.trade(near).Liquidation, 2_300).Float())))
		w.pass(3 * time.Second)
		if e := c.execution(refused); e.State != vigia.ExecutionSkipped || e.Reason != vigia.ReasonNotSafeToProve {
			t.Errorf("near a trigger: got %s, %s; want it refused", e.State, e.Reason)
		}
	})
}

// A proof that was lost and a rescue of the same trade are told apart.
func TestALostProofAndARescueOfTheSameTrade(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		c.next(fault{kind: lost}, fault{kind: lost})
		proof := c.ask(vigia.ActionProve, vigia.AccountSubject(), 0)
		w.pass(4200 * time.Millisecond)
		w.price(fires)
		w.pass(40 * time.Second)
		if e := c.execution(proof); e.State != vigia.ExecutionDone {
			t.Errorf("proof: got %s, want done", e.State)
		}
		if !c.wasRescued(id, vigia.PriceFromFloat(fires)) {
			t.Errorf("not rescued: %s", c.did())
		}
	})
}

// wasRescued says whether a trade stands its target away from a price.
func (c *client) wasRescued(id vigia.TradeID, at vigia.Price) bool {
	c.Helper()
	t := c.trade(id)
	return t.Running() && t.Margin >= vigia.MarginAtDistance(t.Side, t.Quantity, t.Price, at, 4*vigia.OnePercent)
}
