package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"

	"github.com/vigiaguard/vigia"
)

// ErrURL says that a channel's URL cannot be used. It does not repeat the URL.
var ErrURL = errors.New("not a channel's URL")

const (
	// SendTimeout is how long one send may take.
	SendTimeout = 20 * time.Second

	mostStuck = 4
)

// sender sends one message by one connection to a service.
type sender func(ctx context.Context, m Message) error

// Channel is one address that messages are sent to. It is safe for use by any
// number of goroutines; sends take turns.
type Channel struct {
	name    string
	connect func() (sender, error)
	clock   vigia.Clock
	turn    chan struct{} // held by the one who sends
	current sender        // nil: connect first; belongs to the one whose turn it is
	running atomic.Int32  // sends under way, those left behind included
}

// Open reads a channel's URL, in the words of shoutrrr: ntfy://ntfy.sh/topic,
// telegram://token@telegram?chats=id, discord://token@id, smtp://…,
// generic+https://… and more. Nothing is sent and nobody is called. It fails
// with ErrURL.
func Open(address vigia.Secret, clock vigia.Clock) (*Channel, error) {
	return open(address, clock, telegramAPI)
}

func open(address vigia.Secret, clock vigia.Clock, telegramAt string) (*Channel, error) {
	name, err := schemeOf(address)
	if err != nil {
		return nil, err
	}
	c := &Channel{name: name, clock: clock, turn: make(chan struct{}, 1)}
	c.connect = func() (sender, error) { return shoutrrrSender(name, address) }
	switch name {
	case "telegram":
		c.connect = func() (sender, error) { return telegramSender(address, telegramAt) }
	case "ntfy":
		c.connect = func() (sender, error) { return ntfySender(address) }
	case "matrix":
		return c, nil // it signs in when it connects: not before the first message
	}
	if c.current, err = c.connect(); err != nil {
		return nil, err
	}
	return c, nil
}

// schemeOf is the kind of channel a URL means, or why it means none.
func schemeOf(address vigia.Secret) (string, error) {
	scheme, _, found := strings.Cut(address.Reveal(), "://")
	scheme, _, _ = strings.Cut(strings.ToLower(scheme), "+")
	known := kinds()
	switch {
	case found && slices.Contains(known, scheme):
	case scheme == "http" || scheme == "https":
		return "", fmt.Errorf("%w: for a webhook write generic+%s://…, for ntfy ntfy://host/topic; it takes one of %s", ErrURL, scheme, strings.Join(known, ", "))
	default:
		return "", fmt.Errorf("%w: it starts with a kind and ://, the kind being one of %s", ErrURL, strings.Join(known, ", "))
	}
	if _, err := url.Parse(address.Reveal()); err != nil {
		return "", fmt.Errorf("%w: what follows %s:// is not well formed", ErrURL, scheme)
	}
	return scheme, nil
}

// kinds lists the channels there are. The logger is none: it tells nobody.
func kinds() []string {
	var all router.ServiceRouter
	known := slices.DeleteFunc(all.ListServices(), func(name string) bool { return name == "logger" })
	slices.Sort(known)
	return known
}

// Name is the kind of channel: "ntfy", "telegram".
func (c *Channel) Name() string { return c.name }

// String is the name: the address is a secret.
func (c *Channel) String() string { return c.name }

// Format prints the name whatever the verb.
func (c *Channel) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.name)) }

// Send sends a message and waits for the service to take it, at most
// SendTimeout, its turn included. It fails with a *SendError, or with the
// context's cause.
func (c *Channel) Send(ctx context.Context, m Message) error {
	timer := c.clock.NewTimer(SendTimeout)
	defer timer.Stop()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-timer.C():
		return &SendError{Channel: c.name, Kind: ErrStuck}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if c.running.Load() >= mostStuck {
		return &SendError{Channel: c.name, Kind: ErrStuck}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	select {
	case result := <-c.begin(ctx, c.current, m):
		c.current = result.sender
		if result.err != nil {
			return asSendError(c.name, result.err)
		}
		return nil
	case <-timer.C():
		c.current = nil // the one left behind keeps its own
		return &SendError{Channel: c.name, Kind: ErrTimeout}
	case <-ctx.Done():
		c.current = nil
		return context.Cause(ctx)
	}
}

type result struct {
	sender sender
	err    error
}

// begin sends in a goroutine, which ends by itself when nobody waits any more.
func (c *Channel) begin(ctx context.Context, with sender, m Message) <-chan result {
	done := make(chan result, 1)
	c.running.Add(1)
	go func() {
		out := result{sender: with}
		defer func() {
			if recover() != nil { // what it panicked with may quote the address
				out.err = &SendError{Channel: c.name, Kind: ErrUndelivered}
			}
			c.running.Add(-1)
			done <- out
		}()
		if out.sender == nil {
			if out.sender, out.err = c.connect(); out.err != nil {
				return
			}
		}
		out.err = out.sender(ctx, m)
	}()
	return done
}
