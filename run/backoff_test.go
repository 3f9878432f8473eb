package run_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/run"
)

func none(int64) int64   { return 0 }
func most(n int64) int64 { return n - 1 }

func TestBackoffDoublesUpToTheLongest(t *testing.T) {
	t.Parallel()
	b := run.Backoff{First: time.Second, Max: 10 * time.Second, Random: none}
	for i, want := range []time.Duration{1, 1, 2, 4, 8, 10, 10} {
		if got := b.Delay(i); got != want*time.Second {
			t.Errorf("after %d failures: %s, want %s", i, got, want*time.Second)
		}
	}
	b.Random = most
	if got, want := b.Delay(3), 2*time.Second; got != want {
		t.Errorf("the most that chance takes off leaves %s, want %s", got, want)
	}
}

func TestBackoffOfNothing(t *testing.T) {
	t.Parallel()
	b := run.Backoff{Random: none}
	if got, want := b.Delay(1), 500*time.Millisecond; got != want {
		t.Errorf("first delay %s, want %s", got, want)
	}
	if got, want := b.Delay(1000), 30*time.Second; got != want {
		t.Errorf("longest delay %s, want %s", got, want)
	}
}

func TestBackoffStaysBetweenHalfAndWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := run.Backoff{
			First: time.Duration(rapid.Int64Range(-1, 1<<62).Draw(t, "first")),
			Max:   time.Duration(rapid.Int64Range(-1, 1<<62).Draw(t, "max")),
		}
		failures := rapid.IntRange(-1, 200).Draw(t, "failures")
		got := b.Delay(failures)
		b.Random = none
		whole := b.Delay(failures)
		if got > whole || got < whole/2 || got < 0 {
			t.Fatalf("%s is not between half and whole of %s", got, whole)
		}
		if further := b.Delay(failures + 1); further < whole {
			t.Fatalf("one failure more waits less: %s after %s", further, whole)
		}
	})
}

func TestBackoffWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock, waited := vigia.NewManualClock(epoch), make(chan error)
		b := run.Backoff{First: time.Minute, Max: time.Hour, Random: none}
		ctx, end := context.WithCancelCause(t.Context())
		go func() { waited <- b.Wait(ctx, clock, 1) }()
		synctest.Wait()
		clock.Advance(time.Minute)
		if err := <-waited; err != nil {
			t.Errorf("the wait was over and gave %v", err)
		}
		go func() { waited <- b.Wait(ctx, clock, 2) }()
		synctest.Wait()
		end(errSignal)
		if err := <-waited; !errors.Is(err, errSignal) {
			t.Errorf("the end of the context gave %v", err)
		}
		if left := clock.Waiting(); left != 0 {
			t.Errorf("%d timers are left behind", left)
		}
	})
}
