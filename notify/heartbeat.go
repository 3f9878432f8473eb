package notify

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// HeadHeader carries the journal's head in a ping: chain, sequence and hash in
// hexadecimal, parted by slashes. What an outsider keeps of it shows a rollback.
const HeadHeader = "Vigia-Journal-Head"

// headHole in the URL is filled with the same text.
const headHole = "{head}"

// HeartbeatSettings is how a Heartbeat works. What is left zero takes the
// default.
type HeartbeatSettings struct {
	// Clock must be given.
	Clock vigia.Clock
	// Period is from one ping to the next: a minute. Timeout is what one may
	// take: 10 seconds.
	Period, Timeout time.Duration
	// Head gives the head to publish; false when there is none.
	Head func() (vigia.JournalHead, bool)
	// Log is told when pings begin and cease to fail or to be held back.
	Log *slog.Logger
}

// Heartbeat asks for a URL while the guard is alive.
type Heartbeat struct {
	address vigia.Secret
	alive   func() error
	set     HeartbeatSettings
	client  http.Client
	pings   *pulse
	guard   *pulse
}

// NewHeartbeat makes a heartbeat; Run works it. alive returns why the guard is
// not alive, or nil; a guard that keeps it from returning is not alive. It fails
// with ErrURL. A {head} in the URL stands for the journal's head.
func NewHeartbeat(address vigia.Secret, alive func() error, set HeartbeatSettings) (*Heartbeat, error) {
	parsed, err := url.Parse(strings.ReplaceAll(address.Reveal(), headHole, ""))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return nil, fmt.Errorf("%w: a heartbeat takes http://… or https://…", ErrURL)
	}
	set.Period = cmp.Or(set.Period, time.Minute)
	set.Timeout = cmp.Or(set.Timeout, 10*time.Second)
	return &Heartbeat{
		address: address, alive: alive, set: set,
		client: freshClient(),
		pings:  newPulse("the heartbeat", set.Clock, set.Log),
		guard:  newPulse("the guard, for whose life the heartbeat stands,", set.Clock, set.Log),
	}, nil
}

// Health is how the pings do; those held back because the guard is not alive are
// no failures of theirs.
func (h *Heartbeat) Health() Health { return h.pings.health() }

// Guard is how alive the guard was when it was asked.
func (h *Heartbeat) Guard() Health { return h.guard.health() }

// Run pings until the context ends, and returns nil.
func (h *Heartbeat) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		next := h.set.Clock.Now().Add(h.set.Period)
		h.beat(ctx)
		pause(ctx, h.set.Clock, max(0, next.Sub(h.set.Clock.Now())))
	}
	return nil
}

func (h *Heartbeat) beat(ctx context.Context) {
	if err := h.alive(); err != nil {
		h.guard.failed(err)
		return
	}
	h.guard.went()
	switch err := h.ping(ctx); {
	case err == nil:
		h.pings.went()
	case ctx.Err() == nil:
		h.pings.failed(asSendError("heartbeat", err))
	}
}

// ping asks once, and waits no longer than the time-out.
func (h *Heartbeat) ping(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := h.set.Clock.NewTimer(h.set.Timeout)
	defer timer.Stop()
	done := make(chan error, 1)
	go func() { done <- h.get(ctx) }()
	select {
	case err := <-done:
		return err
	case <-timer.C():
		cancel(ErrTimeout)
		if err := <-done; err == nil {
			return nil // it came at the last moment
		}
		return ErrTimeout
	}
}

func (h *Heartbeat) get(ctx context.Context) error {
	head := h.head()
	address := strings.ReplaceAll(h.address.Reveal(), headHole, url.QueryEscape(head))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errRequest
	}
	request.Header.Set("User-Agent", "vigia")
	if head != "" {
		request.Header.Set(HeadHeader, head)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return err // beat keeps of it only what may be shown
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, mostAnswer)); err != nil {
		return err
	}
	if !good(response.StatusCode) {
		return &SendError{Channel: "heartbeat", Kind: ErrRefused, Status: response.StatusCode}
	}
	return nil
}

func (h *Heartbeat) head() string {
	if h.set.Head == nil {
		return ""
	}
	head, ok := h.set.Head()
	if !ok {
		return ""
	}
	return head.Chain + "/" + strconv.FormatInt(head.Seq, 10) + "/" + hex.EncodeToString(head.Hash)
}
