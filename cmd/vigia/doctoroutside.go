package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lease"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/seal"
)

// fromOutside looks at what a server would need, without being one. It changes
// nothing.
func (c *doctorCommand) fromOutside(ctx context.Context) []vigia.Check {
	folder := c.checkFolder()
	out := []vigia.Check{folder, c.checkPort(ctx)}
	if !exists(c.Data) {
		return out
	}
	lock, held := c.checkLock()
	out = append(out, lock, c.checkKeyFile(), (&server{o: &serveCommand{Data: c.Data}}).checkDisk())
	if !held {
		out = append(out, c.checkDatabase(ctx))
	}
	return out
}

func (c *doctorCommand) checkFolder() vigia.Check {
	info, err := os.Stat(c.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return vigia.Check{Name: "data folder", OK: true, Found: c.Data + " does not exist yet; vigia serve makes it"}
	case err != nil:
		return vigia.Check{Name: "data folder", Found: fmt.Sprintf("%s: %v", c.Data, rootCause(err)), Do: "Name another folder with --data."}
	case !info.IsDir():
		return vigia.Check{Name: "data folder", Found: c.Data + " is no folder", Do: "Name another one with --data."}
	case info.Mode().Perm()&0o077 != 0:
		return vigia.Check{Name: "data folder", Found: fmt.Sprintf("others may look into %s (mode %04o)", c.Data, info.Mode().Perm()), Do: "chmod 700 " + c.Data}
	}
	return vigia.Check{Name: "data folder", OK: true, Found: c.Data}
}

// checkLock says whether a process guards that does not answer.
func (c *doctorCommand) checkLock() (check vigia.Check, held bool) {
	path := filepath.Join(c.Data, "lock")
	if !exists(path) {
		return vigia.Check{Name: "lock", OK: true, Found: "nobody guards from this folder"}, false
	}
	lock, err := lease.TryLock(path)
	var holder *lease.HeldError
	switch {
	case errors.As(err, &holder):
		return vigia.Check{Name: "lock", Found: fmt.Sprintf("process %d guards from this folder and does not answer here", holder.Process),
			Do: "Look at what it prints; stop it and start it again if it hangs."}, true
	case err != nil:
		return vigia.Check{Name: "lock", Found: err.Error(), Do: "Make the folder writable."}, false
	}
	if err := lock.Release(); err != nil {
		return vigia.Check{Name: "lock", Found: err.Error(), Do: "Check the disk."}, false
	}
	return vigia.Check{Name: "lock", OK: true, Found: "nobody guards from this folder"}, false
}

func (c *doctorCommand) keyFile() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return filepath.Clean(c.Data) + ".key"
}

func (c *doctorCommand) checkKeyFile() vigia.Check {
	path := c.keyFile()
	check := vigia.Check{Name: "key file", OK: true, Found: path + " opens, and nobody else may read it"}
	_, err := seal.Open(path)
	switch {
	case errors.Is(err, seal.ErrNoKeyFile) && !exists(filepath.Join(c.Data, "vigia.db")):
		check.Found = path + " does not exist yet; vigia serve makes it"
	case errors.Is(err, seal.ErrNoKeyFile):
		check.OK, check.Found, check.Do = false, "there is no key file "+path, "Put it back: without it the exchange keys in the record cannot be opened."
	case errors.Is(err, seal.ErrExposed):
		check.OK, check.Found, check.Do = false, "others may read "+path, "chmod 600 "+path+", and make new exchange keys if somebody may have read it."
	case err != nil:
		check.OK, check.Found, check.Do = false, err.Error(), "Put back the copy of it that you kept."
	default:
		if err := seal.Apart(path, c.Data); err != nil {
			check.OK, check.Found, check.Do = false, err.Error(), "Move it out of the folder and name it with --key-file."
		}
	}
	return check
}

func (c *doctorCommand) checkPort(ctx context.Context) vigia.Check {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err == nil {
		err = listener.Close()
	}
	if err != nil {
		return vigia.Check{Name: "port", Found: fmt.Sprintf("%s cannot be listened on: %v", c.Listen, rootCause(err)),
			Do: "Something else runs there; choose another address with --listen."}
	}
	return vigia.Check{Name: "port", OK: true, Found: c.Listen + " is free"}
}

// checkDatabase opens the database as it lies there, with what a killed server
// left in its log, and looks whether it is whole and of a version that is known.
func (c *doctorCommand) checkDatabase(ctx context.Context) vigia.Check {
	path := filepath.Join(c.Data, "vigia.db")
	if !exists(path) {
		return vigia.Check{Name: "database", OK: true, Found: path + " does not exist yet; vigia serve makes it"}
	}
	if err := wholeDatabase(ctx, path); err != nil {
		return vigia.Check{Name: "database", Found: fmt.Sprintf("%s: %v", path, err), Do: "Make it readable and writable, or put a backup in its place: vigia restore."}
	}
	version, err := record.CheckBackup(ctx, path)
	if err != nil {
		check := vigia.Check{Name: "database", Found: err.Error(), Do: "Put a backup in its place: vigia restore --from FILE."}
		var refused *vigia.Error
		if errors.As(err, &refused) {
			check.Found, check.Do = refused.Message, refused.Help
		}
		return check
	}
	return vigia.Check{Name: "database", OK: true, Found: fmt.Sprintf("%s is whole, schema version %d", path, version)}
}

func wholeDatabase(ctx context.Context, path string) (err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: absolute, RawQuery: "mode=rw&_pragma=busy_timeout(2000)"}).String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return err
	}
	if said != "ok" {
		return errors.New(said)
	}
	return nil
}
