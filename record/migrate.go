package record

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vigiaguard/vigia"
)

// The schema, one numbered file after the other. Files are added, never edited.
//
//go:embed migration/*.sql
var migrations embed.FS

// dialect is what differs when a schema is made.
type dialect struct {
	pattern *regexp.Regexp
	replace map[string]string
	// lock keeps a second migration out until the end of the transaction.
	lock string
	// exists asks whether the version table is there.
	exists string
}

var (
	postgresDialect = &dialect{
		lock:   "SELECT pg_advisory_xact_lock(7306085201936941)",
		exists: "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'schema_version' AND table_schema = ANY (current_schemas(false))",
	}
	// SQLite has other words for a few types; integers and text are dynamic
	// there, so that the rest stands as it is.
	sqliteDialect = &dialect{
		pattern: regexp.MustCompile(`\b(JSONB|BYTEA|BIGINT|TIMESTAMPTZ)\b|/\* WITHOUT ROWID \*/`),
		replace: map[string]string{"JSONB": "TEXT", "BYTEA": "BLOB", "BIGINT": "INTEGER", "TIMESTAMPTZ": "TIMESTAMP",
			"/* WITHOUT ROWID */": "WITHOUT ROWID"},
		exists: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
	}
)

// translate puts a schema into the words of the engine.
func (d *dialect) translate(schema string) string {
	if d.pattern == nil {
		return schema
	}
	return d.pattern.ReplaceAllStringFunc(schema, func(word string) string { return d.replace[word] })
}

// step is one migration.
type step struct {
	version int64
	name    string
	schema  string
}

// steps reads the embedded files in order; their numbers leave no gap.
func steps() ([]step, error) {
	names, err := fs.Glob(migrations, "migration/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	found := make([]step, 0, len(names))
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number: %w", name, err)
		}
		schema, err := fs.ReadFile(migrations, name)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		found = append(found, step{version, path.Base(name), string(schema)})
	}
	slices.SortFunc(found, func(a, b step) int { return cmp.Compare(a.version, b.version) })
	for i := range found {
		if found[i].version != int64(i+1) {
			return nil, fmt.Errorf("migration %s is out of order: number %d is missing", found[i].name, i+1)
		}
	}
	return found, nil
}

// SchemaVersion is the newest schema this program knows.
func SchemaVersion() (int64, error) {
	known, err := steps()
	return int64(len(known)), err
}

// Migrate brings the database up to the schema of this program: the first start
// on PostgreSQL, and after every update. It says which version stands now.
// Running it twice, or from two processes at once, does no harm.
func Migrate(ctx context.Context, config Config) (int64, error) {
	config = config.withDefaults()
	if !config.onPostgres() {
		s, err := Open(ctx, config)
		if err != nil {
			return 0, err
		}
		version, err := SchemaVersion()
		return version, errors.Join(err, s.Close())
	}
	server, err := connectPostgres(config)
	if err != nil {
		return 0, err
	}
	if err := migrate(ctx, server.rest, postgresDialect, config.Clock); err != nil {
		return 0, errors.Join(server.explain(err), server.close())
	}
	version, err := SchemaVersion()
	return version, errors.Join(err, server.close())
}

// migrate applies what is missing, each step in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, d *dialect, clock vigia.Clock) error {
	known, err := steps()
	if err != nil {
		return err
	}
	return climb(ctx, db, d, known, clock)
}

func climb(ctx context.Context, db *sql.DB, d *dialect, known []step, clock vigia.Clock) error {
	for {
		more, err := migrateOne(ctx, db, d, known, micros(clock.Now()))
		if err != nil || !more {
			return err
		}
	}
}

// migrateOne applies the next step and says whether there may be another.
func migrateOne(ctx context.Context, db *sql.DB, d *dialect, known []step, now int64) (more bool, err error) {
	transaction, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("begin migration: %w", err)
	}
	defer func() {
		if undo := transaction.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back migration: %w", undo))
		}
	}()
	if d.lock != "" {
		if _, err := transaction.ExecContext(ctx, d.lock); err != nil {
			return false, fmt.Errorf("lock for migration: %w", err)
		}
	}
	version, err := versionOf(ctx, transaction, d)
	if err != nil {
		return false, err
	}
	if err := notNewer(version, int64(len(known))); err != nil || version == int64(len(known)) {
		return false, err
	}
	next := known[version]
	if _, err := transaction.ExecContext(ctx, d.translate(next.schema)); err != nil {
		return false, fmt.Errorf("migration %s: %w", next.name, err)
	}
	_, err = transaction.ExecContext(ctx, "INSERT INTO schema_version (version, name, at) VALUES ($1, $2, $3)", next.version, next.name, now)
	if err != nil {
		return false, fmt.Errorf("migration %s: %w", next.name, err)
	}
	if err := transaction.Commit(); err != nil {
		return false, fmt.Errorf("commit migration %s: %w", next.name, err)
	}
	return true, nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// versionOf is the schema that stands; 0 in an empty database.
func versionOf(ctx context.Context, db querier, d *dialect) (int64, error) {
	var tables, version int64
	if err := db.QueryRowContext(ctx, d.exists).Scan(&tables); err != nil {
		return 0, fmt.Errorf("look for the schema: %w", err)
	}
	if tables == 0 {
		return 0, nil
	}
	if err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return version, nil
}

// checkSchema refuses a schema that is not exactly this program's.
func checkSchema(ctx context.Context, db querier, d *dialect) error {
	version, err := versionOf(ctx, db, d)
	if err != nil {
		return err
	}
	known, err := SchemaVersion()
	if err != nil {
		return err
	}
	if err := notNewer(version, known); err != nil {
		return err
	}
	if version < known {
		return &vigia.Error{Code: vigia.CodeConflict, Field: "database",
			Message: fmt.Sprintf("the schema is version %d and this program needs %d", version, known),
			Help:    "Run vigia migrate first."}
	}
	return nil
}

func notNewer(version, known int64) error {
	if version <= known {
		return nil
	}
	return &vigia.Error{Code: vigia.CodeConflict, Field: "database",
		Message: fmt.Sprintf("the data was written by a newer vigia: its schema is version %d, this program knows up to %d", version, known),
		Help:    "Install that version again, or a newer one."}
}
