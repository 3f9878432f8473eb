package record

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// spare is a file that only takes up room: given up when the disk is full, so
// that intents and settlements go on for a while.
type spare struct {
	path string
	size int64
	mu   sync.Mutex
}

// keep makes the file where it is missing or too small. A disk too full for it
// is no reason not to start.
func (s *spare) keep() error {
	if s.size == 0 {
		return nil
	}
	if info, err := os.Stat(s.path); err == nil && info.Size() >= s.size {
		return nil
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("reserve file: %w", err)
	}
	// Random bytes take their room also where the file system packs zeros.
	_, err = io.CopyN(f, rand.Reader, s.size)
	if closed := f.Close(); err == nil && closed == nil {
		return nil
	}
	if err := os.Remove(s.path); err != nil {
		return fmt.Errorf("reserve file: %w", err)
	}
	return nil
}

// give removes the file and says whether that made room.
func (s *spare) give() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == 0 {
		return false
	}
	err := os.Remove(s.path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}
