package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Settle commits what became of a group of executions, in one transaction: for
// each its state by compare-and-swap, the end of its claim, its reserve, what the
// rule remembers, the journal entry and the events. It is not fenced. A settlement
// of what is settled already is answered from what stands, Replayed, and writes
// nothing; so is one from intent to unknown of what is unknown already.
//
// The second result has one entry per settlement: nil, [vigia.ErrChanged] for an
// execution in a state that From does not name, [vigia.ErrNotFound] where there is
// none, or a [vigia.Error] about the settlement itself; the others are committed.
// The third is for the whole: nothing was written.
func (s *Store) Settle(ctx context.Context, settlements []vigia.Settlement) ([]vigia.Settled, []error, error) {
	var settled []vigia.Settled
	var results []error
	err := s.write(ctx, first, func(ctx context.Context, t *tx) error {
		settled, results = make([]vigia.Settled, len(settlements)), make([]error, len(settlements))
		for i := range settlements {
			var err error
			// What it refuses it refuses before it writes.
			if settled[i], err = t.settle(ctx, &settlements[i]); err != nil && !refusal(err) {
				return fmt.Errorf("execution %s: %w", settlements[i].Execution, err)
			}
			results[i] = err
		}
		return nil
	})
	if err != nil {
		return nil, nil, s.failed("commit settlements", err)
	}
	return settled, results, nil
}

func checkSettlement(s *vigia.Settlement) error {
	switch s.To {
	case vigia.ExecutionUnknown, vigia.ExecutionDone, vigia.ExecutionFailed, vigia.ExecutionSuperseded,
		vigia.ExecutionGone, vigia.ExecutionSkipped:
		return nil
	}
	return vigia.Invalid("to", fmt.Sprintf("got %q; an execution settles as unknown, done, failed, superseded, gone or skipped", s.To))
}

// settle swaps the state; when somebody else was quicker it looks again.
func (t *tx) settle(ctx context.Context, s *vigia.Settlement) (vigia.Settled, error) {
	if err := checkSettlement(s); err != nil {
		return vigia.Settled{}, err
	}
	for {
		row, err := t.ExecutionByID(ctx, string(s.Execution))
		if err != nil {
			return vigia.Settled{}, found(err)
		}
		e, err := execution(&row)
		if err != nil {
			return vigia.Settled{}, err
		}
		if e.State.Settled() || !settlesFrom(s, e.State) {
			if e.State.Settled() || e.State == s.To {
				return vigia.Settled{Execution: e, Replayed: true}, nil
			}
			return vigia.Settled{Execution: e}, fmt.Errorf("execution is %s: %w", e.State, vigia.ErrChanged)
		}
		apply(s, &e, t)
		swapped, err := t.swap(ctx, vigia.ExecutionState(row.State), &e)
		if err != nil {
			return vigia.Settled{}, err
		}
		if swapped {
			return vigia.Settled{Execution: e}, t.afterSwap(ctx, s, &e)
		}
	}
}

func settlesFrom(s *vigia.Settlement, state vigia.ExecutionState) bool {
	if len(s.From) == 0 {
		return state == vigia.ExecutionIntent || state == vigia.ExecutionUnknown
	}
	return slices.Contains(s.From, state)
}

// apply puts what became known into the execution.
func apply(s *vigia.Settlement, e *vigia.Execution, t *tx) {
	e.State, e.Class, e.Detail, e.MayRepeat = s.To, s.Class, s.Detail, s.MayRepeat
	if s.Reason != "" {
		e.Reason = s.Reason
	}
	if s.After != (vigia.Trade{}) {
		e.After = s.After
	}
	if !s.SentAt.IsZero() {
		e.SentAt = s.SentAt
	}
	if !s.AnsweredAt.IsZero() {
		e.AnsweredAt = s.AnsweredAt
	}
	if s.Raw != nil {
		e.Raw = s.Raw
	}
	if s.To.Settled() {
		e.Cost, e.SettledAt = s.Cost, t.now
	}
}

// swap writes the execution while the row still is in the state it was read in.
func (t *tx) swap(ctx context.Context, from vigia.ExecutionState, e *vigia.Execution) (bool, error) {
	row, err := executionRow(e)
	if err != nil {
		return false, err
	}
	rows, err := t.SettleExecution(ctx, sqlcgen.SettleExecutionParams{ID: row.ID, FromState: string(from), State: row.State,
		Reason: row.Reason, Cost: row.Cost, After: row.After, SentAt: row.SentAt, AnsweredAt: row.AnsweredAt,
		SettledAt: row.SettledAt, Class: row.Class, Detail: row.Detail, Raw: row.Raw, MayRepeat: row.MayRepeat})
	if err != nil {
		return false, fmt.Errorf("swap the state: %w", err)
	}
	return rows == 1, nil
}

// afterSwap writes what follows from the new state.
func (t *tx) afterSwap(ctx context.Context, s *vigia.Settlement, e *vigia.Execution) error {
	if e.State.Settled() {
		if err := t.release(ctx, e); err != nil {
			return err
		}
	}
	if s.Proved {
		if err := t.RenewProof(ctx, micros(t.now), string(e.Account)); err != nil {
			return fmt.Errorf("renew the proof: %w", err)
		}
	}
	if err := t.saveStates(ctx, s.States); err != nil {
		return err
	}
	t.events = append(t.events, s.Events...)
	// The trade as it was is in the entry of the intent.
	short := *e
	short.Before = vigia.Trade{}
	return t.journal(accountChain(e.Account), e.Owner, executionKind(e), &short)
}

// release ends claim and reserve. The claim may have gone to a later attempt;
// a command that was never begun has neither.
func (t *tx) release(ctx context.Context, e *vigia.Execution) error {
	if _, err := t.DeleteClaim(ctx, sqlcgen.DeleteClaimParams{Account: string(e.Account), Subject: e.Subject.String(),
		Lane: string(e.Action.Lane()), Execution: string(e.ID)}); err != nil {
		return fmt.Errorf("end the claim: %w", err)
	}
	state := vigia.ReserveReleased
	if e.State == vigia.ExecutionDone || e.Cost != 0 {
		state = vigia.ReserveSpent
	}
	if _, err := t.SettleReserve(ctx, sqlcgen.SettleReserveParams{State: string(state), Cost: int64(e.Cost),
		SettledAt: micros(t.now), Execution: string(e.ID)}); err != nil {
		return fmt.Errorf("settle the reserve: %w", err)
	}
	return nil
}
