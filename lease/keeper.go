package lease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Store keeps the leases. [record.Store] is one.
type Store interface {
	// Leases are all shards with their holders, epochs and beats.
	Leases(ctx context.Context) ([]vigia.ShardLease, error)
	// Take takes a shard at the epoch seen; vigia.ErrChanged says that another
	// was quicker.
	Take(ctx context.Context, holder string, seen vigia.Fence) (vigia.Fence, error)
	// Beat moves the beats of all shards of a holder and says which these are.
	Beat(ctx context.Context, holder string) ([]vigia.Fence, error)
	// Release gives a shard up.
	Release(ctx context.Context, fence vigia.Fence) error
}

// DefaultTerm is the term of a lease where none is set.
const DefaultTerm = 5 * time.Second

// rounds is how often in a term the keeper renews and looks.
const rounds = 5

// Options are what a Keeper is made of.
type Options struct {
	Clock vigia.Clock
	Store Store
	// Holder names this run of this process and no other: a name used before
	// would renew what a dead process held.
	Holder string
	// Term is how long a beat must stand still until its holder is judged dead;
	// 0 is [DefaultTerm]. All processes on a store have the same.
	Term time.Duration
	// Alone says that no other process lived when this one started: what the
	// first look finds held is taken without waiting for a term.
	Alone bool
	// Changed, where set, is told of every lease that begins or ceases to be
	// held. It is called from the keeper's goroutine and must not block.
	Changed func(fence vigia.Fence, held bool)
	// Failed, where set, is told when the store failed a round, and with nil
	// when it answers again.
	Failed func(err error)
}

// Keeper takes, renews and loses the leases of one process.
type Keeper struct {
	o     Options
	trust time.Duration

	mu   sync.RWMutex
	held map[int]held // by shard

	// What follows is the running goroutine's own.
	seen    map[int]sighting
	looked  time.Time
	told    map[int]vigia.Fence
	failing bool
}

// held is a lease of ours, and when its last renewal was asked for.
type held struct {
	fence vigia.Fence
	asked time.Time
}

// sighting is how long another holder's beat has stood still.
type sighting struct {
	lease vigia.ShardLease
	still time.Duration
}

// New makes a keeper that holds nothing until it runs.
func New(o Options) *Keeper {
	if o.Term == 0 {
		o.Term = DefaultTerm
	}
	return &Keeper{o: o, trust: o.Term - o.Term/rounds, held: map[int]held{}, seen: map[int]sighting{}, told: map[int]vigia.Fence{}}
}

// Held gives the fence of a shard while this process may act for it.
func (k *Keeper) Held(shard int) (vigia.Fence, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	h, ok := k.held[shard]
	if !ok || vigia.Age(k.o.Clock.Now(), h.asked) >= k.trust {
		return vigia.Fence{}, false
	}
	return h.fence, true
}

// Shards is how many leases are held now.
func (k *Keeper) Shards() int {
	n := 0
	for shard := range vigia.Shards {
		if _, ok := k.Held(shard); ok {
			n++
		}
	}
	return n
}

