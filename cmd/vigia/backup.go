package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lease"
	"github.com/vigiaguard/vigia/record"
)

type backupCommand struct {
	onServer
	To   string `help:"File to write; nothing may lie there." required:"" placeholder:"FILE"`
	JSON bool   `help:"Print JSON."`
}

// Help says what a backup holds and what it does not.
func (c *backupCommand) Help() string {
	return `Copies the database while the guard runs, checks the copy and brings it to the disk. The exchange keys in it are
sealed: without the key file nobody opens them, so keep a copy of that file, and keep it somewhere else.

  vigia backup --to /backups/vigia-$(date +%F).db`
}

// Run asks the server for a copy of its database.
func (c *backupCommand) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	to, err := filepath.Abs(c.To) // the server has a working folder of its own
	if err != nil {
		return fmt.Errorf("the file to write: %w", err)
	}
	if err := r.post(ctx, "/backup", map[string]string{"to": to}, nil); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, map[string]string{"backup": to, "key_file": r.file.KeyFile})
	}
	out := &printout{w: env.out}
	out.line("The database is copied to %s.", to)
	out.line("The keys in it are sealed with %s, which is not in it:\nkeep a copy of that file too, somewhere else than the backup.", r.file.KeyFile)
	return out.err
}

type restoreCommand struct {
	From string `help:"The backup." required:"" placeholder:"FILE"`
	Data string `help:"Folder of the guard; it must not be running." default:"vigia-data" placeholder:"DIR"`
	JSON bool   `help:"Print JSON."`
}

// Help says what happens to what is there.
func (c *restoreCommand) Help() string {
	return `Checks the backup, then puts it in the place of the database. The old one stays beside it as
vigia.db.before-restore. What was done after the backup is not in it; the exchange is read anew at the start.

  vigia restore --from /backups/vigia-2026-08-01.db --data vigia-data`
}

// beforeRestore is what the old database is called afterwards.
const beforeRestore = ".before-restore"

// Run puts a backup in the place of a database that nobody uses.
func (c *restoreCommand) Run(ctx context.Context, env environment) (err error) {
	version, err := record.CheckBackup(ctx, c.From)
	if errors.Is(err, fs.ErrNotExist) {
		return vigia.Invalid("from", fmt.Sprintf("there is no file %s", c.From))
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder: %w", err)
	}
	lock, err := lease.TryLock(filepath.Join(c.Data, "lock"))
	var holder *lease.HeldError
	if errors.As(err, &holder) {
		return &vigia.Error{Code: vigia.CodeConflict, Field: "data", Cause: err,
			Message: fmt.Sprintf("a server guards from %s (process %d)", c.Data, holder.Process), Help: "Stop it first, then restore."}
	}
	if err != nil {
		return fmt.Errorf("the data folder %s: %w", c.Data, err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	database := filepath.Join(c.Data, "vigia.db")
	old, err := moveAside(database)
	if err != nil {
		return err
	}
	if err := record.Restore(ctx, c.From, database); err != nil {
		if old != "" {
			err = errors.Join(err, moveBack(database))
		}
		return err
	}
	if c.JSON {
		return printJSON(env.out, map[string]any{"restored": database, "schema": version, "before": old})
	}
	out := &printout{w: env.out}
	out.line("%s is in place (schema version %d).", database, version)
	if old != "" {
		out.line("The database that was there is kept as %s.", old)
	}
	if key := filepath.Clean(c.Data) + ".key"; !exists(key) {
		out.line("▲ There is no key file %s. Put it back before you start: the backup was sealed with it.", key)
	}
	out.line("Start the guard:  vigia serve --data %s", shellWord(c.Data))
	return out.err
}

// databaseFiles are the files of one SQLite database.
func databaseFiles() []string { return []string{"", "-wal", "-shm"} }

// moveAside renames a database with its log, which belongs to it, and says what
// it is called now; nothing where there was none.
func moveAside(database string) (string, error) {
	if !exists(database) {
		return "", nil
	}
	aside := database + beforeRestore
	for _, suffix := range databaseFiles() {
		if exists(aside + suffix) {
			return "", &vigia.Error{Code: vigia.CodeConflict, Field: "data", Message: aside + suffix + " exists already, from an earlier restore",
				Help: "Move it away, or delete it if it is not needed."}
		}
	}
	for _, suffix := range databaseFiles() {
		if err := os.Rename(database+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", errors.Join(fmt.Errorf("moving the old database aside: %w", err), moveBack(database))
		}
	}
	return aside, nil
}

// moveBack undoes moveAside.
func moveBack(database string) error {
	var failed []error
	for _, suffix := range databaseFiles() {
		if err := os.Rename(database+beforeRestore+suffix, database+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
