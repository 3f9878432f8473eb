package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// partRows bounds the rows of one transaction of those that may be long: an
// intent that comes meanwhile waits for one part only.
const partRows = 32

// Keep writes what the guard's turns left behind, in transactions of at most 32
// rows. It fails with [vigia.ErrFenced] when another process guards the shard now.
// A call that failed may be repeated: what was written is not written again, but
// events may be told twice.
func (s *Store) Keep(ctx context.Context, kept vigia.Kept) error {
	for more := true; more; {
		var part vigia.Kept
		part, more = cutPart(&kept)
		if err := s.write(ctx, second, func(ctx context.Context, t *tx) error { return t.keepPart(ctx, &part) }); err != nil {
			return s.failed("keep decisions", err)
		}
	}
	return nil
}

// cutPart takes the next rows off, and says whether any are left.
func cutPart(kept *vigia.Kept) (part vigia.Kept, more bool) {
	room := partRows
	part.Fence = kept.Fence
	part.States = cut(&kept.States, &room)
	part.Forget = cut(&kept.Forget, &room)
	part.Executions = cut(&kept.Executions, &room)
	part.Decisions = cut(&kept.Decisions, &room)
	part.Events = cut(&kept.Events, &room)
	return part, len(kept.States)+len(kept.Forget)+len(kept.Executions)+len(kept.Decisions)+len(kept.Events) > 0
}

func cut[T any](rows *[]T, room *int) []T {
	n := min(len(*rows), *room)
	taken := (*rows)[:n]
	*rows, *room = (*rows)[n:], *room-n
	return taken
}

func (t *tx) keepPart(ctx context.Context, part *vigia.Kept) error {
	if err := t.hold(ctx, part.Fence); err != nil {
		return err
	}
	if err := t.saveStates(ctx, part.States); err != nil {
		return err
	}
	for _, ended := range part.Forget {
		if _, err := t.ForgetStates(ctx, string(ended.Account), ended.Subject.String()); err != nil {
			return fmt.Errorf("forget %s: %w", ended.Subject, err)
		}
	}
	for i := range part.Executions {
		if err := t.keepExecution(ctx, part.Executions[i]); err != nil {
			return err
		}
	}
	for i := range part.Decisions {
		if err := t.keepDecision(ctx, part.Decisions[i]); err != nil {
			return err
		}
	}
	t.events = append(t.events, part.Events...)
	return nil
}

// keepDecision keeps a decision when it says something new.
func (t *tx) keepDecision(ctx context.Context, d vigia.KeptDecision) error {
	last, err := t.LastDecision(ctx, string(d.Account), string(d.Automation), d.Subject.String())
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the last decision: %w", err)
	}
	if err == nil && last.Action == string(d.Action) && last.Reason == string(d.Reason) {
		var kept vigia.Decision
		if err := json.Unmarshal([]byte(last.Decision), &kept); err != nil {
			return fmt.Errorf("read the last decision: %w", err)
		}
		if kept.DryRun == d.DryRun {
			return nil
		}
	}
	if d.At.IsZero() {
		d.At = t.now
	}
	if d.ID == "" {
		d.ID = vigia.NewID(d.At)
	}
	text, err := toJSON(&d.Decision)
	if err != nil {
		return err
	}
	if err := t.InsertDecision(ctx, sqlcgen.InsertDecisionParams{ID: d.ID, Owner: string(d.Owner),
		Account: string(d.Account), Automation: string(d.Automation), Subject: d.Subject.String(),
		Action: string(d.Action), Reason: string(d.Reason), At: micros(d.At), Decision: text}); err != nil {
		return fmt.Errorf("keep decision: %w", err)
	}
	return nil
}

// keepExecution keeps one that calls nobody, once.
func (t *tx) keepExecution(ctx context.Context, e vigia.Execution) error {
	if e.State != vigia.ExecutionSkipped && e.State != vigia.ExecutionDryRun {
		return vigia.Invalid("state", fmt.Sprintf("got %q; only skipped and dry_run call nobody", e.State))
	}
	if _, err := t.ExecutionByID(ctx, string(e.ID)); !errors.Is(err, sql.ErrNoRows) {
		return err // there already, or not to be known
	}
	if e.CreatedAt.IsZero() {
		e.CreatedAt = t.now
	}
	e.SettledAt = t.now
	row, err := executionRow(&e)
	if err != nil {
		return err
	}
	if err := t.InsertExecution(ctx, row); err != nil {
		return fmt.Errorf("keep execution: %w", err)
	}
	return t.journal(accountChain(e.Account), e.Owner, executionKind(&e), &e)
}

// ListDecisions lists the owner's, newest first: of one account, or of all when
// account is empty. before is the id of the last one seen, empty for the first
// page.
func (s *Store) ListDecisions(ctx context.Context, owner vigia.UserID, account vigia.AccountID, before string, limit int) ([]vigia.KeptDecision, error) {
	if before == "" {
		before = lastID
	}
	var rows []sqlcgen.Decision
	var err error
	if account == "" {
		rows, err = s.reads.DecisionsOfOwner(ctx, string(owner), before, page(limit))
	} else {
		rows, err = s.reads.DecisionsOfAccount(ctx, sqlcgen.DecisionsOfAccountParams{
			Owner: string(owner), Account: string(account), Before: before, Most: page(limit)})
	}
	decisions, err := each(rows, err, keptDecision)
	return decisions, s.failed("list decisions", err)
}

// Decision is one of the owner's.
func (s *Store) Decision(ctx context.Context, owner vigia.UserID, id string) (vigia.KeptDecision, error) {
	row, err := s.reads.OwnedDecision(ctx, string(owner), id)
	if err != nil {
		return vigia.KeptDecision{}, s.failed("read decision", found(err))
	}
	return keptDecision(&row)
}

func keptDecision(row *sqlcgen.Decision) (vigia.KeptDecision, error) {
	kept := vigia.KeptDecision{ID: row.ID, Owner: vigia.UserID(row.Owner), Account: vigia.AccountID(row.Account), At: fromMicros(row.At)}
	if err := json.Unmarshal([]byte(row.Decision), &kept.Decision); err != nil {
		return kept, fmt.Errorf("decision %s: %w", row.ID, err)
	}
	return kept, nil
}
