package watch

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

const (
	// doubtLasts is how much later a read must be begun to confirm what the one
	// before it was doubted for.
	doubtLasts = time.Second
	// endedLasts is how long a trade that ended is looked out for: answers older
	// than that do not arrive any more.
	endedLasts = time.Minute
)

// verdict is what becomes of one sighting of a trade.
type verdict uint8

const (
	takeIt verdict = iota
	staleIt
	doubtIt
)

// list merges a whole list: trades that it should show and does not have
// vanished.
func (k *keeper) list(c *Change, next *vigia.Snapshot, begun time.Time, trades []vigia.Trade) {
	if !next.Provisional && begun.Before(next.TradesBegun) {
		for i := range trades {
			c.Stale = append(c.Stale, vigia.TradeSubject(trades[i].ID))
		}
		return
	}
	before := next.Trades
	next.Trades = make([]vigia.Seen, 0, len(trades))
	listed := make(map[vigia.TradeID]bool, len(trades))
	for i := range trades {
		if t := &trades[i]; t.Running() && !listed[t.ID] {
			listed[t.ID] = true
			next.Trades = k.sight(c, next.Trades, find(before, t.ID), begun, *t)
		}
	}
	for i := range before {
		was := &before[i]
		if listed[was.ID] {
			continue
		}
		if !k.loaded[was.ID] && (begun.Before(was.Begun) || begun.Before(k.settled[vigia.TradeSubject(was.ID)])) {
			next.Trades = append(next.Trades, *was)
			continue
		}
		k.drop(was.ID)
		c.Vanished = append(c.Vanished, Gone{Seen: *was})
	}
	next.TradesBegun, next.Provisional, c.Taken = begun, false, true
	k.forget(next, begun)
}

// put merges one trade in its place, or at the end.
func (k *keeper) put(c *Change, next *vigia.Snapshot, begun time.Time, t vigia.Trade) {
	at := slices.IndexFunc(next.Trades, func(s vigia.Seen) bool { return s.ID == t.ID })
	var was *vigia.Seen
	if at >= 0 {
		was = &next.Trades[at]
	}
	sighted := k.sight(c, nil, was, begun, t)
	switch {
	case len(c.Stale)+len(c.Doubted) > 0 || len(sighted) == 0:
		return
	case at >= 0:
		next.Trades = slices.Clone(next.Trades)
		next.Trades[at] = sighted[0]
	default:
		next.Trades = append(slices.Clone(next.Trades), sighted[0])
	}
	c.Taken = true
}

// sight judges one sighting and appends what stands after it: the sighting, or
// what was known, or nothing.
func (k *keeper) sight(c *Change, to []vigia.Seen, was *vigia.Seen, begun time.Time, t vigia.Trade) []vigia.Seen {
	subject := vigia.TradeSubject(t.ID)
	switch k.judge(was, begun, &t) {
	case staleIt:
		c.Stale = append(c.Stale, subject)
	case doubtIt:
		k.doubts[t.ID] = vigia.Seen{Trade: t, Begun: begun}
		c.Doubted = append(c.Doubted, subject)
		c.Wanted = append(c.Wanted, Wanted{What: ReadRunning, At: begun.Add(doubtLasts)})
	default:
		if was == nil {
			c.Added = append(c.Added, subject)
		} else if differs(&was.Trade, &t) {
			c.Changed = append(c.Changed, subject)
		}
		if was != nil && !k.loaded[t.ID] && was.Begun.After(begun) {
			begun = was.Begun // it holds all that the later one held, and a settlement
		}
		k.drop(t.ID)
		return append(to, vigia.Seen{Trade: t, Begun: begun})
	}
	if was != nil {
		to = append(to, *was)
	}
	return to
}

func (k *keeper) judge(was *vigia.Seen, begun time.Time, t *vigia.Trade) verdict {
	if _, over := k.ended[t.ID]; over {
		return staleIt
	}
	settled := k.settled[vigia.TradeSubject(t.ID)]
	if was == nil || k.loaded[t.ID] {
		if begun.Before(settled) {
			return staleIt
		}
		return takeIt
	}
	if begun.Before(settled) || begun.Before(was.Begun) {
		if explained(&was.Trade, t) {
			return takeIt
		}
		return staleIt
	}
	if plausible(&was.Trade, t) || k.agrees(begun, t) {
		return takeIt
	}
	return doubtIt
}

// explained says whether the margin is smaller by exactly the funding that the
// sighting counts and the known trade does not.
func explained(was, t *vigia.Trade) bool {
	paid := t.Funding - was.Funding
	return paid > 0 && was.Margin-t.Margin == paid && t.CashInMargin == was.CashInMargin && t.CashInPL == was.CashInPL
}

// plausible says whether the known trade can have become the sighted one.
func plausible(was, t *vigia.Trade) bool {
	taken := t.CashInMargin - was.CashInMargin
	if taken < 0 || t.CashInPL < was.CashInPL {
		return false
	}
	return was.Margin-t.Margin <= max(0, t.Funding-was.Funding)+taken
}

