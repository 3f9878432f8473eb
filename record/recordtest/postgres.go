package recordtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops schemas

	"github.com/vigiaguard/vigia/record"
)

// Variable is the name of the environment variable that points at a server.
const Variable = "VIGIA_TEST_POSTGRES"

// server is the one of this test binary.
var server struct {
	once    sync.Once
	main    atomic.Bool
	schemas atomic.Int64
	cluster *cluster
	url     string
	err     error
}

// Main runs the tests of a package and removes the cluster they started. Its
// result goes to os.Exit.
func Main(m *testing.M) int {
	server.main.Store(true)
	code := m.Run()
	if server.cluster == nil {
		return code
	}
	if err := server.cluster.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Postgres is a schema of its own, migrated. Where there is no server the test
// is skipped.
func Postgres(t testing.TB) Database {
	t.Helper()
	db := EmptyPostgres(t)
	if _, err := record.Migrate(t.Context(), record.Config{Database: db.URL}); err != nil {
		t.Fatal(err)
	}
	return db
}

// EmptyPostgres is a schema of its own with nothing in it.
func EmptyPostgres(t testing.TB) Database {
	t.Helper()
	server.once.Do(start)
	if server.err != nil {
		t.Skipf("PostgreSQL is not tested: %v; install a server (on Debian: apt-get install postgresql), or let %s point at a running one (postgres://user@host:5432/database).", server.err, Variable)
	}
	return schema(t, server.url)
}

// start finds the server, once.
func start() {
	if server.url = os.Getenv(Variable); server.url != "" {
		return
	}
	if !server.main.Load() {
		server.err = fmt.Errorf("TestMain of this package does not go through recordtest.Main")
		return
	}
	if server.cluster, server.err = startCluster(); server.err == nil {
		server.url = server.cluster.url()
	}
}

// schema makes one and drops it when the test ends.
func schema(t testing.TB, server string) Database {
	t.Helper()
	name := schemaName()
	run(t, server, "CREATE SCHEMA "+name)
	t.Cleanup(func() { run(t, server, "DROP SCHEMA "+name+" CASCADE") })
	at, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", Variable, err)
	}
	query := at.Query()
	query.Set("search_path", name)
	at.RawQuery = query.Encode()
	return Database{Engine: "postgres", URL: at.String()}
}

// schemaName is one that no other test, nor another run on the same server,
// has.
func schemaName() string {
	return strings.ToLower(fmt.Sprintf("vigia_test_%d_%d", os.Getpid(), server.schemas.Add(1)))
}

func run(t testing.TB, server, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
