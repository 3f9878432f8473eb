package notify

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Health is how an outward path does.
type Health struct {
	// Failures counts those in a row; 0 is well. Since is when the first of them
	// was, Last what the latest said.
	Failures int
	Since    time.Time
	Last     error
	// Sent counts what arrived since the start, SentAt is when the latest did.
	Sent   int
	SentAt time.Time
}

// pulse keeps a Health, and logs when it turns.
type pulse struct {
	what  string
	clock vigia.Clock
	log   *slog.Logger

	mu  sync.Mutex
	now Health
}

func newPulse(what string, clock vigia.Clock, log *slog.Logger) *pulse {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &pulse{what: what, clock: clock, log: log}
}

func (p *pulse) health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// failed counts a failure and says the first of a row.
func (p *pulse) failed(err error) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Failures++
	p.now.Last = err
	if p.now.Failures == 1 {
		p.now.Since = p.clock.Now()
		p.log.Warn(p.what+" fails; it is tried again and not said again", "error", err)
	}
	return p.now.Failures
}

// went counts a success and says that a row of failures is over.
func (p *pulse) went() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.Failures > 0 {
		p.log.Info(p.what+" works again", "failures", p.now.Failures, "since", p.now.Since)
	}
	p.now = Health{Sent: p.now.Sent + 1, SentAt: p.clock.Now()}
}

// pause waits, and says whether it was not interrupted.
func pause(ctx context.Context, clock vigia.Clock, d time.Duration) bool {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// doubling is the back-off of those who were given none: a second, doubled up to
// five minutes.
func doubling(failures int) time.Duration {
	const first, most = time.Second, 5 * time.Minute
	if failures > 9 {
		return most
	}
	return min(most, first<<max(0, failures-1))
}
