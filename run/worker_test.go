package run_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/run"
	"github.com/vigiaguard/vigia/run/runtest"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestStress(t *testing.T) {
	t.Parallel()
	for _, make := range []func() run.Service{
		func() run.Service { return run.Func("func", untilStopped) },
		func() run.Service {
			return run.Draining("draining", time.Hour, func(intake, _ context.Context) error { return untilStopped(intake) })
		},
		func() run.Service {
			return run.Func("restarting", untilStopped, run.Restarting(run.Restart{Report: func(*run.Failure, time.Duration) {}}))
		},
		func() run.Service { return run.Func("done at once", untilStopped, run.MayEnd()) },
		func() run.Service {
			return run.NewGroup("group", run.Func("first", untilStopped), run.NewGroup("inner", run.Func("second", untilStopped)))
		},
		func() run.Service { return run.NewGroup("empty group") },
	} {
		runtest.Stress(t, make)
	}
}

func TestStopIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(ctx context.Context) error{
		"nil":                   func(context.Context) error { return nil },
		"the context's error":   context.Context.Err,
		"the cause":             context.Cause,
		"wrapped":               func(ctx context.Context) error { return fmt.Errorf("reading: %w", context.Cause(ctx)) },
		"joined":                func(ctx context.Context) error { return errors.Join(ctx.Err(), context.Cause(ctx)) },
		"a cancellation inside": func(context.Context) error { return fmt.Errorf("dial: %w", context.Canceled) },
	} {
		w := run.Func("feed", func(ctx context.Context) error { <-ctx.Done(); return answer(ctx) })
		mustStart(t, w)
		w.Stop()
		if err := w.Err(); err != nil {
			t.Errorf("%s, returned after Stop, counts as the failure %v", name, err)
		}
		parent, end := context.WithCancelCause(t.Context())
		if err := w.Start(parent); err != nil {
			t.Fatal(err)
		}
		end(errSignal)
		if err := ended(w); err != nil {
			t.Errorf("%s, returned after the parent's end, counts as the failure %v", name, err)
		}
	}
}

func TestWhatGoesWrongInStoppingIsAFailure(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(ctx context.Context) error{
		"an error":            func(context.Context) error { return errBroken },
		"beside the cause":    func(ctx context.Context) error { return errors.Join(context.Cause(ctx), errBroken) },
		"wrapped with cancel": func(ctx context.Context) error { return fmt.Errorf("%w, so %w", ctx.Err(), errBroken) },
	} {
		w := run.Func("recorder", func(ctx context.Context) error { <-ctx.Done(); return answer(ctx) })
		mustStart(t, w)
		w.Stop()
		if err := w.Err(); !errors.Is(err, errBroken) {
			t.Errorf("%s: the failure to finish is lost: %v", name, err)
		}
	}
}

func TestStopTellsItsCause(t *testing.T) {
	t.Parallel()
	causes := make(chan error, 1)
	w := run.Func("feed", func(ctx context.Context) error { <-ctx.Done(); causes <- context.Cause(ctx); return nil })
	mustStart(t, w)
	w.Stop()
	if cause := <-causes; !errors.Is(cause, run.ErrStopped) {
		t.Errorf("Stop gave the cause %v", cause)
	}
	parent, end := context.WithCancelCause(t.Context())
	if err := w.Start(parent); err != nil {
		t.Fatal(err)
	}
	end(errSignal)
	if cause := <-causes; !errors.Is(cause, errSignal) {
		t.Errorf("the parent's end gave the cause %v", cause)
	}
	w.Stop()
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		work func(context.Context) error
		want error
	}{
		{"an error", func(context.Context) error { return errBroken }, errBroken},
		{"a silent end", func(context.Context) error { return nil }, run.ErrEnded},
		{"a cancellation nobody asked for", func(context.Context) error { return context.Canceled }, context.Canceled},
	} {
		w := run.Func("guard", c.work)
		mustStart(t, w)
		err := ended(w)
		var failure *run.Failure
		if !errors.As(err, &failure) || failure.Service != "guard" || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want a failure of guard with %v", c.name, err, c.want)
		}
		w.Stop()
		if w.Err() == nil {
			t.Errorf("%s: a later Stop has wiped the failure", c.name)
		}
	}
}

func TestGoexitIsAFailure(t *testing.T) {
	t.Parallel()
	w := run.Func("guard", func(context.Context) error { runtime.Goexit(); return nil })
	mustStart(t, w)
	if err := ended(w); err == nil || err.Error() != "guard: left by runtime.Goexit" {
		t.Errorf("got %v", err)
	}
}

