package record_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
)

// Schemas append only: the sums of the files that were ever shipped are kept.
func TestMigrationsAreNeverEdited(t *testing.T) {
	t.Parallel()
	kept, err := os.ReadFile("testdata/migrations.sha256")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(kept)) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			sums[name] = sum
		}
	}
	files, err := filepath.Glob("migration/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no migration was found", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		switch got := hex.EncodeToString(sum[:]); sums[filepath.Base(name)] {
		case got:
		case "":
			t.Errorf("%s is new: add %q to testdata/migrations.sha256 and a fixture beside it", name, got+"  "+filepath.Base(name))
		default:
			t.Errorf("%s was edited after it was shipped: put the change into a new file", name)
		}
	}
}

var bytesLiteral = regexp.MustCompile(`X'([0-9a-f]*)'`)

// old is a database with the schema of an earlier program and what it wrote.
func old(t *testing.T, engine, fixture string, version int) recordtest.Database {
	t.Helper()
	text, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	rows := string(text)
	var db recordtest.Database
	if engine == "postgres" {
		db = recordtest.EmptyPostgres(t)
		rows = bytesLiteral.ReplaceAllString(rows, `'\x$1'`)
	} else {
		db = recordtest.SQLite(t)
	}
	raw := behind(t, db)
	if err := record.MigrateTo(t.Context(), raw, engine, version); err != nil {
		t.Fatal(err)
	}
	tamper(t, raw, rows)
	return db
}

func TestOldSchemasAreMigratedWithTheirRows(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			db := old(t, engine, "testdata/version_1.sql", 1)
			want, err := record.SchemaVersion()
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if got, err := record.Migrate(t.Context(), record.Config{Database: db.URL}); err != nil || got != want {
					t.Fatalf("got version %d, %v, want %d", got, err, want)
				}
			}
			s := db.Open(t)
			m, err := s.Memory(t.Context(), "0186-account")
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Automations) != 1 || len(m.States) != 1 || len(m.Reserves) != 2 || len(m.Unsettled) != 1 || len(m.Snapshot.Trades) != 1 {
				t.Errorf("got %+v, want what was written", m)
			}
			settled, _, err := s.Settle(t.Context(), []vigia.Settlement{{Execution: "0186-unknown", To: vigia.ExecutionDone, Cost: 50}})
			if err != nil || settled[0].Execution.State != vigia.ExecutionDone {
				t.Errorf("got %+v, %v, want the old unknown settled", settled, err)
			}
			if stops, err := s.Stops(t.Context()); err != nil || !stops.Automations {
				t.Errorf("got %+v, %v, want automations stopped still", stops, err)
			}
		})
	}
}

func TestAServerIsMigratedByCommandOnly(t *testing.T) {
	t.Parallel()
	db := recordtest.EmptyPostgres(t)
	_, err := record.Open(t.Context(), record.Config{Database: db.URL})
	var public *vigia.Error
	if !errors.As(err, &public) || !strings.Contains(public.Help, "vigia migrate") {
		t.Fatalf("got %v, want to be sent to vigia migrate", err)
	}
	if _, err := record.Migrate(t.Context(), record.Config{Database: db.URL}); err != nil {
		t.Fatal(err)
	}
	s := db.Open(t)
	tamper(t, behind(t, db), "INSERT INTO schema_version (version, name, at) VALUES (99, 'later', 0)")
	if _, err := record.Open(t.Context(), record.Config{Database: db.URL}); !errors.As(err, &public) || !strings.Contains(public.Message, "newer vigia") {
		t.Errorf("got %v, want the newer schema refused", err)
	}
	if s.Engine() != "postgres" {
		t.Errorf("got engine %s, want postgres", s.Engine())
	}
}

func TestAServerThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	_, err := record.Open(t.Context(), record.Config{Database: "postgres://nobody@/none?host=" + t.TempDir()})
	var public *vigia.Error
	if !errors.As(err, &public) || public.Code != vigia.CodeUnavailable || !strings.Contains(public.Message, "does not answer") {
		t.Errorf("got %v, want it said that the server does not answer", err)
	}
	_, err = record.Open(t.Context(), record.Config{Database: "postgres://user:hush@host:port/x"})
	if code(err) != vigia.CodeInvalid || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v, want a refusal without the password", err)
	}
}
