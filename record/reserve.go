package record

import (
	"context"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Reserves are those of an account that still matter: all that are held, all
// that were spent after since, and all that were ever spent on the given
// subjects. No order is promised.
func (s *Store) Reserves(ctx context.Context, account vigia.AccountID, since time.Time, subjects []vigia.Subject) ([]vigia.Reserve, error) {
	rows, err := s.guardReads.RecentReserves(ctx, string(account), micros(since))
	reserves, err := each(rows, err, func(row *sqlcgen.RecentReservesRow) (vigia.Reserve, error) {
		return reserve(&sqlcgen.Reserve{Execution: row.Execution, Owner: row.Owner, Account: row.Account, Subject: row.Subject,
			State: row.State, Cost: row.Cost, Counts: row.Counts, ByHand: row.ByHand, At: row.At, SettledAt: row.SettledAt},
			row.ExecutionState)
	})
	if err != nil {
		return nil, s.failed("read reserves", err)
	}
	for _, subject := range subjects {
		rows, err := s.guardReads.SpentOnSubject(ctx, string(account), subject.String(), micros(since))
		older, err := each(rows, err, func(row *sqlcgen.Reserve) (vigia.Reserve, error) { return reserve(row, "") })
		if err != nil {
			return nil, s.failed("read reserves", err)
		}
		reserves = append(reserves, older...)
	}
	return reserves, nil
}

// AllReserves are those of every account that still matter when the program
// starts: all that are held, all spent after since, and all ever spent on a trade
// that was running when it was last seen. They are ordered by account.
func (s *Store) AllReserves(ctx context.Context, since time.Time) ([]vigia.Reserve, error) {
	rows, err := s.guardReads.AllReserves(ctx, micros(since))
	reserves, err := each(rows, err, func(row *sqlcgen.AllReservesRow) (vigia.Reserve, error) {
		return reserve(&sqlcgen.Reserve{Execution: row.Execution, Owner: row.Owner, Account: row.Account, Subject: row.Subject,
			State: row.State, Cost: row.Cost, Counts: row.Counts, ByHand: row.ByHand, At: row.At, SettledAt: row.SettledAt},
			row.ExecutionState)
	})
	return reserves, s.failed("read reserves", err)
}

func reserve(row *sqlcgen.Reserve, execution string) (vigia.Reserve, error) {
	subject, err := vigia.ParseSubject(row.Subject)
	return vigia.Reserve{Execution: vigia.ExecutionID(row.Execution), Account: vigia.AccountID(row.Account), Subject: subject,
		State: vigia.ReserveState(row.State), Cost: vigia.Sats(row.Cost), Counts: row.Counts, ByHand: row.ByHand,
		At: fromMicros(row.At), SettledAt: fromMicros(row.SettledAt),
		Unknown: vigia.ExecutionState(execution) == vigia.ExecutionUnknown}, err
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
