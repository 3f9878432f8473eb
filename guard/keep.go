package guard

import (
	"context"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// keeper writes behind what a turn leaves: it is never waited for. While the
// store is gone it holds what rules remember, the latest snapshot per account, and
// the newest rows up to a bound.
type keeper struct {
	g    *Guard
	mu   sync.Mutex
	kept map[vigia.Fence]*vigia.Kept
	// dirty are accounts with states to be written: as they are then, not as they
	// were. writing are those of the write under way.
	dirty, writing map[*ward]map[keptKey]bool
	seen           map[vigia.AccountID]*ward
	lost           int
	signal         chan struct{}
}

// keptMost bounds the rows held for a store that is gone.
const keptMost = 10_000

// keepEvery is the pause between two writes, so that rows of many turns share one
// transaction and intents never wait long for the writer. seenMost bounds the
// snapshots stored in one go, a transaction each; they are only there to start
// from.
const (
	keepEvery = 50 * time.Millisecond
	seenMost  = 16
)

func newKeeper(g *Guard) *keeper {
	return &keeper{g: g, kept: map[vigia.Fence]*vigia.Kept{}, dirty: map[*ward]map[keptKey]bool{},
		seen: map[vigia.AccountID]*ward{}, signal: make(chan struct{}, 1)}
}

// keep takes rows of an account, whose lock is held. Of states it notes which are
// to be written.
func (k *keeper) keep(w *ward, kept vigia.Kept) {
	if len(kept.Decisions)+len(kept.States)+len(kept.Executions)+len(kept.Events)+len(kept.Forget) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range kept.States {
		k.soil(w, keptKey{s.Automation, s.Subject})
	}
	k.add(kept)
	signal(k.signal)
}

func (k *keeper) soil(w *ward, key keptKey) {
	if k.dirty[w] == nil {
		k.dirty[w] = map[keptKey]bool{}
	}
	k.dirty[w][key] = true
}

// add takes rows, as many as there is room for.
func (k *keeper) add(kept vigia.Kept) {
	all := k.kept[kept.Fence]
	if all == nil {
		all = &vigia.Kept{Fence: kept.Fence}
		k.kept[kept.Fence] = all
	}
	all.Forget = append(all.Forget, kept.Forget...)
	if rows := len(all.Decisions) + len(all.Executions) + len(all.Events); rows > keptMost {
		k.lost += len(kept.Decisions) + len(kept.Executions) + len(kept.Events)
		return
	}
	all.Decisions = append(all.Decisions, kept.Decisions...)
	all.Executions = append(all.Executions, kept.Executions...)
	all.Events = append(all.Events, kept.Events...)
}

// touches says whether states of an account are about to be written, or are being.
func (k *keeper) touches(w *ward) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dirty[w] != nil || k.writing[w] != nil
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
	writing := context.WithoutCancel(ctx)
	for {
		select {
		case <-k.signal:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			k.flush(writing, true)
			return
		}
		if !k.flush(writing, false) {
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

// flush writes what there is, and says whether the store took it. The last one
// waits for accounts that are being decided; any other leaves them for the next.
func (k *keeper) flush(ctx context.Context, last bool) bool {
	kept, seen := k.takeAll(last)
	ok := true
	for _, rows := range kept {
		switch err := k.g.o.Store.Keep(ctx, *rows); {
		case err == nil:
			k.g.storeWorks()
		case !isFenced(err):
			// Rows of a shard that another process guards now are that one's to write.
			k.failed(err, rows)
			ok = false
		}
	}
	k.written(ok)
	for _, w := range seen {
		if err := k.store(ctx, w); err != nil {
			k.g.log.Warn("a snapshot could not be stored yet", "account", w.id, "error", err)
			k.see(w)
			ok = false
		}
	}
	return ok
}

// takeAll takes the rows, with the states as they are now, and some snapshots.
func (k *keeper) takeAll(last bool) (map[vigia.Fence]*vigia.Kept, []*ward) {
	k.mu.Lock()
	kept, dirty, lost := k.kept, k.dirty, k.lost
	k.kept, k.dirty, k.lost = map[vigia.Fence]*vigia.Kept{}, map[*ward]map[keptKey]bool{}, 0
	k.writing = dirty
	var seen []*ward
	for id, w := range k.seen {
		if len(seen) == seenMost && !last {
			signal(k.signal)
			break
		}
		seen = append(seen, w)
		delete(k.seen, id)
	}
	k.mu.Unlock()
	if lost > 0 {
		k.g.log.Error("the store was gone too long: rows about decisions were dropped, actions were not", "rows", lost)
	}
	for w, keys := range dirty {
		if !k.readStates(w, keys, kept, last) {
			k.again(w, keys)
		}
	}
	return kept, seen
}

// readStates adds the states of an account as they are now; false when it is being
// decided.
func (k *keeper) readStates(w *ward, keys map[keptKey]bool, kept map[vigia.Fence]*vigia.Kept, wait bool) bool {
	if wait {
		w.mu.Lock()
	} else if !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	if kept[w.fence] == nil {
		kept[w.fence] = &vigia.Kept{Fence: w.fence}
	}
	rows := kept[w.fence]
	for key := range keys {
		if state, ok := findState(w.states, key.automation, key.subject); ok {
			rows.States = append(rows.States, *state)
		}
	}
	return true
}

func (k *keeper) again(w *ward, keys map[keptKey]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key := range keys {
		k.soil(w, key)
	}
	signal(k.signal)
}

// written ends a write: what was not taken is dirty still.
func (k *keeper) written(ok bool) {
	k.mu.Lock()
	writing := k.writing
	k.writing = nil
	k.mu.Unlock()
	if ok {
		return
	}
	for w, keys := range writing {
		k.again(w, keys)
	}
}

// failed puts rows back for the next try, before those that came since.
func (k *keeper) failed(err error, rows *vigia.Kept) {
	k.g.storeFailed(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	since := k.kept[rows.Fence]
	rows.States = nil
	k.kept[rows.Fence] = rows
	if since != nil {
		k.add(*since)
	}
}

// store stores the snapshot of an account for the next start.
func (k *keeper) store(ctx context.Context, w *ward) error {
	snapshot := k.g.snapshots.Of(w.id)
	fence, held := k.g.o.Leases.Held(w.shard)
	if snapshot == nil || !held || w.owner.Load() == nil {
		return nil
	}
	if err := k.g.o.Store.See(ctx, fence, *w.owner.Load(), snapshot); err != nil && !isFenced(err) {
		return err
	}
	return nil
}
