package record

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// SaveSnapshot keeps the last look at an account, to start from after the next
// start of the program. One begun before the look that is kept changes nothing.
func (s *Store) SaveSnapshot(ctx context.Context, fence vigia.Fence, owner vigia.UserID, snapshot *vigia.Snapshot) error {
	return s.failed("keep snapshot", s.write(ctx, second, func(ctx context.Context, t *tx) error {
		if err := t.hold(ctx, fence); err != nil {
			return err
		}
		cross, err := toJSON(&snapshot.Cross)
		if err != nil {
			return err
		}
		rows, err := t.SeeAccount(ctx, sqlcgen.SeeAccountParams{Account: string(snapshot.Account), Owner: string(owner),
			Free: int64(snapshot.Free), FreeBegun: micros(snapshot.FreeBegun), TradesBegun: micros(snapshot.TradesBegun),
			CrossSeen: cross, CrossBegun: micros(snapshot.CrossBegun), FeeTier: int64(snapshot.FeeTier)})
		if err != nil || rows == 0 {
			return err
		}
		return t.seeTrades(ctx, owner, snapshot)
	}))
}

// seeTrades puts the running trades in the place of the old ones.
func (t *tx) seeTrades(ctx context.Context, owner vigia.UserID, snapshot *vigia.Snapshot) error {
	for i := range snapshot.Trades {
		seen := &snapshot.Trades[i]
		text, err := toJSON(seen)
		if err != nil {
			return err
		}
		if err := t.SeeTrade(ctx, sqlcgen.SeeTradeParams{Account: string(snapshot.Account), Trade: string(seen.ID),
			Owner: string(owner), Place: int64(i), Begun: micros(seen.Begun), Seen: text}); err != nil {
			return fmt.Errorf("keep trade %s: %w", seen.ID, err)
		}
	}
	known, err := t.SeenTradeIDs(ctx, string(snapshot.Account))
	if err != nil {
		return err
	}
	for _, id := range known {
		if _, running := snapshot.Trade(vigia.TradeID(id)); running {
			continue
		}
		if err := t.UnseeTrade(ctx, string(snapshot.Account), id); err != nil {
			return fmt.Errorf("forget trade %s: %w", id, err)
		}
	}
	return nil
}

// Snapshot is the last kept look at an account, marked provisional.
func (s *Store) Snapshot(ctx context.Context, account vigia.AccountID) (*vigia.Snapshot, error) {
	row, err := s.reads.SeenAccount(ctx, string(account))
	if err != nil {
		return nil, s.failed("read snapshot", found(err))
	}
	snapshot, err := snapshotOf(&row)
	if err != nil {
		return nil, err
	}
	trades, err := s.reads.SeenTradesOf(ctx, string(account))
	if err != nil {
		return nil, s.failed("read snapshot", err)
	}
	for i := range trades {
		if err := addSeen(snapshot, trades[i].Seen); err != nil {
			return nil, err
		}
	}
	return snapshot, nil
}

// Snapshots are the last kept looks at all accounts, marked provisional.
func (s *Store) Snapshots(ctx context.Context) (map[vigia.AccountID]*vigia.Snapshot, error) {
	rows, err := s.guardReads.SeenAccounts(ctx)
	if err != nil {
		return nil, s.failed("read snapshots", err)
	}
	all := make(map[vigia.AccountID]*vigia.Snapshot, len(rows))
	for i := range rows {
		snapshot, err := snapshotOf(&rows[i])
		if err != nil {
			return nil, err
		}
		all[snapshot.Account] = snapshot
	}
	trades, err := s.guardReads.SeenTrades(ctx)
	if err != nil {
		return nil, s.failed("read snapshots", err)
	}
	for i := range trades {
		snapshot := all[vigia.AccountID(trades[i].Account)]
		if snapshot == nil {
			continue
		}
		if err := addSeen(snapshot, trades[i].Seen); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func snapshotOf(row *sqlcgen.AccountSeen) (*vigia.Snapshot, error) {
	snapshot := &vigia.Snapshot{Account: vigia.AccountID(row.Account), Free: vigia.Sats(row.Free),
		FreeBegun: fromMicros(row.FreeBegun), TradesBegun: fromMicros(row.TradesBegun),
		CrossBegun: fromMicros(row.CrossBegun), FeeTier: int(row.FeeTier), Provisional: true}
	if err := json.Unmarshal([]byte(row.CrossSeen), &snapshot.Cross); err != nil {
		return nil, fmt.Errorf("cross position of account %s: %w", row.Account, err)
	}
	return snapshot, nil
}

func addSeen(snapshot *vigia.Snapshot, text string) error {
	var seen vigia.Seen
	if err := json.Unmarshal([]byte(text), &seen); err != nil {
		return fmt.Errorf("a trade of account %s: %w", snapshot.Account, err)
	}
	snapshot.Trades = append(snapshot.Trades, seen)
	return nil
}
