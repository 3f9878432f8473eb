package guard

import (
	"context"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
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
	if change.Taken {
		g.reconcile(ctx, w, sight{begun: begun, trades: trades, doubted: slices.Concat(change.Stale, change.Doubted)})
	}
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

// lostTrade is a trade that no longer runs, until it is known how it ended.
type lostTrade struct {
	watch.Gone
	since time.Time
}

// lostFor is how long it is looked for how a trade ended; then it is inferred from
// how it was last seen.
const lostFor = time.Minute

// findEnded learns how trades ended that no longer run. What cannot be read now is
// tried again at the next read of the account.
func (g *Guard) findEnded(ctx context.Context, w *ward, gone []watch.Gone) {
	now := g.clock.Now()
	w.mu.Lock()
	looking := w.lost
	w.lost = nil
	w.mu.Unlock()
	for i := range gone {
		looking = append(looking, lostTrade{gone[i], now})
	}
	for i := range looking {
		lost := &looking[i]
		trade, found, _ := g.closedTrade(ctx, w, &lost.Trade)
		if !found && lost.By == "" && vigia.Age(now, lost.since) < lostFor {
			w.mu.Lock()
			w.lost = append(w.lost, *lost)
			w.mu.Unlock()
			continue
		}
		if !found {
			trade = g.asIfEnded(lost)
		}
		w.endedNow(&trade, lost.By)
	}
}

// asIfEnded is a trade whose end could not be read, as far as it can be told: where
// the price has come to its liquidation it is gone.
func (g *Guard) asIfEnded(lost *lostTrade) vigia.Trade {
	t := lost.Trade
	t.State = vigia.TradeClosed
	reached := !t.Side.Worse(t.Liquidation, g.o.Market().Last)
	if lost.By == vigia.EndedLiquidated || lost.By == "" && reached {
		t.ExitPrice, t.PL = t.Liquidation, -t.Margin
	}
	return t
}

// endedNow hands a trade that ended to the next decision. by is how, where that was
// said.
func (w *ward) endedNow(trade *vigia.Trade, by vigia.EndedBy) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if by == "" {
		by = vigia.Ended(trade, w.closing(trade.ID))
	}
	w.ended = append(w.ended, decide.Ended{Trade: *trade, By: by})
}

// closing says whether a close of ours ended a trade, or may have: one that was not
// answered yet.
func (w *ward) closing(id vigia.TradeID) bool {
	return w.closedByUs[id] || slices.ContainsFunc(w.unsettledOf(id), func(s vigia.Execution) bool {
		return s.Action == vigia.ActionClose
	})
}

func (w *ward) unsettledOf(id vigia.TradeID) []vigia.Execution {
	var out []vigia.Execution
	for _, s := range w.suspects {
		if tradeOf(&s.Execution) == id {
			out = append(out, s.Execution)
		}
	}
	return out
}

// forgetEnded forgets what rules remember of the trades that ended, once it was
// decided what that means. The ward is locked.
func (g *Guard) forgetEnded(w *ward, fence vigia.Fence) {
	for i := range w.ended {
		trade := &w.ended[i].Trade
		subject := vigia.TradeSubject(trade.ID)
		w.states = slices.DeleteFunc(w.states, func(s vigia.AutomationState) bool { return s.Subject == subject })
		for key := range w.kept {
			if key.subject == subject {
				delete(w.kept, key)
			}
		}
		delete(w.closedByUs, trade.ID)
		g.keeper.keep(w, vigia.Kept{Fence: fence, Forget: []vigia.Forgotten{{Account: w.id, Subject: subject}}})
	}
	w.ended = w.ended[:0]
}

// closedTrade finds a trade among the closed ones.
func (g *Guard) closedTrade(ctx context.Context, w *ward, t *vigia.Trade) (trade vigia.Trade, found bool, err error) {
	w.mu.Lock()
	exchange := w.exchange
	w.mu.Unlock()
	if exchange == nil {
		return vigia.Trade{}, false, ErrKeyRefused
	}
	trade, _, found, err = exchange.Ended(ctx, t.ID, t.CreatedAt)
	if err != nil && ctx.Err() == nil {
		g.log.Warn("how a trade ended could not be read", "account", w.id, "trade", t.ID, "error", err)
	}
	return trade, found && err == nil, err
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
