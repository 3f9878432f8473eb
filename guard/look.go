package guard

import (
	"context"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/decide"
	"github.com/vigiaguard/vigia/watch"
)

// sawRunning takes a whole read of an account's running trades: it becomes the
// snapshot, and every unknown call of the account is held against it.
func (g *Guard) sawRunning(ctx context.Context, account vigia.AccountID, begun time.Time, trades []vigia.Trade) {
	w := g.ward(account)
	if w == nil {
		return
	}
	change := g.snapshots.SawRunning(account, begun, trades)
	g.took(w, change)
	g.findEnded(ctx, w, change.Vanished)
	g.reconcile(ctx, w, begun, trades)
	g.queue.put(w)
}

// sawAccount takes a read of the wallet.
func (g *Guard) sawAccount(account vigia.AccountID, begun time.Time, balance Balance) {
	if w := g.ward(account); w != nil {
		g.took(w, g.snapshots.SawAccount(account, begun, balance.Free, balance.FeeTier))
		g.queue.put(w)
	}
}

// sawCross takes a read of the cross position.
func (g *Guard) sawCross(account vigia.AccountID, begun time.Time, position vigia.CrossPosition) {
	if w := g.ward(account); w != nil {
		g.took(w, g.snapshots.SawCross(account, begun, position))
	}
}

// Heard takes an event of the account's private stream.
func (g *Guard) Heard(ctx context.Context, account vigia.AccountID, e watch.Event) {
	w := g.ward(account)
	if w == nil {
		return
	}
	change := g.snapshots.Heard(account, e)
	g.took(w, change)
	g.findEnded(ctx, w, change.Vanished)
	g.queue.put(w)
}

// took asks for what a sighting left open and stores what it brought.
func (g *Guard) took(w *ward, change watch.Change) {
	for _, wanted := range change.Wanted {
		at := wanted.At
		if at.IsZero() {
			at = g.clock.Now()
		}
		g.want(w, wanted.What, at)
	}
	if change.Taken && len(change.Added)+len(change.Changed)+len(change.Vanished) > 0 {
		g.keeper.see(w)
	}
}

// findEnded learns how trades ended that no longer run.
func (g *Guard) findEnded(ctx context.Context, w *ward, gone []watch.Gone) {
	for i := range gone {
		trade, ok := g.closedTrade(ctx, w, &gone[i].Trade)
		if !ok {
			trade = gone[i].Trade
			trade.State = vigia.TradeClosed
		}
		w.mu.Lock()
		by := gone[i].By
		if by == "" {
			by = vigia.Ended(&trade, w.closedByUs[trade.ID])
		}
		w.ended = append(w.ended, decide.Ended{Trade: trade, By: by})
		g.endRules(w, &trade)
		delete(w.closedByUs, trade.ID)
		w.mu.Unlock()
	}
}

// endRules forgets what rules remember of a trade that ended, and says of a dry
// run what it would have held to. The ward is locked.
func (g *Guard) endRules(w *ward, trade *vigia.Trade) {
	subject := vigia.TradeSubject(trade.ID)
	fence, _ := g.o.Leases.Held(w.shard)
	kept := vigia.Kept{Fence: fence, Forget: []vigia.Forgotten{{Account: w.id, Subject: subject}}}
	for i := range w.states {
		shadow := &w.states[i].Shadow
		if w.states[i].Subject != subject || shadow.Margin == 0 && shadow.ClosedAt == 0 {
			continue
		}
		held := shadow.ClosedAt
		if held == 0 {
			held = vigia.Liquidation(trade.Side, trade.Quantity, trade.Price, trade.Margin+shadow.Margin)
		}
		e := w.event(vigia.Event{At: g.clock.Now(), Kind: vigia.EventDryRun, Level: vigia.LevelWarning}, trade)
		e.Facts.DryRun, e.Facts.Held, e.Facts.Last, e.Facts.Amount = true, held, trade.ExitPrice, shadow.Margin
		kept.Events = append(kept.Events, e)
	}
	w.states = slices.DeleteFunc(w.states, func(s vigia.AutomationState) bool { return s.Subject == subject })
	for key := range w.kept {
		if key.subject == subject {
			delete(w.kept, key)
		}
	}
	g.keeper.keep(w, kept)
}

// closedTrade finds a trade among the closed ones.
func (g *Guard) closedTrade(ctx context.Context, w *ward, t *vigia.Trade) (vigia.Trade, bool) {
	w.mu.Lock()
	exchange := w.exchange
	w.mu.Unlock()
	if exchange == nil {
		return vigia.Trade{}, false
	}
	trade, _, ok, err := exchange.Ended(ctx, t.ID, t.CreatedAt)
	if err != nil {
		g.log.Warn("how a trade ended could not be read", "account", w.id, "trade", t.ID, "error", err)
		return vigia.Trade{}, false
	}
	return trade, ok
}

// reconcile holds the unknown calls of an account against a read of its trades.
func (g *Guard) reconcile(ctx context.Context, w *ward, begun time.Time, trades []vigia.Trade) {
	w.mu.Lock()
	subjects := map[vigia.Subject][]*act.Suspect{}
	for _, s := range w.suspects {
		if s.State == vigia.ExecutionUnknown {
			subjects[s.Subject] = append(subjects[s.Subject], s)
		}
	}
	w.mu.Unlock()
	for subject, suspects := range subjects {
		g.actor.Reconciling()
		seen, ok := g.sighting(ctx, w, subject.Trade, begun, trades, suspects)
		if !ok {
			continue
		}
		w.mu.Lock()
		settlements := act.Reconcile(suspects, w.known(subject.Trade, suspects[0].SignedAt), seen, g.o.Window)
		w.mu.Unlock()
		for _, s := range settlements {
			g.settleSuspect(ctx, w, s, seen)
		}
	}
}

// sighting is the trade in a read, or among the closed ones when it is no longer
// running.
func (g *Guard) sighting(ctx context.Context, w *ward, id vigia.TradeID, begun time.Time, trades []vigia.Trade, suspects []*act.Suspect) (act.Sighting, bool) {
	for i := range trades {
		if trades[i].ID == id {
			return act.Sighting{Begun: begun, Trade: trades[i]}, true
		}
	}
	if begun.Before(suspects[0].SignedAt) {
		return act.Sighting{}, false
	}
	trade, ok := g.closedTrade(ctx, w, &suspects[0].Before)
	return act.Sighting{Begun: begun, Trade: trade}, ok
}

func (g *Guard) settleSuspect(ctx context.Context, w *ward, s vigia.Settlement, seen act.Sighting) {
	w.mu.Lock()
	suspect, _ := w.suspect(s.Execution)
	if suspect == nil {
		w.mu.Unlock()
		return
	}
	e := suspect.Execution
	w.mu.Unlock()
	g.settle(ctx, w, &e, s)
	g.snapshots.Settled(w.id, e.Subject, seen.Begun)
	g.want(w, watch.ReadAccount, g.clock.Now())
}

// LookAgain asks for a whole look at an account: something may have been missed.
func (g *Guard) LookAgain(account vigia.AccountID) {
	if w := g.ward(account); w != nil {
		now := g.clock.Now()
		g.want(w, watch.ReadRunning, now)
		g.want(w, watch.ReadAccount, now)
	}
}

// want asks the schedule for a read.
func (g *Guard) want(w *ward, what watch.What, at time.Time) {
	g.schedule.Want(w.id, what, at)
}
