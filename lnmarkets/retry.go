package lnmarkets

import (
	"context"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
)

// The retry matrix of reference 4.3. It holds for calls made by a method of
// Public or Client; what was prepared is sent once.
const (
	attempts     = 3
	backoffFirst = 250 * time.Millisecond
	backoffMost  = 5 * time.Second
)

// retryWait says whether a failed attempt, the nth from 1, is followed by
// another, and after which wait.
//
//	outcome   read           repeatable write   other write
//	refused   no             no                 no
//	unsent    yes            yes                yes
//	unknown   yes            yes                no
//
// Where the exchange named a wait, the budget holds everybody back for it and
// nothing is waited here.
func retryWait(failure *Error, attempt int, jitter func() float64) (time.Duration, bool) {
	if attempt >= attempts || failure.Outcome == vigia.CallRefused {
		return 0, false
	}
	if failure.Outcome == vigia.CallUnknown && !failure.Call.Repeatable {
		return 0, false
	}
	if failure.RetryAfter > 0 {
		return 0, true
	}
	return backoff(attempt, backoffFirst, backoffMost, jitter), true
}

// backoff doubles from first to most and takes off up to half by chance, so that
// those who failed together do not come back together.
func backoff(attempt int, first, most time.Duration, jitter func() float64) time.Duration {
	wait := first
	for i := 1; i < attempt && wait < most; i++ {
		wait *= 2
	}
	wait = min(wait, most)
	return wait - time.Duration(jitter()*float64(wait)/2)
}

// pause waits on the clock; the error is the context's cause.
func pause(ctx context.Context, clock vigia.Clock, d time.Duration) error {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// within is a context that ends with ErrNoAnswer when d has passed on the clock.
// The returned function must be called.
func within(ctx context.Context, clock vigia.Clock, d time.Duration) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithCancelCause(ctx)
	timer := clock.NewTimer(d)
	go func() {
		defer timer.Stop()
		select {
		case <-timer.C():
			cancel(fmt.Errorf("%w of %s", ErrNoAnswer, d))
		case <-limited.Done():
		}
	}()
	return limited, func() { cancel(context.Canceled) }
}