// Run takes and renews until ctx ends, then releases.
func (k *Keeper) Run(ctx context.Context) error {
	defer k.release(context.WithoutCancel(ctx))
	for {
		k.round(ctx)
		timer := k.o.Clock.NewTimer(k.pause())
		select {
		case <-timer.C():
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

func (k *Keeper) pause() time.Duration { return k.o.Term / rounds }

// round renews what is held, then takes what may be taken. It lasts at most a
// term, however long the store takes.
func (k *Keeper) round(ctx context.Context) {
	bounded, end := k.within(ctx, k.o.Term)
	defer end()
	err := k.renew(bounded)
	if err == nil {
		err = k.take(bounded)
	}
	k.tell()
	if ctx.Err() != nil {
		return // told to stop: what failed failed for that
	}
	if k.o.Failed != nil && (err != nil || k.failing) {
		k.o.Failed(err)
	}
	k.failing = err != nil
}

var errSlow = errors.New("the store did not answer within a term")

// within bounds a context by the keeper's own clock.
func (k *Keeper) within(ctx context.Context, d time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := k.o.Clock.NewTimer(d)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-timer.C():
			cancel(errSlow)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		timer.Stop()
		<-done
	}
}

// renew moves our beats. What the store no longer counts as ours is lost.
func (k *Keeper) renew(ctx context.Context) error {
	asked := k.o.Clock.Now()
	fences, err := k.o.Store.Beat(ctx, k.o.Holder)
	if err != nil {
		return fmt.Errorf("renew the leases: %w", err)
	}
	renewed := make(map[int]held, len(fences))
	for _, f := range fences {
		renewed[f.Shard] = held{f, asked}
	}
	k.mu.Lock()
	k.held = renewed
	k.mu.Unlock()
	return nil
}

// take looks at all leases and takes those that nobody living holds.
func (k *Keeper) take(ctx context.Context) error {
	leases, err := k.o.Store.Leases(ctx)
	if err != nil {
		return fmt.Errorf("look at the leases: %w", err)
	}
	first, passed := k.looked.IsZero(), k.passed(k.o.Clock.Now())
	var failed error
	for _, l := range leases {
		free := k.dead(l, passed) || first && k.o.Alone
		if l.Holder == k.o.Holder || !free {
			continue
		}
		if ctx.Err() != nil {
			return fmt.Errorf("take leases: %w", context.Cause(ctx))
		}
		// One that fails does not keep the others from being taken.
		failed = errors.Join(failed, k.takeOne(ctx, l))
	}
	return failed
}

// takeOne takes a lease at the epoch it was seen at. That another was quicker is
// no failure.
func (k *Keeper) takeOne(ctx context.Context, l vigia.ShardLease) error {
	asked := k.o.Clock.Now()
	fence, err := k.o.Store.Take(ctx, k.o.Holder, l.Fence)
	if errors.Is(err, vigia.ErrChanged) {
		delete(k.seen, l.Shard)
		return nil
	}
	if err != nil {
		return fmt.Errorf("take the lease of shard %d: %w", l.Shard, err)
	}
	k.mu.Lock()
	k.held[fence.Shard] = held{fence, asked}
	k.mu.Unlock()
	delete(k.seen, fence.Shard)
	return nil
}

// passed is the time since the last look that counts: a process that was frozen
// or a store that was silent saw nothing meanwhile, so that no more than two
// pauses count.
func (k *Keeper) passed(now time.Time) time.Duration {
	last := k.looked
	k.looked = now
	if last.IsZero() {
		return 0
	}
	return min(now.Sub(last), 2*k.pause())
}

// dead says whether nobody living holds a lease.
func (k *Keeper) dead(l vigia.ShardLease, passed time.Duration) bool {
	if l.Holder == "" {
		return true
	}
	last, known := k.seen[l.Shard]
	if !known || last.lease != l {
		k.seen[l.Shard] = sighting{lease: l}
		return false
	}
	last.still += passed
	k.seen[l.Shard] = last
	return last.still >= k.o.Term
}

// tell says which leases began and ceased to be held.
func (k *Keeper) tell() {
	for shard := range vigia.Shards {
		fence, ok := k.Held(shard)
		before, was := k.told[shard]
		if was && (!ok || fence != before) {
			delete(k.told, shard)
			k.changed(before, false)
		}
		if ok && (!was || fence != before) {
			k.told[shard] = fence
			k.changed(fence, true)
		}
	}
}

func (k *Keeper) changed(fence vigia.Fence, held bool) {
	if k.o.Changed != nil {
		k.o.Changed(fence, held)
	}
}

// release gives up what is held: trust ends first.
func (k *Keeper) release(ctx context.Context) {
	k.mu.Lock()
	mine := k.held
	k.held = map[int]held{}
	k.mu.Unlock()
	k.tell()
	ctx, end := k.within(ctx, k.o.Term)
	defer end()
	for _, h := range mine {
		if err := k.o.Store.Release(ctx, h.fence); err != nil {
			// The next process waits for a term instead.
			if k.o.Failed != nil {
				k.o.Failed(fmt.Errorf("release the lease of shard %d: %w", h.fence.Shard, err))
			}
			return
		}
	}
}
