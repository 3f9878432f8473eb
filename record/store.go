package record

import (
	"context"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Config says where the record lies and what it is handed.
type Config struct {
	// Database is the path of an SQLite file, made when it is missing, or the
	// URL of a PostgreSQL server: postgres://user@host:5432/database.
	Database string
	// Clock stamps the rows.
	Clock vigia.Clock
	// Signer signs checkpoints of the journal with an Ed25519 key; nil signs
	// none and trusts any key when verifying.
	Signer crypto.Signer
	// CheckpointEvery is the number of entries of a chain between two
	// checkpoints; 0 is 256.
	CheckpointEvery int64
	// GuardConnections and RestConnections bound the two pools on PostgreSQL,
	// RestConnections the readers on SQLite; 0 is 8 and 4.
	GuardConnections, RestConnections int
	// SpareBytes is the size of the reserve file beside an SQLite file, which
	// is given up when the disk is full so that intents go on for a while; 0
	// keeps none.
	SpareBytes int64
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = vigia.WallClock{}
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = 256
	}
	if c.GuardConnections == 0 {
		c.GuardConnections = 8
	}
	if c.RestConnections == 0 {
		c.RestConnections = 4
	}
	return c
}

// onPostgres says whether the database is a server's.
func (c *Config) onPostgres() bool {
	return strings.HasPrefix(c.Database, "postgres://") || strings.HasPrefix(c.Database, "postgresql://")
}

// engine is what the two databases do differently.
type engine interface {
	name() string
	// begin starts a write transaction of a rank; done is called after it.
	begin(ctx context.Context, r rank) (transaction *sql.Tx, done func(), err error)
	// writer is the pool that write transactions of a rank take.
	writer(r rank) *sql.DB
	// readers is where reads go, by rank.
	readers(r rank) *sql.DB
	// again says whether a transaction that failed so may be run again.
	again(err error) bool
	// explain turns an error of the database into one for people.
	explain(err error) error
	// taken says whether err is a broken unique constraint.
	taken(err error) bool
	// impatient makes the transaction give up on a lock after a second.
	impatient(ctx context.Context, transaction *sql.Tx) error
	close() error
}

// Store is the record, open. Its methods may be called from any goroutine.
type Store struct {
	engine engine
	config Config
	// reads are for lists and pages, guardReads for what the guard waits for,
	// writes is what transactions are made from.
	reads, guardReads, writes *sqlcgen.Queries
}

// Open opens the record. An SQLite file is made and migrated; a PostgreSQL
// database must have been migrated by [Migrate]. A schema newer than the program
// knows is refused.
func Open(ctx context.Context, config Config) (*Store, error) {
	config = config.withDefaults()
	var e engine
	var err error
	if config.onPostgres() {
		e, err = openPostgres(ctx, config)
	} else {
		e, err = openSQLite(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, config: config}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(e.explain(err), s.Close())
	}
	return s, nil
}

// prepare makes the queries. SQLite parses each once and keeps it; pgx keeps
// statements by itself.
func (s *Store) prepare(ctx context.Context) error {
	if s.config.onPostgres() {
		s.reads, s.guardReads = sqlcgen.New(s.engine.readers(rest)), sqlcgen.New(s.engine.readers(first))
		s.writes = sqlcgen.New(s.engine.writer(first))
		return nil
	}
	var err error
	if s.writes, err = sqlcgen.Prepare(ctx, s.engine.writer(first)); err != nil {
		return fmt.Errorf("prepare what writes: %w", err)
	}
	if s.reads, err = sqlcgen.Prepare(ctx, s.engine.readers(rest)); err != nil {
		return fmt.Errorf("prepare what reads: %w", err)
	}
	s.guardReads = s.reads
	return nil
}

// Close closes the connections. What was committed is on disk already.
func (s *Store) Close() error {
	var err error
	for _, queries := range []*sqlcgen.Queries{s.reads, s.writes} {
		if queries != nil {
			err = errors.Join(err, queries.Close())
		}
	}
	if err = errors.Join(err, s.engine.close()); err != nil {
		return fmt.Errorf("close the record: %w", err)
	}
	return nil
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.engine.name() }

// attempts bounds how often a transaction that lost a deadlock is run again.
const attempts = 4

// tx is one transaction under way.
type tx struct {
	*sqlcgen.Queries
	raw   *sql.Tx
	store *Store
	// now stamps everything the transaction writes.
	now     time.Time
	entries []entry
	events  []vigia.Event
}

// write runs f in one transaction, and the journal entries and events that f
// left behind with it. f does no I/O but the transaction's, since it may be run
// again.
func (s *Store) write(ctx context.Context, r rank, f func(ctx context.Context, t *tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.writeOnce(ctx, r, f)
		if err == nil || attempt == attempts || !s.engine.again(err) {
			return s.engine.explain(err)
		}
	}
}

func (s *Store) writeOnce(ctx context.Context, r rank, f func(ctx context.Context, t *tx) error) (err error) {
	raw, done, err := s.engine.begin(ctx, r)
	if err != nil {
		return err
	}
	defer done()
	defer func() {
		if err == nil {
			return
		}
		if undo := raw.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", undo))
		}
	}()
	t := &tx{Queries: s.writes.WithTx(raw), raw: raw, store: s, now: s.now()}
	if err := f(ctx, t); err != nil {
		return err
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// flush writes the journal and the outbox last, so that chains are locked as
// shortly as can be, and always in the same order.
func (t *tx) flush(ctx context.Context) error {
	if err := t.appendEntries(ctx); err != nil {
		return err
	}
	return t.insertEvents(ctx)
}

// now is the clock in the precision of the record.
func (s *Store) now() time.Time { return s.config.Clock.Now().UTC().Truncate(time.Microsecond) }

// micros is a time as it is kept: 0 where there is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
