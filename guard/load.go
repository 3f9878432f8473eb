package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

// loadAll reads what is kept of all accounts of held shards, at the start.
func (g *Guard) loadAll(ctx context.Context) error {
	fences := map[int]vigia.Fence{}
	for shard := range vigia.Shards {
		if fence, held := g.o.Leases.Held(shard); held {
			fences[shard] = fence
		}
	}
	if err := g.loadStops(ctx); err != nil {
		return err
	}
	memories, err := g.o.Store.Memories(ctx)
	if err != nil {
		return fmt.Errorf("reading all accounts: %w", err)
	}
	for i := range memories {
		m := &memories[i]
		if m.Account.Network != g.o.Network {
			continue
		}
		w := g.newWard(m.Account.ID)
		if fence, held := fences[w.shard]; held {
			exchange := g.open(ctx, &m.Account)
			w.mu.Lock()
			g.takeOver(w, *m, exchange, fence)
			w.mu.Unlock()
		}
	}
	return nil
}

func (g *Guard) newWard(id vigia.AccountID) *ward {
	w := newWard(id, g.o.ShardOf(id))
	g.wardsMu.Lock()
	defer g.wardsMu.Unlock()
	g.wards[id] = w
	return w
}

func (g *Guard) loadStops(ctx context.Context) error {
	stops, err := g.o.Store.Stops(ctx)
	if err != nil {
		return fmt.Errorf("reading the stop modes: %w", err)
	}
	if *g.stops.Swap(&stops) != stops {
		g.AllDue()
	}
	return nil
}

// reloadAll reads the accounts. Of those of held shards it reads all that is kept
// when something changed, and else of those only that are not in memory.
func (g *Guard) reloadAll(ctx context.Context, changed bool) error {
	if err := g.loadStops(ctx); err != nil {
		return err
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
		w := g.ward(a.ID)
		if w == nil {
			w = g.newWard(a.ID)
		} else if !changed && g.upToDate(w) {
			continue
		}
		if err := g.reload(ctx, w, a); err != nil {
			return err
		}
	}
	g.forget(there)
	return nil
}

// upToDate says whether an account is in memory exactly when it has to be.
func (g *Guard) upToDate(w *ward) bool {
	fence, held := g.o.Leases.Held(w.shard)
	if !held {
		return w.under.Load() == nil
	}
	return w.loadedUnder(fence)
}

// anyOutdated says whether an account has to be read again: it was refused by the
// record, or its shard came to this process or left it.
func (g *Guard) anyOutdated() bool {
	outdated := false
	g.everyWard(func(w *ward) { outdated = outdated || !g.upToDate(w) })
	return outdated
}

// reload replaces what is in memory of an account by what is kept, or lets go of it
// when its shard is another process's. Nothing of it may be decided meanwhile, and
// what was committed before is in the record already.
func (g *Guard) reload(ctx context.Context, w *ward, a vigia.Account) error {
	fence, held := g.o.Leases.Held(w.shard)
	if !held {
		g.letGo(w)
		return nil
	}
	exchange := g.open(ctx, &a)
	w.mu.Lock()
	defer w.mu.Unlock()
	memory, err := g.o.Store.Memory(ctx, a.ID)
	if errors.Is(err, vigia.ErrNotFound) {
		return nil // deleted this moment: the next look forgets it
	}
	if err != nil {
		return fmt.Errorf("reading account %s: %w", a.ID, err)
	}
	memory.Account = a
	g.takeOver(w, memory, exchange, fence)
	return nil
}

// open opens an account's way to the exchange. Without one the account is refused:
// it is shown, its commands are answered, and nothing acts for it.
func (g *Guard) open(ctx context.Context, a *vigia.Account) Exchange {
	exchange, err := g.o.Exchange(ctx, *a)
	if err != nil {
		g.log.Error("an account's key could not be opened; it is not guarded", "account", a.ID, "label", a.Label, "error", err)
		a.Status, a.Detail = vigia.AccountRefused, "its key could not be opened"
		return nil
	}
	return exchange
}

// letGo stops guarding an account that another process guards now.
func (g *Guard) letGo(w *ward) {
	w.mu.Lock()
	w.under.Store(nil)
	g.arm(w, nil, 0)
	w.mu.Unlock()
	g.schedule.Remove(w.id)
}

