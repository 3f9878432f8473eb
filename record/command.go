package record

import (
	"context"
	"fmt"

	"github.com/vigiaguard/vigia"
)

// Request keeps a person's command for the guard to begin: an execution in state
// requested. It holds no claim and no sats. [vigia.ErrNotFound] says that the owner
// has no such account.
func (s *Store) Request(ctx context.Context, e vigia.Execution) (vigia.Execution, error) {
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		if _, err := t.OwnedAccount(ctx, string(e.Owner), string(e.Account)); err != nil {
			return fmt.Errorf("account %s: %w", e.Account, found(err))
		}
		if e.Action.Lane() == "" {
			return vigia.Invalid("action", fmt.Sprintf("got %q; a command is an action that calls the exchange", e.Action))
		}
		e.State, e.Command, e.CreatedAt = vigia.ExecutionRequested, e.ID, t.now
		row, err := executionRow(&e)
		if err != nil {
			return err
		}
		if err := t.InsertExecution(ctx, row); err != nil {
			return err
		}
		return t.journal(accountChain(e.Account), e.Owner, executionKind(&e), &e)
	})
	return e, s.failed("request execution", err)
}

// Expire lets the commands of an account lapse that were not begun within
// [vigia.CommandExpires], and gives them back.
func (s *Store) Expire(ctx context.Context, fence vigia.Fence, account vigia.AccountID) ([]vigia.Execution, error) {
	var expired []vigia.Execution
	err := s.write(ctx, second, func(ctx context.Context, t *tx) error {
		if err := t.hold(ctx, fence); err != nil {
			return err
		}
		rows, err := t.ExpireCommands(ctx, micros(t.now), string(account), micros(t.now.Add(-vigia.CommandExpires)))
		if expired, err = each(rows, err, execution); err != nil {
			return err
		}
		for i := range expired {
			e := &expired[i]
			if err := t.journal(accountChain(e.Account), e.Owner, executionKind(e), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.failed("expire commands", err)
	}
	return expired, nil
}
