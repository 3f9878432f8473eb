package lnmarkets_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia/lnmarkets"
)

// take starts a Take and returns where its result comes.
func take(ctx context.Context, b *lnmarkets.Budget, p lnmarkets.Priority) <-chan error {
	done := make(chan error, 1)
	go func() { done <- b.Take(ctx, p) }()
	return done
}

func mustTake(t testing.TB, b *lnmarkets.Budget, p lnmarkets.Priority, times int) {
	t.Helper()
	for range times {
		if err := b.Take(safety(t), p); err != nil {
			t.Fatal(err)
		}
	}
}

func waits(t testing.TB, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
}

func TestReadsLeaveTwoTokensToActions(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	b := lnmarkets.NewKeyBudget(clock)
	mustTake(t, b, lnmarkets.PriorityRead, 3)
	read := take(safety(t), b, lnmarkets.PriorityRead)
	clock.await(safety(t), t, exactly(200*time.Millisecond))
	waits(t, read)
	mustTake(t, b, lnmarkets.PriorityAction, 2)
	waits(t, read)
	// Three tokens have to flow in before a read may take one.
	for clock.await(safety(t), t, func(time.Duration) bool { return true }) != 600*time.Millisecond {
	}
	clock.Advance(600 * time.Millisecond)
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestActionsGoAheadOfReads(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	ctx := safety(t)
	b := lnmarkets.NewBudget(clock, lnmarkets.BudgetOptions{PerSecond: 1, Burst: 1})
	mustTake(t, b, lnmarkets.PriorityRead, 1)
	read := take(ctx, b, lnmarkets.PriorityRead)
	clock.await(ctx, t, exactly(time.Second))
	action := take(ctx, b, lnmarkets.PriorityAction)
	clock.await(ctx, t, exactly(time.Second))
	clock.Advance(time.Second)
	if err := <-action; err != nil {
		t.Fatal(err)
	}
	waits(t, read)
	clock.await(ctx, t, exactly(time.Second))
	clock.Advance(time.Second)
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestThoseWhoCameFirstGoFirst(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	ctx := safety(t)
	b := lnmarkets.NewBudget(clock, lnmarkets.BudgetOptions{PerSecond: 1, Burst: 1})
	mustTake(t, b, lnmarkets.PriorityAction, 1)
	first := take(ctx, b, lnmarkets.PriorityAction)
	clock.await(ctx, t, exactly(time.Second))
	later, cancel := context.WithCancel(ctx)
	second := take(later, b, lnmarkets.PriorityAction)
	clock.Advance(time.Second)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	waits(t, second)
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// Who gave up took nothing.
	clock.Advance(time.Second)
	mustTake(t, b, lnmarkets.PriorityAction, 1)
}

func TestOneWhoGivesUpLetsTheNextPass(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	ctx := safety(t)
	b := lnmarkets.NewBudget(clock, lnmarkets.BudgetOptions{PerSecond: 1, Burst: 1})
	mustTake(t, b, lnmarkets.PriorityAction, 1)
	impatient, cancel := context.WithCancel(ctx)
	action := take(impatient, b, lnmarkets.PriorityAction)
	clock.await(ctx, t, exactly(time.Second))
	read := take(ctx, b, lnmarkets.PriorityRead) // behind the action
	cancel()
	if err := <-action; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	clock.await(ctx, t, exactly(time.Second))
	clock.Advance(time.Second)
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestPauseEmptiesTheBucket(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	ctx := safety(t)
	b := lnmarkets.NewKeyBudget(clock)
	b.Pause(7 * time.Second)
	b.Pause(time.Second) // a shorter one does not end the longer
	action := take(ctx, b, lnmarkets.PriorityAction)
	clock.await(ctx, t, exactly(7*time.Second))
	clock.Advance(7*time.Second - 1)
	waits(t, action)
	clock.Advance(1)
	if err := <-action; err != nil {
		t.Error(err)
	}
}

func TestWhatTheExchangeSaysIsLeftIsNotOverspent(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	ctx := safety(t)
	b := lnmarkets.NewKeyBudget(clock)
	b.Observe(1, time.Second)
	mustTake(t, b, lnmarkets.PriorityAction, 1)
	action := take(ctx, b, lnmarkets.PriorityAction)
	clock.await(ctx, t, exactly(200*time.Millisecond))
	b.Observe(0, 4*time.Second)
	clock.await(ctx, t, exactly(4*time.Second))
	clock.Advance(4 * time.Second)
	if err := <-action; err != nil {
		t.Error(err)
	}
}

// In no stretch of time more than burst + rate × time is taken.
func TestBudgetHoldsItsRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := lnmarkets.BudgetOptions{
			PerSecond: rapid.IntRange(1, 20).Draw(rt, "rate"), Burst: rapid.IntRange(-1, 20).Draw(rt, "burst"), Keep: rapid.IntRange(-1, 30).Draw(rt, "keep"),
		}
		clock := newSteeredClock()
		b := lnmarkets.NewBudget(clock, o)
		ctx, taken := safety(t), 0
		for range rapid.IntRange(1, 60).Draw(rt, "calls") {
			clock.Advance(time.Duration(rapid.IntRange(0, 400).Draw(rt, "pause")) * time.Millisecond)
			p := rapid.SampledFrom([]lnmarkets.Priority{lnmarkets.PriorityAction, lnmarkets.PriorityRead}).Draw(rt, "priority")
			done := take(ctx, b, p)
			for waiting := true; waiting; {
				select {
				case d := <-clock.made:
					clock.Advance(d)
				case err := <-done:
					if err != nil {
						rt.Fatal(err)
					}
					waiting = false
				}
			}
			taken++
			gone := clock.Now().Sub(testStart)
			if most := max(1, o.Burst) + int(gone*time.Duration(o.PerSecond)/time.Second) + 1; taken > most {
				rt.Fatalf("%d tokens in %s, at most %d", taken, gone, most)
			}
		}
	})
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header map[string]string
		want   lnmarkets.Allowance
		ok     bool
	}{
		{map[string]string{"RateLimit": `"default";r=4;t=1`}, lnmarkets.Allowance{Remaining: 4, Reset: time.Second}, true},
		{map[string]string{"RateLimit": `"burst";r=30;t=60, "second"; r=0; t=2`}, lnmarkets.Allowance{Reset: 2 * time.Second}, true},
		{map[string]string{"RateLimit": "limit=20, remaining=7, reset=3"}, lnmarkets.Allowance{Remaining: 7, Reset: 3 * time.Second}, true},
		{map[string]string{"RateLimit-Remaining": "5", "RateLimit-Reset": "1"}, lnmarkets.Allowance{Remaining: 5, Reset: time.Second}, true},
		{map[string]string{"RateLimit-Remaining": "5"}, lnmarkets.Allowance{}, false},
		{map[string]string{"RateLimit": `"default";r=-1;t=1`}, lnmarkets.Allowance{}, false},
		{map[string]string{"RateLimit": `"default";r=many`}, lnmarkets.Allowance{}, false},
		{map[string]string{"RateLimit": `"default";t=1`}, lnmarkets.Allowance{}, false},
		{map[string]string{"RateLimit": "limit=20, remaining=99999999999"}, lnmarkets.Allowance{}, false},
		{nil, lnmarkets.Allowance{}, false},
	} {
		header := http.Header{}
		for name, value := range c.header {
			header.Set(name, value)
		}
		if got, ok := lnmarkets.ReadAllowance(header); ok != c.ok || got != c.want {
			t.Errorf("%v: got %+v, %t, want %+v, %t", c.header, got, ok, c.want, c.ok)
		}
	}
}

