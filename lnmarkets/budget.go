package lnmarkets

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Priority is who goes first when tokens are short.
type Priority uint8

// The priorities.
const (
	// PriorityAction goes ahead of every read and may take the last token.
	PriorityAction Priority = iota
	// PriorityRead leaves the last tokens to actions.
	PriorityRead

	priorities
)

// Budget is a token bucket: a call takes one token and waits until there is one.
// Within a priority those who came first go first.
type Budget struct {
	clock vigia.Clock
	per   time.Duration
	burst int
	keep  int

	mu     sync.Mutex
	tokens int
	// filled is the moment up to which tokens have been counted; it lies ahead
	// while the exchange has asked for a pause.
	filled  time.Time
	waiting [priorities][]*place
	// changed is closed, and replaced, whenever somebody who waits should look
	// again.
	changed chan struct{}
}

// place is where somebody stands in line; it is not empty so that no two are
// one.
type place struct{ _ byte }

// BudgetOptions set a bucket up.
type BudgetOptions struct {
	// PerSecond tokens flow in, at most Burst are held. Both at least 1.
	PerSecond int
	Burst     int
	// Keep is how many tokens reads never touch; at most Burst − 1.
	Keep int
}

// The published rates in their strict reading (reference 4.4).
func keyRate() BudgetOptions    { return BudgetOptions{PerSecond: 5, Burst: 5, Keep: 2} }
func publicRate() BudgetOptions { return BudgetOptions{PerSecond: 1, Burst: 1} }
func socketRate() BudgetOptions { return BudgetOptions{PerSecond: 10, Burst: 10} }

// NewBudget makes a full bucket. Numbers out of range are brought into it.
func NewBudget(clock vigia.Clock, o BudgetOptions) *Budget {
	burst := max(1, o.Burst)
	return &Budget{
		clock: clock, per: time.Second / time.Duration(max(1, o.PerSecond)),
		burst: burst, keep: max(0, min(o.Keep, burst-1)),
		tokens: burst, filled: clock.Now(), changed: make(chan struct{}),
	}
}

// NewKeyBudget is the default of one key: 5 a second, two kept for actions.
func NewKeyBudget(clock vigia.Clock) *Budget { return NewBudget(clock, keyRate()) }

// NewPublicBudget is the default of all public calls of a process: 1 a second.
func NewPublicBudget(clock vigia.Clock) *Budget { return NewBudget(clock, publicRate()) }

// Take takes a token, waiting until there is one. The error is the context's
// cause; no token is taken then.
func (b *Budget) Take(ctx context.Context, p Priority) error {
	if ctx.Err() != nil {
		return fmt.Errorf("waiting for the rate budget: %w", context.Cause(ctx))
	}
	at := b.enter(p)
	defer b.leave(p, at)
	for {
		taken, wait, changed := b.try(p, at)
		if taken {
			return nil
		}
		if err := b.await(ctx, wait, changed); err != nil {
			return fmt.Errorf("waiting for the rate budget: %w", err)
		}
	}
}

// Pause empties the bucket and keeps it empty for d: what a 429 asks for.
func (b *Budget) Pause(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	b.tokens = 0
	// One token is there when the pause ends.
	if until := b.clock.Now().Add(d - b.per); until.After(b.filled) {
		b.filled = until
	}
	b.wake()
}

// Observe takes note of what the exchange says is left: never more than that is
// spent before reset has passed.
func (b *Budget) Observe(remaining int, reset time.Duration) {
	if remaining <= 0 {
		b.Pause(min(reset, longestRetryAfter))
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	b.tokens = min(b.tokens, remaining)
}

func (b *Budget) enter(p Priority) *place {
	at := &place{}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[p] = append(b.waiting[p], at)
	return at
}

func (b *Budget) leave(p Priority, at *place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting[p], at); i >= 0 {
		b.waiting[p] = slices.Delete(b.waiting[p], i, i+1)
	}
	b.wake()
}

// try takes a token if it is the place's turn and there is one. Otherwise wait
// says when to look again; without a turn it is 0 and only a change helps.
func (b *Budget) try(p Priority, at *place) (taken bool, wait time.Duration, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	behind := p == PriorityRead && len(b.waiting[PriorityAction]) > 0
	if behind || b.waiting[p][0] != at {
		return false, 0, b.changed
	}
	b.refill()
	need := 1
	if p == PriorityRead {
		need += b.keep
	}
	if b.tokens >= need {
		b.tokens--
		return true, 0, nil
	}
	due := b.filled.Add(time.Duration(need-b.tokens) * b.per)
	return false, max(time.Nanosecond, due.Sub(b.clock.Now())), b.changed
}

func (b *Budget) await(ctx context.Context, wait time.Duration, changed <-chan struct{}) error {
	var due <-chan time.Time
	if wait > 0 {
		timer := b.clock.NewTimer(wait)
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-due:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func (b *Budget) refill() {
	gone := b.clock.Now().Sub(b.filled)
	if gone < b.per {
		return
	}
	flowed := int64(gone / b.per)
	b.filled = b.filled.Add(time.Duration(flowed) * b.per)
	b.tokens = int(min(int64(b.burst), int64(b.tokens)+flowed))
}

func (b *Budget) wake() {
	if len(b.waiting[PriorityAction])+len(b.waiting[PriorityRead]) == 0 {
		return
	}
	close(b.changed)
	b.changed = make(chan struct{})
}