// agrees says whether a sighting confirms the one that was doubted.
func (k *keeper) agrees(begun time.Time, t *vigia.Trade) bool {
	before, ok := k.doubts[t.ID]
	return ok && begun.Sub(before.Begun) >= doubtLasts && before.Margin == t.Margin && before.Funding == t.Funding &&
		before.CashInMargin == t.CashInMargin && before.CashInPL == t.CashInPL
}

// answer merges the trade an action was answered with.
func (k *keeper) answer(c *Change, next *vigia.Snapshot, a Answer) {
	subject := vigia.TradeSubject(a.Trade.ID)
	if !a.Trade.Running() {
		k.settle(subject, a.At)
		k.end(c, next, a.Trade.ID, a.At, vigia.EndedByUs)
		return
	}
	others := k.settled[subject]
	k.settle(subject, a.At)
	at := slices.IndexFunc(next.Trades, func(s vigia.Seen) bool { return s.ID == a.Trade.ID })
	switch {
	case at < 0 && k.knownAbsent(next, a.Trade.ID, a.At):
		c.Stale = append(c.Stale, subject)
		return
	case at < 0:
		next.Trades = append(slices.Clone(next.Trades), vigia.Seen{Trade: a.Trade, Begun: a.At})
		c.Added = append(c.Added, subject)
	default:
		seen, ok := k.after(&next.Trades[at], a, others)
		if !ok {
			c.Stale = append(c.Stale, subject)
			c.Wanted = append(c.Wanted, Wanted{What: ReadRunning})
			return
		}
		if differs(&next.Trades[at].Trade, &seen.Trade) {
			c.Changed = append(c.Changed, subject)
		}
		next.Trades = slices.Clone(next.Trades)
		next.Trades[at] = seen
	}
	k.drop(a.Trade.ID)
	k.answered[a.Trade.ID], c.Taken = true, true
}

// after is a known trade after an answer; false when what is known is newer.
// Others is when the last other action on it was settled.
func (k *keeper) after(was *vigia.Seen, a Answer, others time.Time) (vigia.Seen, bool) {
	seen := vigia.Seen{Trade: a.Trade, Begun: a.At}
	if k.loaded[a.Trade.ID] {
		return seen, true
	}
	if !k.answered[a.Trade.ID] && !was.Begun.Before(a.At) {
		return seen, false // read after the action had been answered
	}
	if a.Begun.Before(others) {
		seen.Trade = was.Trade
		moveLane(&seen.Trade, &a.Trade, a.Lane)
		seen.Begun = later(a.At, was.Begun)
	}
	// An answer can be long under way: what happened meanwhile may be known.
	return seen, plausible(&was.Trade, &seen.Trade) && !explained(&seen.Trade, &was.Trade)
}

// moveLane copies what calls of a lane move.
func moveLane(to, from *vigia.Trade, lane vigia.Lane) {
	switch lane {
	case vigia.LaneMargin:
		to.Margin, to.Leverage, to.Price, to.Liquidation = from.Margin, from.Leverage, from.Price, from.Liquidation
		to.FeeReserve, to.Funding = from.FeeReserve, from.Funding
		to.CashInPL, to.CashInMargin = from.CashInPL, from.CashInMargin
	case vigia.LaneStop:
		to.StopLoss, to.TakeProfit, to.Trailing = from.StopLoss, from.TakeProfit, from.Trailing
	default:
		*to = *from
	}
}

// end takes a trade out that was said to have ended.
func (k *keeper) end(c *Change, next *vigia.Snapshot, id vigia.TradeID, at time.Time, by vigia.EndedBy) {
	if id == "" {
		return
	}
	k.ended[id] = later(k.ended[id], at)
	k.drop(id)
	was := find(next.Trades, id)
	if was == nil {
		return
	}
	c.Vanished = append(c.Vanished, Gone{Seen: *was, By: by})
	next.Trades = slices.DeleteFunc(slices.Clone(next.Trades), func(s vigia.Seen) bool { return s.ID == id })
	c.Taken = true
}

// knownAbsent says whether a trade ended, or a whole list begun later than a
// sighting does not have it.
func (k *keeper) knownAbsent(next *vigia.Snapshot, id vigia.TradeID, begun time.Time) bool {
	if _, over := k.ended[id]; over {
		return true
	}
	return find(next.Trades, id) == nil && !next.Provisional && !next.TradesBegun.IsZero() && !begun.After(next.TradesBegun)
}

func (k *keeper) settle(subject vigia.Subject, at time.Time) {
	k.settled[subject] = later(k.settled[subject], at)
}

// drop forgets how a trade came to be known.
func (k *keeper) drop(id vigia.TradeID) {
	delete(k.loaded, id)
	delete(k.answered, id)
	delete(k.doubts, id)
}

// forget drops what no answer can bring back any more.
func (k *keeper) forget(next *vigia.Snapshot, begun time.Time) {
	for id, at := range k.ended {
		if begun.Sub(at) > endedLasts {
			delete(k.ended, id)
		}
	}
	for subject, at := range k.settled {
		if subject.Kind == vigia.SubjectTrade && begun.Sub(at) > endedLasts && find(next.Trades, subject.Trade) == nil {
			delete(k.settled, subject)
		}
	}
}

func find(trades []vigia.Seen, id vigia.TradeID) *vigia.Seen {
	for i := range trades {
		if trades[i].ID == id {
			return &trades[i]
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