func TestRateLimitHeadersAreObeyed(t *testing.T) {
	t.Parallel()
	x := newExchange(t, answering(http.StatusOK, "[]", "RateLimit", `"default";r=0;t=9`))
	clock := newSteeredClock()
	client := newClient(t, clock, x.URL)
	if err := third(client.Running(safety(t))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	prepared := make(chan error, 1)
	go func() { prepared <- second(client.Prepare(ctx, addMargin)) }()
	clock.await(safety(t), t, exactly(9*time.Second))
	cancel()
	if err := <-prepared; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzRateLimit(f *testing.F) {
	for _, seed := range []string{`"default";r=4;t=1`, "limit=20, remaining=7, reset=3", `"a";r=1;t=2,"b";r=0`, "remaining=", ";;=,", "5"} {
		f.Add(seed, "3", "1")
	}
	f.Fuzz(func(t *testing.T, limit, remaining, reset string) {
		a, ok := lnmarkets.ReadAllowance(http.Header{"Ratelimit": {limit}, "Ratelimit-Remaining": {remaining}, "Ratelimit-Reset": {reset}})
		if a.Remaining < 0 || a.Reset < 0 || !ok && a != (lnmarkets.Allowance{}) {
			t.Fatalf("got %+v, %t", a, ok)
		}
	})
}
