package record

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Memories is what the record knows of every account, by account, all of it as it
// stood at one moment: what the guard starts from. It is Memory of each account,
// read in few queries and decoded on all processors.
func (s *Store) Memories(ctx context.Context) ([]vigia.Memory, error) {
	all := &memories{at: map[string]*vigia.Memory{}}
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		since := micros(s.now().Add(-limitDay))
		for _, part := range []func(context.Context, *sqlcgen.Queries, int64) error{
			all.accounts, all.automations, all.states, all.seenAccounts, all.seenTrades, all.held, all.spent, all.unsettled,
		} {
			if err := part(ctx, q, since); err != nil {
				return err
			}
		}
		return nil
	})
	return all.list, s.failed("read what is known of all accounts", err)
}

// memories is being read. Rows of accounts that are gone are left out.
type memories struct {
	list []vigia.Memory
	at   map[string]*vigia.Memory
}

func (m *memories) accounts(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.AllAccounts(ctx)
	m.list, err = each(rows, err, func(row *sqlcgen.Account) (vigia.Memory, error) {
		a, err := account(row)
		return vigia.Memory{Account: a}, err
	})
	for i := range m.list {
		m.at[string(m.list[i].Account.ID)] = &m.list[i]
	}
	return err
}

func (m *memories) automations(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.AllAutomations(ctx)
	return share(m, rows, err, func(row *sqlcgen.Automation) string { return row.Account }, automation,
		func(into *vigia.Memory, a vigia.Automation) { into.Automations = append(into.Automations, a) })
}

func (m *memories) states(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.AllStates(ctx)
	return share(m, rows, err, func(row *sqlcgen.AllStatesRow) string { return row.Account },
		func(row *sqlcgen.AllStatesRow) (vigia.AutomationState, error) { return automationState(&row.State) },
		func(into *vigia.Memory, state vigia.AutomationState) { into.States = append(into.States, state) })
}

func (m *memories) seenAccounts(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.SeenAccounts(ctx)
	return share(m, rows, err, func(row *sqlcgen.AccountSeen) string { return row.Account }, snapshotOf,
		func(into *vigia.Memory, last *vigia.Snapshot) { into.Snapshot = last })
}

func (m *memories) seenTrades(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.SeenTrades(ctx)
	return share(m, rows, err, func(row *sqlcgen.SeenTradesRow) string { return row.Account },
		func(row *sqlcgen.SeenTradesRow) (vigia.Seen, error) { return seenTrade(&row.Seen) },
		func(into *vigia.Memory, seen vigia.Seen) {
			if into.Snapshot != nil {
				into.Snapshot.Trades = append(into.Snapshot.Trades, seen)
			}
		})
}

func (m *memories) held(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.AllHeldReserves(ctx)
	return share(m, rows, err, func(row *sqlcgen.AllHeldReservesRow) string { return row.Account },
		func(row *sqlcgen.AllHeldReservesRow) (vigia.Reserve, error) {
			held := sqlcgen.HeldReservesRow(*row)
			return heldReserve(&held)
		}, addReserve)
}

func (m *memories) spent(ctx context.Context, q *sqlcgen.Queries, since int64) error {
	rows, err := q.AllSpentSince(ctx, since)
	return share(m, rows, err, func(row *sqlcgen.Reserve) string { return row.Account }, reserve, addReserve)
}

func addReserve(into *vigia.Memory, r vigia.Reserve) { into.Reserves = append(into.Reserves, r) }

func (m *memories) unsettled(ctx context.Context, q *sqlcgen.Queries, _ int64) error {
	rows, err := q.AllUnsettledExecutions(ctx)
	if err := share(m, rows, err, func(row *sqlcgen.Execution) string { return row.Account }, execution,
		func(into *vigia.Memory, e vigia.Execution) { into.Unsettled = append(into.Unsettled, e) }); err != nil {
		return err
	}
	for i := range m.list {
		if m.list[i].SettledAdds, err = settledAdds(ctx, q, m.list[i].Unsettled); err != nil {
			return fmt.Errorf("settled adds: %w", err)
		}
	}
	return nil
}

// share decodes rows on all processors and hands each to its account, in order.
func share[R, V any](m *memories, rows []R, err error, of func(*R) string, decode func(*R) (V, error), add func(*vigia.Memory, V)) error {
	if err != nil {
		return err
	}
	values := make([]V, len(rows))
	workers := runtime.GOMAXPROCS(0)
	failed := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w * len(rows) / workers; i < (w+1)*len(rows)/workers; i++ {
				if values[i], failed[w] = decode(&rows[i]); failed[w] != nil {
					return
				}
			}
		})
	}
	wait.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for i := range rows {
		if into := m.at[of(&rows[i])]; into != nil {
			add(into, values[i])
		}
	}
	return nil
}
