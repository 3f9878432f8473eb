package lnmarkets

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"strconv"
	"time"
)

// Window chooses rows of a paged list by time. To is inclusive; From equal to To
// holds nothing. Zero fields are left out.
type Window struct {
	From, To time.Time
	// Limit is the rows per page, 1 to 1000; 0 is the exchange's default, 1000.
	Limit int
	// Cursor continues after an earlier page.
	Cursor string
}

func (w *Window) fill(query url.Values) {
	set := func(name, value string, present bool) {
		if present {
			query.Set(name, value)
		}
	}
	set("from", At(w.From).String(), !w.From.IsZero())
	set("to", At(w.To).String(), !w.To.IsZero())
	set("limit", strconv.Itoa(w.Limit), w.Limit > 0)
	set("cursor", w.Cursor, w.Cursor != "")
}

// pages goes through all rows of a list, newest first, fetching a page when its
// first row is asked for. Each page takes a token. An error is the last thing it
// yields. It may be ranged over again, which starts from the beginning.
func pages[T any](ctx context.Context, r *rest, call Call, query url.Values, w Window) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		for at := w; ; {
			filled := maps.Clone(query)
			at.fill(filled)
			page, _, err := do[Page[T]](ctx, r, &request{call: call, query: filled})
			if err != nil {
				yield(zero, err)
				return
			}
			for _, row := range page.Data {
				if !yield(row, nil) {
					return
				}
			}
			next := orZero(page.NextCursor)
			if next == "" {
				return
			}
			if next == at.Cursor {
				yield(zero, fmt.Errorf("lnmarkets: %s: the list does not end: cursor %q leads to itself", call.Name, next))
				return
			}
			at.Cursor = next
		}
	}
}

// converted goes through rows as they are in package vigia.
func converted[W, V any](rows iter.Seq2[W, error], convert func(*W) (V, error)) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		for row, err := range rows {
			if err != nil {
				yield(zero, err)
				return
			}
			value, err := convert(&row)
			if err != nil {
				yield(zero, err)
				return
			}
			if !yield(value, nil) {
				return
			}
		}
	}
}
