package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vigiaguard/vigia/run"
)

// diary is what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) is(want ...string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Equal(d.lines, want)
}

// witness is a service that writes down its starts and its ends.
type witness struct {
	*run.Worker
	diary *diary
}

func (d *diary) service(name string, end error) *witness {
	w := &witness{diary: d}
	w.Worker = run.Draining(name, time.Hour, func(intake, work context.Context) error {
		<-intake.Done()
		if work.Err() != nil {
			d.write(name + " was cut off")
		}
		d.write("-" + name)
		return end
	})
	return w
}

func (w *witness) Start(ctx context.Context) error {
	w.diary.write("+" + w.Name())
	return w.Worker.Start(ctx)
}

// fuse is a service that fails when it is lit.
func fuse(name string, lit <-chan struct{}) *run.Worker {
	return run.Func(name, func(ctx context.Context) error {
		select {
		case <-lit:
			return errBroken
		case <-ctx.Done():
			return nil
		}
	})
}

// stuck is a service that cannot start.
type stuck struct{ *run.Worker }

func (stuck) Start(context.Context) error { return errBroken }

func TestGroupOrder(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*run.Group, context.CancelCauseFunc){
		"Stop":             func(g *run.Group, _ context.CancelCauseFunc) { g.Stop() },
		"the parent's end": func(_ *run.Group, end context.CancelCauseFunc) { end(errSignal) },
	} {
		d := &diary{}
		inner := run.NewGroup("inner", d.service("guard", nil), d.service("feed", nil))
		g := run.NewGroup("serve", d.service("recorder", nil), inner, d.service("api", nil))
		parent, end := context.WithCancelCause(t.Context())
		if err := g.Start(parent); err != nil {
			t.Fatal(err)
		}
		stop(g, end)
		if err := ended(g); err != nil {
			t.Errorf("%s is the failure %v", name, err)
		}
		if !d.is("+recorder", "+guard", "+feed", "+api", "-api", "-feed", "-guard", "-recorder") {
			t.Errorf("%s: %v", name, d.lines)
		}
		end(nil)
	}
}

func TestOneFailureBringsTheGroupDown(t *testing.T) {
	t.Parallel()
	d, lit := &diary{}, make(chan struct{})
	g := run.NewGroup("serve", d.service("recorder", nil), fuse("feed", lit), d.service("api", nil))
	mustStart(t, g)
	close(lit)
	err := ended(g)
	if want := "serve: feed: the disk is full"; err == nil || err.Error() != want || !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %q", err, want)
	}
	if !d.is("+recorder", "+api", "-api", "-recorder") {
		t.Errorf("%v", d.lines)
	}
}

func TestAPanicBringsTheGroupDown(t *testing.T) {
	t.Parallel()
	d := &diary{}
	g := run.NewGroup("serve", d.service("recorder", nil), run.Func("guard", func(context.Context) error { panic("nil map") }))
	mustStart(t, g)
	err := ended(g)
	if want := "serve: guard: panic: nil map"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if len(run.Stack(err)) == 0 {
		t.Error("the stack did not travel")
	}
}

func TestTheFirstFailureLeads(t *testing.T) {
	t.Parallel()
	d, lit := &diary{}, make(chan struct{})
	errFlush := errors.New("flush failed")
	g := run.NewGroup("serve", d.service("recorder", errFlush), fuse("feed", lit))
	mustStart(t, g)
	close(lit)
	err := ended(g)
	if !errors.Is(err, errBroken) || !errors.Is(err, errFlush) {
		t.Fatalf("one of the two failures is lost: %v", err)
	}
	if first, second := strings.Index(err.Error(), "feed: the disk"), strings.Index(err.Error(), "recorder: flush"); first < 0 || second < first {
		t.Errorf("the failure that began it does not lead: %v", err)
	}
	var failure *run.Failure
	if !errors.As(errors.Unwrap(err), &failure) || failure.Service != "feed" {
		t.Errorf("the first failure in the chain is %v", failure)
	}
}

func TestWhatFailsInStoppingIsSaid(t *testing.T) {
	t.Parallel()
	d := &diary{}
	g := run.NewGroup("serve", d.service("recorder", errBroken), d.service("api", nil))
	mustStart(t, g)
	g.Stop()
	if err := g.Err(); !errors.Is(err, errBroken) || err.Error() != "serve: recorder: the disk is full" {
		t.Errorf("got %v", err)
	}
}

