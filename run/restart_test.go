package run_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/run"
)

// failing is a worker whose runs fail until it has run often enough.
type failing struct {
	clock *vigia.ManualClock
	runs  int
	good  int           // the run that works; 0: none does
	lasts time.Duration // how long each bad run lasts
	fail  func() error
	told  []time.Duration
	last  *run.Failure
}

func (f *failing) work(ctx context.Context) error {
	f.runs++
	if f.runs == f.good {
		return untilStopped(ctx)
	}
	f.clock.Advance(f.lasts)
	return f.fail()
}

func (f *failing) worker(policy run.Restart) *run.Worker {
	f.clock = vigia.NewManualClock(epoch)
	policy.Backoff = run.Backoff{First: time.Second, Max: time.Minute, Random: none}
	policy.Report = func(failure *run.Failure, again time.Duration) {
		f.last, f.told = failure, append(f.told, again)
	}
	return run.Func("feed", f.work, run.OnClock(f.clock), run.Restarting(policy))
}

// skip moves the clock over the waits that are under way.
func (f *failing) skip(times int) {
	for range times {
		synctest.Wait()
		f.clock.Advance(time.Minute)
	}
	synctest.Wait()
}

func TestRestartAfterAnyFailure(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error":  func() error { return errBroken },
		"panic":  func() error { panic(errBroken) },
		"silent": func() error { return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &failing{good: 4, fail: fail}
			w := f.worker(run.Restart{})
			mustStart(t, w)
			f.skip(3)
			if f.runs != 4 || len(f.told) != 3 || f.told[0] != time.Second || f.told[2] != 4*time.Second {
				t.Errorf("%s: ran %d times after the waits %v", name, f.runs, f.told)
			}
			if f.last.Service != "feed" || !errors.Is(f.last, errBroken) && !errors.Is(f.last, run.ErrEnded) {
				t.Errorf("%s: reported %v", name, f.last)
			}
			w.Stop()
			if err := w.Err(); err != nil {
				t.Errorf("%s: a stop after restarts is the failure %v", name, err)
			}
		})
	}
}

func TestRestartGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &failing{fail: func() error { return errBroken }}
		w := f.worker(run.Restart{Limit: 3})
		mustStart(t, w)
		f.skip(2)
		err := ended(w)
		if want := "feed: given up after 3 failures in a row: the disk is full"; err.Error() != want || !errors.Is(err, errBroken) {
			t.Errorf("got %q, want %q", err, want)
		}
		if len(f.told) != 2 {
			t.Errorf("reported %d waits, want 2", len(f.told))
		}
	})
}

func TestRestartCountsAnewAfterAGoodWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &failing{lasts: time.Hour, good: 6, fail: func() error { return errBroken }}
		w := f.worker(run.Restart{Limit: 2, Settled: time.Hour})
		mustStart(t, w)
		f.skip(5)
		w.Stop()
		if f.runs != 6 || f.told[4] != time.Second {
			t.Errorf("ran %d times with the waits %v, want 6 runs that each waited a second", f.runs, f.told)
		}
	})
}

func TestStopDuringTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &failing{fail: func() error { return errBroken }}
		w := f.worker(run.Restart{})
		mustStart(t, w)
		synctest.Wait()
		w.Stop()
		if err := w.Err(); err != nil || f.runs != 1 {
			t.Errorf("after %d runs got %v", f.runs, err)
		}
		if left := f.clock.Waiting(); left != 0 {
			t.Errorf("%d timers are left behind", left)
		}
	})
}

func TestRestartMayEnd(t *testing.T) {
	t.Parallel()
	w := run.Func("drill", func(context.Context) error { return nil }, run.MayEnd(),
		run.Restarting(run.Restart{Report: func(*run.Failure, time.Duration) {}}))
	mustStart(t, w)
	if err := ended(w); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestRestartWithoutReportIsRefused(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("failures that nobody hears of were allowed")
		}
	}()
	run.Restarting(run.Restart{})
}
