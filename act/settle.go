package act

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// Answered is the settlement of a call from what came back.
func Answered(e *vigia.Execution, r *vigia.CallResult) vigia.Settlement {
	s := vigia.Settlement{Execution: e.ID, From: []vigia.ExecutionState{vigia.ExecutionIntent},
		SentAt: r.SentAt, AnsweredAt: r.AnsweredAt, Raw: r.Raw}
	switch r.Outcome {
	case vigia.CallDone:
		s.To, s.After, s.Proved = vigia.ExecutionDone, r.Trade, true
		s.Cost = wentOut(e, &r.Trade)
	case vigia.CallRefused:
		s.To, s.Class, s.Detail = vigia.ExecutionFailed, vigia.ExchangeError, refusal(r)
	case vigia.CallUnsent:
		s.To, s.Class, s.Detail = vigia.ExecutionFailed, vigia.AppError, refusal(r)
	default:
		s.To, s.Class, s.Detail = vigia.ExecutionUnknown, vigia.ExchangeError, refusal(r)
	}
	return s
}

func refusal(r *vigia.CallResult) string {
	if r.Message != "" {
		return r.Code + ": " + r.Message
	}
	if r.Err != nil {
		return r.Err.Error()
	}
	return "no answer"
}

// wentOut is what the wallet really lost by an add: the amount and the fee
// reserve's change between the trade before and after.
func wentOut(e *vigia.Execution, after *vigia.Trade) vigia.Sats {
	if e.Action.Lane() != vigia.LaneMargin {
		return 0
	}
	if e.Action == vigia.ActionCashIn {
		return 0
	}
	change := vigia.ClosingReserve(after.Quantity, after.Liquidation) -
		vigia.ClosingReserve(e.Before.Quantity, e.Before.Liquidation)
	return max(0, e.Amount+change)
}

// Outcome is what deciding again needs to remember of a settlement.
func Outcome(e *vigia.Execution, s *vigia.Settlement, before vigia.ActionOutcome) vigia.ActionOutcome {
	switch {
	case s.To == vigia.ExecutionDone && e.Partial:
		return vigia.OutcomePartial
	case s.To != vigia.ExecutionFailed:
		return vigia.OutcomeDone
	case s.Class == vigia.AppError:
		return vigia.OutcomeUnsent
	case before == vigia.OutcomeRefused:
		return vigia.OutcomeFailed
	}
	return vigia.OutcomeRefused
}

// Remember is an automation's state after one of its executions was settled.
func Remember(state vigia.AutomationState, e *vigia.Execution, s *vigia.Settlement, now time.Time) vigia.AutomationState {
	switch e.Action {
	case vigia.ActionSetStop:
		if s.To == vigia.ExecutionFailed && s.Class == vigia.ExchangeError {
			state.StopRefused = e.Stop
		} else if s.To == vigia.ExecutionDone || s.To == vigia.ExecutionSuperseded {
			state.OurStop, state.StopRefused = e.Stop, 0
		}
		return state
	case vigia.ActionRemoveStop:
		if s.To != vigia.ExecutionFailed {
			state.OurStop = 0
		}
		return state
	}
	if s.To == vigia.ExecutionUnknown {
		return state
	}
	state.LastOutcome = Outcome(e, s, state.LastOutcome)
	state.LastPrice = e.Last
	state.LastAt = now
	if !s.AnsweredAt.IsZero() {
		state.LastAt = s.AnsweredAt
	}
	return state
}

// Sighting is one read that says something about a subject's unsettled calls.
type Sighting struct {
	// Begun is the start of the read.
	Begun time.Time
	// Trade is the trade as read; its State says whether it still runs.
	Trade vigia.Trade
}

// Window is how the exchange treats timestamps: a request signed at S is refused
// when it arrives after S + Window.
type Window struct {
	// Clock is the exchange's tolerance, both ways.
	Clock time.Duration
	// Timeout is how long a call is waited for before it is unknown.
	Timeout time.Duration
}

// Apart is the least time between two reads that count as agreeing.
const Apart = time.Second

// Suspect is an unknown execution and what reads have shown of it so far.
type Suspect struct {
	vigia.Execution
	// FirstQuiet is the start of the first read, begun after the time-out, that
	// showed nothing of it; zero before. QuietMargin is the margin it showed.
	FirstQuiet  time.Time
	QuietMargin vigia.Sats
}

