package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vigiaguard/vigia"
)

// FileLock is held by one process at a time; the operating system takes it from
// a dead one at once.
type FileLock struct{ file *os.File }

// HeldError says who holds a file lock.
type HeldError struct {
	Path string
	// Process is the holder's number, 0 where it is not known.
	Process int
}

// Error names the file and the process.
func (e *HeldError) Error() string {
	if e.Process == 0 {
		return e.Path + " is held by another process"
	}
	return fmt.Sprintf("%s is held by process %d", e.Path, e.Process)
}

// TryLock takes the lock now, or says with a [HeldError] who holds it. The file is
// made where it is missing and stays when the lock is released.
func TryLock(path string) (*FileLock, error) {
	file, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's own data folder
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder := &HeldError{Path: path, Process: processIn(file)}
		return nil, errors.Join(holder, file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	if err := writeProcess(file); err != nil {
		return nil, errors.Join(fmt.Errorf("write our process into %s: %w", path, err), file.Close())
	}
	return &FileLock{file}, nil
}

// Lock waits until the lock is free, looking every pause, or until ctx ends. It
// tells waiting, once, where it is set, who holds the lock.
func Lock(ctx context.Context, clock vigia.Clock, path string, pause time.Duration, waiting func(*HeldError)) (*FileLock, error) {
	for {
		lock, err := TryLock(path)
		var holder *HeldError
		if !errors.As(err, &holder) {
			return lock, err
		}
		if waiting != nil {
			waiting(holder)
			waiting = nil
		}
		timer := clock.NewTimer(pause)
		select {
		case <-timer.C():
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("wait for the lock: %w", context.Cause(ctx))
		}
	}
}

// Release gives the lock up.
func (l *FileLock) Release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release the lock: %w", err)
	}
	return nil
}

// processIn reads who wrote itself into the file; it is for a message only.
func processIn(file *os.File) int {
	text := make([]byte, 32)
	n, err := file.ReadAt(text, 0)
	if n == 0 && err != nil {
		return 0
	}
	process, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return process
}

func writeProcess(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
