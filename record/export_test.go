package record

import (
	"context"
	"database/sql"

	"github.com/vigiaguard/vigia"
)

// MigrateTo makes an old schema, for tests that migrate it further.
func MigrateTo(ctx context.Context, db *sql.DB, engine string, version int) error {
	known, err := steps()
	if err != nil {
		return err
	}
	dialect := map[string]*dialect{"sqlite": sqliteDialect, "postgres": postgresDialect}[engine]
	return climb(ctx, db, dialect, known[:version], vigia.NewManualClock(vigia.WallClock{}.Now()))
}

// Freeze holds a shard inside a transaction and does nothing more, as a process
// does that was stopped there. It gives the end of that transaction.
func (s *Store) Freeze(ctx context.Context, fence vigia.Fence) (thaw func() error, err error) {
	raw, done, err := s.engine.begin(ctx, first)
	if err != nil {
		return nil, err
	}
	t := &tx{Queries: s.writes.WithTx(raw), raw: raw, store: s, now: s.now()}
	return func() error {
		defer done()
		return raw.Commit()
	}, t.hold(ctx, fence)
}
