package vigia

import (
	"slices"
	"sync"
	"time"
)

// Clock is handed to everything that waits or stamps. Nothing else in the
// program reads the time.
type Clock interface {
	// Now is the wall time with the monotonic reading where there is one.
	Now() time.Time
	// NewTimer fires once after d.
	NewTimer(d time.Duration) Timer
}

// Timer is one wait. Stop is safe to call at any time and more than once; after
// it nothing is received.
type Timer interface {
	C() <-chan time.Time
	Stop()
}

// Age is how long ago t was, by the larger of wall and monotonic time: a
// machine that slept, or whose clock was set back, was not fresh.
func Age(now, t time.Time) time.Duration {
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// WallClock is the machine's own.
type WallClock struct{}

// Now is time.Now.
func (WallClock) Now() time.Time { return time.Now() }

// NewTimer is time.NewTimer.
func (WallClock) NewTimer(d time.Duration) Timer { return wallTimer{time.NewTimer(d)} }

type wallTimer struct{ t *time.Timer }

func (w wallTimer) C() <-chan time.Time { return w.t.C }
func (w wallTimer) Stop()               { w.t.Stop() }

// ManualClock stands still until it is moved. Replays, drills in lock-step and
// tests use it; timers fire in order of their times while it moves.
type ManualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer // by time, earliest first
}

// NewManualClock starts at t, without a monotonic reading.
func NewManualClock(t time.Time) *ManualClock { return &ManualClock{now: t.Round(0)} }

// Now is where the clock was moved to.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// NewTimer fires when the clock has been moved d further.
func (c *ManualClock) NewTimer(d time.Duration) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{clock: c, at: c.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		t.c <- c.now
		return t
	}
	after := slices.IndexFunc(c.timers, func(other *manualTimer) bool { return other.at.After(t.at) })
	if after < 0 {
		after = len(c.timers)
	}
	c.timers = slices.Insert(c.timers, after, t)
	return t
}

// Advance moves the clock by d.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moveTo(c.now.Add(d))
}

// Set moves the clock to t. Moving it back fires nothing.
func (c *ManualClock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moveTo(t.Round(0))
}

func (c *ManualClock) moveTo(t time.Time) {
	c.now = t
	for len(c.timers) > 0 && !c.timers[0].at.After(t) {
		c.timers[0].c <- c.timers[0].at
		c.timers = slices.Delete(c.timers, 0, 1)
	}
}

// Waiting is the number of timers that have not fired: what a test looks at to
// know that somebody waits.
func (c *ManualClock) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

type manualTimer struct {
	clock *ManualClock
	at    time.Time
	c     chan time.Time
}

func (t *manualTimer) C() <-chan time.Time { return t.c }

func (t *manualTimer) Stop() {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	select {
	case <-t.c: // fired, not received
	default:
	}
	if i := slices.Index(t.clock.timers, t); i >= 0 {
		t.clock.timers = slices.Delete(t.clock.timers, i, i+1)
	}
}
