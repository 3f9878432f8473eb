package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// MaxIntents bounds the group of one transaction.
const MaxIntents = 64

// limitDay is the span of the limit per day.
const limitDay = 24 * time.Hour

// Intend commits a group of at most [MaxIntents] intents in one transaction,
// before any of their calls is sent. The first result has one entry per intent:
// nil where it was committed, else why it was refused, which leaves the others
// alone:
//
//   - [vigia.ErrFenced]: another process guards the shard now;
//   - [vigia.ErrClaimed]: the lane has an unsettled call, or the execution to be
//     replaced does not hold the claim or is not unknown;
//   - [vigia.ErrChanged]: the command was begun, or has lapsed, already, or the
//     id or signature was used before;
//   - a [vigia.Error] of code limit: the ceiling would be passed.
//
// The second result is for the whole: with it nothing was committed, and nothing
// may be sent.
func (s *Store) Intend(ctx context.Context, intents []vigia.Intent) ([]error, error) {
	if len(intents) == 0 || len(intents) > MaxIntents {
		return nil, fmt.Errorf("intend: got %d intents; it takes 1 to %d", len(intents), MaxIntents)
	}
	var results []error
	try := func(careful bool) error {
		return s.write(ctx, first, func(ctx context.Context, t *tx) error {
			results = make([]error, len(intents))
			return t.intendGroup(ctx, intents, results, careful)
		})
	}
	// Refusals are rare and savepoints are not free: a group is run again with
	// them when one of it is refused.
	err := try(false)
	if errors.Is(err, errRefused) && len(intents) > 1 {
		err = try(true)
	}
	if err != nil && !errors.Is(err, errRefused) {
		return nil, s.failed("commit intents", err)
	}
	return results, nil
}

// errRefused undoes a transaction because an intent in it was refused.
var errRefused = errors.New("an intent was refused")

// intendGroup writes a group and the refusals of its intents. Unless it is
// careful it stops at the first that is refused after the fence.
func (t *tx) intendGroup(ctx context.Context, intents []vigia.Intent, results []error, careful bool) error {
	if err := t.fence(ctx, intents, results); err != nil {
		return err
	}
	for i := range intents {
		if results[i] != nil {
			continue
		}
		intend := func() error { return t.intend(ctx, &intents[i]) }
		var err error
		if careful {
			results[i], err = t.attempt(ctx, intend)
		} else if results[i], err = t.sort(intend()); results[i] != nil {
			return errRefused
		}
		if err != nil {
			return fmt.Errorf("execution %s: %w", intents[i].Execution.ID, err)
		}
	}
	return nil
}

// sort tells what one row was refused for from what the database could not do.
func (t *tx) sort(err error) (refused, failed error) {
	switch {
	case err == nil:
		return nil, nil
	case t.store.engine.taken(err):
		return fmt.Errorf("%w: %w", vigia.ErrChanged, err), nil
	case refusal(err):
		return err, nil
	}
	return nil, err
}

// fence holds the shards of a group and refuses the intents of those that are
// lost.
func (t *tx) fence(ctx context.Context, intents []vigia.Intent, results []error) error {
	fences := make([]vigia.Fence, len(intents))
	for i := range intents {
		fences[i] = intents[i].Execution.Fence
	}
	return t.holdAll(ctx, fences, results)
}

// holdAll holds each fence once, in ascending order, and writes
// [vigia.ErrFenced] to the results of those that are lost.
func (t *tx) holdAll(ctx context.Context, fences []vigia.Fence, results []error) error {
	distinct := slices.Clone(fences)
	slices.SortFunc(distinct, func(a, b vigia.Fence) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Epoch, b.Epoch))
	})
	for _, f := range slices.Compact(distinct) {
		err := t.hold(ctx, f)
		if err != nil && !errors.Is(err, vigia.ErrFenced) {
			return err
		}
		for i := range fences {
			if fences[i] == f {
				results[i] = err
			}
		}
	}
	return nil
}

// hold fails with [vigia.ErrFenced] when the epoch has moved on, and keeps it from
// moving until the end of the transaction. Epoch 0 was never taken by anybody.
func (t *tx) hold(ctx context.Context, f vigia.Fence) error {
	if f.Epoch <= 0 {
		return vigia.ErrFenced
	}
	rows, err := t.HoldFence(ctx, int64(f.Shard), f.Epoch)
	if err != nil {
		return fmt.Errorf("hold the fence of shard %d: %w", f.Shard, err)
	}
	if rows != 1 {
		return vigia.ErrFenced
	}
	return nil
}

// attempt runs f between savepoints. What f refuses is undone and answered as
// refused; what the database could not do is err.
func (t *tx) attempt(ctx context.Context, f func() error) (refused, err error) {
	entries, events := len(t.entries), len(t.events)
	if _, err := t.raw.ExecContext(ctx, "SAVEPOINT attempt"); err != nil {
		return nil, fmt.Errorf("set a savepoint: %w", err)
	}
	if refused, err = t.sort(f()); err != nil {
		return nil, err
	}
	if refused != nil {
		t.entries, t.events = t.entries[:entries], t.events[:events]
		if _, err := t.raw.ExecContext(ctx, "ROLLBACK TO SAVEPOINT attempt"); err != nil {
			return nil, fmt.Errorf("go back to a savepoint: %w", err)
		}
	}
	if _, err := t.raw.ExecContext(ctx, "RELEASE SAVEPOINT attempt"); err != nil {
		return nil, fmt.Errorf("release a savepoint: %w", err)
	}
	return refused, nil
}

