package record

import (
	"context"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// longestCall bounds how long a call can stay unknown and still be settled as
// done: searches by the time of the intent go back by it.
const longestCall = 30 * 24 * time.Hour

// Reserves are those of an account that still matter: all that are held, all
// that were spent after since, and all that were ever spent on a trade that was
// running when it was last seen. No order is promised.
func (s *Store) Reserves(ctx context.Context, account vigia.AccountID, since time.Time) ([]vigia.Reserve, error) {
	found, err := reserves(ctx, s.guardReads, account, since)
	return found, s.failed("read reserves", err)
}

func reserves(ctx context.Context, q *sqlcgen.Queries, account vigia.AccountID, since time.Time) ([]vigia.Reserve, error) {
	rows, err := q.HeldReserves(ctx, string(account))
	held, err := each(rows, err, heldReserve)
	if err != nil {
		return nil, err
	}
	recent, err := q.SpentSince(ctx, string(account), micros(since.Add(-longestCall)), micros(since))
	spent, err := each(recent, err, reserve)
	if err != nil {
		return nil, err
	}
	running, err := q.SpentOnRunning(ctx, string(account), micros(since))
	older, err := each(running, err, reserve)
	return slices.Concat(held, spent, older), err
}

func heldReserve(row *sqlcgen.HeldReservesRow) (vigia.Reserve, error) {
	r, err := reserve(&sqlcgen.Reserve{Execution: row.Execution, Owner: row.Owner, Account: row.Account, Subject: row.Subject,
		State: row.State, Cost: row.Cost, Counts: row.Counts, ByHand: row.ByHand, At: row.At, SettledAt: row.SettledAt})
	r.Unknown = vigia.ExecutionState(row.ExecutionState) == vigia.ExecutionUnknown
	return r, err
}

func reserve(row *sqlcgen.Reserve) (vigia.Reserve, error) {
	subject, err := vigia.ParseSubject(row.Subject)
	return vigia.Reserve{Execution: vigia.ExecutionID(row.Execution), Account: vigia.AccountID(row.Account), Subject: subject,
		State: vigia.ReserveState(row.State), Cost: vigia.Sats(row.Cost), Counts: row.Counts, ByHand: row.ByHand,
		At: fromMicros(row.At), SettledAt: fromMicros(row.SettledAt)}, err
}

// Claims are the unsettled lanes of an account.
func (s *Store) Claims(ctx context.Context, account vigia.AccountID) ([]vigia.Claim, error) {
	rows, err := s.guardReads.ClaimsOfAccount(ctx, string(account))
	claims, err := each(rows, err, func(row *sqlcgen.Claim) (vigia.Claim, error) {
		subject, err := vigia.ParseSubject(row.Subject)
		return vigia.Claim{Account: vigia.AccountID(row.Account), Subject: subject, Lane: vigia.Lane(row.Lane),
			Execution: vigia.ExecutionID(row.Execution)}, err
	})
	return claims, s.failed("read claims", err)
}
