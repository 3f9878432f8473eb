package guard

import (
	"context"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// callSucceeded notes that a signed call of an account was answered.
func (g *Guard) callSucceeded(w *ward) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calledAt = g.clock.Now()
	if w.account.Status == vigia.AccountRefused {
		w.account.Status, w.account.Detail = vigia.AccountActive, ""
	}
}

// keyRefused notes that the exchange refuses an account's key: said once.
func (g *Guard) keyRefused(account vigia.AccountID, detail string) {
	w := g.ward(account)
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.account.Status == vigia.AccountRefused {
		return
	}
	w.account.Status, w.account.Detail = vigia.AccountRefused, detail
	fence, held := g.o.Leases.Held(w.shard)
	if !held {
		return
	}
	e := w.event(vigia.Event{At: g.clock.Now(), Kind: vigia.EventKeyRefused, Level: vigia.LevelCritical,
		Subject: vigia.AccountSubject(), Incident: "key_refused:" + string(w.id)}, nil)
	e.Facts.Detail = detail
	g.keeper.keep(w, vigia.Kept{Fence: fence, Events: []vigia.Event{e}})
	g.queue.put(w)
}

// ClockOffset notes how far this machine's clock is off.
func (g *Guard) ClockOffset(d time.Duration) { g.offset.Store(int64(d)) }

// statusEvery is how often the guard says how it is.
const statusEvery = 2 * time.Second

// sayStatus writes what this process says of itself, every two seconds.
func (g *Guard) sayStatus(ctx context.Context) {
	for {
		switch err := g.o.Store.SaveStatus(ctx, g.Status()); {
		case err == nil:
			g.storeWorks()
		case ctx.Err() == nil:
			g.storeFailed(err)
		}
		timer := g.clock.NewTimer(statusEvery)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// Status is how the guard is now.
func (g *Guard) Status() vigia.GuardStatus {
	now, market := g.clock.Now(), g.o.Market()
	out := vigia.GuardStatus{Holder: g.o.Holder + "/" + string(g.o.Network), Version: g.o.Version, At: now, StartedAt: g.started,
		Network: g.o.Network, Armed: g.book.Len(), Stops: *g.stops.Load(), StoreError: g.store.trouble(), Last: g.last.Load(),
		ClockOffset: time.Duration(g.offset.Load()),
		Feed: vigia.FeedStatus{Last: market.Last, ConfirmedAt: market.ConfirmedAt, Blind: market.Blind(now),
			Source: g.o.Source()}}
	out.Stops.HaltFile = *g.halted.Load()
	for shard := range vigia.Shards {
		if _, held := g.o.Leases.Held(shard); held {
			out.Shards++
		}
	}
	g.everyWard(func(w *ward) {
		if a := g.show(w); a != nil {
			out.Accounts = append(out.Accounts, *a)
		}
	})
	return out
}

// show is an account as a person must know it; one that is being decided just now
// as it was a moment ago.
func (g *Guard) show(w *ward) *vigia.WatchedAccount {
	if w.under.Load() == nil {
		return nil
	}
	before := w.shown.Load()
	if before == nil {
		w.mu.Lock()
	} else if !w.mu.TryLock() {
		return before
	}
	defer w.mu.Unlock()
	now := g.watched(w)
	w.shown.Store(&now)
	return &now
}

// Alive says why the guard is not really alive; empty when it is.
func (g *Guard) Alive() string {
	switch now := g.clock.Now(); {
	case g.store.trouble() != "":
		return g.store.trouble()
	case ptr(g.o.Market()).Blind(now):
		return "there is no fresh price"
	}
	return ""
}

func ptr[T any](v T) *T { return &v }

// watched is one account as it is now. The ward is locked.
func (g *Guard) watched(w *ward) vigia.WatchedAccount {
	a := &w.account
	out := vigia.WatchedAccount{Account: a.ID, Owner: a.Owner, Label: a.Label, Network: a.Network, Status: a.Status,
		Detail: a.Detail, CalledAt: w.calledAt, ProvedAt: a.ProvedAt, Unsettled: len(w.suspects)}
	if !a.ProvedAt.IsZero() {
		out.NextProof = a.ProvedAt.Add(vigia.ProofLasts)
	}
	facts, ok := g.facts(w)
	if !ok {
		return out
	}
	s := facts.Snapshot
	out.SnapshotBegun, out.Provisional, out.Free, out.Cross = s.TradesBegun, s.Provisional, s.Free, s.Cross
	out.FreeBegun = s.FreeBegun
	held := decide.Held(&facts)
	for i := range s.Trades {
		if t := &s.Trades[i].Trade; t.Running() {
			out.Trades = append(out.Trades, watchedTrade(w, &facts, t, held))
		}
	}
	return out
}

func watchedTrade(w *ward, f *decide.Facts, t *vigia.Trade, held []decide.Holding) vigia.WatchedTrade {
	last, subject := f.Market.Last, vigia.TradeSubject(t.ID)
	out := vigia.WatchedTrade{Trade: *t, Distance: vigia.Distance(t.Side, last, t.Liquidation),
		PathUsed: vigia.PathUsed(t.Price, last, t.Liquidation), HeldTo: t.Liquidation, HeldBy: vigia.EndedLiquidated,
		Protection: decide.Protect(f, t)}
	for _, h := range held {
		if h.Subject == subject {
			out.HeldTo, out.HeldBy = h.Price, h.By
		}
	}
	for i := range w.automations {
		a := &w.automations[i]
		if a.Guard == nil || a.Mode == vigia.ModeOff || !a.Scope.Covers(t) || out.Mode == vigia.ModeLive {
			continue
		}
		out.Automation, out.Mode = a.Name, a.Mode
		out.Reason = w.kept[keptKey{a.ID, subject}].reason
		state := w.state(a.ID, subject)
		out.ShadowMargin, out.ShadowClosed = state.Shadow.Margin, state.Shadow.ClosedAt
		out.ActsAt, out.Act = decide.NextAct(a, &state, t, last)
	}
	return out
}
