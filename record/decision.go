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

// Decide keeps what passes over accounts left behind, in one transaction: the
// decisions whose action or reason differ from the last kept one of their
// automation and subject, what the rules remember, the executions that call
// nobody, and the events. The result has one entry per pass: nil, or
// [vigia.ErrFenced] where another process guards the shard now.
func (s *Store) Decide(ctx context.Context, passes []vigia.Decided) ([]error, error) {
	var results []error
	err := s.write(ctx, second, func(ctx context.Context, t *tx) error {
		results = make([]error, len(passes))
		if err := t.fencePasses(ctx, passes, results); err != nil {
			return err
		}
		for i := range passes {
			if results[i] != nil {
				continue
			}
			if err := t.keepPass(ctx, &passes[i]); err != nil {
				return fmt.Errorf("account %s: %w", passes[i].Account, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.failed("keep decisions", err)
	}
	return results, nil
}

// fencePasses holds the shards as an intent does.
func (t *tx) fencePasses(ctx context.Context, passes []vigia.Decided, results []error) error {
	fences := make([]vigia.Fence, len(passes))
	for i := range passes {
		fences[i] = passes[i].Fence
	}
	return t.holdAll(ctx, fences, results)
}

func (t *tx) keepPass(ctx context.Context, pass *vigia.Decided) error {
	for i := range pass.Decisions {
		if err := t.keepDecision(ctx, pass, &pass.Decisions[i]); err != nil {
			return err
		}
	}
	for i := range pass.Executions {
		if err := t.keepExecution(ctx, pass.Executions[i]); err != nil {
			return err
		}
	}
	t.events = append(t.events, pass.Events...)
	return t.saveStates(ctx, pass.Owner, pass.Account, pass.States)
}

// keepDecision keeps a decision when it says something new.
func (t *tx) keepDecision(ctx context.Context, pass *vigia.Decided, d *vigia.Decision) error {
	last, err := t.LastDecision(ctx, string(pass.Account), string(d.Automation), d.Subject.String())
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the last decision: %w", err)
	}
	if err == nil && last.Action == string(d.Action) && last.Reason == string(d.Reason) {
		return nil
	}
	text, err := toJSON(d)
	if err != nil {
		return err
	}
	if err := t.InsertDecision(ctx, sqlcgen.InsertDecisionParams{ID: vigia.NewID(t.now), Owner: string(pass.Owner),
		Account: string(pass.Account), Automation: string(d.Automation), Subject: d.Subject.String(),
		Action: string(d.Action), Reason: string(d.Reason), At: micros(t.now), Decision: text}); err != nil {
		return fmt.Errorf("keep decision: %w", err)
	}
	return nil
}

// keepExecution keeps one that calls nobody.
func (t *tx) keepExecution(ctx context.Context, e vigia.Execution) error {
	if e.State != vigia.ExecutionSkipped && e.State != vigia.ExecutionDryRun {
		return vigia.Invalid("state", fmt.Sprintf("got %q; only skipped and dry_run call nobody", e.State))
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

// Decisions lists the owner's, newest first: of one account, or of all when
// account is empty. before is the id of the last one seen, empty for the first
// page.
func (s *Store) Decisions(ctx context.Context, owner vigia.UserID, account vigia.AccountID, before string, limit int) ([]vigia.KeptDecision, error) {
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
