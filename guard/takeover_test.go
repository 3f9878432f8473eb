package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/guard"
)

// A second guard takes the shard: what the first one still wants is refused, and
// it writes nothing any more.
func TestAGuardThatLostItsLeaseIsFenced(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		first := w.guard()
		second := w.guard()
		w.tick(fires)
		first.OnTick(vigia.Tick{Last: vigia.PriceFromFloat(fires), At: w.clock.Now()})
		w.pass(400 * time.Millisecond)
		c.wantDid("")
		if first.logged("refused") == 0 {
			t.Error("the first guard did not even try")
		}
		second.OnTick(vigia.Tick{Last: vigia.PriceFromFloat(fires), At: w.clock.Now()})
		w.pass(time.Second)
		c.wantDid("add_margin done")
		kept := first.store.kept.Load()
		w.pass(10 * time.Second)
		c.wantDid("add_margin done")
		first.leases.fence.Store(nil)
		w.pass(time.Second)
		if s := first.Status(); len(s.Accounts) != 0 || s.Armed != 0 || s.Shards != 0 {
			t.Errorf("the first guard shows %d accounts, %d armed, %d shards; want none", len(s.Accounts), s.Armed, s.Shards)
		}
		_ = kept
	})
}

// The first guard froze between commit and send, or between send and answer. What
// it has begun is taken over, and its late word counts.
func TestAnOrphanedIntentIsReconciled(t *testing.T) {
	for name, at := range map[string]act.Step{"before the send": act.StepSent, "before the answer is settled": act.StepAnswered} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				c, id, fires := endangered(w)
				frozen, thaw := make(chan struct{}), make(chan struct{})
				first := w.guard(func(o *guard.Options) {
					o.Step = func(s act.Step) {
						if s == at {
							close(frozen)
							<-thaw
						}
					}
				})
				need := target(c.trade(id), fires) - c.trade(id).Margin
				w.price(fires)
				<-frozen
				c.wantDid("add_margin intent")
				first.leases.fence.Store(nil)
				second := w.guard()
				w.pass(time.Second)
				if at == act.StepAnswered {
					w.pass(6 * time.Second)
					c.wantDid("add_margin done")
				} else {
					c.wantDid("add_margin unknown")
					w.pass(6 * time.Second)
					c.wantDid("add_margin unknown, add_margin done")
				}
				close(thaw)
				w.pass(40 * time.Second)
				for _, e := range c.executions() {
					if e.State != vigia.ExecutionDone {
						t.Errorf("%s is %s, want done: it was executed", e.ID, e.State)
					}
				}
				if _, spent := c.reserves(); spent < need*vigia.Sats(len(c.received())) {
					t.Errorf("%d sats count as spent for %d calls of %d", spent, len(c.received()), need)
				}
				if n := second.Status().Accounts[0].Unsettled; n != 0 {
					t.Errorf("%d executions are still unsettled", n)
				}
			})
		})
	}
}

// The lease went away and came back before anybody looked: what is in memory is of
// another time.
func TestALeaseThatCameBackIsReadAnew(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w, ifShort(vigia.ShortLeave), func(a *vigia.Automation) { a.Guard.Limits.PerTrade = ptr(vigia.Sats(30_000)) })
		first := w.guard()
		second := w.guard()
		first.leases.fence.Store(nil)
		w.tick(fires)
		second.OnTick(vigia.Tick{Last: vigia.PriceFromFloat(fires), At: w.clock.Now()})
		w.pass(100 * time.Millisecond)
		c.wantDid("add_margin done")
		second.leases.fence.Store(nil)
		again := w.take("the first once more")
		first.leases.fence.Store(&again)
		next := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent).Float()
		w.price(next)
		w.pass(10 * time.Second)
		c.wantDid("add_margin done")
		if got := c.decisions(vigia.TradeSubject(id)); !slices.Contains(got, "none limit_reached") {
			t.Errorf("decided %q, want limit_reached among them", got)
		}
	})
}

func TestAStartArmsFromWhatWasStored(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		g := w.guard()
		w.pass(time.Second)
		g.stop()
		c.readsFail.Store(true)
		g = w.guard()
		s := g.Status()
		if s.Armed == 0 || !s.Accounts[0].Provisional || len(s.Accounts[0].Trades) != 1 {
			t.Errorf("got %d armed, provisional %t, %d trades; want it armed from what was stored", s.Armed,
				s.Accounts[0].Provisional, len(s.Accounts[0].Trades))
		}
		w.price(fires)
		w.pass(time.Second)
		c.wantDid("add_margin done")
	})
}

func TestAChangedRuleCountsAtOnceAndCallsUnderWaySurviveIt(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(1_000_000)
		id := c.open(vigia.Long, 1_000, 20)
		rule := c.rule()
		w.guard()
		fires := rule.Guard.Steps[0].FiresAt(c.trade(id)).Float()
		c.next(fault{kind: slow, after: 2 * time.Second})
		w.price(fires)
		for range 3 {
			rule.Name += "!"
			saved, err := c.store.SaveAutomation(w.Context(), rule)
			if err != nil {
				t.Fatal(err)
			}
			rule = saved
			w.pass(600 * time.Millisecond)
		}
		w.pass(3 * time.Second)
		c.wantDid("add_margin done")
		if held, spent := c.reserves(); held != 0 || spent == 0 {
			t.Errorf("got %d held and %d spent", held, spent)
		}
		rule.Mode = vigia.ModeOff
		if _, err := c.store.SaveAutomation(w.Context(), rule); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		w.price(fires - 3_900)
		w.pass(5 * time.Second)
		c.wantDid("add_margin done")
	})
}

func TestNewAndDeletedAccounts(t *testing.T) {
	inWorld(t, func(w *world) {
		g := w.guard()
		c, _, fires := endangered(w)
		w.pass(2 * time.Second)
		if n := len(g.Status().Accounts); n != 1 {
			t.Fatalf("%d accounts are shown, want the new one", n)
		}
		w.price(fires)
		w.pass(time.Second)
		c.wantDid("add_margin done")
		if err := c.store.DeleteAccount(w.Context(), c.Owner, c.ID); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		if s := g.Status(); len(s.Accounts) != 0 || s.Armed != 0 {
			t.Errorf("%d accounts, %d armed; want none", len(s.Accounts), s.Armed)
		}
	})
}
