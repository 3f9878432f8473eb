package replay_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/replay"
)

// checkPair holds a dry run to its live twin: the same first decision per trade,
// no call, and its own shadow from there on.
func (e *eleven) checkPair(t *testing.T, p pair) {
	t.Helper()
	e.checkUntouched(t, p.dry)
	until := e.firstEnd(p)
	compared := 0
	for i, id := range p.live.trades {
		live, acts := firstOf(p.live.guard.Acts, id)
		dry, would := firstOf(p.dry.guard.Dry, p.dry.trades[i])
		// Once a trade has ended in one of the two, their wallets differ. Where the
		// wallet is ample that changes nothing.
		if p.live.wallet != ample && (!acts || !would || !live.At.Before(until)) {
			continue
		}
		compared++
		if acts != would {
			t.Errorf("trade %d: live acts: %t, the dry run would: %t", i, acts, would)
			continue
		}
		if acts && (!dry.DryRun || live.DryRun) {
			t.Errorf("trade %d: the live decision says dry run %t, the dry run's %t", i, live.DryRun, dry.DryRun)
		}
		got, want := dry.Decision, live.Decision
		got.DryRun, got.Subject = false, want.Subject
		if got != want || !dry.At.Equal(live.At) {
			t.Errorf("trade %d: first decisions differ:\ndry  %+v at %s\nlive %+v at %s", i, got, dry.At, want, live.At)
		}
	}
	if compared == 0 {
		t.Error("no trade of the two was compared")
	}
	e.checkShadow(t, p.dry)
}

func firstOf(acts []replay.Act, id vigia.TradeID) (replay.Act, bool) {
	for _, act := range acts {
		if act.Subject == vigia.TradeSubject(id) {
			return act, true
		}
	}
	return replay.Act{}, false
}

// firstEnd is when the first trade of either account ended.
func (e *eleven) firstEnd(p pair) time.Time {
	first := e.market.start.AddDate(1, 0, 0)
	for _, s := range []*scene{p.live, p.dry} {
		for _, ended := range e.engine.Closed(s.key.ID) {
			if ended.ClosedAt.Before(first) {
				first = ended.ClosedAt
			}
		}
	}
	return first
}

// checkUntouched: the dry account's trades come to exactly what they come to with
// no rule, and its ledger has no call.
func (e *eleven) checkUntouched(t *testing.T, dry *scene) {
	t.Helper()
	if n := len(dry.guard.Acts); n != 0 {
		t.Errorf("%d acts in a dry run", n)
	}
	adds, others := spendings(e.walk, dry)
	if len(adds) != 0 {
		t.Errorf("the ledger has %d adds in a dry run", len(adds))
	}
	for what := range others {
		switch what {
		case "account", "open", "funding", "liquidation":
		default:
			t.Errorf("the ledger has %q in a dry run", what)
		}
	}
	bare := e.outcomes(t, e.bareOfTen)
	for i, o := range e.outcomes(t, dry) {
		if o.Net != bare[i].Net || o.EndedBy != bare[i].EndedBy || o.Trade.ExitPrice != bare[i].Trade.ExitPrice ||
			o.Trade.StopLoss != 0 || o.Saves != 0 {
			t.Errorf("trade %d came to %+v in a dry run, to %+v with no rule", i, o, bare[i])
		}
	}
	checkConserved(t, e.walk, dry)
}