func TestMayEnd(t *testing.T) {
	t.Parallel()
	w := run.Func("drill", func(context.Context) error { return nil }, run.MayEnd())
	mustStart(t, w)
	if err := ended(w); err != nil {
		t.Errorf("a worker that may end failed: %v", err)
	}
	w = run.Func("drill", func(context.Context) error { return errBroken }, run.MayEnd())
	mustStart(t, w)
	if err := ended(w); !errors.Is(err, errBroken) {
		t.Errorf("the failure of a worker that may end is lost: %v", err)
	}
}

func TestAFreshRunForgetsTheFailure(t *testing.T) {
	t.Parallel()
	broken := true
	w := run.Func("feed", func(ctx context.Context) error {
		if broken {
			return errBroken
		}
		return untilStopped(ctx)
	})
	mustStart(t, w)
	if err := ended(w); !errors.Is(err, errBroken) {
		t.Fatalf("got %v", err)
	}
	broken = false
	mustStart(t, w)
	if err := w.Err(); err != nil {
		t.Errorf("while it runs again it still says %v", err)
	}
	w.Stop()
	if err := w.Err(); err != nil {
		t.Errorf("after a good run it still says %v", err)
	}
}

func TestStartWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold, runs := make(chan struct{}), 0
		w := run.Func("feed", func(ctx context.Context) error {
			runs++
			<-ctx.Done()
			if runs == 1 {
				<-hold
			}
			return nil
		})
		mustStart(t, w)
		go w.Stop()
		synctest.Wait()
		started := make(chan error, 1)
		go func() { started <- w.Start(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-started:
			t.Fatalf("started while the former run was still stopping: %v", err)
		default:
		}
		impatient, end := context.WithCancelCause(t.Context())
		go func() { synctest.Wait(); end(errSignal) }()
		if err := w.Start(impatient); !errors.Is(err, errSignal) {
			t.Errorf("a start that could not wait gave %v", err)
		}
		close(hold)
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		w.Stop()
		if runs != 2 {
			t.Errorf("ran %d times, want 2", runs)
		}
	})
}

// inFlight is a draining worker with one piece of work that ends when done is
// closed or the second context ends.
func inFlight(clock vigia.Clock, patience time.Duration, done <-chan struct{}) *run.Worker {
	return run.Draining("acts", patience, func(intake, work context.Context) error {
		<-intake.Done()
		if work.Err() != nil {
			return errors.New("the work was cut off together with the intake")
		}
		select {
		case <-done:
			return nil
		case <-work.Done():
			return fmt.Errorf("the call: %w", context.Cause(work))
		}
	}, run.OnClock(clock))
}

func TestDrainLetsWorkFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock, done := vigia.NewManualClock(epoch), make(chan struct{})
		w := inFlight(clock, 10*time.Second, done)
		parent, end := context.WithCancelCause(t.Context())
		if err := w.Start(parent); err != nil {
			t.Fatal(err)
		}
		end(errSignal)
		synctest.Wait()
		clock.Advance(10*time.Second - 1)
		synctest.Wait()
		if left := clock.Waiting(); left != 1 {
			t.Fatalf("%d timers wait, want the patience", left)
		}
		close(done)
		if err := ended(w); err != nil {
			t.Errorf("work that finished in time counts as the failure %v", err)
		}
		if left := clock.Waiting(); left != 0 {
			t.Errorf("%d timers are left behind", left)
		}
	})
}

func TestDrainCutsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := vigia.NewManualClock(epoch)
		w := inFlight(clock, 10*time.Second, nil)
		mustStart(t, w)
		go w.Stop()
		synctest.Wait()
		clock.Advance(10 * time.Second)
		err := ended(w)
		if !errors.Is(err, run.ErrUnfinished) {
			t.Fatalf("got %v, want that work is unfinished", err)
		}
		if want := "acts: cut off with work unfinished: the stop was 10s ago"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
}

func TestNoPatience(t *testing.T) {
	t.Parallel()
	w := run.Draining("acts", 0, func(_, work context.Context) error { return untilStopped(work) })
	mustStart(t, w)
	w.Stop()
	if err := w.Err(); !errors.Is(err, run.ErrUnfinished) {
		t.Errorf("got %v", err)
	}
}

// Work that is done late, after it was cut off, was finished all the same.
func TestLateButDone(t *testing.T) {
	t.Parallel()
	w := run.Draining("acts", 0, func(_, work context.Context) error { <-work.Done(); return nil })
	mustStart(t, w)
	w.Stop()
	if err := w.Err(); err != nil {
		t.Errorf("got %v", err)
	}
}
