package guard

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/decide"
	"github.com/vigiaguard/vigia/watch"
)

// ward is one account under guard: everything deciding needs, in memory. The
// record holds the same; after a start it is read from there.
type ward struct {
	id     vigia.AccountID
	shard  int
	queued bool // guarded by the queue

	// tick is the arrival of the price that made it due, in nanoseconds, 0 for
	// none.
	tick atomic.Int64

	mu          sync.Mutex // held while it is decided and its intents committed
	account     vigia.Account
	exchange    Exchange
	loaded      bool
	automations []vigia.Automation
	states      []vigia.AutomationState
	reserves    []vigia.Reserve
	suspects    []*act.Suspect
	settledAdds []settledAdd
	requested   []vigia.Execution
	ended       []decide.Ended
	kept        map[keptKey]keptDecision
	armed       map[vigia.Subject]bool
	wake        time.Time
	closedByUs  map[vigia.TradeID]bool
	view        view
	risked      watch.Risk
	unsettled   []vigia.Execution // scratch for facts
}

// settledAdd is an add of ours that was settled as done while another one of the
// same trade was unknown.
type settledAdd struct {
	trade    vigia.TradeID
	amount   vigia.Sats
	signedAt time.Time
}

type keptKey struct {
	automation vigia.AutomationID
	subject    vigia.Subject
}

type keptDecision struct {
	action vigia.Action
	reason vigia.Reason
}

func (w *ward) dueAt(tick time.Time) {
	if !tick.IsZero() {
		w.tick.CompareAndSwap(0, tick.UnixNano())
	}
}

// takeTick gives the tick that made the account due, once.
func (w *ward) takeTick() time.Time {
	if n := w.tick.Swap(0); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// load takes over what the record knows. What this process remembers of a rule is
// newer than what was written behind, unless the rule was armed anew meanwhile.
func (w *ward) load(m vigia.Memory, exchange Exchange) {
	w.account, w.exchange = m.Account, exchange
	w.automations, w.reserves = m.Automations, m.Reserves
	if w.loaded {
		m.States = newer(m.States, w.states)
	}
	w.states = m.States
	known := w.suspects
	w.suspects = nil
	for _, e := range m.Unsettled {
		w.suspects = append(w.suspects, suspectOf(e, known))
	}
	w.settledAdds = w.settledAdds[:0]
	for i := range m.SettledAdds {
		e := &m.SettledAdds[i]
		w.settledAdds = append(w.settledAdds, settledAdd{e.Subject.Trade, e.Amount, e.SignedAt})
	}
	w.loaded = true
}

// newer keeps, per rule and subject, the state in memory unless the stored one
// was armed later.
func newer(stored, inMemory []vigia.AutomationState) []vigia.AutomationState {
	out := inMemory
	for _, s := range stored {
		found := false
		for i := range out {
			if out[i].Automation == s.Automation && out[i].Subject == s.Subject {
				found = true
				if s.Armed.After(out[i].Armed) {
					out[i] = s
				}
			}
		}
		if !found {
			out = append(out, s)
		}
	}
	return out
}

func suspectOf(e vigia.Execution, known []*act.Suspect) *act.Suspect {
	for _, s := range known {
		if s.ID == e.ID {
			return s
		}
	}
	return &act.Suspect{Execution: e}
}

func (w *ward) suspect(id vigia.ExecutionID) (*act.Suspect, int) {
	for i, s := range w.suspects {
		if s.ID == id {
			return s, i
		}
	}
	return nil, -1
}

func (w *ward) state(automation vigia.AutomationID, subject vigia.Subject) vigia.AutomationState {
	for i := range w.states {
		if w.states[i].Subject == subject && w.states[i].Automation == automation {
			return w.states[i]
		}
	}
	return vigia.AutomationState{Automation: automation, Subject: subject}
}

func (w *ward) remember(s vigia.AutomationState) {
	for i := range w.states {
		if w.states[i].Subject == s.Subject && w.states[i].Automation == s.Automation {
			w.states[i] = s
			return
		}
	}
	w.states = append(w.states, s)
}

func (w *ward) automation(id vigia.AutomationID) *vigia.Automation {
	for i := range w.automations {
		if w.automations[i].ID == id {
			return &w.automations[i]
		}
	}
	return nil
}

// settleReserve books what became of a reserve, and forgets what no longer counts.
func (w *ward) settleReserve(e *vigia.Execution, now time.Time) {
	kept := w.reserves[:0]
	for _, r := range w.reserves {
		if r.Execution == e.ID {
			r.Unknown = e.State == vigia.ExecutionUnknown
			if e.State.Settled() {
				r.State, r.Cost, r.SettledAt = vigia.ReserveReleased, e.Cost, now
				if e.State == vigia.ExecutionDone || e.Cost != 0 {
					r.State = vigia.ReserveSpent
				}
			}
		}
		if r.State != vigia.ReserveReleased {
			kept = append(kept, r)
		}
	}
	w.reserves = kept
}
