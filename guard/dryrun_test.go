package guard_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func TestADryRunFiresAndCallsNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, dryRun)
		g := w.guard()
		w.price(fires)
		w.pass(5 * time.Second)
		c.wantDid("add_margin dry_run")
		if n := len(c.received()); n != 0 {
			t.Fatalf("%d calls were made", n)
		}
		need := target(c.trade(id), fires) - c.trade(id).Margin
		if got := g.Status().Accounts[0].Trades[0]; got.ShadowMargin != need || got.Protection.Level != vigia.Unprotected {
			t.Errorf("got a shadow of %d, %s; want %d, not protected", got.ShadowMargin, got.Protection.Level, need)
		}
		events := c.events()
		if len(events) != 1 || events[0].Kind != vigia.EventDryRun || events[0].Level != vigia.LevelCritical {
			t.Errorf("told %+v, want once and critical that it was not protected", events)
		}
		w.price(90_000) // the real trade dies
		w.pass(15 * time.Second)
		c.wantTold(vigia.EventDryEnded, 1)
		for _, e := range c.events() {
			if e.Kind == vigia.EventDryEnded && (e.Facts.Held >= vigia.Dollars(95_000) || e.Facts.Held == 0) {
				t.Errorf("it would have held to %s, want lower than the liquidation", e.Facts.Held)
			}
		}
		if states, err := c.store.StatesOf(w.Context(), c.ID); err != nil || len(states) != 0 {
			t.Errorf("%d states are left of a trade that ended, %v", len(states), err)
		}
	})
}

func TestTheStopRestsWhileCoverIsMissing(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(55_000)
		id := c.open(vigia.Long, 1_000, 20)
		c.rule()
		w.guard()
		trigger := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent)
		w.pass(3 * time.Second)
		c.wantDid("set_stop done")
		if got := c.trade(id).StopLoss; got != trigger {
			t.Errorf("stop: got %s, want it at the trigger price %s", got, trigger)
		}
		c.wantTold(vigia.EventStopSet, 1)

		// A hand's add moves the trigger, and the stop follows.
		if _, err := w.engine.AddMargin(c.ID, id, 2_000); err != nil {
			t.Fatal(err)
		}
		w.pass(12 * time.Second)
		if got, want := c.trade(id).StopLoss, vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent); got != want {
			t.Errorf("stop: got %s, want it moved to %s", got, want)
		}

		// Cover returns, and the stop is taken away.
		if err := w.engine.Deposit(c.ID, 500_000); err != nil {
			t.Fatal(err)
		}
		w.pass(25 * time.Second)
		c.wantDid("set_stop done, set_stop done, remove_stop done")
		if got := c.trade(id).StopLoss; got != 0 {
			t.Errorf("stop: got %s, want none", got)
		}
		c.wantTold(vigia.EventStopRemoved, 1)
	})
}

// The answer to a stop was lost: it is still ours, and no reason not to rescue.
func TestALostStopIsStillOurs(t *testing.T) {
	for name, kind := range map[string]faultKind{"executed": lost, "not executed": dropped} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				c := w.trader(55_000)
				id := c.open(vigia.Long, 1_000, 20)
				c.rule()
				c.next(fault{kind: kind})
				w.guard()
				w.pass(40 * time.Second)
				stop := c.trade(id).StopLoss
				if stop == 0 {
					t.Fatalf("no stop rests: %s", c.did())
				}
				c.next(fault{kind: kind}) // of taking it away
				if err := w.engine.Deposit(c.ID, 500_000); err != nil {
					t.Fatal(err)
				}
				w.pass(40 * time.Second)
				if got := c.trade(id).StopLoss; got != 0 {
					t.Errorf("stop: got %s, want none: %s", got, c.did())
				}
				states, err := c.store.StatesOf(w.Context(), c.ID)
				if err != nil || len(states) != 1 || states[0].OurStop != 0 || states[0].StopRefused != 0 {
					t.Errorf("got %+v, %v; want no stop of ours, and none refused", states, err)
				}
			})
		})
	}
}

func TestARefusedStopIsReplacedByAClose(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(55_000)
		id := c.open(vigia.Long, 1_000, 20)
		rule := c.rule()
		c.next(fault{kind: refused})
		w.guard()
		w.pass(time.Minute)
		c.wantDid("set_stop failed")
		w.price(rule.Guard.Steps[0].FiresAt(c.trade(id)).Float())
		w.pass(3 * time.Second)
		c.wantDid("set_stop failed, close done")
		w.pass(30 * time.Second)
		if states, err := c.store.StatesOf(w.Context(), c.ID); err != nil || len(states) != 0 {
			t.Errorf("%d states are left of a trade that ended, %v", len(states), err)
		}
	})
}

func TestSomebodyElsesStopComesFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		if _, err := w.engine.SetStop(c.ID, id, vigia.Dollars(96_000)); err != nil {
			t.Fatal(err)
		}
		w.guard()
		w.price(fires)
		w.pass(5 * time.Second)
		c.wantDid("")
		if got := c.decisions(vigia.TradeSubject(id)); got[len(got)-1] != "none stop_comes_first" {
			t.Errorf("decided %q, want stop_comes_first last", got)
		}
	})
}

func TestWhatIsTrueWhenArmedAsksOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(1_000_000)
		id := c.open(vigia.Long, 1_000, 100) // 1 % away from the start
		c.rule(func(a *vigia.Automation) { a.Guard.TrueConfirmed = false })
		w.guard()
		w.pass(10 * time.Second)
		c.wantDid("")
		c.wantTold(vigia.EventTrueWhen, 1)
		if got := c.decisions(vigia.TradeSubject(id)); len(got) != 1 || got[0] != "none true_when_armed" {
			t.Errorf("decided %q, want true_when_armed once", got)
		}
	})
}
