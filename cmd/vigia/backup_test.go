package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lease"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/seal"
)

// recordIn makes a database with one account in it, and a key file.
func recordIn(t *testing.T, folder string) (database string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if !exists(folder + ".key") {
		if _, err := seal.Create(folder + ".key"); err != nil {
			t.Fatal(err)
		}
	}
	signer, err := signingKey(folder + ".key.journal")
	if err != nil {
		t.Fatal(err)
	}
	database = filepath.Join(folder, "vigia.db")
	store, err := record.Open(t.Context(), record.Config{Database: database, Clock: vigia.NewManualClock(noon), Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	sealed := vigia.SealedCredentials{Key: []byte{1}, Secret: []byte{2}, Passphrase: []byte{3}}
	if err := store.AddAccount(t.Context(), tradingAccount(), sealed); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return database
}

func TestABackupTakesThePlaceOfTheDatabase(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	old := recordIn(t, folder)
	before, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	from := recordIn(t, filepath.Join(t.TempDir(), "backup"))
	got := runVigia("restore", "--from", from, "--data", folder).ok(t)
	if !strings.Contains(got.out.String(), "The database that was there is kept as "+old+beforeRestore) || strings.Contains(got.out.String(), "no key file") {
		t.Errorf("got %q", got.out.String())
	}
	if kept, err := os.ReadFile(old + beforeRestore); err != nil || string(kept) != string(before) {
		t.Errorf("the old database is not as it was: %v", err)
	}
	if _, err := record.CheckBackup(t.Context(), old); err != nil {
		t.Error(err)
	}
	again := runVigia("restore", "--from", from, "--data", folder)
	if again.code != 1 || !strings.Contains(again.err.String(), beforeRestore+" exists already, from an earlier restore") {
		t.Errorf("got %d, %q", again.code, again.err.String())
	}
}

func TestABackupIsRestoredToANewFolder(t *testing.T) {
	t.Parallel()
	from := recordIn(t, filepath.Join(t.TempDir(), "backup"))
	folder := filepath.Join(t.TempDir(), "new")
	got := runVigia("restore", "--from", from, "--data", folder).ok(t)
	if !strings.Contains(got.out.String(), "There is no key file "+folder+".key") {
		t.Errorf("got %q", got.out.String())
	}
	if exists(filepath.Join(folder, "vigia.db"+beforeRestore)) {
		t.Error("there was nothing to keep")
	}
}

func TestARunningGuardIsNotRestoredUnder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	database := recordIn(t, folder)
	lock, err := lease.TryLock(filepath.Join(folder, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	got := runVigia("restore", "--from", recordIn(t, filepath.Join(t.TempDir(), "backup")), "--data", folder)
	if got.code != 1 || !strings.Contains(got.err.String(), "a server guards from "+folder) || exists(database+beforeRestore) {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNoBackupLeavesTheDatabaseAlone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	database := recordIn(t, folder)
	for name, text := range map[string]string{"text": "not a database", "empty": ""} {
		got := runVigia("restore", "--from", writeTemp(t, name, text), "--data", folder)
		if got.code != 1 || !strings.Contains(got.err.String(), "is no whole backup of a record") || !exists(database) || exists(database+beforeRestore) {
			t.Errorf("%s: got %d, %q", name, got.code, got.err.String())
		}
	}
}

// The path of a backup is of the person's folder, not of the server's.
func TestABackupIsNamedInFull(t *testing.T) {
	t.Parallel()
	f := newFakeServer(t)
	got := f.run("", "backup", "--to", "b.db", "--json").ok(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(here, "b.db"); !strings.Contains(f.writes()[0], want) || !strings.Contains(got.out.String(), `"key_file": "/keys/vigia.key"`) {
		t.Errorf("got %q, %q", f.writes(), got.out.String())
	}
}

func TestAMoveThatFailsIsUndone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	database := recordIn(t, folder)
	must(t, os.WriteFile(database+"-wal", []byte("log"), 0o600))
	aside, err := moveAside(database)
	if err != nil || exists(database) || exists(database+"-wal") || !exists(aside+"-wal") {
		t.Fatalf("got %q, %v", aside, err)
	}
	must(t, moveBack(database))
	if !exists(database) || !exists(database+"-wal") || exists(aside) {
		t.Error("it is not back as it was")
	}
}
