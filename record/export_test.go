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
