package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/vigiaguard/vigia"
)

// Backup writes a copy of an SQLite record, as it stood at one moment, to a new
// file, while everything goes on. The copy is checked and on the disk when it
// returns. On PostgreSQL it is refused: pg_dump and its relatives do it.
func (s *Store) Backup(ctx context.Context, to string) error {
	file, ok := s.engine.(*sqliteFile)
	if !ok {
		return &vigia.Error{Code: vigia.CodeInvalid, Field: "database", Message: "the record lies on a PostgreSQL server",
			Help: "Back it up with pg_dump or pgBackRest."}
	}
	if err := absent(to); err != nil {
		return err
	}
	part := to + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what an earlier backup left: %w", err)
	}
	if err := copyInto(ctx, file.path, part); err != nil {
		return errors.Join(s.failed("back up", err), removeIfThere(part))
	}
	if _, err := CheckBackup(ctx, part); err != nil {
		return errors.Join(fmt.Errorf("back up: %w", err), removeIfThere(part))
	}
	return place(part, to)
}

// copyInto reads through a connection of its own, which needs no turn at the
// gate.
func copyInto(ctx context.Context, from, to string) (err error) {
	db, err := openFile(ctx, from, 1, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", to); err != nil {
		return fmt.Errorf("copy into %s: %w", to, err)
	}
	return nil
}

// CheckBackup says which schema a copy has, and refuses one that is damaged, is
// no record, or was written by a newer program.
func CheckBackup(ctx context.Context, path string) (version int64, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: absolute, RawQuery: "mode=ro&immutable=1"}).String())
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	damaged := func(cause error, why string) error {
		return &vigia.Error{Code: vigia.CodeInvalid, Field: "backup", Cause: cause,
			Message: fmt.Sprintf("%s is no whole backup of a record: %s", path, why), Help: "Use another backup."}
	}
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&said); err != nil {
		return 0, damaged(err, err.Error())
	}
	if said != "ok" {
		return 0, damaged(nil, said)
	}
	if version, err = versionOf(ctx, db, sqliteDialect); err != nil {
		return 0, damaged(err, err.Error())
	}
	if version == 0 {
		return 0, damaged(nil, "it has no schema")
	}
	known, err := SchemaVersion()
	if err != nil {
		return 0, err
	}
	return version, notNewer(version, known)
}

// Restore puts a checked backup in the place of a record that is not there: it
// never writes over one. The program must not be running on it.
func Restore(ctx context.Context, from, to string) error {
	if _, err := CheckBackup(ctx, from); err != nil {
		return err
	}
	for _, path := range []string{to, to + "-wal", to + "-shm"} {
		if err := absent(path); err != nil {
			return err
		}
	}
	part := to + ".part"
	if err := copyFile(from, part); err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), removeIfThere(part))
	}
	return place(part, to)
}

// absent refuses to write over a file.
func absent(path string) error {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", path, err)
	}
	return &vigia.Error{Code: vigia.CodeConflict, Field: "file", Message: path + " exists already", Help: "Move it away first."}
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(filepath.Clean(from))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(filepath.Clean(to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// place brings a finished file to the disk and gives it its name.
func place(part, to string) error {
	if err := syncPath(part); err != nil {
		return err
	}
	if err := os.Chmod(part, 0o600); err != nil {
		return fmt.Errorf("close %s to others: %w", part, err)
	}
	if err := os.Rename(part, to); err != nil {
		return fmt.Errorf("name the copy: %w", err)
	}
	return syncPath(filepath.Dir(to))
}

// syncPath brings a file, or the names in a folder, to the disk.
func syncPath(path string) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}
