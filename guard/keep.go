package guard

import (
	"context"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// keeper writes behind what a turn leaves: it is never waited for. While the
// store is gone it holds the latest state per rule and subject, the latest
// snapshot per account, and the newest rows up to a bound.
type keeper struct {
	g      *Guard
	mu     sync.Mutex
	kept   map[vigia.Fence]*vigia.Kept
	seen   map[vigia.AccountID]*ward
	lost   int
	signal chan struct{}
}

// keptMost bounds the rows held for a store that is gone.
const keptMost = 10_000

// keepEvery is the pause between two writes, so that rows of many turns share one
// transaction and intents never wait long for the writer.
const keepEvery = 50 * time.Millisecond

func newKeeper(g *Guard) *keeper {
	return &keeper{g: g, kept: map[vigia.Fence]*vigia.Kept{}, seen: map[vigia.AccountID]*ward{}, signal: make(chan struct{}, 1)}
}

func (k *keeper) keep(w *ward, kept vigia.Kept) {
	if len(kept.Decisions)+len(kept.States)+len(kept.Executions)+len(kept.Events)+len(kept.Forget) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.kept[kept.Fence]
	if all == nil {
		all = &vigia.Kept{Fence: kept.Fence}
		k.kept[kept.Fence] = all
	}
	for _, s := range kept.States {
		all.States = replaceState(all.States, s)
	}
	all.Forget = append(all.Forget, kept.Forget...)
	if rows := len(all.Decisions) + len(all.Executions) + len(all.Events); rows > keptMost {
		k.lost += len(kept.Decisions) + len(kept.Executions) + len(kept.Events)
	} else {
		all.Decisions = append(all.Decisions, kept.Decisions...)
		all.Executions = append(all.Executions, kept.Executions...)
		all.Events = append(all.Events, kept.Events...)
	}
	signal(k.signal)
}

func replaceState(states []vigia.AutomationState, s vigia.AutomationState) []vigia.AutomationState {
	for i := range states {
		if states[i].Automation == s.Automation && states[i].Subject == s.Subject {
			states[i] = s
			return states
		}
	}
	return append(states, s)
}

// see has the snapshot of an account stored soon.
func (k *keeper) see(w *ward) {
	k.mu.Lock()
	k.seen[w.id] = w
	k.mu.Unlock()
	signal(k.signal)
}

// run writes until ctx ends, and once more then.
func (k *keeper) run(ctx context.Context) {
	for {
		select {
		case <-k.signal:
		case <-ctx.Done():
			k.flush(context.WithoutCancel(ctx))
			return
		}
		if !k.flush(ctx) {
			k.pause(ctx, vigia.UnsentWait)
			signal(k.signal)
		}
		k.pause(ctx, keepEvery)
	}
}

func (k *keeper) pause(ctx context.Context, d time.Duration) {
	timer := k.g.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// flush writes all there is, and says whether the store took it.
func (k *keeper) flush(ctx context.Context) bool {
	k.mu.Lock()
	kept, seen := k.kept, k.seen
	k.kept, k.seen = map[vigia.Fence]*vigia.Kept{}, map[vigia.AccountID]*ward{}
	lost := k.lost
	k.lost = 0
	k.mu.Unlock()
	ok := true
	for fence, rows := range kept {
		if err := k.g.o.Store.Keep(ctx, *rows); err != nil {
			ok = k.failed(err, fence, rows) && ok
		}
	}
	for _, w := range seen {
		k.store(ctx, w)
	}
	if lost > 0 {
		k.g.log.Error("the store was gone too long: rows about decisions were dropped, actions were not", "rows", lost)
	}
	return ok
}

// failed puts rows back for the next try. Rows of a shard that another process
// guards now are that one's to write.
func (k *keeper) failed(err error, fence vigia.Fence, rows *vigia.Kept) bool {
	if isFenced(err) {
		return true
	}
	k.g.storeFailed(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	if newer := k.kept[fence]; newer != nil {
		for _, s := range newer.States {
			rows.States = replaceState(rows.States, s)
		}
		rows.Decisions = append(rows.Decisions, newer.Decisions...)
		rows.Executions = append(rows.Executions, newer.Executions...)
		rows.Events = append(rows.Events, newer.Events...)
		rows.Forget = append(rows.Forget, newer.Forget...)
	}
	k.kept[fence] = rows
	return false
}

func (k *keeper) store(ctx context.Context, w *ward) {
	snapshot := k.g.snapshots.Of(w.id)
	fence, held := k.g.o.Leases.Held(w.shard)
	if snapshot == nil || !held {
		return
	}
	w.mu.Lock()
	owner := w.account.Owner
	w.mu.Unlock()
	if err := k.g.o.Store.See(ctx, fence, owner, snapshot); err != nil && !isFenced(err) {
		k.g.log.Warn("a snapshot could not be stored; the next start reads it anew", "account", w.id, "error", err)
	}
}
