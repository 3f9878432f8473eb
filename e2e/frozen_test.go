package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

var actSteps = []act.Step{act.StepDue, act.StepDecided, act.StepPrepared, act.StepIntended, act.StepSent, act.StepAnswered, act.StepSettled}

// TestFrozenAtEachStep freezes vigia at each step of an add, on a server that a
// second process works on: that one takes over, the first wakes later, and the
// trade was saved once.
func TestFrozenAtEachStep(t *testing.T) {
	t.Parallel()
	for _, step := range actSteps {
		t.Run(string(step)+" woken late", func(t *testing.T) {
			t.Parallel()
			w, trade, one, two := frozenWorld(t, step)
			eventually(t, w.terms.grace(), "the second process saves the trade", func() bool { return w.clear(trade.ID) })
			w.rest(two)
			wake(one)
			w.survives(two, &trade)
			count("postgres frozen, woken late", string(step), 1)
		})
		t.Run(string(step)+" woken early", func(t *testing.T) {
			t.Parallel()
			w, trade, one, two := frozenWorld(t, step)
			// Within the exchange's window: what it sends now may still be executed.
			w.tookOver(two)
			wake(one)
			w.survives(two, &trade)
			count("postgres frozen, woken early", string(step), 1)
		})
	}
}

// frozenWorld is a world whose first process stands frozen at a step of an add,
// with a second one on the same server.
func frozenWorld(t *testing.T, step act.Step) (w *world, trade vigia.Trade, one, two *process) {
	t.Helper()
	w, trade = armedWorld(t, "postgres")
	one = w.start("one")
	w.armed(one)
	two = w.start("two")
	one.holdAt(step, 0)
	w.tick(w.firesAt(&trade) - vigia.Dollars(50))
	if err := one.held(patience); err != nil {
		t.Fatal(err)
	}
	w.past.trouble()
	one.signal(syscall.SIGSTOP)
	w.past.calm()
	return w, trade, one, two
}

// tookOver waits until a process guards the account itself.
func (w *world) tookOver(p *process) {
	w.t.Helper()
	eventually(w.t, w.terms.grace(), p.name+" guards the account", func() bool {
		a, ok := p.api.watched(label)
		return ok && !a.SnapshotBegun.IsZero() && vigia.Age(time.Now(), a.SnapshotBegun) < 3*w.terms.lease
	})
}

// wake lets a frozen process go on from its step, and waits until it is there.
func wake(p *process) {
	p.t.Helper()
	p.steps.goOn()
	p.signal(syscall.SIGCONT)
	eventually(p.t, patience, p.name+" answers", p.api.answers)
}

// TestAFrozenWriterOnSQLiteIsWaitedFor freezes the process that holds the file: a
// second one stands by as long as that one lives, and takes over when it is dead.
func TestAFrozenWriterOnSQLiteIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, step := range actSteps {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			w, trade := armedWorld(t, "sqlite")
			one := w.start("data")
			w.armed(one)
			two := w.standBy("data")
			eventually(t, patience, "the second says that it stands by", func() bool { return strings.Contains(two.said.String(), "Standing by") })
			one.holdAt(step, 0)
			w.tick(w.firesAt(&trade) - vigia.Dollars(50))
			if err := one.held(patience); err != nil {
				t.Fatal(err)
			}
			w.past.trouble()
			one.signal(syscall.SIGSTOP)
			requests := len(w.exchange.Requests(0))
			pass(2 * w.terms.lease)
			if n := len(w.exchange.Requests(0)); n != requests || two.gone() {
				t.Errorf("the second acted while the first lives: %d requests more, gone %t", n-requests, two.gone())
			}
			one.kill()
			died := time.Now()
			two.address()
			w.survives(two, &trade)
			if took := time.Since(died); took > w.terms.grace()+slack {
				t.Errorf("the second took %s", took)
			}
			count("sqlite frozen, then killed", string(step), 1)
		})
	}
}

// TestTwoProcessesOnOneFolder are one too many: on SQLite the second stands by,
// also when it came another way; on a server it is refused.
func TestTwoProcessesOnOneFolder(t *testing.T) {
	t.Parallel()
	t.Run("sqlite through a link", func(t *testing.T) {
		t.Parallel()
		w, trade := armedWorld(t, "sqlite")
		one := w.start("data")
		w.armed(one)
		if err := os.Symlink(filepath.Join(w.dir, "data"), filepath.Join(w.dir, "link")); err != nil {
			t.Fatal(err)
		}
		two := w.standBy("link")
		eventually(t, patience, "the second says that it stands by", func() bool { return strings.Contains(two.said.String(), "Standing by") })
		w.tick(w.firesAt(&trade) - vigia.Dollars(50))
		w.survives(one, &trade) // and stops it
		two.address()
		w.rest(two)
		w.check(two)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		w, trade := armedWorld(t, "postgres")
		one := w.start("data")
		w.armed(one)
		two := w.standBy("data")
		if code := two.exit(patience); code == 0 || !strings.Contains(two.said.String(), "is held by process") {
			t.Errorf("exit status %d:\n%s", code, two.said)
		}
		w.tick(w.firesAt(&trade) - vigia.Dollars(50))
		w.survives(one, &trade)
	})
}
