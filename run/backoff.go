package run

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/vigiaguard/vigia"
)

// Backoff is how long to wait after failures in a row: the first delay, doubled
// with each further failure up to the longest, less up to half of it by chance,
// so that those who failed together do not come back together. The zero value
// waits half a second at first and half a minute at most.
type Backoff struct {
	First, Max time.Duration
	// Random picks from [0, n); nil takes the machine's randomness.
	Random func(n int64) int64
}

const (
	defaultFirst = 500 * time.Millisecond
	defaultMax   = 30 * time.Second
)

// Delay is the wait after so many failures in a row, counted from 1.
func (b Backoff) Delay(failures int) time.Duration {
	first, longest := b.First, b.Max
	if first <= 0 {
		first = defaultFirst
	}
	if longest <= 0 {
		longest = max(first, defaultMax)
	}
	whole := min(first, longest)
	for i := 1; i < failures && whole < longest; i++ {
		if whole > longest/2 {
			whole = longest
			break
		}
		whole *= 2
	}
	pick := b.Random
	if pick == nil {
		pick = rand.Int64N
	}
	return whole - time.Duration(pick(int64(whole/2)+1))
}

// Wait waits out the delay on a clock. It returns the context's cause when that
// ends first, else nil.
func (b Backoff) Wait(ctx context.Context, clock vigia.Clock, failures int) error {
	return wait(ctx, clock, b.Delay(failures))
}

func wait(ctx context.Context, clock vigia.Clock, d time.Duration) error {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
