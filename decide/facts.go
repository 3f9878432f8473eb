package decide

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// Facts are all that deciding looks at. Nothing in them is changed.
type Facts struct {
	Now      time.Time
	Account  vigia.Account
	Stops    vigia.Stops
	Market   vigia.Market
	Snapshot *vigia.Snapshot
	// Automations are the account's, in the order they were made.
	Automations []vigia.Automation
	// States are what the automations remember, at most one per automation and
	// subject.
	States []vigia.AutomationState
	// Reserves are those held, those spent within 24 hours, and those ever spent
	// on a trade that still runs.
	Reserves []vigia.Reserve
	// Unsettled are the executions in state intent or unknown.
	Unsettled []vigia.Execution
	// Requested are a person's commands, oldest first.
	Requested []vigia.Execution
	// Ended are the trades that ended since the last call.
	Ended []Ended
}

// Ended is a trade that is no longer running, and how that came.
type Ended struct {
	Trade vigia.Trade
	By    vigia.EndedBy
}

// Result is what was decided.
type Result struct {
	Decisions []vigia.Decision
	// States are those that changed; the caller keeps them in place of the old.
	States []vigia.AutomationState
}

// Acting returns the first decision a call follows from, live ones only.
func (r *Result) Acting() (vigia.Decision, bool) {
	for _, d := range r.Decisions {
		if d.Acts() && !d.DryRun {
			return d, true
		}
	}
	return vigia.Decision{}, false
}

func (f *Facts) state(id vigia.AutomationID, subject vigia.Subject) (vigia.AutomationState, bool) {
	for i := range f.States {
		if f.States[i].Subject == subject && f.States[i].Automation == id {
			return f.States[i], true
		}
	}
	return vigia.AutomationState{}, false
}

// busy finds the unsettled execution that holds a lane of a subject.
func (f *Facts) busy(subject vigia.Subject, lane vigia.Lane) *vigia.Execution {
	var found *vigia.Execution
	for i := range f.Unsettled {
		e := &f.Unsettled[i]
		if e.Subject != subject || e.Action.Lane() != lane || f.replaced(e.ID) {
			continue
		}
		if found == nil || found.State != vigia.ExecutionIntent {
			found = e
		}
	}
	return found
}

// calledAt is when a call left, as late as it is known.
func calledAt(e *vigia.Execution) time.Time {
	for _, at := range []time.Time{e.AnsweredAt, e.SentAt, e.SignedAt} {
		if !at.IsZero() {
			return at
		}
	}
	return e.CreatedAt
}

// replaced says whether a later attempt took over an unknown execution's claim.
func (f *Facts) replaced(id vigia.ExecutionID) bool {
	for i := range f.Unsettled {
		if f.Unsettled[i].Replaces == id {
			return true
		}
	}
	return false
}

// ourStop says whether the stop-loss of a trade is one that any rule of ours set
// on the exchange.
func (f *Facts) ourStop(t *vigia.Trade) bool {
	if t.StopLoss == 0 || t.Trailing != 0 {
		return false
	}
	subject := vigia.TradeSubject(t.ID)
	for i := range f.States {
		if f.States[i].Subject == subject && f.States[i].OurStop == t.StopLoss {
			return true
		}
	}
	return false
}
