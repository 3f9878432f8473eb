package lease

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/recordtest"
)

var start = recordtest.Start

func tryLock(t *testing.T, path string) *FileLock {
	t.Helper()
	lock, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestAFileLockIsHeldByOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	lock := tryLock(t, path)
	var holder *HeldError
	if _, err := TryLock(path); !errors.As(err, &holder) || holder.Process != os.Getpid() {
		t.Errorf("got %v, want it held by process %d", err, os.Getpid())
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if err := tryLock(t, path).Release(); err != nil {
		t.Fatal(err)
	}
}

func TestASecondProcessStandsByUntilTheLockIsFree(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	lock := tryLock(t, path)
	clock := vigia.NewManualClock(start)
	told := make(chan *HeldError, 1)
	got := make(chan error, 1)
	go func() {
		second, err := Lock(t.Context(), clock, path, time.Second, func(e *HeldError) { told <- e })
		if err == nil {
			err = second.Release()
		}
		got <- err
	}()
	if holder := <-told; holder.Process != os.Getpid() {
		t.Errorf("got %v, want it held by process %d", holder, os.Getpid())
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	for {
		clock.Advance(time.Second)
		select {
		case err := <-got:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

func TestStandingByEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	lock := tryLock(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Lock(ctx, vigia.NewManualClock(start), path, time.Second, func(*HeldError) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

// lockInChild is set in the process that TestTheDeadHoldNoLock starts.
const lockInChild = "VIGIA_TEST_LOCK"

func TestTheDeadHoldNoLock(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(lockInChild); path != "" {
		tryLock(t, path)
		_, _ = os.Stdout.WriteString("locked\n")
		select {} // until it is killed
	}
	path := filepath.Join(t.TempDir(), "lock")
	child := exec.Command(os.Args[0], "-test.run=^TestTheDeadHoldNoLock$", "-test.timeout=1m")
	child.Env = append(os.Environ(), lockInChild+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("got %q, %v from the child", line, err)
	}
	var holder *HeldError
	if _, err := TryLock(path); !errors.As(err, &holder) || holder.Process != child.Process.Pid {
		t.Errorf("got %v, want it held by the child", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// It was killed: how it ended says nothing more.
	_ = child.Wait()
	if err := tryLock(t, path).Release(); err != nil {
		t.Fatal(err)
	}
}
