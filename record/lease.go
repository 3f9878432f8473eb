package record

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Leases are all shards in order, with their beats.
func (s *Store) Leases(ctx context.Context) ([]vigia.ShardLease, error) {
	rows, err := s.guardReads.Leases(ctx)
	leases, err := each(rows, err, func(row *sqlcgen.LeasesRow) (vigia.ShardLease, error) {
		return vigia.ShardLease{Fence: vigia.Fence{Shard: int(row.Shard), Epoch: row.Epoch}, Holder: row.Holder, Beat: row.Beat}, nil
	})
	return leases, s.failed("read leases", err)
}

// Take takes a shard from whoever held it at the epoch that was seen, and gives
// the new fence. [vigia.ErrChanged] says that somebody else was quicker. It waits at
// most a second for an intent that is being committed on the shard, and then
// fails with code unavailable: try again.
func (s *Store) Take(ctx context.Context, holder string, seen vigia.Fence) (vigia.Fence, error) {
	taken := vigia.Fence{Shard: seen.Shard}
	err := s.write(ctx, first, func(ctx context.Context, t *tx) error {
		if err := s.engine.impatient(ctx, t.raw); err != nil {
			return err
		}
		epoch, err := t.TakeLease(ctx, sqlcgen.TakeLeaseParams{Holder: holder, Now: micros(t.now), Shard: int64(seen.Shard), Epoch: seen.Epoch})
		if errors.Is(err, sql.ErrNoRows) {
			return vigia.ErrChanged
		}
		if err != nil {
			return err
		}
		taken.Epoch = epoch
		return t.TakeBeat(ctx, sqlcgen.TakeBeatParams{Holder: holder, Epoch: epoch, Now: micros(t.now), Shard: int64(seen.Shard)})
	})
	if err != nil {
		return vigia.Fence{}, s.failed("take a lease", err)
	}
	return taken, nil
}

// Beat moves the beats of all shards a holder has, and says which these are.
func (s *Store) Beat(ctx context.Context, holder string) ([]vigia.Fence, error) {
	var fences []vigia.Fence
	err := s.write(ctx, first, func(ctx context.Context, t *tx) error {
		rows, err := t.BeatLeases(ctx, micros(t.now), holder)
		fences, err = each(rows, err, func(row *sqlcgen.BeatLeasesRow) (vigia.Fence, error) {
			return vigia.Fence{Shard: int(row.Shard), Epoch: row.Epoch}, nil
		})
		return err
	})
	if err != nil {
		return nil, s.failed("beat", err)
	}
	return fences, nil
}

// Release gives a shard up, so that the next taker need not wait for a term. A
// fence that was lost already is no error.
func (s *Store) Release(ctx context.Context, fence vigia.Fence) error {
	return s.failed("release a lease", s.write(ctx, first, func(ctx context.Context, t *tx) error {
		rows, err := t.ReleaseLease(ctx, int64(fence.Shard), fence.Epoch)
		if err != nil || rows == 0 {
			return err
		}
		return t.ReleaseBeat(ctx, micros(t.now), int64(fence.Shard), fence.Epoch)
	}))
}
