package decide_test

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

func decideOnce(f *decide.Facts) decide.Result { return decide.Decide(f) }

// copyFacts shares nothing with f that a test changes.
func copyFacts(f *decide.Facts) *decide.Facts {
	out := *f
	snapshot := *f.Snapshot
	snapshot.Trades = slices.Clone(f.Snapshot.Trades)
	out.Snapshot = &snapshot
	out.Automations = slices.Clone(f.Automations)
	for i := range out.Automations {
		if g := out.Automations[i].Guard; g != nil {
			config := *g
			config.Steps = slices.Clone(g.Steps)
			out.Automations[i].Guard = &config
		}
	}
	out.States = slices.Clone(f.States)
	for i := range out.States {
		out.States[i].Shadow.Spends = slices.Clone(f.States[i].Shadow.Spends)
	}
	out.Reserves, out.Unsettled = slices.Clone(f.Reserves), slices.Clone(f.Unsettled)
	out.Requested, out.Ended = slices.Clone(f.Requested), slices.Clone(f.Ended)
	return &out
}

// at is f at another price, just confirmed, and another time.
func at(f *decide.Facts, price vigia.Price, now time.Time) *decide.Facts {
	out := copyFacts(f)
	out.Market.Last, out.Market.ConfirmedAt, out.Now = price, now, now
	return out
}

// remember keeps the states a decision changed, as every caller does.
func remember(f *decide.Facts, states []vigia.AutomationState) {
	for _, s := range states {
		i := slices.IndexFunc(f.States, func(have vigia.AutomationState) bool {
			return have.Automation == s.Automation && have.Subject == s.Subject
		})
		if i < 0 {
			f.States = append(f.States, s)
			continue
		}
		f.States[i] = s
	}
}

func stateOf(f *decide.Facts, d *vigia.Decision) vigia.AutomationState {
	for _, s := range f.States {
		if s.Automation == d.Automation && s.Subject == d.Subject {
			return s
		}
	}
	return vigia.AutomationState{Automation: d.Automation, Subject: d.Subject}
}

// carryOut lets a decision succeed at once and be seen: margin, stop or end of the
// trade, the reserve spent, and the last action settled now.
func carryOut(f *decide.Facts, d *vigia.Decision) {
	seen, ok := f.Snapshot.Trade(d.Subject.Trade)
	if !ok {
		return
	}
	state := stateOf(f, d)
	switch d.Action {
	case vigia.ActionAddMargin:
		seen.Trade = seen.WithMargin(seen.Margin + d.Amount)
		f.Reserves = append(f.Reserves, vigia.Reserve{Account: f.Account.ID, Subject: d.Subject, Cost: d.Cost,
			State: vigia.ReserveSpent, Counts: true, At: f.Now, SettledAt: f.Now})
		state.LastAt, state.LastPrice, state.LastOutcome = f.Now, d.Last, vigia.OutcomeDone
		if d.Partial {
			state.LastOutcome = vigia.OutcomePartial
		}
	case vigia.ActionClose:
		seen.State = vigia.TradeClosed
	case vigia.ActionSetStop:
		seen.StopLoss, state.OurStop = d.Stop, d.Stop
	case vigia.ActionRemoveStop:
		seen.StopLoss, state.OurStop = 0, 0
	}
	seen.Begun = f.Now
	if d.Automation != "" {
		remember(f, []vigia.AutomationState{state})
	}
}

// who is one automation and subject, which get one decision.
type who struct {
	automation vigia.AutomationID
	subject    vigia.Subject
	command    vigia.ExecutionID
}

// verdict is what a decision comes to.
type verdict struct {
	action vigia.Action
	reason vigia.Reason
}

// verdicts leaves out what only tells: it is said once.
func verdicts(decisions []vigia.Decision) map[who]verdict {
	out := map[who]verdict{}
	for _, d := range decisions {
		if d.Action != vigia.ActionNotify {
			out[who{d.Automation, d.Subject, d.Command}] = verdict{d.Action, d.Reason}
		}
	}
	return out
}
