package act

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// unsettled are the states from which anything that is known for certain may
// settle an execution: another process may have marked it unknown meanwhile.
var unsettled = []vigia.ExecutionState{vigia.ExecutionIntent, vigia.ExecutionUnknown}

// Answered is the settlement of a call from what came back.
func Answered(e *vigia.Execution, r *vigia.CallResult) vigia.Settlement {
	s := vigia.Settlement{Execution: e.ID, From: unsettled, SentAt: r.SentAt, AnsweredAt: r.AnsweredAt, Raw: r.Raw}
	switch r.Outcome {
	case vigia.CallDone:
		s.To, s.After = vigia.ExecutionDone, r.Trade
		s.Proved = e.Action == vigia.ActionAddMargin || e.Action == vigia.ActionProve
		s.Cost = wentOut(e, &r.Trade)
	case vigia.CallRefused:
		s.To, s.Class, s.Detail = vigia.ExecutionFailed, vigia.ExchangeError, refusal(r)
	case vigia.CallUnsent:
		s.To, s.Class, s.Detail = vigia.ExecutionFailed, vigia.AppError, refusal(r)
	default:
		// What somebody else has found out meanwhile is worth more than this.
		s.From = []vigia.ExecutionState{vigia.ExecutionIntent}
		s.To, s.Class, s.Detail = vigia.ExecutionUnknown, vigia.ExchangeError, refusal(r)
	}
	return s
}

func refusal(r *vigia.CallResult) string {
	switch {
	case r.Message != "" && r.Code != "":
		return r.Code + ": " + r.Message
	case r.Message != "" || r.Code != "":
		return r.Code + r.Message
	case r.Err != nil:
		return r.Err.Error()
	}
	return "no answer"
}

// adds says whether an action puts its amount into a trade.
func adds(a vigia.Action) bool { return a == vigia.ActionAddMargin || a == vigia.ActionProve }

// wentOut is what the wallet lost by an add that was answered: the amount and the
// change of the fee reserve. Where nothing else moved the trade meanwhile the
// exchange's own figures say it; else the formula does, backwards from what it is
// now.
func wentOut(e *vigia.Execution, after *vigia.Trade) vigia.Sats {
	if !adds(e.Action) {
		return 0
	}
	if before := &e.Before; after.Margin-e.Amount == before.Margin && after.Price == before.Price {
		return max(0, e.Amount+after.FeeReserve-before.FeeReserve)
	}
	return max(0, backwards(e, after))
}

// wentUnseen is the same for an add that only a later read shows: what else moved
// the trade is not known, so that the dearest reading counts.
func wentUnseen(e *vigia.Execution, after *vigia.Trade) vigia.Sats {
	cost := max(0, backwards(e, after))
	if e.Before.Quantity > 0 {
		cost = max(cost, e.Before.AddCost(e.Amount))
	}
	return cost
}

func backwards(e *vigia.Execution, after *vigia.Trade) vigia.Sats {
	if after.Margin <= e.Amount || after.Quantity <= 0 {
		return e.Amount
	}
	before := after.WithMargin(after.Margin - e.Amount)
	return before.AddCost(e.Amount)
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

// Remember is an automation's state after one of its executions was settled. at is
// the version of what showed it: the arrival of the answer or, for a call without
// one, the start of the read. Facts begun then or later know of it. What was never
// executed, and what is older than what the rule remembers, changes nothing.
func Remember(state vigia.AutomationState, e *vigia.Execution, s *vigia.Settlement, at time.Time) vigia.AutomationState {
	if s.To == vigia.ExecutionUnknown || s.Detail == notExecuted {
		return state
	}
	switch e.Action {
	case vigia.ActionSetStop:
		switch {
		case s.To == vigia.ExecutionDone, s.To == vigia.ExecutionSuperseded:
			state.OurStop, state.StopRefused = e.Stop, 0
		case s.To == vigia.ExecutionFailed && s.Class == vigia.ExchangeError:
			state.StopRefused = e.Stop
		}
		return state
	case vigia.ActionRemoveStop:
		if s.To != vigia.ExecutionFailed {
			state.OurStop = 0
		}
		return state
	}
	if at.Before(state.LastAt) {
		return state
	}
	state.LastOutcome = Outcome(e, s, state.LastOutcome)
	state.LastPrice, state.LastAt = e.Last, at
	return state
}
