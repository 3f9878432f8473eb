package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Memory is what the record knows of one account, all of it as it stood at one
// moment.
func (s *Store) Memory(ctx context.Context, id vigia.AccountID) (vigia.Memory, error) {
	var m vigia.Memory
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		row, err := q.AccountByID(ctx, string(id))
		if err != nil {
			return found(err)
		}
		if m.Account, err = account(&row); err != nil {
			return err
		}
		return s.remember(ctx, q, &m)
	})
	return m, s.failed("read what is known of account "+string(id), err)
}

func (s *Store) remember(ctx context.Context, q *sqlcgen.Queries, m *vigia.Memory) error {
	id := m.Account.ID
	automations, err := q.AutomationsOfAccount(ctx, string(id))
	if m.Automations, err = each(automations, err, automation); err != nil {
		return fmt.Errorf("automations: %w", err)
	}
	states, err := q.StatesOfAccount(ctx, string(id))
	if m.States, err = each(states, err, automationState); err != nil {
		return fmt.Errorf("states: %w", err)
	}
	if m.Reserves, err = reserves(ctx, q, id, s.now().Add(-limitDay)); err != nil {
		return fmt.Errorf("reserves: %w", err)
	}
	unsettled, err := q.UnsettledExecutions(ctx, string(id))
	if m.Unsettled, err = each(unsettled, err, execution); err != nil {
		return fmt.Errorf("unsettled executions: %w", err)
	}
	if m.SettledAdds, err = settledAdds(ctx, q, m.Unsettled); err != nil {
		return fmt.Errorf("settled adds: %w", err)
	}
	m.Snapshot, err = snapshot(ctx, q, id)
	if errors.Is(err, vigia.ErrNotFound) {
		return nil
	}
	return err
}

// settledAdds are those that may have changed a trade since an unsettled
// execution was begun, by our clock: that of its signature is the exchange's.
func settledAdds(ctx context.Context, q *sqlcgen.Queries, unsettled []vigia.Execution) ([]vigia.Execution, error) {
	if len(unsettled) == 0 {
		return nil, nil
	}
	since := micros(unsettled[0].SignedAt)
	for i := range unsettled {
		since = min(since, micros(unsettled[i].SignedAt), micros(unsettled[i].CreatedAt))
	}
	rows, err := q.SettledAdds(ctx, string(unsettled[0].Account), since-longestCall.Microseconds(), since)
	return each(rows, err, execution)
}

// read runs f on one snapshot of the database.
func (s *Store) read(ctx context.Context, f func(ctx context.Context, q *sqlcgen.Queries) error) (err error) {
	options := &sql.TxOptions{ReadOnly: true}
	if s.config.onPostgres() {
		options.Isolation = sql.LevelRepeatableRead
	}
	transaction, err := s.engine.readers(first).BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer func() {
		// Nothing was written: a rollback ends it as well as a commit.
		if undo := transaction.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("end reading: %w", undo))
		}
	}()
	return f(ctx, s.guardReads.WithTx(transaction))
}

// Revision changes whenever accounts, automations or stop modes do.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	revision, err := s.guardReads.Revision(ctx)
	return revision, s.failed("read the revision", err)
}