// refusal says whether err is about one row, not about the database.
func refusal(err error) bool {
	var public *vigia.Error
	return errors.As(err, &public) || errors.Is(err, vigia.ErrClaimed) || errors.Is(err, vigia.ErrChanged) || errors.Is(err, vigia.ErrNotFound)
}

// intend writes one intent.
func (t *tx) intend(ctx context.Context, intent *vigia.Intent) error {
	e := intent.Execution
	if err := checkIntent(&e); err != nil {
		return err
	}
	e.State = vigia.ExecutionIntent
	if err := t.underCeiling(ctx, &e, intent.Ceiling); err != nil {
		return err
	}
	if err := t.begin(ctx, &e); err != nil {
		return err
	}
	if err := t.claim(ctx, &e); err != nil {
		return err
	}
	if err := t.InsertReserve(ctx, sqlcgen.InsertReserveParams{Execution: string(e.ID), Owner: string(e.Owner),
		Account: string(e.Account), Subject: e.Subject.String(), Cost: int64(e.Cost), Counts: intent.Counts,
		ByHand: e.Automation == "", At: micros(t.now)}); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if err := t.saveStates(ctx, intent.States); err != nil {
		return err
	}
	t.events = append(t.events, intent.Events...)
	return t.journal(accountChain(e.Account), e.Owner, executionKind(&e), &e)
}

// executionKind is the kind of a journal entry about an execution.
func executionKind(e *vigia.Execution) string { return "execution." + string(e.State) }

// checkIntent refuses what no intent may lack: these are mistakes of the
// program, said by name.
func checkIntent(e *vigia.Execution) error {
	switch {
	case e.ID == "" || e.Owner == "" || e.Account == "":
		return vigia.Invalid("execution", "an intent needs id, owner and account")
	case e.Action.Lane() == "":
		return vigia.Invalid("action", fmt.Sprintf("got %q; an intent takes an action that calls the exchange", e.Action))
	case e.Signature == "" || e.SignedAt.IsZero():
		return vigia.Invalid("signature", "an intent is signed before it is committed")
	case e.Command != "" && e.Command != e.ID:
		return vigia.Invalid("command", "a command is carried out under its own id")
	}
	return nil
}

// underCeiling looks once more, inside the transaction, that no limit is passed.
func (t *tx) underCeiling(ctx context.Context, e *vigia.Execution, ceiling *vigia.Ceiling) error {
	if ceiling == nil {
		return nil
	}
	if ceiling.PerDay != vigia.NoLimit {
		counted, err := t.CountedInDay(ctx, string(e.Account),
			micros(t.now.Add(-limitDay-longestCall)), micros(t.now.Add(-limitDay)))
		if err != nil {
			return fmt.Errorf("count the day: %w", err)
		}
		if err := underLimit("per_day_sats", vigia.Sats(counted), e.Cost, ceiling.PerDay); err != nil {
			return err
		}
	}
	if ceiling.PerTrade == vigia.NoLimit {
		return nil
	}
	counted, err := t.CountedOnSubject(ctx, string(e.Account), e.Subject.String())
	if err != nil {
		return fmt.Errorf("count the trade: %w", err)
	}
	return underLimit("per_trade_sats", vigia.Sats(counted), e.Cost, ceiling.PerTrade)
}

func underLimit(field string, counted, cost, limit vigia.Sats) error {
	cost = max(0, cost)
	if cost <= limit-counted {
		return nil
	}
	return &vigia.Error{Code: vigia.CodeLimit, Field: field, Message: fmt.Sprintf(
		"%s sats are held or spent already; %s more would pass the limit of %s", counted.Grouped(), cost.Grouped(), limit.Grouped())}
}

// begin writes the execution: a new row, or the command's own.
func (t *tx) begin(ctx context.Context, e *vigia.Execution) error {
	if e.CreatedAt.IsZero() {
		e.CreatedAt = t.now
	}
	row, err := executionRow(e)
	if err != nil {
		return err
	}
	if e.Command == "" {
		return t.InsertExecution(ctx, row)
	}
	rows, err := t.BeginCommand(ctx, sqlcgen.BeginCommandParams{ID: row.ID, Account: row.Account, Subject: row.Subject,
		Automation: row.Automation, Reason: row.Reason, Step: row.Step, Amount: row.Amount, Cost: row.Cost, Stop: row.Stop,
		Last: row.Last, Partial: row.Partial, Command: row.Command, Replaces: row.Replaces, Before: row.Before,
		Signature: row.Signature, TickAt: row.TickAt, SignedAt: row.SignedAt, Shard: row.Shard, Epoch: row.Epoch})
	if err != nil {
		return fmt.Errorf("begin command: %w", err)
	}
	if rows != 1 {
		return fmt.Errorf("the command was begun, or has lapsed, already: %w", vigia.ErrChanged)
	}
	return nil
}

// claim takes the lane, from the execution that is replaced where there is one.
func (t *tx) claim(ctx context.Context, e *vigia.Execution) error {
	subject, lane := e.Subject.String(), string(e.Action.Lane())
	if e.Replaces != "" {
		rows, err := t.GiveUpClaim(ctx, sqlcgen.GiveUpClaimParams{Account: string(e.Account), Subject: subject, Lane: lane,
			Execution: string(e.Replaces)})
		if err != nil {
			return fmt.Errorf("give up a claim: %w", err)
		}
		if rows != 1 {
			return fmt.Errorf("execution %s has no claim to give up: %w", e.Replaces, vigia.ErrClaimed)
		}
	}
	rows, err := t.InsertClaim(ctx, sqlcgen.InsertClaimParams{Account: string(e.Account), Subject: subject, Lane: lane,
		Owner: string(e.Owner), Execution: string(e.ID)})
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if rows != 1 {
		return vigia.ErrClaimed
	}
	return nil
}
