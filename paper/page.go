package paper

import (
	"slices"
	"strconv"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// mostRows is the longest page, and the default (reference 4.2).
const mostRows = 1000

// span chooses rows of a list that is newest first: from and to are both
// included, before is not. The zero span is every row.
type span struct {
	from, to, before time.Time
	limit            int
	// empty is of from == to, which yields no rows.
	empty bool
}

// span reads from, to, limit and cursor.
func (q *request) span() (span, error) {
	s := span{limit: mostRows}
	for name, into := range map[string]*time.Time{"from": &s.from, "to": &s.to, "cursor": &s.before} {
		text := q.query.Get(name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return span{}, refuse("%s must be a time in ISO 8601", name)
		}
		*into = at
	}
	if text := q.query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostRows {
			return span{}, refuse("limit must be between 1 and %d", mostRows)
		}
		s.limit = n
	}
	if !s.from.IsZero() && !s.to.IsZero() && s.to.Before(s.from) {
		return span{}, refuse("to must not be before from")
	}
	s.empty = !s.from.IsZero() && s.from.Equal(s.to)
	return s, nil
}

func (s *span) holds(at time.Time) bool {
	return !s.empty && !at.Before(s.from) &&
		(s.to.IsZero() || !at.After(s.to)) && (s.before.IsZero() || at.Before(s.before))
}

// full says that there are enough rows: a page and one more.
func (s *span) full(n int) bool { return s.limit > 0 && n > s.limit }

// pageOf is a page of rows that may be one too many; the time of its last row is
// the cursor to the next.
func pageOf[T any](rows []T, s span, key func(*T) lnmarkets.Time) lnmarkets.Page[T] {
	if !s.full(len(rows)) {
		return lnmarkets.Page[T]{Data: rows}
	}
	rows = rows[:s.limit]
	cursor := key(&rows[s.limit-1]).String()
	return lnmarkets.Page[T]{Data: rows, NextCursor: &cursor}
}

// typedTrade is a trade with the order it began as.
type typedTrade struct {
	vigia.Trade
	kind OrderType
}

// typed lists the trades of a state, newest first; ended ones by when they
// ended, as far as the span goes.
func (e *Engine) typed(id vigia.AccountID, state vigia.TradeState, rows span) []typedTrade {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.accounts[id]
	if a == nil {
		return nil
	}
	ended := state == vigia.TradeClosed || state == vigia.TradeCanceled
	from := a.live
	if ended {
		from = a.ended
	}
	var out []typedTrade
	for _, t := range slices.Backward(from) {
		if t.State != state || ended && !rows.holds(t.ClosedAt) {
			continue
		}
		out = append(out, typedTrade{Trade: e.shown(t), kind: t.kind})
		if rows.full(len(out)) {
			break
		}
	}
	return out
}
