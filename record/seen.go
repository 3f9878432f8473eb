package record

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// See keeps the last look at an account, to start from after the next
// start of the program. One begun before the look that is kept changes nothing.
func (s *Store) See(ctx context.Context, fence vigia.Fence, owner vigia.UserID, snapshot *vigia.Snapshot) error {
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
	var last *vigia.Snapshot
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		var err error
		last, err = snapshot(ctx, q, account)
		return err
	})
	return last, s.failed("read snapshot", err)
}

func snapshot(ctx context.Context, q *sqlcgen.Queries, account vigia.AccountID) (*vigia.Snapshot, error) {
	row, err := q.SeenAccount(ctx, string(account))
	if err != nil {
		return nil, found(err)
	}
	last, err := snapshotOf(&row)
	if err != nil {
		return nil, err
	}
	trades, err := q.SeenTradesOf(ctx, string(account))
	last.Trades, err = each(trades, err, seenTrade)
	if err != nil {
		return nil, fmt.Errorf("trades of account %s: %w", account, err)
	}
	return last, nil
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

func seenTrade(text *string) (vigia.Seen, error) {
	var seen vigia.Seen
	if err := json.Unmarshal([]byte(*text), &seen); err != nil {
		return seen, fmt.Errorf("a trade that was seen: %w", err)
	}
	return seen, nil
}
