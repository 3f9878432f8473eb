package act_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/vigiaguard/vigia"
)

// ledger is a record in memory that keeps to the rules of the real one: fences,
// claims, reserves, compare-and-swap.
type ledger struct {
	mu         sync.Mutex
	epoch      int64
	executions map[vigia.ExecutionID]*vigia.Execution
	claims     map[string]vigia.ExecutionID
	reserves   map[vigia.ExecutionID]*vigia.Reserve
	signatures map[string]bool
	// groups are the sizes of the commits, intents and settlements apart.
	intended, settled []int
	down              error
	// entered, when set, gets a value when a commit begins, which then waits for
	// one of leave.
	entered, leave chan struct{}
}

func newLedger() *ledger {
	return &ledger{epoch: 1, executions: map[vigia.ExecutionID]*vigia.Execution{}, claims: map[string]vigia.ExecutionID{},
		reserves: map[vigia.ExecutionID]*vigia.Reserve{}, signatures: map[string]bool{}}
}

func lane(e *vigia.Execution) string {
	return fmt.Sprintf("%s %s %s", e.Account, e.Subject, e.Action.Lane())
}

func (l *ledger) enter() {
	if l.entered != nil {
		l.entered <- struct{}{}
		<-l.leave
	}
}

func (l *ledger) Intend(_ context.Context, intents []vigia.Intent) ([]error, error) {
	l.enter()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.intended = append(l.intended, len(intents))
	if l.down != nil {
		return nil, l.down
	}
	out := make([]error, len(intents))
	for i := range intents {
		out[i] = l.intend(&intents[i].Execution)
	}
	return out, nil
}

func (l *ledger) intend(e *vigia.Execution) error {
	switch holder, held := l.claims[lane(e)]; {
	case e.Fence.Epoch != l.epoch:
		return vigia.ErrFenced
	case l.executions[e.ID] != nil || l.signatures[e.Signature] || e.Signature == "":
		return vigia.ErrChanged
	case held && (holder != e.Replaces || l.executions[holder].State != vigia.ExecutionUnknown):
		return vigia.ErrClaimed
	case !held && e.Replaces != "":
		return vigia.ErrClaimed
	}
	kept := *e
	l.executions[e.ID], l.claims[lane(e)], l.signatures[e.Signature] = &kept, e.ID, true
	l.reserves[e.ID] = &vigia.Reserve{Execution: e.ID, State: vigia.ReserveHeld, Cost: e.Cost}
	return nil
}

func (l *ledger) Settle(_ context.Context, settlements []vigia.Settlement) ([]vigia.Settled, []error, error) {
	l.enter()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settled = append(l.settled, len(settlements))
	if l.down != nil {
		return nil, nil, l.down
	}
	out, errs := make([]vigia.Settled, len(settlements)), make([]error, len(settlements))
	for i := range settlements {
		out[i], errs[i] = l.settle(&settlements[i])
	}
	return out, errs, nil
}

func (l *ledger) settle(s *vigia.Settlement) (vigia.Settled, error) {
	e := l.executions[s.Execution]
	switch {
	case e == nil:
		return vigia.Settled{}, vigia.ErrNotFound
	case e.State.Settled(), e.State == s.To && !slices.Contains(s.From, e.State):
		return vigia.Settled{Execution: *e, Replayed: true}, nil
	case !slices.Contains(s.From, e.State):
		return vigia.Settled{Execution: *e}, vigia.ErrChanged
	}
	e.State, e.After, e.Detail = s.To, s.After, s.Detail
	if !s.SentAt.IsZero() {
		e.SentAt = s.SentAt
	}
	if !e.State.Settled() {
		return vigia.Settled{Execution: *e}, nil
	}
	e.Cost = s.Cost
	if l.claims[lane(e)] == e.ID {
		delete(l.claims, lane(e))
	}
	r := l.reserves[e.ID]
	r.State, r.Cost = vigia.ReserveReleased, s.Cost
	if e.State == vigia.ExecutionDone || s.Cost != 0 {
		r.State = vigia.ReserveSpent
	}
	return vigia.Settled{Execution: *e}, nil
}

// committed says how an execution stands.
func (l *ledger) committed(id vigia.ExecutionID) (vigia.Execution, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.executions[id]; e != nil {
		return *e, true
	}
	return vigia.Execution{}, false
}

// counted is what is held and spent together.
func (l *ledger) counted() (held, spent vigia.Sats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.reserves {
		switch r.State {
		case vigia.ReserveHeld:
			held += r.Cost
		case vigia.ReserveSpent:
			spent += r.Cost
		}
	}
	return held, spent
}
