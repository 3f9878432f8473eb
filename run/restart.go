package run

import (
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
)

// Restart says how a worker begins again after a failure.
type Restart struct {
	Backoff Backoff
	// Settled is how long a run must have lasted for the count of failures in a
	// row to begin anew; 0 never does.
	Settled time.Duration
	// Limit is the number of failures in a row that ends the worker; 0 is none.
	Limit int
	// Report is told of each failure and of the wait that follows, in the
	// worker's goroutine. It must be there: a failure that nobody hears of is
	// hidden.
	Report func(failure *Failure, again time.Duration)
}

// Restarting makes a worker begin again after a failure. It panics when the
// policy has no Report.
func Restarting(policy Restart) Option {
	if policy.Report == nil {
		panic(errors.New("run: Restart without a Report hides failures"))
	}
	return func(w *Worker) { w.restart = &policy }
}

// live runs the work, again and again where that was asked for.
func (w *Worker) live(t *turn) error {
	for failures := 1; ; failures++ {
		begun := w.clock.Now()
		err := w.attempt(t)
		if w.restart == nil || t.intake.Err() != nil || err == nil && w.mayEnd {
			return err
		}
		if err == nil {
			err = ErrEnded
		}
		if lasting := w.restart.Settled; lasting > 0 && vigia.Age(w.clock.Now(), begun) >= lasting {
			failures = 1
		}
		if w.restart.Limit > 0 && failures >= w.restart.Limit {
			return fmt.Errorf("given up after %d failures in a row: %w", failures, err)
		}
		delay := w.restart.Backoff.Delay(failures)
		w.restart.Report(&Failure{w.name, err}, delay)
		if err := wait(t.intake, w.clock, delay); err != nil {
			return err
		}
	}
}