// checkShadow: each decision of a dry run is made on the real trade and the shadow
// so far, within the limits; a shadow that closed or whose trade died does nothing
// more, and of one that died it is said to what price it would have been held.
func (e *eleven) checkShadow(t *testing.T, dry *scene) {
	t.Helper()
	rule, _ := dry.guard.Automation(ruleID)
	step := &rule.Guard.Steps[0]
	shadow, spent := map[vigia.TradeID]vigia.Sats{}, map[vigia.TradeID]vigia.Sats{}
	closed := map[vigia.TradeID]bool{}
	for i, act := range dry.guard.Dry {
		trade := &act.Before
		held, _, _ := e.engine.Trade(dry.key.ID, trade.ID)
		if closed[trade.ID] || !held.Running() && act.At.After(held.ClosedAt.Add(time.Second)) {
			t.Errorf("dry act %d: %s at %s on a shadow that has ended", i, act.Action, act.At)
		}
		if was := trade.Margin - shadow[trade.ID]; was > held.EntryMargin || was < held.EntryMargin*9/10 {
			t.Errorf("dry act %d: decided on a margin of %d, real and shadow are about %d", i, trade.Margin, held.EntryMargin+shadow[trade.ID])
		}
		switch act.Action {
		case vigia.ActionAddMargin:
			if !within(trade.Side, act.Last, trade.Liquidation, step.At) {
				t.Errorf("dry act %d: add at %s, and the shadow's liquidation %s is not within the trigger", i, act.Last, trade.Liquidation)
			}
			if need := neededAt(trade, act.Last, step.Target) - trade.Margin; !act.Partial && act.Amount != need {
				t.Errorf("dry act %d: %d sats, the target takes %d", i, act.Amount, need)
			}
			shadow[trade.ID] += act.Amount
			if spent[trade.ID] += act.Cost; spent[trade.ID] > held.EntryMargin {
				t.Errorf("dry act %d: %d sats spent on a trade of %d", i, spent[trade.ID], held.EntryMargin)
			}
		case vigia.ActionClose:
			closed[trade.ID] = true
		}
	}
	e.checkOutlived(t, dry, shadow)
}

// checkOutlived: every trade that really died has the end of its shadow written
// down, beyond the real end unless the shadow had closed before.
func (e *eleven) checkOutlived(t *testing.T, dry *scene, shadow map[vigia.TradeID]vigia.Sats) {
	t.Helper()
	dead := e.engine.Closed(dry.key.ID)
	if len(dead) != len(dry.guard.Shadows) {
		t.Errorf("%d trades died, %d shadows ended with them", len(dead), len(dry.guard.Shadows))
	}
	for _, s := range dry.guard.Shadows {
		held, _, _ := e.engine.Trade(dry.key.ID, s.Trade)
		if s.By != vigia.EndedLiquidated || s.Exit != held.ExitPrice || s.Would.Margin != shadow[s.Trade] {
			t.Errorf("the shadow of %s ended as %+v, the trade %s at %s with %d of shadow", s.Trade, s, s.By, held.ExitPrice, shadow[s.Trade])
		}
		switch {
		case s.Would.ClosedAt != 0:
			if s.HeldTo != s.Would.ClosedAt {
				t.Errorf("a shadow closed at %s and is said to have held to %s", s.Would.ClosedAt, s.HeldTo)
			}
		case s.Would.Saves > 0 && s.Would.Stop == 0 && !held.Side.Worse(s.HeldTo, s.Exit):
			t.Errorf("%s: saved %d times in the shadow, died at %s, would have held to %s", s.Trade, s.Would.Saves, s.Exit, s.HeldTo)
		case s.HeldTo == 0 || held.Side.Worse(s.Exit, s.HeldTo) && s.HeldTo != s.Would.Stop:
			t.Errorf("%s died at %s and would have held to %s only", s.Trade, s.Exit, s.HeldTo)
		}
	}
}

// checkShadowsSeen: the market has shown what the checks above are about.
func (e *eleven) checkShadowsSeen(t *testing.T) {
	t.Helper()
	var again, closed, outlived int
	for _, p := range e.pairs {
		for _, id := range p.dry.trades {
			if s, ok := p.dry.guard.State(ruleID, id); ok && s.Shadow.Saves > 1 {
				again++
			}
		}
		for _, s := range p.dry.guard.Shadows {
			switch {
			case s.Would.ClosedAt != 0:
				closed++
			case s.Would.Saves > 0:
				outlived++
			}
		}
	}
	if again == 0 && !underRace || closed == 0 || outlived == 0 {
		t.Errorf("%d shadows saved more than once, %d closed before the trade died, %d outlived it: want some of each", again, closed, outlived)
	}
}
