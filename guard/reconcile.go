package guard

import (
	"context"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/watch"
)

// sight is one read of an account's running trades.
type sight struct {
	begun  time.Time
	trades []vigia.Trade
	// doubted are the subjects for which it is not to be relied on.
	doubted []vigia.Subject
}

// tradeOf is the trade a call is about: that of a proof was chosen for it.
func tradeOf(e *vigia.Execution) vigia.TradeID {
	if e.Subject.Kind == vigia.SubjectAccount {
		return e.Before.ID
	}
	return e.Subject.Trade
}

// reconcile holds the unknown calls of an account against a read of its trades.
func (g *Guard) reconcile(ctx context.Context, w *ward, seen sight) {
	for _, id := range w.doubtful() {
		if slices.Contains(seen.doubted, vigia.TradeSubject(id)) {
			continue
		}
		g.actor.Reconciling()
		sighting, ok := g.sighting(ctx, w, id, &seen)
		if !ok {
			continue
		}
		for _, s := range w.reconciled(id, sighting, g.window()) {
			g.settleSuspect(w, s, sighting)
		}
	}
}

// doubtful are the trades with calls that are unknown.
func (w *ward) doubtful() []vigia.TradeID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []vigia.TradeID
	for _, s := range w.suspects {
		if id := tradeOf(&s.Execution); s.State == vigia.ExecutionUnknown && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// reconciled is what a sighting settles of a trade's unknown calls. One that an add
// of ours overlapped says nothing about others: it may or may not show that one.
func (w *ward) reconciled(id vigia.TradeID, seen act.Sighting, window act.Window) []vigia.Settlement {
	w.mu.Lock()
	defer w.mu.Unlock()
	var suspects []*act.Suspect
	overlapped := false
	for _, s := range w.suspects {
		if tradeOf(&s.Execution) != id {
			continue
		}
		if s.State == vigia.ExecutionUnknown {
			suspects = append(suspects, s)
		} else if s.Action.Lane() == vigia.LaneMargin {
			overlapped = true
		}
	}
	var known []act.Add
	for _, add := range w.settledAdds {
		if add.trade == id {
			known = append(known, add.Add)
			overlapped = overlapped || add.At.After(seen.Begun)
		}
	}
	if overlapped {
		suspects = slices.DeleteFunc(suspects, func(s *act.Suspect) bool { return s.Action.Lane() == vigia.LaneMargin })
	}
	return act.Reconcile(suspects, known, seen, window)
}

// sighting is the trade in a read, or among the closed ones when it is no longer
// running.
func (g *Guard) sighting(ctx context.Context, w *ward, id vigia.TradeID, seen *sight) (act.Sighting, bool) {
	for i := range seen.trades {
		if seen.trades[i].ID == id {
			return act.Sighting{Begun: seen.begun, Trade: seen.trades[i]}, true
		}
	}
	if snapshot := g.snapshots.Of(w.id); snapshot != nil {
		if _, running := snapshot.Trade(id); running {
			return act.Sighting{}, false // it is known from later than this read
		}
	}
	w.mu.Lock()
	of := w.unsettledOf(id)
	w.mu.Unlock()
	if len(of) == 0 || of[0].Before.ID == "" {
		return act.Sighting{}, false
	}
	trade, found, err := g.closedTrade(ctx, w, &of[0].Before)
	if err == nil && !found {
		trade = of[0].Before
		trade.State = vigia.TradeClosed
	}
	return act.Sighting{Begun: seen.begun, Trade: trade, Unseen: !found}, err == nil
}

// settleSuspect settles an unknown call by what a read showed. A store that does
// not take it is no matter: the next read shows it again.
func (g *Guard) settleSuspect(w *ward, s vigia.Settlement, seen act.Sighting) {
	w.mu.Lock()
	suspect, _ := w.suspect(s.Execution)
	if suspect == nil {
		w.mu.Unlock()
		return
	}
	e := suspect.Execution
	w.mu.Unlock()
	if err := g.settle(w, &e, s, seen.Begun, g.settleOnce); err != nil {
		g.log.Warn("what became of an unknown call could not be written yet", "execution", e.ID, "error", err)
		return
	}
	g.snapshots.Settled(w.id, e.Subject, seen.Begun)
	g.want(w, watch.ReadAccount, g.clock.Now())
}