// takeOver takes what is kept into memory under a lease. The ward is locked.
func (g *Guard) takeOver(w *ward, m vigia.Memory, exchange Exchange, fence vigia.Fence) {
	if w.account.Status == vigia.AccountRefused && m.Account.Status == vigia.AccountActive && w.exchange == exchange {
		m.Account.Status, m.Account.Detail = w.account.Status, w.account.Detail
	}
	if proved := w.account.ProvedAt; proved.After(m.Account.ProvedAt) {
		m.Account.ProvedAt = proved
	}
	now, taken := g.clock.Now(), w.fence != fence
	w.load(m, exchange, fence, now)
	if m.Snapshot != nil {
		g.snapshots.Load(*m.Snapshot)
	}
	if taken {
		g.floors(w, now)
	}
	w.risked = g.risk(w)
	g.schedule.Add(w.id, w.risked)
	g.orphans(w)
	owner := m.Account.Owner
	w.owner.Store(&owner)
	w.under.Store(&fence)
	g.queue.put(w)
}

// load takes over what the record knows. What this process remembers of a rule is
// newer than what was written behind, as long as it has held the lease since,
// unless the rule was armed anew meanwhile.
func (w *ward) load(m vigia.Memory, exchange Exchange, fence vigia.Fence, now time.Time) {
	w.account, w.exchange, w.automations = m.Account, exchange, m.Automations
	setRight(&m, now)
	if w.fence == fence {
		m.States = newer(m.States, w.states)
		keepTimes(m.Reserves, w.reserves)
	} else {
		w.ended, w.lost = nil, nil
	}
	w.fence, w.states, w.reserves = fence, m.States, m.Reserves
	known := w.suspects
	w.suspects = nil
	clear(w.claimless)
	for _, e := range m.Unsettled {
		w.suspects = append(w.suspects, suspectOf(e, known))
		w.claimless[e.Replaces] = true
	}
	w.settledAdds = w.settledAdds[:0]
	for i := range m.SettledAdds {
		e := &m.SettledAdds[i]
		w.addSettled(e, e.AnsweredAt)
		w.claimless[e.Replaces] = true
	}
	delete(w.claimless, "")
}

// setRight brings times that lie ahead of the clock back to now: it was set back
// since, or another machine's was ahead. What was settled was settled before now.
func setRight(m *vigia.Memory, now time.Time) {
	earlier := func(at *time.Time) {
		if at.After(now) {
			*at = now
		}
	}
	for i := range m.States {
		earlier(&m.States[i].LastAt)
	}
	for i := range m.Reserves {
		earlier(&m.Reserves[i].At)
		earlier(&m.Reserves[i].SettledAt)
	}
}

// keepTimes keeps when the sats of reserves had left the wallet as this process
// saw it: the record stamps the commit, which is later.
func keepTimes(reserves, inMemory []vigia.Reserve) {
	for i := range reserves {
		for j := range inMemory {
			if r, old := &reserves[i], &inMemory[j]; old.Execution == r.Execution && old.State == r.State && r.SettledAt.After(old.SettledAt) {
				r.SettledAt = old.SettledAt
			}
		}
	}
}

// newer keeps, per rule and subject, the state in memory unless the stored one
// was armed later.
func newer(stored, inMemory []vigia.AutomationState) []vigia.AutomationState {
	out := inMemory
	for _, s := range stored {
		old, found := findState(out, s.Automation, s.Subject)
		switch {
		case !found:
			out = append(out, s)
		case s.Armed.After(old.Armed):
			*old = s
		}
	}
	return out
}

func suspectOf(e vigia.Execution, known []*act.Suspect) *act.Suspect {
	for _, s := range known {
		if s.ID == e.ID {
			return s
		}
	}
	return &act.Suspect{Execution: e}
}

// floors keep sightings of the rules' trades that were begun before this process
// took the account over from coming in: somebody else may have acted since.
func (g *Guard) floors(w *ward, now time.Time) {
	for i := range w.states {
		if s := &w.states[i]; !s.LastAt.IsZero() {
			g.snapshots.Settled(w.id, s.Subject, now)
		}
	}
}

// orphans are intents of which this process has no call under way: another one
// committed them, or this one and did not hear of it. Whether they were sent is
// not known, so they are unknown from now on and reconciled like any other.
func (g *Guard) orphans(w *ward) {
	for _, s := range w.suspects {
		if s.State == vigia.ExecutionIntent && !g.inFlight(s.ID) {
			s.State = vigia.ExecutionUnknown
			w.markUnknown(s.ID)
			g.adopt(s)
		}
		if s.State == vigia.ExecutionUnknown {
			g.wantWitness(w, &s.Execution)
		}
	}
}

func (w *ward) markUnknown(id vigia.ExecutionID) {
	for i := range w.reserves {
		if w.reserves[i].Execution == id {
			w.reserves[i].Unknown = true
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
		if _, err := g.settleAgain(settlement); err != nil && !errors.Is(err, vigia.ErrChanged) {
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
		g.letGo(w)
		g.wardsMu.Lock()
		delete(g.wards, w.id)
		g.wardsMu.Unlock()
		g.snapshots.Forget(w.id)
	})
}
