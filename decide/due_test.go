package decide_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// nearest is the tightest of all bounds of an account: what is due for one subject
// is decided for all.
func nearest(dues []decide.Due) decide.Due {
	var out decide.Due
	for _, u := range dues {
		out.Below = max(out.Below, u.Below)
		if u.Above != 0 && (out.Above == 0 || u.Above < out.Above) {
			out.Above = u.Above
		}
		if !u.At.IsZero() && (out.At.IsZero() || u.At.Before(out.At)) {
			out.At = u.At
		}
	}
	return out
}

// At any price between the bounds and any time before the one given, all else
// equal and the price fresh, every decision is what it is now.
func TestNothingIsDecidedDifferentlyBeforeItIsDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 3, rules: 3}
		facts := w.facts()
		var d decide.Decider
		result := d.Decide(facts)
		bound := nearest(d.NextDue())
		kept := copyFacts(facts)
		remember(kept, result.States)
		if bound.At.Equal(noon.Add(time.Nanosecond)) {
			return // a dry run acted on its shadow: it is decided again at once
		}
		want := verdicts(decide.Decide(kept).Decisions)
		later := at(kept, between(t, facts.Market.Last, bound), before(t, bound.At))
		for key, got := range verdicts(decide.Decide(later).Decisions) {
			if got != want[key] {
				t.Fatalf("%v: at %s, %s later, %v; it was %v at %s, due below %s, above %s, at %s", key, later.Market.Last,
					later.Now.Sub(noon), got, want[key], facts.Market.Last, bound.Below, bound.Above, bound.At)
			}
		}
	})
}

// between draws a price strictly inside the bounds, most often at their edges.
func between(t *rapid.T, last vigia.Price, bound decide.Due) vigia.Price {
	low, high := max(vigia.MinPrice, bound.Below+1), vigia.Dollars(200_000)
	if bound.Above != 0 {
		high = bound.Above - 1
	}
	switch rapid.IntRange(0, 3).Draw(t, "where") {
	case 0:
		return low
	case 1:
		return high
	case 2:
		return last
	}
	return vigia.Price(rapid.Int64Range(int64(low), int64(high)).Draw(t, "price"))
}

func before(t *rapid.T, bound time.Time) time.Time {
	last := noon.Add(48 * time.Hour)
	if !bound.IsZero() {
		last = bound.Add(-time.Nanosecond)
	}
	switch rapid.IntRange(0, 2).Draw(t, "when") {
	case 0:
		return noon
	case 1:
		return last
	}
	return noon.Add(time.Duration(rapid.Int64Range(0, int64(last.Sub(noon))).Draw(t, "time")))
}

// A trade that no rule has touched is due exactly where something is decided: not
// a tick early.
func TestAnUntouchedTradeIsDueExactlyAtItsTrigger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 1, rules: 1, plain: true}
		facts := w.facts()
		// What rests a stop keeps doing so while a shallower step holds.
		acting := slices.ContainsFunc(facts.Automations[0].Guard.Steps, func(s vigia.GuardStep) bool {
			return s.Action != vigia.GuardNotify
		})
		result := decide.Decide(facts)
		remember(facts, result.States)
		trade := &facts.Snapshot.Trades[0].Trade
		for _, s := range facts.States {
			if s.TrueWhenArmed|s.Told != 0 || s.Shadow.Margin != 0 || s.Shadow.Stop != 0 || s.Shadow.ClosedAt != 0 {
				t.Skip("touched")
			}
		}
		for i := range facts.Automations[0].Guard.Steps {
			if facts.Automations[0].Guard.Steps[i].Holds(trade, facts.Market.Last) {
				t.Skip("triggered")
			}
		}
		if !acting || len(result.Decisions) == 0 || result.Decisions[0].Acts() {
			t.Skip("not idle")
		}
		bound := nearest(decide.NextDue(facts))
		edge, never := bound.Below, bound.Above
		if trade.Side == vigia.Short {
			edge, never = bound.Above, bound.Below
		}
		if never != 0 {
			t.Fatalf("due at %s, on the way out of danger", never)
		}
		now, then := decide.Decide(facts), decide.Decide(at(facts, edge, noon))
		if slices.Equal(now.Decisions, withLast(then.Decisions, facts.Market.Last)) {
			t.Fatalf("due at %s, where nothing changes: %v", edge, then.Decisions)
		}
	})
}

// withLast are decisions as if made at another price.
func withLast(decisions []vigia.Decision, last vigia.Price) []vigia.Decision {
	out := slices.Clone(decisions)
	for i := range out {
		out[i].Last = last
	}
	return out
}
