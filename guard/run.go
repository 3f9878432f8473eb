package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

func isFenced(err error) bool { return errors.Is(err, vigia.ErrFenced) }

// Run guards until ctx ends, then takes in nothing new, lets the calls on their
// way be answered or time out, and stops the recorder last.
func (g *Guard) Run(ctx context.Context) error {
	g.ctx = ctx
	if err := g.refresh(ctx, true); err != nil {
		return fmt.Errorf("the guard could not start: %w", err)
	}
	recorder, stopRecorder := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRecorder()
	var recording, working sync.WaitGroup
	recording.Go(func() { _ = g.actor.Run(recorder) })
	recording.Go(func() { g.keeper.run(recorder) })
	for range g.o.Workers {
		working.Go(func() { g.work(ctx) })
	}
	working.Go(func() { g.clockwork(ctx) })
	working.Go(func() { g.poll(ctx) })
	working.Go(func() { g.read(ctx) })
	working.Go(func() { g.sayStatus(ctx) })
	<-ctx.Done()
	working.Wait()
	g.calls.Wait()
	stopRecorder()
	recording.Wait()
	return nil
}

// poll looks for commands, settings and the halt file.
func (g *Guard) poll(ctx context.Context) {
	for {
		g.lookForHalt()
		if err := g.refresh(ctx, false); err != nil && ctx.Err() == nil {
			g.storeFailed(err)
		}
		timer := g.clock.NewTimer(g.o.Every)
		select {
		case <-timer.C():
		case <-g.reload:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// lookForHalt notices that the halt file came or went.
func (g *Guard) lookForHalt() {
	path := g.o.Halted()
	if path == *g.halted.Load() {
		return
	}
	g.halted.Store(&path)
	if path != "" {
		g.log.Warn("the halt file exists: nothing acts until it is removed", "file", path)
	} else {
		g.log.Info("the halt file is gone: automations act again")
	}
	g.AllDue()
}

// refresh takes over commands, and the accounts whose rows changed.
func (g *Guard) refresh(ctx context.Context, all bool) error {
	revision, err := g.o.Store.Revision(ctx)
	if err != nil {
		return fmt.Errorf("reading the revision: %w", err)
	}
	if changed := revision != g.revision || g.anyUnloaded(); changed || all {
		if err := g.reloadAll(ctx); err != nil {
			return err
		}
		g.revision = revision
	}
	requested, err := g.o.Store.Requested(ctx)
	if err != nil {
		return fmt.Errorf("reading commands: %w", err)
	}
	g.storeWorks()
	g.hand(requested)
	return nil
}

// anyUnloaded says whether an account has to be read again: it was refused by the
// record, or its shard came to this process.
func (g *Guard) anyUnloaded() bool {
	unloaded := false
	g.everyWard(func(w *ward) {
		_, held := g.o.Leases.Held(w.shard)
		w.mu.Lock()
		unloaded = unloaded || held != w.loaded
		w.mu.Unlock()
	})
	return unloaded
}

// hand gives commands to their accounts.
func (g *Guard) hand(requested []vigia.Execution) {
	byAccount := map[vigia.AccountID][]vigia.Execution{}
	for _, e := range requested {
		byAccount[e.Account] = append(byAccount[e.Account], e)
	}
	g.everyWard(func(w *ward) {
		w.mu.Lock()
		commands := byAccount[w.id]
		had := len(w.requested) > 0
		w.requested = commands
		w.mu.Unlock()
		if had || len(commands) > 0 {
			g.queue.put(w)
		}
	})
}

// reloadAll reads the accounts, and for those of held shards all that is kept.
func (g *Guard) reloadAll(ctx context.Context) error {
	stops, err := g.o.Store.Stops(ctx)
	if err != nil {
		return fmt.Errorf("reading the stop modes: %w", err)
	}
	if *g.stops.Load() != stops {
		g.stops.Store(&stops)
		g.AllDue()
	}
	accounts, err := g.o.Store.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("reading the accounts: %w", err)
	}
	there := map[vigia.AccountID]bool{}
	for _, a := range accounts {
		if a.Network != g.o.Network {
			continue
		}
		there[a.ID] = true
		if err := g.reloadAccount(ctx, a); err != nil {
			return err
		}
	}
	g.forget(there)
	return nil
}

func (g *Guard) reloadAccount(ctx context.Context, a vigia.Account) error {
	w := g.ward(a.ID)
	if w == nil {
		w = &ward{id: a.ID, shard: g.o.ShardOf(a.ID), kept: map[keptKey]keptDecision{},
			armed: map[vigia.Subject]bool{}, closedByUs: map[vigia.TradeID]bool{}}
		g.wardsMu.Lock()
		g.wards[a.ID] = w
		g.wardsMu.Unlock()
	}
	if _, held := g.o.Leases.Held(w.shard); !held {
		w.mu.Lock()
		w.loaded = false
		w.mu.Unlock()
		g.schedule.Remove(a.ID)
		return nil
	}
	exchange, err := g.o.Exchange(ctx, a)
	if err != nil {
		g.log.Error("an account's key could not be opened; it is not guarded", "account", a.ID, "label", a.Label, "error", err)
		a.Status, a.Detail = vigia.AccountRefused, "its key could not be opened"
	}
	return g.loadWard(ctx, w, a, exchange)
}

// loadWard replaces what is in memory by what is kept. Nothing of the account may
// be decided meanwhile, and what was committed before is in the record already.
func (g *Guard) loadWard(ctx context.Context, w *ward, a vigia.Account, exchange Exchange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	memory, err := g.o.Store.Memory(ctx, a.ID)
	if err != nil {
		return fmt.Errorf("reading account %s: %w", a.ID, err)
	}
	first := !w.loaded
	if w.account.Status == vigia.AccountRefused && a.Status == vigia.AccountActive && w.exchange == exchange {
		a.Status, a.Detail = w.account.Status, w.account.Detail
	}
	memory.Account = a
	proved := w.account.ProvedAt
	w.load(memory, exchange)
	if proved.After(w.account.ProvedAt) {
		w.account.ProvedAt = proved
	}
	if memory.Snapshot != nil {
		g.snapshots.Load(*memory.Snapshot)
	}
	if first {
		g.floors(w)
	}
	g.schedule.Add(a.ID, g.risk(w))
	if first {
		g.orphans(w)
	}
	g.queue.put(w)
	return nil
}

// floors keep sightings begun before the last settled action from coming back.
func (g *Guard) floors(w *ward) {
	for i := range w.states {
		if s := &w.states[i]; !s.LastAt.IsZero() && s.Shadow.Saves == 0 {
			g.snapshots.Settled(w.id, s.Subject, s.LastAt)
		}
	}
}

// orphans are intents that another process committed: whether they were sent is
// not known, so they are unknown from now on and reconciled like any other.
func (g *Guard) orphans(w *ward) {
	for _, s := range w.suspects {
		if s.State == vigia.ExecutionIntent && !g.inFlight(s.ID) {
			s.State = vigia.ExecutionUnknown
			g.wantWitness(w, &s.Execution)
			g.adopt(s)
		} else if s.State == vigia.ExecutionUnknown {
			g.wantWitness(w, &s.Execution)
		}
	}
}

// inFlight says whether a call of this process is still waited for.
func (g *Guard) inFlight(id vigia.ExecutionID) bool {
	_, flying := g.flying.Load(id)
	return flying
}

// adopt writes down that an orphaned intent is unknown, so that a further attempt
// may take its claim.
func (g *Guard) adopt(s *act.Suspect) {
	settlement := vigia.Settlement{Execution: s.ID, From: []vigia.ExecutionState{vigia.ExecutionIntent},
		To: vigia.ExecutionUnknown, Class: vigia.AppError, Detail: "the process that sent it ended before an answer came"}
	g.calls.Add(1)
	go func() {
		defer g.calls.Done()
		if _, err := g.settleAgain(context.WithoutCancel(g.ctx), settlement); err != nil && !errors.Is(err, vigia.ErrChanged) {
			g.log.Error("an orphaned intent could not be marked unknown", "execution", settlement.Execution, "error", err)
		}
	}()
}

// forget drops accounts that were deleted.
func (g *Guard) forget(there map[vigia.AccountID]bool) {
	g.everyWard(func(w *ward) {
		if there[w.id] {
			return
		}
		w.mu.Lock()
		g.arm(w, nil)
		w.loaded = false
		w.mu.Unlock()
		g.wardsMu.Lock()
		delete(g.wards, w.id)
		g.wardsMu.Unlock()
		g.schedule.Remove(w.id)
		g.snapshots.Forget(w.id)
	})
}

// statusEvery is how often the guard says how it is.
const statusEvery = 2 * time.Second
