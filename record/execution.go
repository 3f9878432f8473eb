package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// executionRow puts an execution into columns.
func executionRow(e *vigia.Execution) (sqlcgen.InsertExecutionParams, error) {
	before, err := tradeJSON(&e.Before)
	if err != nil {
		return sqlcgen.InsertExecutionParams{}, err
	}
	after, err := tradeJSON(&e.After)
	if err != nil {
		return sqlcgen.InsertExecutionParams{}, err
	}
	return sqlcgen.InsertExecutionParams{
		ID: string(e.ID), Owner: string(e.Owner), Account: string(e.Account), Automation: string(e.Automation),
		Subject: e.Subject.String(), Action: string(e.Action), Lane: string(e.Action.Lane()), State: string(e.State),
		Reason: string(e.Reason), Step: int64(e.Step), Amount: int64(e.Amount), Cost: int64(e.Cost),
		Stop: int64(e.Stop), Last: int64(e.Last), Partial: e.Partial, Command: string(e.Command),
		Replaces: string(e.Replaces), Before: before, After: after, Signature: e.Signature,
		TickAt: micros(e.TickAt), CreatedAt: micros(e.CreatedAt), SignedAt: micros(e.SignedAt), SentAt: micros(e.SentAt),
		AnsweredAt: micros(e.AnsweredAt), SettledAt: micros(e.SettledAt), Class: string(e.Class), Detail: plain(e.Detail),
		Raw: e.Raw, Shard: int64(e.Fence.Shard), Epoch: e.Fence.Epoch, MayRepeat: e.MayRepeat,
	}, nil
}

// execution reads it back.
func execution(row *sqlcgen.Execution) (vigia.Execution, error) {
	e := vigia.Execution{
		ID: vigia.ExecutionID(row.ID), Owner: vigia.UserID(row.Owner), Account: vigia.AccountID(row.Account),
		Automation: vigia.AutomationID(row.Automation), Action: vigia.Action(row.Action),
		State: vigia.ExecutionState(row.State), Reason: vigia.Reason(row.Reason), Step: int(row.Step),
		Amount: vigia.Sats(row.Amount), Cost: vigia.Sats(row.Cost), Stop: vigia.Price(row.Stop), Last: vigia.Price(row.Last),
		Partial: row.Partial, Command: vigia.ExecutionID(row.Command), Replaces: vigia.ExecutionID(row.Replaces),
		Signature: row.Signature, TickAt: fromMicros(row.TickAt), CreatedAt: fromMicros(row.CreatedAt),
		SignedAt: fromMicros(row.SignedAt), SentAt: fromMicros(row.SentAt), AnsweredAt: fromMicros(row.AnsweredAt),
		SettledAt: fromMicros(row.SettledAt), Class: vigia.ErrorClass(row.Class), Detail: row.Detail, Raw: row.Raw,
		Fence: vigia.Fence{Shard: int(row.Shard), Epoch: row.Epoch}, MayRepeat: row.MayRepeat,
	}
	var err error
	if e.Subject, err = vigia.ParseSubject(row.Subject); err != nil {
		return e, fmt.Errorf("execution %s: %w", row.ID, err)
	}
	if err := json.Unmarshal([]byte(row.Before), &e.Before); err != nil {
		return e, fmt.Errorf("execution %s: trade before: %w", row.ID, err)
	}
	if err := json.Unmarshal([]byte(row.After), &e.After); err != nil {
		return e, fmt.Errorf("execution %s: trade after: %w", row.ID, err)
	}
	return e, nil
}

// tradeJSON is a trade as it is kept; no trade is an empty object.
func tradeJSON(t *vigia.Trade) (string, error) {
	if *t == (vigia.Trade{}) {
		return "{}", nil
	}
	return toJSON(t)
}

func toJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write %T as JSON: %w", v, err)
	}
	// PostgreSQL takes no NUL, not even one that is escaped.
	return strings.ReplaceAll(string(text), `\u0000`, `\ufffd`), nil
}

// plain is a text that both engines take: what came from outside may hold
// anything, and a settlement must not fail for it.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// each turns rows into values, and stops at the first that cannot be read.
func each[R, V any](rows []R, err error, read func(*R) (V, error)) ([]V, error) {
	if err != nil {
		return nil, err
	}
	values := make([]V, 0, len(rows))
	for i := range rows {
		value, err := read(&rows[i])
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// found turns a missing row into [vigia.ErrNotFound].
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return vigia.ErrNotFound
	}
	return err
}

// Execution is one of the owner's.
func (s *Store) Execution(ctx context.Context, owner vigia.UserID, id vigia.ExecutionID) (vigia.Execution, error) {
	row, err := s.reads.OwnedExecution(ctx, string(owner), string(id))
	if err != nil {
		return vigia.Execution{}, s.failed("read execution", found(err))
	}
	return execution(&row)
}

// ListExecutions lists the owner's, newest first: of one account, or of all when
// account is empty. before is the id of the last one seen, empty for the first
// page.
func (s *Store) ListExecutions(ctx context.Context, owner vigia.UserID, account vigia.AccountID, before vigia.ExecutionID, limit int) ([]vigia.Execution, error) {
	if before == "" {
		before = lastID
	}
	var rows []sqlcgen.Execution
	var err error
	if account == "" {
		rows, err = s.reads.ExecutionsOfOwner(ctx, string(owner), string(before), page(limit))
	} else {
		rows, err = s.reads.ExecutionsOfAccount(ctx, sqlcgen.ExecutionsOfAccountParams{
			Owner: string(owner), Account: string(account), Before: string(before), Most: page(limit)})
	}
	executions, err := each(rows, err, execution)
	return executions, s.failed("list executions", err)
}

// Unsettled are the executions of an account in state intent or unknown, oldest
// first; those of all accounts when account is empty.
func (s *Store) Unsettled(ctx context.Context, account vigia.AccountID) ([]vigia.Execution, error) {
	var rows []sqlcgen.Execution
	var err error
	if account == "" {
		rows, err = s.guardReads.AllUnsettledExecutions(ctx)
	} else {
		rows, err = s.guardReads.UnsettledExecutions(ctx, string(account))
	}
	executions, err := each(rows, err, execution)
	return executions, s.failed("list unsettled executions", err)
}

// Requested are the commands of all accounts that wait to be begun, by account,
// oldest first.
func (s *Store) Requested(ctx context.Context) ([]vigia.Execution, error) {
	rows, err := s.guardReads.RequestedExecutions(ctx)
	executions, err := each(rows, err, execution)
	return executions, s.failed("list commands", err)
}

// lastID sorts after every id.
const lastID = "~"

// page bounds the length of a list: 1 to 500, 50 when not said.
func page(limit int) int32 {
	if limit <= 0 {
		return 50
	}
	return int32(min(limit, 500))
}

// failed says what was being done, and explains what the engine said.
func (s *Store) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, s.engine.explain(err))
}
