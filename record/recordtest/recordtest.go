// Package recordtest opens clean records for tests, on both engines.
//
// [Each] runs a case on an SQLite file in the test's own folder and on a schema
// of its own in PostgreSQL. The server is the one that VIGIA_TEST_POSTGRES points
// at, or a throw-away cluster that the first test of the binary starts; for the
// latter TestMain must go through [Main], which removes it. Where there is no
// server the PostgreSQL half of a test is skipped, and says why.
package recordtest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
)

// Start is where the clocks of records begin that were given none.
var Start = time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC)

// Database is an empty database of one test. Several stores can be opened on it.
type Database struct {
	// Engine is "sqlite" or "postgres".
	Engine string
	// URL goes into [record.Config].
	URL string
}

// Open opens a store that is closed when the test ends. Without a clock in with
// the store has a [vigia.ManualClock] that stands at [Start].
func (d Database) Open(t testing.TB, with ...func(*record.Config)) *record.Store {
	t.Helper()
	config := record.Config{Database: d.URL, Clock: vigia.NewManualClock(Start)}
	for _, change := range with {
		change(&config)
	}
	store, err := record.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// Clock hands a clock to a store.
func Clock(c vigia.Clock) func(*record.Config) {
	return func(config *record.Config) { config.Clock = c }
}

// SQLite is a file in the test's own folder.
func SQLite(t testing.TB) Database {
	t.Helper()
	return Database{Engine: "sqlite", URL: filepath.Join(t.TempDir(), "vigia.db")}
}

// Open is a clean store on an SQLite file.
func Open(t testing.TB, with ...func(*record.Config)) *record.Store {
	t.Helper()
	return SQLite(t).Open(t, with...)
}

// Each runs a case on both engines, side by side.
func Each(t *testing.T, f func(t *testing.T, db Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, Postgres(t))
	})
}
