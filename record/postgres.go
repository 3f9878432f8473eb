package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/vigiaguard/vigia"
)

// postgresServer is the engine of a server: a pool for the guard, one for the
// rest.
type postgresServer struct {
	guard, rest *sql.DB
}

const oldestPostgres = 150000

func openPostgres(ctx context.Context, config Config) (engine, error) {
	server, err := connectPostgres(config)
	if err != nil {
		return nil, err
	}
	if err := server.check(ctx); err != nil {
		return nil, errors.Join(server.explain(err), server.close())
	}
	return server, nil
}

// connectPostgres makes the pools; nothing is dialled yet.
func connectPostgres(config Config) (*postgresServer, error) {
	parsed, err := pgx.ParseConfig(config.Database)
	if err != nil {
		// The cause quotes the URL, which may carry a password.
		return nil, vigia.Invalid("database", "it is not the URL of a PostgreSQL database: postgres://user@host:5432/database")
	}
	if parsed.ConnectTimeout == 0 {
		parsed.ConnectTimeout = 5 * time.Second
	}
	pool := func(name string, connections int, settings map[string]string) *sql.DB {
		own := parsed.Copy()
		if own.RuntimeParams["application_name"] == "" {
			own.RuntimeParams["application_name"] = name
		}
		for key, value := range settings {
			own.RuntimeParams[key] = value
		}
		db := stdlib.OpenDB(*own)
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		return db
	}
	return &postgresServer{
		// A guard frozen inside a transaction loses it, and its locks, soon.
		guard: pool("vigia guard", config.GuardConnections, map[string]string{
			"idle_in_transaction_session_timeout": "2000", "statement_timeout": "10000"}),
		rest: pool("vigia", config.RestConnections, map[string]string{
			"idle_in_transaction_session_timeout": "10000", "statement_timeout": "60000"}),
	}, nil
}

// check looks at the server's version, its settings and its schema.
func (p *postgresServer) check(ctx context.Context) error {
	var version int
	if err := p.guard.QueryRowContext(ctx, "SELECT CAST(current_setting('server_version_num') AS INTEGER)").Scan(&version); err != nil {
		return fmt.Errorf("ask the server's version: %w", err)
	}
	if version < oldestPostgres {
		return vigia.Invalid("database", fmt.Sprintf("the server is PostgreSQL %d; it takes 15 or newer", version/10_000))
	}
	for _, need := range []struct{ name, want string }{
		{"idle_in_transaction_session_timeout", "2s"}, {"fsync", ""}, {"synchronous_commit", ""},
	} {
		var got string
		if err := p.guard.QueryRowContext(ctx, "SELECT current_setting($1)", need.name).Scan(&got); err != nil {
			return fmt.Errorf("ask %s: %w", need.name, err)
		}
		if need.want != "" && got != need.want {
			return fmt.Errorf("%s is %s and must be %s; does a pooler stand between?", need.name, got, need.want)
		}
		if need.name == "synchronous_commit" && got == "off" {
			return vigia.Invalid("database", "synchronous_commit is off; an intent must be on the disk before it is acted on")
		}
	}
	return checkSchema(ctx, p.guard, postgresDialect)
}

func (p *postgresServer) name() string { return "postgres" }

func (p *postgresServer) begin(ctx context.Context, r rank) (*sql.Tx, func(), error) {
	transaction, err := p.writer(r).BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	return transaction, func() {}, nil
}

func (p *postgresServer) writer(r rank) *sql.DB {
	if r == rest {
		return p.rest
	}
	return p.guard
}

func (p *postgresServer) readers(r rank) *sql.DB { return p.writer(r) }

// The SQLSTATEs that are branched on.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	diskFull             = "53100"
	readOnlyTransaction  = "25006"
)

func sqlState(err error) string {
	var cause *pgconn.PgError
	if errors.As(err, &cause) {
		return cause.Code
	}
	return ""
}

func (p *postgresServer) again(err error) bool {
	switch sqlState(err) {
	case serializationFailure, deadlockDetected:
		return true
	}
	return false
}

func (p *postgresServer) explain(err error) error {
	say := func(message, help string) error {
		return &vigia.Error{Code: vigia.CodeUnavailable, Message: message, Help: help, Cause: err}
	}
	var connect *pgconn.ConnectError
	switch state := sqlState(err); {
	case state == diskFull:
		return say("the disk of the PostgreSQL server is full: nothing was written", "Make room on it; nothing is done for any account until then.")
	case state == readOnlyTransaction:
		return say("the PostgreSQL server only takes reads: it is a replica", "Point the database setting at the primary.")
	case state == lockNotAvailable:
		return say("another process holds the row for longer than a second", "It is tried again.")
	case len(state) == 5 && (state[:2] == "08" || state[:3] == "57P"), errors.As(err, &connect), lostConnection(err):
		return say("the PostgreSQL server does not answer: nothing was written", "Start it, or look at the network; nothing is done for any account until then.")
	}
	return err
}

// lostConnection says whether the connection broke under a query.
func lostConnection(err error) bool {
	return err != nil && sqlState(err) == "" && (pgconn.SafeToRetry(err) || errors.Is(err, sql.ErrConnDone) || isNetwork(err))
}

func (p *postgresServer) taken(err error) bool { return sqlState(err) == uniqueViolation }

func (p *postgresServer) impatient(ctx context.Context, transaction *sql.Tx) error {
	if _, err := transaction.ExecContext(ctx, "SET LOCAL lock_timeout = '1s'"); err != nil {
		return fmt.Errorf("set lock_timeout: %w", err)
	}
	return nil
}

func (p *postgresServer) close() error { return errors.Join(p.guard.Close(), p.rest.Close()) }
