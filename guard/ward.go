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
	// under is the lease under which what is in memory was read; nil while it has
	// to be read first.
	under atomic.Pointer[vigia.Fence]
	owner atomic.Pointer[vigia.UserID]
	// shown is the account as it was last shown.
	shown atomic.Pointer[vigia.WatchedAccount]
	inbox inbox

	mu          sync.Mutex // held while it is decided and its intents committed
	account     vigia.Account
	exchange    Exchange
	fence       vigia.Fence // the last one of under
	automations []vigia.Automation
	states      []vigia.AutomationState
	reserves    []vigia.Reserve
	suspects    []*act.Suspect
	// claimless are unknown executions that gave their claim up already.
	claimless   map[vigia.ExecutionID]bool
	settledAdds []settledAdd
	requested   []vigia.Execution
	ended       []decide.Ended
	// lost are trades of which it could not be read yet how they ended.
	lost       []lostTrade
	kept       map[keptKey]keptDecision
	armed      map[vigia.Subject]bool
	wake       time.Time
	closedByUs map[vigia.TradeID]bool
	blind      bool // it was said that there is no fresh price
	calledAt   time.Time
	risked     watch.Risk
	settling   int // settlements that are being committed

	unsettled []vigia.Execution // scratch for facts, as is
	counted   []vigia.Reserve
}

func newWard(id vigia.AccountID, shard int) *ward {
	return &ward{id: id, shard: shard, claimless: map[vigia.ExecutionID]bool{}, kept: map[keptKey]keptDecision{},
		armed: map[vigia.Subject]bool{}, closedByUs: map[vigia.TradeID]bool{}}
}

// settledAdd is an add of ours that was answered while another one of the account
// was not.
type settledAdd struct {
	execution vigia.ExecutionID
	trade     vigia.TradeID
	act.Add
}

type keptKey struct {
	automation vigia.AutomationID
	subject    vigia.Subject
}

type keptDecision struct {
	action vigia.Action
	reason vigia.Reason
	dry    bool
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

// loadedUnder says whether what is in memory was read under a lease.
func (w *ward) loadedUnder(fence vigia.Fence) bool {
	under := w.under.Load()
	return under != nil && *under == fence
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
	if state, ok := findState(w.states, automation, subject); ok {
		return *state
	}
	return vigia.AutomationState{Automation: automation, Subject: subject}
}

func findState(states []vigia.AutomationState, automation vigia.AutomationID, subject vigia.Subject) (*vigia.AutomationState, bool) {
	for i := range states {
		if states[i].Subject == subject && states[i].Automation == automation {
			return &states[i], true
		}
	}
	return nil, false
}

func (w *ward) remember(s vigia.AutomationState) {
	if old, ok := findState(w.states, s.Automation, s.Subject); ok {
		*old = s
		return
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
// at is when its sats had left the wallet for certain.
func (w *ward) settleReserve(e *vigia.Execution, at time.Time) {
	kept := w.reserves[:0]
	for _, r := range w.reserves {
		if r.Execution == e.ID {
			r.Unknown = e.State == vigia.ExecutionUnknown
			if e.State.Settled() && r.State == vigia.ReserveHeld {
				r.State, r.Cost, r.SettledAt = vigia.ReserveReleased, e.Cost, at
				if e.State == vigia.ExecutionDone || e.Cost != 0 {
					r.State = vigia.ReserveSpent
				}
			} else if r.SettledAt.After(at) {
				r.SettledAt = at // the record stamps the commit, which is later
			}
		}
		if r.State != vigia.ReserveReleased {
			kept = append(kept, r)
		}
	}
	w.reserves = kept
}

// countedReserves are the reserves as deciding shall see them. Of a call that was
// under way when the balance was read nobody knows whether its sats are in that
// balance: they count as held by an unknown until the balance is read again, so
// that nothing is closed for want of sats that are only counted twice.
func (w *ward) countedReserves(freeBegun time.Time) []vigia.Reserve {
	w.counted = append(w.counted[:0], w.reserves...)
	for i := range w.counted {
		r := &w.counted[i]
		if r.At.After(freeBegun) || r.State == vigia.ReserveSpent && r.SettledAt.Before(freeBegun) {
			continue
		}
		r.State, r.Unknown, r.Cost = vigia.ReserveHeld, true, max(0, r.Cost)
	}
	return w.counted
}

// inbox takes a person's commands in while the account is being decided.
type inbox struct {
	mu    sync.Mutex
	fresh bool
	list  []vigia.Execution
	// handled are those that were begun or ended here; the list may be older.
	handled map[vigia.ExecutionID]bool
}

// put takes the commands there are, and says whether the account has to be
// looked at for them.
func (b *inbox) put(commands []vigia.Execution) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(commands) == 0 && len(b.list) == 0 {
		return false
	}
	for id := range b.handled {
		if !containsExecution(commands, id) {
			delete(b.handled, id)
		}
	}
	b.list, b.fresh = commands, true
	return true
}

// take gives the commands that nobody has handled; false when nothing new came.
func (b *inbox) take() ([]vigia.Execution, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fresh {
		return nil, false
	}
	b.fresh = false
	var out []vigia.Execution
	for _, e := range b.list {
		if !b.handled[e.ID] {
			out = append(out, e)
		}
	}
	return out, true
}

func (b *inbox) handle(id vigia.ExecutionID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.handled == nil {
		b.handled = map[vigia.ExecutionID]bool{}
	}
	b.handled[id] = true
}

func containsExecution(list []vigia.Execution, id vigia.ExecutionID) bool {
	for i := range list {
		if list[i].ID == id {
			return true
		}
	}
	return false
}

// takeCommands takes what came in since the last look.
func (w *ward) takeCommands() {
	if commands, ok := w.inbox.take(); ok {
		w.requested = commands
	}
}

// dropRequest forgets a command that was begun or ended.
func (w *ward) dropRequest(id vigia.ExecutionID) {
	if id == "" {
		return
	}
	w.inbox.handle(id)
	kept := w.requested[:0]
	for _, r := range w.requested {
		if r.ID != id {
			kept = append(kept, r)
		}
	}
	w.requested = kept
}
