package guard_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// A position slides towards its liquidation, and the right margin is added in time,
// once.
func TestAPositionIsRescuedOnceWithTheRightSats(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(1_000_000)
		id := c.open(vigia.Long, 1_000, 20)
		rule := c.rule()
		w.guard()
		before, free := c.trade(id), w.engine.Wallet(c.ID)
		fires := rule.Guard.Steps[0].FiresAt(before)
		for usd := 100_000.0; usd > fires.Float(); usd -= 250 {
			w.price(usd)
			w.pass(time.Second)
		}
		c.wantDid("")
		w.price(fires.Float())
		w.pass(50 * time.Millisecond)
		want := vigia.MarginAtDistance(vigia.Long, 1_000, before.Price, fires, 4*vigia.OnePercent)
		after := c.trade(id)
		if after.Margin != want {
			t.Errorf("margin: got %d, want %d: 4 %% away again", after.Margin, want)
		}
		c.wantDid("add_margin done")
		w.pass(time.Minute)
		w.price(fires.Float() - 1)
		w.pass(time.Minute)
		c.wantDid("add_margin done")
		e := c.executions()[0]
		if lost := free - w.engine.Wallet(c.ID); e.Cost != lost || e.Amount != after.Margin-before.Margin {
			t.Errorf("got amount %d and cost %d, want %d and %d", e.Amount, e.Cost, after.Margin-before.Margin, lost)
		}
		if e.TickAt.IsZero() || e.TickToWire() < 0 || e.Last != fires {
			t.Errorf("got tick %s, wire after %s, at %s, want all of them, at %s", e.TickAt, e.TickToWire(), e.Last, fires)
		}
		c.wantTold(vigia.EventRescued, 1)
	})
}

// ten opens ten equal longs and leaves a wallet for as many full rescues.
func ten(w *world, rescues int) (*client, []vigia.TradeID, vigia.Price) {
	w.Helper()
	c := w.trader(10 * 50_000)
	var ids []vigia.TradeID
	for range 10 {
		ids = append(ids, c.open(vigia.Long, 1_000, 20))
	}
	t := c.trade(ids[0])
	fires := vigia.PriceAtDistance(vigia.Long, t.Liquidation, 2*vigia.OnePercent)
	need := vigia.MarginAtDistance(vigia.Long, 1_000, t.Price, fires, 4*vigia.OnePercent) - t.Margin
	if err := w.engine.Deposit(c.ID, vigia.Sats(rescues)*t.AddCost(need)); err != nil {
		w.Fatal(err)
	}
	return c, ids, fires
}

func TestOfTenTradesSixAreRescuedAndFourClosed(t *testing.T) {
	inWorld(t, func(w *world) {
		c, ids, fires := ten(w, 6)
		c.rule()
		w.guard()
		w.price(fires.Float())
		w.pass(5 * time.Second)
		running, closed := 0, 0
		for _, id := range ids {
			trade := c.trade(id)
			switch {
			case trade.Running() && vigia.WithinDistance(trade.Side, fires, trade.Liquidation, 4*vigia.OnePercent-10):
				t.Errorf("a trade was rescued to %s only", vigia.Distance(trade.Side, fires, trade.Liquidation))
			case trade.Running():
				running++
			default:
				closed++
			}
		}
		if running != 6 || closed != 4 {
			t.Errorf("got %d rescued and %d closed, want 6 and 4: %s", running, closed, c.did())
		}
		c.wantTold(vigia.EventRescued, 6)
		c.wantTold(vigia.EventClosed, 4)
	})
}

func TestOfTenTradesAllSurviveBeforeOneReachesItsTarget(t *testing.T) {
	inWorld(t, func(w *world) {
		c, ids, fires := ten(w, 6)
		c.rule(ifShort(vigia.ShortAdd))
		w.guard()
		w.price(fires.Float())
		w.pass(5 * time.Second)
		for i, id := range ids {
			trade := c.trade(id)
			if !trade.Running() || vigia.WithinDistance(trade.Side, fires, trade.Liquidation, 2_500-10) {
				t.Errorf("trade %d is %s, %s %% away; want all beyond trigger + hysteresis", i, trade.State,
					vigia.Distance(trade.Side, fires, trade.Liquidation))
			}
		}
		if left := w.engine.Wallet(c.ID); left > 2_000 {
			t.Errorf("%d sats are left unused", left)
		}
	})
}

// The balance is read while adds are on their way: what they took is not counted
// twice, and nothing is closed for want of it.
func TestABalanceReadDuringCallsClosesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		c, ids, fires := ten(w, 12)
		c.rule()
		w.guard()
		for range ids {
			c.next(fault{kind: slow, after: 1500 * time.Millisecond})
		}
		lower := fires.Float() + 200
		for _, id := range ids[5:] { // they fire a little later than the others
			if _, err := w.engine.AddMargin(c.ID, id, 500); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(11 * time.Second)
		for lower > fires.Float()-600 {
			lower -= 50
			w.price(lower)
			w.pass(100 * time.Millisecond)
		}
		w.pass(10 * time.Second)
		for i, id := range ids {
			if trade := c.trade(id); !trade.Running() {
				t.Errorf("trade %d was closed", i)
			}
		}
	})
}

// Two lanes of one trade settle side by side, and neither forgets the other.
func TestAStopAndAnAddSettleSideBySide(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(150_000)
		id := c.open(vigia.Long, 1_000, 20)
		c.rule(func(a *vigia.Automation) {
			step := a.Guard.Steps[0]
			step.At, step.Target = 3_000, 5_000
			a.Guard.Steps = []vigia.GuardStep{step, {Trigger: vigia.TriggerDistance, At: 1_000, Action: vigia.GuardClose}}
		})
		c.next(fault{kind: slow, after: time.Second}, fault{kind: slow, after: 900 * time.Millisecond})
		g := w.guard()
		stop := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, vigia.OnePercent)
		if got := c.trade(id).StopLoss; got != stop {
			t.Fatalf("stop: got %s, want it at %s", got, stop)
		}
		w.price(98_100)
		w.pass(5 * time.Second)
		if got, want := c.did(), "set_stop done, add_margin done, set_stop done"; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		// What the record holds is what a restart begins with.
		w.pass(time.Second)
		g.stop()
		w.guard()
		states, err := w.store.StatesOf(w.Context(), c.ID)
		if err != nil || len(states) != 1 {
			t.Fatalf("got %d states, %v", len(states), err)
		}
		if states[0].OurStop != c.trade(id).StopLoss || states[0].LastAt.IsZero() {
			t.Errorf("got our stop %s and last action at %s, want %s and a time", states[0].OurStop, states[0].LastAt, c.trade(id).StopLoss)
		}
		w.price(float64(int64(vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2_900).Float())))
		w.pass(5 * time.Second)
		if got, want := c.did(), "set_stop done, add_margin done, set_stop done, "; len(got) <= len(want) {
			t.Errorf("after a restart our own stop was taken for somebody else's: %q", got)
		}
	})
}
