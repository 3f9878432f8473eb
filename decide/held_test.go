package decide_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// "Held down to" is what the rules come to when they are run along the straight
// path tick by tick.
func TestHeldIsTheRulesRunTickByTick(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 700, trades: 3, rules: 2, plain: rapid.Bool().Draw(t, "plain")}
		facts := w.facts()
		facts.Snapshot.Free *= 10
		got := decide.Held(facts)
		want := slices.Concat(walked(facts, vigia.Long), walked(facts, vigia.Short))
		for i := range want {
			// What runs on beyond the walk is only held to be beyond it.
			still := want[i].By == "" && (got[i].By == "" || got[i].Price >= farthest(facts))
			if got[i] != want[i] && !still {
				t.Fatalf("held %s\ntick by tick %s", holdings(got), holdings(want))
			}
		}
	})
}

// farthest is as high as the walk goes for shorts.
func farthest(facts *decide.Facts) vigia.Price { return 3 * facts.Market.Last }

func holdings(all []decide.Holding) string {
	out := ""
	for _, h := range all {
		out += fmt.Sprintf("\n  %s to %s %s, %d saves, %s added for %s, loses %s", h.Subject, h.Price, h.By, h.Saves, h.Added, h.Cost, h.Loses)
	}
	return out
}

// walked runs the rules tick by tick; everything is seen again at every tick.
func walked(facts *decide.Facts, side vigia.Side) []decide.Holding {
	f := seenAgain(at(facts, facts.Market.Last, facts.Now))
	f.Unsettled, f.Requested = nil, nil
	f.Automations = slices.DeleteFunc(f.Automations, func(a vigia.Automation) bool { return a.Mode != vigia.ModeLive })
	if !f.Snapshot.FreeBegun.IsZero() {
		for _, r := range f.Reserves {
			if r.State == vigia.ReserveSpent && !r.SettledAt.Before(f.Snapshot.FreeBegun) && r.SettledAt.Before(f.Now) {
				f.Snapshot.Free -= r.Cost
			}
		}
		f.Snapshot.FreeBegun = f.Now
	}
	var out []decide.Holding
	for _, s := range f.Snapshot.Trades {
		if s.Side == side {
			out = append(out, decide.Holding{Subject: vigia.TradeSubject(s.ID), Price: walkEnd(side)})
		}
	}
	for last := f.Market.Last; last >= vigia.MinPrice && last < farthest(facts) && someRun(f, side); last -= vigia.Price(side) {
		f.Market.Last = last
		exchangeEnds(f, side, out)
		for range 50 {
			acted, ok := actingOn(f, side)
			if !ok {
				break
			}
			h := &out[slices.IndexFunc(out, func(h decide.Holding) bool { return h.Subject == acted.Subject })]
			seen, _ := f.Snapshot.Trade(acted.Subject.Trade)
			switch acted.Action {
			case vigia.ActionAddMargin:
				h.Added, h.Cost, h.Saves = h.Added+acted.Amount, h.Cost+acted.Cost, h.Saves+1
			case vigia.ActionClose:
				ends(f, h, seen, last, vigia.EndedByUs)
			}
			carryOut(f, &acted)
		}
	}
	return out
}

func walkEnd(side vigia.Side) vigia.Price {
	if side == vigia.Long {
		return vigia.MinPrice
	}
	return vigia.NeverPrice
}

func someRun(f *decide.Facts, side vigia.Side) bool {
	return slices.ContainsFunc(f.Snapshot.Trades, func(s vigia.Seen) bool { return s.Running() && s.Side == side })
}

func actingOn(f *decide.Facts, side vigia.Side) (vigia.Decision, bool) {
	result := decide.Decide(f)
	remember(f, result.States)
	for _, d := range result.Decisions {
		if seen, ok := f.Snapshot.Trade(d.Subject.Trade); ok && d.Acts() && seen.Side == side {
			return d, true
		}
	}
	return vigia.Decision{}, false
}

func exchangeEnds(f *decide.Facts, side vigia.Side, out []decide.Holding) {
	for i := range f.Snapshot.Trades {
		s := &f.Snapshot.Trades[i]
		if !s.Running() || s.Side != side {
			continue
		}
		h := &out[slices.IndexFunc(out, func(h decide.Holding) bool { return h.Subject == vigia.TradeSubject(s.ID) })]
		switch {
		case s.StopLoss != 0 && !side.Worse(s.StopLoss, f.Market.Last):
			ends(f, h, s, s.StopLoss, vigia.EndedStopped)
		case !side.Worse(s.Liquidation, f.Market.Last):
			ends(f, h, s, s.Liquidation, vigia.EndedLiquidated)
		}
	}
}

// ends closes a trade: its margin and result are back in the wallet, but for a
// liquidation.
func ends(f *decide.Facts, h *decide.Holding, s *vigia.Seen, price vigia.Price, by vigia.EndedBy) {
	pl := max(-s.Margin, vigia.PL(s.Side, s.Quantity, s.Price, price))
	if by == vigia.EndedLiquidated {
		pl = -s.Margin
	}
	f.Snapshot.Free += s.Margin + pl
	h.Price, h.By, h.Loses = price, by, -pl
	s.State = vigia.TradeClosed
}
