package recordtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cluster is a throw-away PostgreSQL server in a folder of its own, reached
// through a socket in it.
type cluster struct {
	dir     string
	process *os.Process
	ended   chan error
}

// patience bounds how long the server may take to start and to stop.
const patience = 2 * time.Minute

// startCluster makes a cluster and starts it. It does not sync to disk: what it
// holds is worth nothing.
func startCluster() (c *cluster, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vigia-postgres-")
	if err != nil {
		return nil, fmt.Errorf("folder for a cluster: %w", err)
	}
	c = &cluster{dir: dir, ended: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, fmt.Errorf("folder for a cluster: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	//nolint:gosec // the server that is installed here
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", c.data(), "-A", "trust", "-U", "vigia", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	initdb.Dir, initdb.SysProcAttr = dir, child(as)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return c, c.start(ctx, bin, as)
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// url reaches the cluster through its socket.
func (c *cluster) url() string {
	return "postgres://vigia@/postgres?" + url.Values{"host": {c.dir}, "port": {"5432"}}.Encode()
}

// start runs the server until it says that it is ready.
func (c *cluster) start(ctx context.Context, bin string, as *syscall.Credential) error {
	//nolint:gosec // the server that is installed here
	command := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(bin, "postgres"), "-D", c.data(), "-k", c.dir, "-p", "5432",
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=400",
		"-c", "shared_buffers=32MB", "-c", "log_min_messages=log", "-c", "lc_messages=C", "-c", "autovacuum=off")
	command.Dir, command.SysProcAttr = c.dir, child(as)
	said, err := command.StderrPipe()
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	started, ready := make(chan error, 1), make(chan struct{})
	go func() {
		// The server dies with the thread that started it: this one lives as
		// long as the server.
		runtime.LockOSThread()
		if err := command.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		listen(said, ready)
		c.ended <- command.Wait()
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	c.process = command.Process
	select {
	case <-ready:
		return nil
	case err := <-c.ended:
		return fmt.Errorf("postgres ended at once: %w", err)
	case <-ctx.Done():
		return errors.Join(errors.New("postgres did not get ready"), c.process.Kill())
	}
}

// listen closes ready when the server says that it is, and reads on so that it
// never waits for us.
func listen(said io.Reader, ready chan<- struct{}) {
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if ready != nil && strings.Contains(lines.Text(), "ready to accept connections") {
			close(ready)
			ready = nil
		}
	}
}

// stop ends the server at once and removes its folder.
func (c *cluster) stop() error {
	if err := c.process.Signal(syscall.SIGQUIT); err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case err := <-c.ended:
		_ = err // it was told to end at once: how it did says nothing
	case <-ctx.Done():
		return errors.New("postgres did not end")
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("remove the cluster: %w", err)
	}
	return nil
}

// binaries is the folder of the newest server installed.
func binaries() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(found); err == nil {
			found = target
		}
		return filepath.Dir(found), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("initdb was not found")
	}
	version := func(path string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	return filepath.Dir(found[0]), nil
}

// unprivileged is who the server runs as: PostgreSQL refuses root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("there is no user that a server could run as instead of root")
}
