package decide_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// Never beyond the limits: whatever way the price goes, and however often the rules
// act on it, no limit of the rule that acts is passed, and the free balance never
// falls under what stays untouched.
func TestNeverBeyondTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 3, rules: 2}
		facts := w.facts()
		facts.Unsettled, facts.Requested = nil, nil
		for i := range facts.Automations {
			facts.Automations[i].Mode = vigia.ModeLive
		}
		b := &books{t: t}
		for i := range facts.Reserves {
			b.spent(&facts.Reserves[i])
		}
		now := noon
		for range 30 {
			now = now.Add(time.Duration(rapid.IntRange(1, 4000).Draw(t, "seconds")) * time.Second)
			trade := &facts.Snapshot.Trades[rapid.IntRange(0, len(facts.Snapshot.Trades)-1).Draw(t, "trade")].Trade
			facts = seenAgain(at(facts, w.price(trade), now))
			b.walk(facts)
		}
	})
}

// books are kept beside the rules, from what was carried out alone.
type books struct {
	t       *rapid.T
	entries []vigia.Reserve
}

func (b *books) spent(r *vigia.Reserve) {
	if r.State != vigia.ReserveReleased && !r.ByHand {
		b.entries = append(b.entries, *r)
	}
}

// walk lets the rules act until they have nothing left to do at this price.
func (b *books) walk(facts *decide.Facts) {
	for range 40 {
		acted, ok := live(facts)
		if !ok {
			// The wallet is read before the next price.
			for i := range facts.Reserves {
				if r := &facts.Reserves[i]; r.State == vigia.ReserveSpent && !r.SettledAt.Before(facts.Snapshot.FreeBegun) {
					facts.Snapshot.Free -= r.Cost
				}
			}
			facts.Snapshot.FreeBegun = facts.Now.Add(time.Nanosecond)
			return
		}
		carryOut(facts, &acted)
		if acted.Action == vigia.ActionAddMargin {
			r := facts.Reserves[len(facts.Reserves)-1]
			b.spent(&r)
			b.check(facts, &acted)
		}
	}
	b.t.Fatal("the rules act without end")
}

func (b *books) check(facts *decide.Facts, acted *vigia.Decision) {
	var limits vigia.Limits
	for i := range facts.Automations {
		if facts.Automations[i].ID == acted.Automation {
			limits = facts.Automations[i].Limits
		}
	}
	seen, _ := facts.Snapshot.Trade(acted.Subject.Trade)
	var trade, day vigia.Sats
	acts := 0
	for _, r := range b.entries {
		held := r.State == vigia.ReserveHeld
		if held || facts.Now.Sub(r.SettledAt) < 24*time.Hour {
			day += r.Cost
		}
		if r.Subject != acted.Subject {
			continue
		}
		trade += r.Cost
		if r.Counts && (held || facts.Now.Sub(r.At) < time.Hour) {
			acts++
		}
	}
	free := facts.Snapshot.Free
	for _, r := range facts.Reserves {
		if r.State == vigia.ReserveHeld || r.State == vigia.ReserveSpent && !r.SettledAt.Before(facts.Snapshot.FreeBegun) {
			free -= r.Cost
		}
	}
	for _, c := range []struct {
		what      string
		got, most vigia.Sats
	}{
		{"one action", acted.Cost, limits.PerAction},
		{"one trade", trade, limits.ForTrade(&seen.Trade)},
		{"24 hours", day, limits.PerDay},
		{"the balance that stays untouched", limits.Untouched, free},
	} {
		if c.got > c.most {
			b.t.Fatalf("%s: %s of %s sats after %+v", c.what, c.got, c.most, acted)
		}
	}
	if limits.ActionsPerHour > 0 && acts > limits.ActionsPerHour {
		b.t.Fatalf("%d actions in an hour, %d allowed", acts, limits.ActionsPerHour)
	}
	if seen.Margin > vigia.MarginAtLeverageOne(seen.Quantity, seen.Price) {
		b.t.Fatalf("leverage under 1 after %+v", acted)
	}
}

// A rescue reaches the target, and one sat less would miss it.
func TestARescueIsTheLeastThatReachesTheTarget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 1, rules: 1, plain: true}
		facts := w.facts()
		config := facts.Automations[0].Guard
		config.Steps = config.Steps[len(config.Steps)-1:]
		step := config.Steps[0]
		if step.Action != vigia.GuardAddMargin || step.Trigger != vigia.TriggerDistance {
			t.Skip("no target")
		}
		acted, ok := live(facts)
		if !ok || acted.Action != vigia.ActionAddMargin || acted.Partial {
			return
		}
		trade, last := &facts.Snapshot.Trades[0].Trade, facts.Market.Last
		need := vigia.MarginAtDistance(trade.Side, trade.Quantity, trade.Price, last, step.Target)
		if trade.Margin+acted.Amount != need {
			t.Fatalf("%s sats in the trade after %+v, %s reach %s %%", trade.Margin+acted.Amount, acted, need, step.Target)
		}
	})
}
