package decide_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

func live(f *decide.Facts) (vigia.Decision, bool) {
	result := decide.Decide(f)
	remember(f, result.States)
	return result.Acting()
}

// An action applied at the same price and time leaves nothing to decide for that
// trade, and the others as they were or better.
func TestAnActionLeavesNothingToDecide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 4, rules: 2}
		facts := w.facts()
		facts.Requested = nil
		for range 2 {
			remember(facts, decide.Decide(facts).States)
		}
		result := decide.Decide(facts)
		acted, ok := result.Acting()
		if !ok {
			return
		}
		carryOut(facts, &acted)
		after := decide.Decide(facts)
		for _, next := range after.Decisions {
			if next.Subject != acted.Subject || next.DryRun || !next.Acts() {
				continue
			}
			// The move of our own stop belongs to the add; another rule over the
			// same trade has its own say.
			if next.Automation == acted.Automation && next.Action.Lane() != vigia.LaneStop {
				t.Fatalf("%+v\nafter %+v", next, acted)
			}
			if next.Action == acted.Action && next.Stop == acted.Stop && acted.Action.Lane() == vigia.LaneStop {
				t.Fatalf("%+v\nagain", next)
			}
		}
		othersNotWorse(t, &acted, result.Decisions, after.Decisions)
	})
}

func othersNotWorse(t *rapid.T, acted *vigia.Decision, before, after []vigia.Decision) {
	for _, was := range before {
		if was.Subject == acted.Subject || was.Action == vigia.ActionNotify {
			continue
		}
		for _, is := range after {
			if is.Automation != was.Automation || is.Subject != was.Subject || is.Action == vigia.ActionNotify {
				continue
			}
			if worth(&is) < worth(&was) || is.Action == was.Action && is.Amount < was.Amount {
				t.Fatalf("%+v\nis worse than %+v\nafter %+v", is, was, acted)
			}
		}
	}
}

// worth orders what can be decided for a trade in need: to add is better than to do
// nothing, and that is better than to close.
func worth(d *vigia.Decision) int {
	switch d.Action {
	case vigia.ActionAddMargin:
		return 2
	case vigia.ActionClose:
		return 0
	}
	return 1
}

// Carried out one after the other at one price, decisions come to an end.
func TestDecidingComesToAnEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 4, rules: 3}
		facts := w.facts()
		facts.Requested = nil
		most := 4 * len(facts.Snapshot.Trades) * len(facts.Automations)
		for range most {
			acted, ok := live(facts)
			if !ok {
				return
			}
			carryOut(facts, &acted)
		}
		t.Fatalf("still deciding after %d actions", most)
	})
}

// Nothing in the facts is changed, the same facts give the same decisions, and a
// used Decider decides like a new one.
func TestDecidingIsPure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 4, rules: 3}
		first, facts := w.facts(), w.facts()
		for _, ended := range facts.Snapshot.Trades[1:] {
			facts.Ended = append(facts.Ended, decide.Ended{Trade: ended.Trade, By: vigia.EndedLiquidated})
		}
		facts.Snapshot.Trades = facts.Snapshot.Trades[:1]
		before := copyFacts(facts)
		fresh, dues := decide.Decide(facts), decide.NextDue(facts)
		if !reflect.DeepEqual(facts, before) {
			t.Fatalf("facts were changed:\n%+v\nfrom\n%+v", facts, before)
		}
		var used decide.Decider
		used.Decide(first)
		again := used.Decide(facts)
		if !sameResult(fresh, again) || !slices.Equal(dues, used.NextDue()) {
			t.Fatalf("a used decider says\n%+v\na new one\n%+v", again, fresh)
		}
		decide.Held(facts)
		decide.Protect(facts, &facts.Snapshot.Trades[0].Trade)
		decide.PreviewGuard(facts, facts.Automations[0])
		if !reflect.DeepEqual(facts, before) {
			t.Fatalf("looking changed the facts:\n%+v\nfrom\n%+v", facts, before)
		}
	})
}

func sameResult(a, b decide.Result) bool {
	return len(a.Decisions) == len(b.Decisions) && len(a.States) == len(b.States) &&
		(len(a.Decisions) == 0 || reflect.DeepEqual(a.Decisions, b.Decisions)) &&
		(len(a.States) == 0 || reflect.DeepEqual(a.States, b.States))
}

// A dry run makes the same first decision per trade as the rule would live.
func TestADryRunDecidesLikeTheLiveRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 4, rules: 1, plain: true}
		facts := w.facts()
		facts.Reserves = nil
		for i := range facts.States {
			facts.States[i].Shadow = vigia.Shadow{}
		}
		dry := copyFacts(facts)
		facts.Automations[0].Mode, dry.Automations[0].Mode = vigia.ModeLive, vigia.ModeDryRun
		want, got := decide.Decide(facts).Decisions, decide.Decide(dry).Decisions
		if len(want) != len(got) {
			t.Fatalf("%d decisions dry, %d live", len(got), len(want))
		}
		for i := range want {
			want[i].DryRun = true
			if got[i] != want[i] {
				t.Fatalf("dry %+v\nlive %+v", got[i], want[i])
			}
		}
	})
}

// A dry run and the live rule go on alike, while the live one's calls succeed and
// its sats are the shadow's.
func TestADryRunGoesOnLikeTheLiveRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 1, rules: 1, plain: true}
		facts := w.facts()
		facts.Reserves, facts.States = nil, nil
		facts.Automations[0].Guard.IfShort = vigia.ShortLeave
		dry := copyFacts(facts)
		facts.Automations[0].Mode, dry.Automations[0].Mode = vigia.ModeLive, vigia.ModeDryRun
		price, side := facts.Market.Last, facts.Snapshot.Trades[0].Side
		for i := range 40 {
			now := noon.Add(time.Duration(i) * time.Second)
			price -= vigia.Price(side) * vigia.Price(rapid.IntRange(-20, 60).Draw(t, "step"))
			facts, dry = seenAgain(at(facts, price, now)), seenAgain(at(dry, price, now))
			if !side.Worse(dry.Snapshot.Trades[0].Liquidation, price) {
				return // the real trade of the dry run died
			}
			want, _ := live(facts)
			if stop := facts.Snapshot.Trades[0].StopLoss; stop != 0 && !side.Worse(stop, price) {
				want = vigia.Decision{Action: vigia.ActionClose, Subject: want.Subject, Stop: stop} // by the exchange
			}
			result := decide.Decide(dry)
			remember(dry, result.States)
			alike := want.Action.Lane() == ""
			for _, got := range result.Decisions {
				alike = alike || got.Acts()
				if got.Acts() && (got.Action != want.Action || got.Amount != want.Amount || got.Stop != want.Stop) {
					t.Fatalf("at %s dry %+v\nlive %+v", price, got, want)
				}
			}
			if !alike {
				t.Fatalf("at %s nothing dry\nlive %+v", price, want)
			}
			if want.Action == vigia.ActionClose {
				return
			}
			carryOut(facts, &want)
		}
	})
}

// seenAgain are facts whose trades were just seen.
func seenAgain(f *decide.Facts) *decide.Facts {
	f.Snapshot.TradesBegun = f.Now
	for i := range f.Snapshot.Trades {
		f.Snapshot.Trades[i].Begun = f.Now
	}
	return f
}
