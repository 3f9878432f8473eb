package record

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
)

func openFileStore(t *testing.T, with ...func(*Config)) *Store {
	t.Helper()
	config := Config{Database: filepath.Join(t.TempDir(), "a folder with ?#% in it.db")}
	for _, change := range with {
		change(&config)
	}
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Store) file(t *testing.T) *sqliteFile {
	t.Helper()
	f, ok := s.engine.(*sqliteFile)
	if !ok {
		t.Fatal("not on SQLite")
	}
	return f
}

func TestEveryConnectionIsDurable(t *testing.T) {
	t.Parallel()
	f := openFileStore(t).file(t)
	for _, db := range []*sql.DB{f.write, f.read} {
		for _, p := range durable {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+p.name).Scan(&got); err != nil || got != p.want {
				t.Errorf("%s: got %s, %v, want %s", p.name, got, err, p.want)
			}
		}
	}
	if _, err := f.read.ExecContext(t.Context(), "DELETE FROM setting"); err == nil {
		t.Error("a reader wrote")
	}
	info, err := os.Stat(f.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, want 0600", info.Mode(), err)
	}
}

// fill lets the file grow no further.
func fill(t *testing.T, s *Store) {
	t.Helper()
	var pages int
	if err := s.file(t).write.QueryRowContext(t.Context(), "PRAGMA max_page_count = 1").Scan(&pages); err != nil {
		t.Fatal(err)
	}
}

// grow writes settings until the file would have to grow.
func grow(ctx context.Context, s *Store) error {
	for range 200 {
		if err := s.SetSetting(ctx, vigia.LocalOwner, "big", strings.Repeat("x", 4096)); err != nil {
			return err
		}
	}
	return nil
}

func TestAFullDiskIsSaidAndWritesNothing(t *testing.T) {
	t.Parallel()
	s := openFileStore(t)
	fill(t, s)
	err := grow(t.Context(), s)
	var public *vigia.Error
	if !errors.As(err, &public) || public.Code != vigia.CodeUnavailable || !strings.Contains(public.Message, "the disk is full") {
		t.Fatalf("got %v, want the full disk said", err)
	}
	check, err := s.Verify(t.Context(), nil)
	if err != nil || !check.OK {
		t.Errorf("got %+v, %v, want a good journal: nothing half written", check, err)
	}
}

func TestTheSpareFileIsGivenUpOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := openFileStore(t, func(c *Config) { c.SpareBytes = 64 << 10 })
	spare := s.file(t).spare.path
	if info, err := os.Stat(spare); err != nil || info.Size() != 64<<10 {
		t.Fatalf("got %v, %v, want the spare file", info, err)
	}
	fill(t, s)
	if err := grow(t.Context(), s); err == nil {
		t.Fatal("the file grew")
	}
	if _, err := os.Stat(spare); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the spare file gone", err)
	}
	if s.file(t).spare.give() {
		t.Error("a spare file was given up twice")
	}
}

func TestAFileThatCannotBeWrittenIsNamed(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "missing")
	_, err := Open(t.Context(), Config{Database: filepath.Join(folder, "vigia.db")})
	var public *vigia.Error
	if !errors.As(err, &public) || public.Field != "database" || !strings.Contains(public.Message, folder) {
		t.Errorf("got %v, want the path named", err)
	}
	garbage := filepath.Join(t.TempDir(), "vigia.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Database: garbage}); !errors.As(err, &public) || !strings.Contains(public.Message, "no database of vigia") {
		t.Errorf("got %v, want it said that this is no database", err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	s := openFileStore(t)
	if _, err := s.file(t).write.ExecContext(t.Context(), "INSERT INTO schema_version (version, name, at) VALUES (99, 'later', 0)"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), s.config)
	var public *vigia.Error
	if !errors.As(err, &public) || !strings.Contains(public.Message, "newer vigia: its schema is version 99") {
		t.Errorf("got %v, want the newer schema refused", err)
	}
}

func TestSQLiteGetsItsOwnWords(t *testing.T) {
	t.Parallel()
	got := sqliteDialect.translate("a JSONB, b BYTEA NOT NULL, c BIGINT, JSONBX TEXT")
	if want := "a TEXT, b BLOB NOT NULL, c INTEGER, JSONBX TEXT"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if same := postgresDialect.translate("a JSONB"); same != "a JSONB" {
		t.Errorf("PostgreSQL: got %q, want it unchanged", same)
	}
}
