package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/watch"
)

// Reads fail exactly in crashes.
func TestReadsFailAndTheGuardStillRescues(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		c.readsFail.Store(true)
		w.pass(9 * time.Minute)
		w.price(fires)
		w.pass(time.Second)
		c.wantDid("add_margin done")
		// The answer is what a second one stands on.
		again := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent).Float()
		w.pass(2 * time.Minute)
		w.price(again)
		w.pass(time.Second)
		c.wantDid("add_margin done, add_margin done")
	})
}

func TestATradeNotSeenForTenMinutesIsNotAddedTo(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		w.guard()
		c.readsFail.Store(true)
		w.pass(11 * time.Minute)
		w.price(fires)
		w.pass(time.Second)
		c.wantDid("")
		c.readsFail.Store(false)
		w.pass(5 * time.Second)
		c.wantDid("add_margin done")
	})
}

func TestNothingIsClosedOnStaleFacts(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, func(a *vigia.Automation) { a.Guard.Limits.PerAction = ptr(vigia.Sats(0)) })
		c.next(fault{kind: refused}) // of the stop that would close it
		w.guard()
		c.readsFail.Store(true)
		w.pass(20 * time.Second)
		w.price(fires)
		w.pass(time.Minute)
		c.wantDid("set_stop failed")
		if got := c.decisions(vigia.TradeSubject(id)); got[len(got)-1] != "none stale_snapshot" {
			t.Errorf("decided %q, want stale_snapshot last", got)
		}
		c.readsFail.Store(false)
		w.pass(5 * time.Second)
		c.wantDid("set_stop failed, close done")
	})
}

func TestBlindDoesNothingAndSaysSoOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		g := w.guard()
		w.tick(fires)
		w.blind.Store(true)
		g.AllDue()
		w.pass(10 * time.Second)
		c.wantDid("")
		if got := c.decisions(vigia.TradeSubject(id)); got[len(got)-1] != "none blind" {
			t.Errorf("decided %q, want blind last", got)
		}
		c.wantTold(vigia.EventBlind, 1)
		w.blind.Store(false)
		w.price(fires)
		w.pass(5 * time.Second)
		c.wantDid("add_margin done")
		c.wantTold(vigia.EventBlind, 1)
		c.wantTold(vigia.EventSighted, 1)
	})
}

func TestTheHaltFileStopsEverythingAndIsNamed(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		path := "/data/halt"
		w.halt.Store(&path)
		w.price(fires)
		w.pass(time.Minute)
		closing := c.ask(vigia.ActionClose, vigia.TradeSubject(id), 0)
		w.pass(2 * time.Second)
		c.wantDid("close skipped")
		if e := c.execution(closing); e.Reason != vigia.ReasonHalted || !strings.Contains(e.Detail, path) {
			t.Errorf("got %s, %q; want halted, naming the file", e.Reason, e.Detail)
		}
		w.halt.Store(new(string))
		w.pass(5 * time.Second)
		c.wantDid("close skipped, add_margin done")
	})
}

// The file comes between the decision and the intent.
func TestTheHaltFileIsLookedAtBeforeEachIntent(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		w.guard()
		path := "/data/halt"
		w.halt.Store(&path)
		w.price(fires)
		w.pass(100 * time.Millisecond) // before anybody looks for the file by the clock
		c.wantDid("")
		if n := len(c.received()); n != 0 {
			t.Errorf("%d calls were made", n)
		}
	})
}

func TestStopModeHoldsRulesBackAndLetsCommandsThrough(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		w.guard()
		if err := w.store.SetStops(w.Context(), vigia.Stops{Automations: true}); err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Second)
		w.price(fires)
		w.pass(time.Minute)
		c.wantDid("")
		if got := c.decisions(vigia.TradeSubject(id)); got[len(got)-1] != "none stopped" {
			t.Errorf("decided %q, want stopped last", got)
		}
		c.ask(vigia.ActionAddMargin, vigia.TradeSubject(id), 1)
		w.pass(3 * time.Second)
		c.wantDid("add_margin done")
		if err := w.store.SetStops(w.Context(), vigia.Stops{}); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		c.wantDid("add_margin done, add_margin done")
	})
}