// Reconcile holds the unknown executions of one subject, oldest first, against a
// read. known are our own adds to the subject that were settled as done since the
// oldest one's intent. It returns settlements for those that are decided, and marks
// the others: with two agreeing reads a further attempt may start.
func Reconcile(suspects []*Suspect, known vigia.Sats, seen Sighting, w Window) []vigia.Settlement {
	var out []vigia.Settlement
	var margin []*Suspect
	for _, s := range suspects {
		if s.Action.Lane() == vigia.LaneMargin {
			margin = append(margin, s)
		} else if settled, ok := reachedGoal(s, seen, w); ok {
			out = append(out, settled)
		}
	}
	slices.SortStableFunc(margin, func(a, b *Suspect) int { return a.SignedAt.Compare(b.SignedAt) })
	return append(out, reconcileMargin(margin, known, seen, w)...)
}

// reachedGoal settles a call that is safe to repeat by whether its goal stands.
func reachedGoal(s *Suspect, seen Sighting, w Window) (vigia.Settlement, bool) {
	out := vigia.Settlement{Execution: s.ID, From: unsettled, After: seen.Trade}
	t := &seen.Trade
	if seen.Begun.Before(s.SignedAt) {
		return out, false
	}
	switch {
	case !t.Running() && s.Action == vigia.ActionClose:
		out.To = vigia.ExecutionSuperseded
	case !t.Running():
		out.To = vigia.ExecutionGone
	case s.Action == vigia.ActionSetStop && t.StopLoss == s.Stop, s.Action == vigia.ActionRemoveStop && t.StopLoss == 0:
		out.To = vigia.ExecutionSuperseded
	case lapsed(s, seen, w):
		out.To, out.Class, out.Detail = vigia.ExecutionFailed, vigia.ExchangeError, notExecuted
	default:
		return out, false
	}
	return out, true
}

var unsettled = []vigia.ExecutionState{vigia.ExecutionIntent, vigia.ExecutionUnknown}

const notExecuted = "not executed: a read begun after its timestamp lapsed shows nothing of it"

// lapsed says whether a read began after the exchange must refuse the timestamp.
func lapsed(s *Suspect, seen Sighting, w Window) bool {
	return seen.Begun.After(s.SignedAt.Add(w.Clock))
}

// reconcileMargin tells by the margin's change which adds and cash-ins arrived:
// change = Δmargin + ΔsumCashInMargin + max(0, ΔsumFundingFees), less our own adds
// that are known.
func reconcileMargin(suspects []*Suspect, known vigia.Sats, seen Sighting, w Window) []vigia.Settlement {
	if len(suspects) == 0 || seen.Begun.Before(suspects[0].SignedAt) {
		return nil
	}
	change := Change(&suspects[0].Before, &seen.Trade) - known
	var out []vigia.Settlement
	for _, s := range suspects {
		switch {
		case change >= s.Amount && s.Action != vigia.ActionCashIn:
			change -= s.Amount
			out = append(out, vigia.Settlement{Execution: s.ID, From: unsettled, To: vigia.ExecutionDone,
				After: seen.Trade, Cost: wentOut(&s.Execution, &seen.Trade), Proved: true})
		case s.Action == vigia.ActionCashIn && cashedIn(&s.Before, &seen.Trade) >= s.Amount:
			out = append(out, vigia.Settlement{Execution: s.ID, From: unsettled, To: vigia.ExecutionDone, After: seen.Trade})
		case lapsed(s, seen, w):
			out = append(out, nothingCame(s, seen))
		case change == 0:
			s.quiet(seen, w)
		default:
			s.FirstQuiet = time.Time{}
		}
	}
	return out
}

func nothingCame(s *Suspect, seen Sighting) vigia.Settlement {
	out := vigia.Settlement{Execution: s.ID, From: unsettled, To: vigia.ExecutionFailed,
		Class: vigia.ExchangeError, Detail: notExecuted, After: seen.Trade}
	if !seen.Trade.Running() {
		out.To = vigia.ExecutionGone
	}
	return out
}

// quiet notes a read that shows nothing: the second that agrees, begun at least a
// second later, lets a further attempt start.
func (s *Suspect) quiet(seen Sighting, w Window) {
	if seen.Begun.Before(s.SignedAt.Add(w.Timeout)) || !seen.Trade.Running() {
		return
	}
	if s.FirstQuiet.IsZero() || s.QuietMargin != seen.Trade.Margin {
		s.FirstQuiet, s.QuietMargin = seen.Begun, seen.Trade.Margin
		return
	}
	if seen.Begun.Sub(s.FirstQuiet) >= Apart {
		s.MayRepeat = true
	}
}

// Change is what was put into a trade between two sightings, funding it paid and
// margin it gave back made up for.
func Change(before, after *vigia.Trade) vigia.Sats {
	return after.Margin - before.Margin + after.CashInMargin - before.CashInMargin +
		max(0, after.Funding-before.Funding)
}

func cashedIn(before, after *vigia.Trade) vigia.Sats {
	return after.CashInMargin + after.CashInPL - before.CashInMargin - before.CashInPL
}