func TestGroupThatCannotStart(t *testing.T) {
	t.Parallel()
	d := &diary{}
	bad := stuck{run.Func("feed", untilStopped)}
	g := run.NewGroup("serve", d.service("recorder", nil), d.service("guard", nil), bad, d.service("api", nil))
	err := g.Start(t.Context())
	if want := "serve: feed: the disk is full"; err == nil || err.Error() != want || !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %q", err, want)
	}
	if again := g.Err(); again == nil || again.Error() != err.Error() {
		t.Errorf("Err says %v", again)
	}
	<-g.Ended()
	g.Stop()
	if !d.is("+recorder", "+guard", "-guard", "-recorder") {
		t.Errorf("%v", d.lines)
	}
}

// brittle is a service whose own methods panic.
type brittle struct {
	*run.Worker
	starts bool
}

func (b brittle) Start(ctx context.Context) error {
	if !b.starts {
		panic("no start")
	}
	return b.Worker.Start(ctx)
}

func (b brittle) Stop() {
	b.Worker.Stop()
	panic("no stop")
}

func TestPanicsInStartAndStop(t *testing.T) {
	t.Parallel()
	d := &diary{}
	g := run.NewGroup("serve", d.service("recorder", nil), brittle{run.Func("feed", untilStopped), false})
	if err := g.Start(t.Context()); err == nil || err.Error() != "serve: feed: panic: no start" {
		t.Errorf("a panic in Start gave %v", err)
	}
	g = run.NewGroup("serve", d.service("recorder", nil), brittle{run.Func("feed", untilStopped), true})
	mustStart(t, g)
	g.Stop()
	if err := g.Err(); err == nil || err.Error() != "serve: feed: panic: no stop" {
		t.Errorf("a panic in Stop gave %v", err)
	}
	if !d.is("+recorder", "-recorder", "+recorder", "-recorder") {
		t.Errorf("%v", d.lines)
	}
}

func TestGroupEndsWhenAllAreDone(t *testing.T) {
	t.Parallel()
	once := func(context.Context) error { return nil }
	g := run.NewGroup("drills", run.Func("a", once, run.MayEnd()), run.Func("b", once, run.MayEnd()))
	mustStart(t, g)
	if err := ended(g); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestWaitingNamesWhoHoldsTheStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		slow := run.Draining("acts", -1, func(_, _ context.Context) error { <-done; return nil })
		g := run.NewGroup("serve", run.Func("recorder", untilStopped), slow, run.Func("api", untilStopped))
		if left := g.Waiting(); len(left) != 0 {
			t.Errorf("before the start: %v", left)
		}
		mustStart(t, g)
		go g.Stop()
		synctest.Wait()
		if left := g.Waiting(); !slices.Equal(left, []string{"recorder", "acts"}) {
			t.Errorf("while acts hangs: %v", left)
		}
		close(done)
		<-g.Ended()
		if left := g.Waiting(); len(left) != 0 {
			t.Errorf("at the end: %v", left)
		}
	})
}

// A stop that comes while the group is still starting is obeyed at the next
// service.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, hold := &diary{}, make(chan struct{})
		g := run.NewGroup("serve", d.service("recorder", nil), slowStart{run.Func("feed", untilStopped), hold}, d.service("api", nil))
		started := make(chan error, 2)
		for range 2 {
			go func() { started <- g.Start(t.Context()) }()
		}
		synctest.Wait()
		go g.Stop()
		synctest.Wait()
		close(hold)
		for range 2 {
			if err := <-started; !errors.Is(err, run.ErrStopped) {
				t.Errorf("a start that was interrupted gave %v", err)
			}
		}
		if err := g.Err(); err != nil {
			t.Errorf("the stop counts as the failure %v", err)
		}
		if !d.is("+recorder", "-recorder") {
			t.Errorf("%v", d.lines)
		}
	})
}

type slowStart struct {
	*run.Worker
	hold <-chan struct{}
}

func (s slowStart) Start(ctx context.Context) error {
	<-s.hold
	return s.Worker.Start(ctx)
}