func TestARefusedKeyIsSaidOnceAndHoldsBack(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		g := w.guard()
		c.keyRefused.Store(true)
		w.pass(10 * time.Minute)
		w.price(fires)
		w.pass(10 * time.Minute)
		c.wantDid("")
		c.wantTold(vigia.EventKeyRefused, 1)
		if got := c.decisions(vigia.TradeSubject(id)); got[len(got)-1] != "none key_refused" {
			t.Errorf("decided %q, want key_refused last", got)
		}
		if a := g.Status().Accounts[0]; a.Status != vigia.AccountRefused || a.Detail == "" {
			t.Errorf("status: got %s, %q; want refused, and why", a.Status, a.Detail)
		}
		c.mu.Lock()
		reads := c.reads
		c.mu.Unlock()
		w.pass(15 * time.Minute)
		c.mu.Lock()
		if more := c.reads - reads; more > 4 {
			t.Errorf("a refused key was tried %d times in 15 minutes", more)
		}
		c.mu.Unlock()
		c.keyRefused.Store(false)
		w.pass(16 * time.Minute)
		c.wantDid("add_margin done")
	})
}

func TestAKeyThatCannotBeOpenedAnswersItsCommands(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		c.noKey.Store(true)
		w.guard()
		w.price(fires)
		closing := c.ask(vigia.ActionClose, vigia.TradeSubject(id), 0)
		w.pass(2 * time.Second)
		if e := c.execution(closing); e.State != vigia.ExecutionSkipped || e.Reason != vigia.ReasonKeyRefused {
			t.Errorf("got %s, %s; want it skipped because the key is refused", e.State, e.Reason)
		}
		if n := len(c.received()); n != 0 {
			t.Errorf("%d calls were made", n)
		}
	})
}

// The exchange refuses the size: the wallet and the trade are read, and the add is
// sized anew, once; then it cools down.
func TestARefusedAddIsReadAgainAndResizedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w, ifShort(vigia.ShortAdd))
		w.guard()
		if err := w.engine.Withdraw(c.ID, w.engine.Wallet(c.ID)-20_000); err != nil {
			t.Fatal(err)
		}
		w.price(fires)
		w.pass(5 * time.Second)
		if got := c.did(); got != "add_margin failed, add_margin done" {
			t.Errorf("got %q, want a refusal and an add of what there is", got)
		}
		if e := c.executions()[1]; !e.Partial || e.Cost > 20_000 {
			t.Errorf("got partial %t, cost %d; want what the wallet has", e.Partial, e.Cost)
		}
	})
}

func TestWhatWasNotSentIsTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		w.guard()
		c.next(fault{kind: unsent})
		w.price(fires)
		w.pass(3 * time.Second)
		c.wantDid("add_margin failed, add_margin done")
		if held, _ := c.reserves(); held != 0 {
			t.Errorf("%d sats are still held", held)
		}
	})
}

func TestWithoutATokenItIsTriedAgainASecondLater(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		w.guard()
		c.noToken.Store(true)
		w.price(fires)
		w.pass(4500 * time.Millisecond)
		c.wantDid("")
		c.noToken.Store(false)
		w.pass(1100 * time.Millisecond)
		c.wantDid("add_margin done")
	})
}

func TestALiquidationIsToldAndNotAClose(t *testing.T) {
	for name, heard := range map[string]bool{"by the stream": true, "by a read": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				c := w.trader(1_000_000)
				id := c.open(vigia.Long, 1_000, 20)
				closed := c.open(vigia.Long, 1_000, 2)
				c.alert(vigia.AlertVanished)
				g := w.guard()
				c.readsFail.Store(!heard) // it cannot be read how it ended, for a while
				w.price(90_000)
				if heard {
					g.hear(c, watch.EventLiquidated, id)
				}
				if _, err := w.engine.Close(c.ID, closed); err != nil {
					t.Fatal(err)
				}
				w.pass(20 * time.Second)
				c.readsFail.Store(false)
				w.pass(20 * time.Second)
				events := c.events()
				events = slices.DeleteFunc(events, func(e vigia.Event) bool { return e.Kind != vigia.EventVanished })
				if len(events) != 1 || events[0].Subject != vigia.TradeSubject(id) || events[0].Facts.Detail != string(vigia.EndedLiquidated) {
					t.Errorf("got %+v, want one liquidation", events)
				}
			})
		})
	}
}
