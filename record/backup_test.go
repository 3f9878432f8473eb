package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
)

func TestABackupIsWholeAndIsRestored(t *testing.T) {
	t.Parallel()
	b, dir := newBench(t, recordtest.SQLite(t)), t.TempDir()
	id := b.intend(t, b.add("t1", 100))
	copied, restored := filepath.Join(dir, "backup.db"), filepath.Join(dir, "restored.db")
	if err := b.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	later := b.intend(t, b.add("t2", 100))
	if version, err := record.CheckBackup(t.Context(), copied); err != nil || version < 1 {
		t.Errorf("got version %d, %v, want a good copy", version, err)
	}
	if err := b.Backup(t.Context(), copied); code(err) != vigia.CodeConflict {
		t.Errorf("over an earlier one: got %v, want code conflict", err)
	}
	if err := record.Restore(t.Context(), copied, restored); err != nil {
		t.Fatal(err)
	}
	if err := record.Restore(t.Context(), copied, restored); code(err) != vigia.CodeConflict {
		t.Errorf("over a record: got %v, want code conflict", err)
	}
	s := recordtest.Database{Engine: "sqlite", URL: restored}.Open(t)
	if _, err := s.Execution(t.Context(), vigia.LocalOwner, id); err != nil {
		t.Errorf("what was there at the backup: got %v", err)
	}
	if _, err := s.Execution(t.Context(), vigia.LocalOwner, later); !errors.Is(err, vigia.ErrNotFound) {
		t.Errorf("what came after it: got %v, want ErrNotFound", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.part"))
	if err != nil || len(left) != 0 {
		t.Errorf("got %v, %v, want nothing left behind", left, err)
	}
	heads, err := b.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if bad := verify(t, s, &heads[0]).FirstBad; bad == nil {
		t.Error("a head published since shows that the record went back")
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	t.Parallel()
	b, dir := newBench(t, recordtest.SQLite(t)), t.TempDir()
	path := filepath.Join(dir, "backup.db")
	if err := b.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"empty":   func([]byte) []byte { return nil },
		"changed": func(b []byte) []byte { clear(b[4096:12288]); return b },
		"other": func([]byte) []byte {
			return []byte("a letter to mother, long enough for a header of SQLite: dear mother, all is well here")
		},
	} {
		damaged := filepath.Join(dir, name)
		if err := os.WriteFile(damaged, damage(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := record.Restore(t.Context(), damaged, filepath.Join(dir, "to")); code(err) != vigia.CodeInvalid {
			t.Errorf("%s: got %v, want code invalid", name, err)
		}
	}
	if _, err := record.CheckBackup(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: got %v, want that it is not there", err)
	}
}

func TestAServerIsNotBackedUpByUs(t *testing.T) {
	t.Parallel()
	s := recordtest.Postgres(t).Open(t)
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "b")); code(err) != vigia.CodeInvalid {
		t.Errorf("got %v, want code invalid", err)
	}
}
