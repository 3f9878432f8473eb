package e2e

import (
	"net/http"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/paper"
)

// stores are the engines that everything here runs on.
func eachStore(t *testing.T, run func(t *testing.T, store string)) {
	t.Helper()
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			run(t, store)
		})
	}
}

// ending is how a call ends that a process is killed around.
type ending struct {
	name  string
	fault *paper.Fault
	steps []act.Step
}

// endings are an add that is answered, one that is executed and not answered, and
// one that never arrives.
func endings() []ending {
	return []ending{
		{"answered", nil, []act.Step{act.StepDue, act.StepDecided, act.StepPrepared, act.StepIntended, act.StepSent,
			act.StepAnswered, act.StepSettled}},
		{"lost", &paper.Fault{Kind: paper.FaultLost, Call: "add-margin", Count: 1},
			[]act.Step{act.StepAnswered, act.StepSettled, act.StepReconcile}},
		{"reset", &paper.Fault{Kind: paper.FaultReset, Call: "add-margin", Count: 1},
			[]act.Step{act.StepAnswered, act.StepSettled, act.StepReconcile}},
	}
}

// TestKilledAtEachStep kills vigia exactly at each step of an add and starts it
// again: the trade is saved once, and the books agree.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		for _, end := range endings() {
			for _, step := range end.steps {
				t.Run(end.name+" at "+string(step), func(t *testing.T) {
					t.Parallel()
					w, trade := armedWorld(t, store)
					if end.fault != nil {
						w.fault(*end.fault)
					}
					p := w.start("data")
					w.armed(p)
					p.holdAt(step, 0)
					w.tick(w.firesAt(&trade) - vigia.Dollars(50))
					if err := p.held(patience); err != nil {
						t.Fatal(err)
					}
					w.past.trouble()
					p.kill()
					again := w.start("data")
					w.survives(again, &trade)
					count(store+" kills", string(step), 1)
				})
			}
		}
	})
}

// armedWorld is a world with one long whose guard is live and at rest; nobody
// watches it at the moment.
func armedWorld(t *testing.T, store string) (*world, vigia.Trade) {
	t.Helper()
	w := newWorld(t, worldOptions{store: store, balance: 10_000_000})
	w.generous = true
	trade := w.long(1_000, 20)
	p := w.start("data")
	w.join(p)
	w.protect(p, guardConfig(vigia.ShortClose))
	if code := p.stop(patience); code != 0 {
		t.Fatalf("exit status %d:\n%s", code, p.said)
	}
	return w, trade
}

// survives says that a trade is rescued once all trouble has ended, and outlives
// the price at which it would have been liquidated.
func (w *world) survives(p *process, before *vigia.Trade) {
	w.t.Helper()
	w.rest(p)
	w.tick(before.Liquidation - vigia.Dollars(10))
	if t := w.now(before.ID); !t.Running() {
		w.t.Errorf("the trade is %s at %s", t.State, before.Liquidation)
	}
	w.rest(p)
	w.check(p)
	if code := p.stop(patience); code != 0 {
		w.t.Errorf("exit status %d:\n%s", code, p.said)
	}
}

// TestKilledWhileSettingAStop kills vigia around the stop that rests while there
// is no cover: it is set once, and closes the trade at the trigger.
func TestKilledWhileSettingAStop(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		for _, step := range []act.Step{act.StepIntended, act.StepSent, act.StepAnswered, act.StepSettled} {
			t.Run(string(step), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, worldOptions{store: store, balance: 60_000})
				trade := w.long(1_000, 20)
				p := w.start("data")
				w.join(p)
				p.holdAt(step, 0)
				w.goLive(p, guardConfig(vigia.ShortClose))
				if err := p.held(patience); err != nil {
					t.Fatal(err)
				}
				w.past.trouble()
				p.kill()
				again := w.start("data")
				w.rest(again)
				eventually(t, w.terms.grace(), "the stop rests at the trigger", func() bool {
					return w.now(trade.ID).StopLoss == w.firesAt(&trade)
				})
				w.tick(w.firesAt(&trade))
				if closed := w.now(trade.ID); closed.State != vigia.TradeClosed || closed.ExitPrice != w.firesAt(&trade) {
					t.Errorf("the trade is %s at %s, its stop was at %s", closed.State, closed.ExitPrice, w.firesAt(&trade))
				}
				w.rest(again)
				w.check(again)
				count(store+" kills", string(step), 1)
			})
		}
	})
}

// goLive makes a guard and lets it go live.
func (w *world) goLive(p *process, config vigia.GuardConfig) {
	w.t.Helper()
	var made vigia.Automation
	eventually(w.t, patience, "the guard has seen the balance", func() bool {
		problem, err := p.api.try(http.MethodPost, "/automations", map[string]any{"account": label, "guard": config}, &made)
		if err != nil || problem != nil && problem.Code != vigia.CodeUnavailable {
			w.t.Fatal(problem, err)
		}
		return problem == nil
	})
	var live struct {
		Automation vigia.Automation `json:"automation"`
	}
	p.api.must(http.MethodPost, "/automations/"+string(made.ID)+"/go-live", map[string]any{"confirmed": true, "hedge": true}, &live)
	w.rule = live.Automation
}
