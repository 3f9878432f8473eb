package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vigiaguard/vigia"
)

// sqliteFile is the engine of one file: one connection that writes behind the
// gate, and a pool of readers.
type sqliteFile struct {
	path  string
	gate  gate
	write *sql.DB
	read  *sql.DB
	spare spare

	// What was committed is moved from the log into the file by whoever wrote
	// something that was in no hurry, through a connection of its own.
	move   *sql.DB
	moving sync.Mutex
	// commits counts those since the log was last moved, movedErr is how that
	// went; both under moving but for the counting.
	commits  atomic.Int64
	movedErr error
}

// moveEvery is the number of commits between two moves of the log.
const moveEvery = 200

// longLog is the length of the log, in pages, at which a commit moves it by
// itself because nobody else did: 64 MiB.
const longLog = "16000"

// pragma is a setting of SQLite, how it is asked for, and what it must read.
type pragma struct{ name, set, want string }

// The durability everything stands on: a commit is on the disk before it is
// answered. 2 is FULL.
var durable = []pragma{
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"foreign_keys", "ON", "1"},
	{"busy_timeout", "5000", "5000"},
}

func openSQLite(ctx context.Context, config Config) (engine, error) {
	file := &sqliteFile{path: config.Database, spare: spare{path: config.Database + ".spare", size: config.SpareBytes}}
	if err := touch(config.Database); err != nil {
		return nil, err
	}
	var err error
	if file.write, err = openFile(ctx, config.Database, 1, false); err != nil {
		return nil, file.explain(err)
	}
	if err := file.prepare(ctx, config); err != nil {
		return nil, errors.Join(file.explain(err), file.close())
	}
	return file, nil
}

// prepare brings the schema up to date and opens the readers.
func (f *sqliteFile) prepare(ctx context.Context, config Config) error {
	if err := migrate(ctx, f.write, sqliteDialect, config.Clock); err != nil {
		return err
	}
	var err error
	if f.read, err = openFile(ctx, f.path, config.RestConnections, true); err != nil {
		return err
	}
	if f.move, err = openFile(ctx, f.path, 1, false); err != nil {
		return err
	}
	return f.spare.keep()
}

// touch makes the file for its owner only, and says in plain words when it
// cannot be written.
func touch(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return &vigia.Error{Code: vigia.CodeUnavailable, Field: "database", Cause: err,
			Message: fmt.Sprintf("%s cannot be written: %v", path, err),
			Help:    "Give the user that runs vigia the right to write the file and its folder."}
	}
	return nil
}

// openFile opens a pool on the file and looks that its settings hold.
func openFile(ctx context.Context, path string, connections int, readOnly bool) (*sql.DB, error) {
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {"wal_autocheckpoint(" + longLog + ")"}}
	for _, p := range durable {
		query.Add("_pragma", p.name+"("+p.set+")")
	}
	if readOnly {
		query.Set("_txlock", "deferred")
		query.Add("_pragma", "query_only(1)")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("path of the database: %w", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: absolute, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	for _, p := range durable {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
		}
		if got != p.want {
			return nil, errors.Join(fmt.Errorf("open %s: %s is %s and must be %s; is it on a file system without shared memory?",
				path, p.name, got, p.want), db.Close())
		}
	}
	return db, nil
}

func (f *sqliteFile) name() string { return "sqlite" }

func (f *sqliteFile) begin(ctx context.Context, r rank) (*sql.Tx, func(), error) {
	if err := f.gate.enter(ctx, r); err != nil {
		return nil, nil, fmt.Errorf("wait to write: %w", err)
	}
	transaction, err := f.write.BeginTx(ctx, nil)
	if err != nil {
		f.gate.leave()
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	return transaction, func() {
		f.gate.leave()
		if f.commits.Add(1) >= moveEvery && r != first {
			f.moveLog(context.WithoutCancel(ctx))
		}
	}, nil
}

// moveLog copies the log into the file. Writers go on meanwhile, which a
// checkpoint inside a commit would not let them.
func (f *sqliteFile) moveLog(ctx context.Context) {
	if !f.moving.TryLock() {
		return
	}
	defer f.moving.Unlock()
	f.commits.Store(0)
	// A log that cannot be moved grows until a commit has to move it, and says
	// so; Close says what happened last.
	_, f.movedErr = f.move.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
}

func (f *sqliteFile) writer(rank) *sql.DB  { return f.write }
func (f *sqliteFile) readers(rank) *sql.DB { return f.read }

// again: a full disk is tried once more when the spare file made room.
func (f *sqliteFile) again(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_FULL && f.spare.give()
}

func (f *sqliteFile) explain(err error) error {
	say := func(message, help string) error {
		return &vigia.Error{Code: vigia.CodeUnavailable, Message: message, Help: help, Cause: err}
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_FULL:
		return say("the disk is full: nothing was written to "+f.path, "Make room on the disk; nothing is done for any account until then.")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return say(f.path+" cannot be written", "Give the user that runs vigia the right to write the file and its folder.")
	case sqlite3.SQLITE_IOERR:
		return say("the disk under "+f.path+" fails: nothing was written", "Look at the machine's disk; nothing is done for any account until it works.")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return say(f.path+" is damaged or no database of vigia", "Restore the last backup with vigia restore.")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return say("another process holds "+f.path+" for longer than five seconds", "End the other process.")
	}
	return err
}

func (f *sqliteFile) taken(err error) bool {
	var cause *sqlite.Error
	if !errors.As(err, &cause) {
		return false
	}
	return cause.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || cause.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// impatient needs nothing: waiting for the writer's turn ends with its context.
func (f *sqliteFile) impatient(context.Context, *sql.Tx) error { return nil }

func (f *sqliteFile) close() error {
	f.moving.Lock()
	defer f.moving.Unlock()
	err := f.movedErr
	for _, db := range []*sql.DB{f.read, f.move, f.write} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// sqliteCode is the primary result code, 0 where SQLite has no part in it.
func sqliteCode(err error) int {
	var cause *sqlite.Error
	if !errors.As(err, &cause) {
		return 0
	}
	return cause.Code() & 0xff
}
