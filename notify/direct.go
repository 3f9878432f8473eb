package notify

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// DirectSettings is how a Direct works. What is left zero takes the default.
type DirectSettings struct {
	// Clock must be given.
	Clock vigia.Clock
	// Interval is the least time from one "down" of a cause to the next: 15
	// minutes.
	Interval time.Duration
	// Backoff is as in DrainSettings.
	Backoff func(failures int) time.Duration
	// Log is told when the channel begins and ceases to fail.
	Log *slog.Logger
}

// Direct says that something is down, and that it is back, without any database.
type Direct struct {
	channel *Channel
	set     DirectSettings
	sends   *pulse
	wake    chan struct{}

	mu     sync.Mutex
	causes map[string]*cause
}

// cause is one thing that may be down: how it is, and what was said of it.
type cause struct {
	down      bool
	said      bool // that it is down, and not yet that it is back
	saidAt    time.Time
	downs, up Message
}

// NewDirect makes a direct path; Run works it.
func NewDirect(channel *Channel, set DirectSettings) *Direct {
	set.Interval = cmp.Or(set.Interval, 15*time.Minute)
	if set.Backoff == nil {
		set.Backoff = doubling
	}
	return &Direct{
		channel: channel, set: set, wake: make(chan struct{}, 1), causes: map[string]*cause{},
		sends: newPulse("channel "+channel.Name()+", used directly,", set.Clock, set.Log),
	}
}

// Health is how the channel does.
func (d *Direct) Health() Health { return d.sends.health() }

// Down lets it be said that a cause is down. It returns at once, and does nothing
// while the cause is down already.
func (d *Direct) Down(name string, m Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.causes[name]
	if c == nil {
		c = &cause{}
		d.causes[name] = c
	}
	if !c.down {
		c.down, c.downs = true, m
		d.nudge()
	}
}

// Back lets it be said that a cause is over. It returns at once, and does nothing
// for a cause that is not down. What was over before it could be said is not
// said.
func (d *Direct) Back(name string, m Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.causes[name]; c != nil && c.down {
		c.down, c.up = false, m
		d.nudge()
	}
}

func (d *Direct) nudge() {
	select {
	case d.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Run says what is to be said until the first context ends, then what is still
// owed, once each, as long as the second lasts. It returns nil.
func (d *Direct) Run(intake, work context.Context) error {
	for intake.Err() == nil {
		c, wait := d.owed()
		switch {
		case c == nil:
			d.rest(intake, wait)
		case !d.say(work, c):
			pause(intake, d.set.Clock, d.set.Backoff(d.sends.health().Failures))
		}
	}
	for {
		c, _ := d.owed()
		if c == nil || !d.say(work, c) {
			return nil
		}
	}
}

// owed is a cause of which something is to be said, or how long there is none.
func (d *Direct) owed() (*cause, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wait, now := time.Duration(-1), d.set.Clock.Now()
	for _, c := range d.causes {
		if c.down == c.said {
			continue
		}
		left := d.set.Interval - vigia.Age(now, c.saidAt)
		if !c.down || c.saidAt.IsZero() || left <= 0 {
			return c, 0
		}
		if wait < 0 || left < wait {
			wait = left
		}
	}
	return nil, wait
}

// say says of a cause how it is. What changes meanwhile is owed again.
func (d *Direct) say(work context.Context, c *cause) bool {
	d.mu.Lock()
	down, m := c.down, c.up
	if down {
		m = c.downs
	}
	d.mu.Unlock()
	if err := d.channel.Send(work, m); err != nil {
		d.sends.failed(err)
		return false
	}
	d.sends.went()
	d.mu.Lock()
	defer d.mu.Unlock()
	c.said = down
	if down {
		c.saidAt = d.set.Clock.Now()
	}
	return true
}

// rest waits for news; a negative wait has no end of its own.
func (d *Direct) rest(intake context.Context, wait time.Duration) {
	var due <-chan time.Time
	if wait >= 0 {
		timer := d.set.Clock.NewTimer(wait)
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-due:
	case <-d.wake:
	case <-intake.Done():
	}
}
