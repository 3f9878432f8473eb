package notify

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/vigiaguard/vigia"
)

// Outbox is where committed events are read, and where it is kept how far a
// consumer has come.
type Outbox interface {
	// After are at most limit events with cursors behind the given one, in order.
	After(ctx context.Context, cursor int64, limit int) ([]vigia.Event, error)
	// Delivered is the consumer's cursor, 0 at first.
	Delivered(ctx context.Context, consumer string) (int64, error)
	// SetDelivered moves the consumer's cursor on.
	SetDelivered(ctx context.Context, consumer string, cursor int64) error
}

// DrainSettings is how a Drain works. What is left zero takes the default.
type DrainSettings struct {
	// Consumer names this reader of the outbox; it must be given.
	Consumer string
	// Clock must be given.
	Clock  vigia.Clock
	Policy Policy
	// Poll is how often the outbox is looked at: every second. Wake, where there
	// is one, makes it look at once.
	Poll time.Duration
	Wake <-chan struct{}
	// Backoff is the wait after so many failures in a row, counted from 1: a
	// second at first, five minutes at most.
	Backoff func(failures int) time.Duration
	// Log is told when the channel begins and ceases to fail.
	Log *slog.Logger
}

// Drain carries events from the outbox to one channel.
type Drain struct {
	outbox  Outbox
	channel *Channel
	set     DrainSettings
	sends   *pulse
	reads   *pulse

	book   *book // of the one Run
	marked int64
}

const (
	batch        = 200
	bareAfter    = 5 // refusals of a message before only its title is tried
	defaultDrain = time.Second
)

// NewDrain makes a drain; Run works it.
func NewDrain(outbox Outbox, channel *Channel, set DrainSettings) *Drain {
	set.Poll = cmp.Or(set.Poll, defaultDrain)
	if set.Backoff == nil {
		set.Backoff = doubling
	}
	return &Drain{
		outbox: outbox, channel: channel, set: set,
		sends: newPulse("channel "+channel.Name(), set.Clock, set.Log),
		reads: newPulse("reading the outbox for channel "+channel.Name(), set.Clock, set.Log),
	}
}

// Health is how the channel does.
func (d *Drain) Health() Health { return d.sends.health() }

// Run sends until the first context ends, then says what is still owed, once
// each, as long as the second lasts. It returns nil. One Run at a time.
func (d *Drain) Run(intake, work context.Context) error {
	if !d.resume(intake) {
		return nil
	}
	for intake.Err() == nil {
		if d.round(intake, work) < batch {
			d.rest(intake)
		}
	}
	for pile := d.book.any(); pile != nil; pile = d.book.any() {
		if !d.trySend(work, pile.message()) {
			break
		}
		d.book.done(pile, d.set.Clock.Now())
	}
	d.mark(work)
	return nil
}

// resume begins where this consumer stood.
func (d *Drain) resume(intake context.Context) bool {
	for {
		cursor, err := d.outbox.Delivered(intake, d.set.Consumer)
		if err == nil {
			d.book, d.marked = newBook(d.set.Policy), cursor
			d.book.read = cursor
			return true
		}
		if !d.unread(intake, err) {
			return false
		}
	}
}

// unread waits after a failure of the store.
func (d *Drain) unread(intake context.Context, err error) bool {
	if intake.Err() != nil {
		return false
	}
	return pause(intake, d.set.Clock, d.set.Backoff(d.reads.failed(err)))
}

// round reads what is new and says what is due, and gives how many events there
// were; one that was cut short gives 0.
func (d *Drain) round(intake, work context.Context) int {
	events, err := d.outbox.After(intake, d.book.read, batch)
	if err != nil {
		d.unread(intake, err)
		return 0
	}
	d.reads.went()
	for i := range events {
		if !d.sayDue(intake, work) {
			return 0
		}
		e := &events[i]
		before := d.book.read
		if !d.book.take(e, d.set.Clock.Now()) {
			continue
		}
		if !d.deliver(intake, work, Words(e)) {
			d.book.read = before
			return 0
		}
		d.book.spoke(e, d.set.Clock.Now())
		d.mark(work)
	}
	if !d.sayDue(intake, work) {
		return 0
	}
	d.mark(work)
	return len(events)
}

// sayDue says the piles whose time has come.
func (d *Drain) sayDue(intake, work context.Context) bool {
	for pile := d.book.due(d.set.Clock.Now()); pile != nil; pile = d.book.due(d.set.Clock.Now()) {
		if !d.deliver(intake, work, pile.message()) {
			return false
		}
		d.book.done(pile, d.set.Clock.Now())
		d.mark(work)
	}
	return true
}

// deliver sends until it has succeeded, or gives up because of the stop.
func (d *Drain) deliver(intake, work context.Context, m Message) bool {
	for refusals := 0; ; {
		err := d.channel.Send(work, m)
		if err == nil {
			d.sends.went()
			return true
		}
		if work.Err() != nil {
			return false
		}
		wait := d.set.Backoff(d.sends.failed(err))
		var failed *SendError
		if errors.As(err, &failed) {
			wait = max(wait, failed.RetryAfter)
			if unfit(failed.Status) {
				refusals++
			}
		}
		if refusals == bareAfter {
			m.Happened, m.Do = "", ""
		}
		if !pause(intake, d.set.Clock, wait) {
			return false
		}
	}
}

// unfit says whether a refusal is about the message, not about the sender.
func unfit(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity
}

func (d *Drain) trySend(work context.Context, m Message) bool {
	err := d.channel.Send(work, m)
	if err != nil {
		d.sends.failed(err)
		return false
	}
	d.sends.went()
	return true
}

// mark keeps how far everything was said. A failure costs a repetition only: the
// next mark covers it.
func (d *Drain) mark(work context.Context) {
	cursor := d.book.delivered()
	if cursor <= d.marked {
		return
	}
	if err := d.outbox.SetDelivered(work, d.set.Consumer, cursor); err != nil {
		d.reads.failed(err)
		return
	}
	d.marked = cursor
}

// rest waits for news, or for a pile's time.
func (d *Drain) rest(intake context.Context) {
	wait := d.set.Poll
	if due, owed := d.book.next(); owed {
		wait = min(wait, max(0, due.Sub(d.set.Clock.Now())))
	}
	timer := d.set.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-d.set.Wake:
	case <-intake.Done():
	}
}
