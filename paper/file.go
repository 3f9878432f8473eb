package paper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// The file is a line of frames: the length of the payload, a checksum of that
// length, a checksum of the payload, each 32 bits little-endian, and the payload.
const frameHeader = 12

// maxFrame is far above any payload; a length beyond it is not one.
const maxFrame = 1 << 30

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func appendFrame(to, payload []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(len(payload)))
	to = binary.LittleEndian.AppendUint32(to, checksum(to[len(to)-4:]))
	to = binary.LittleEndian.AppendUint32(to, checksum(payload))
	return append(to, payload...)
}

// CorruptError says that a file is damaged before its last record: it is not
// read past that, and nothing of it is thrown away.
type CorruptError struct {
	Path   string
	Offset int64
	What   string
}

// Error names the offset.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d: %s", e.Path, e.Offset, e.What)
}

// readFrames hands each payload to the function and returns where the last
// whole frame ends. A last frame that was not written whole is left out: its
// command was never answered.
func readFrames(path string, data []byte, each func(offset int64, payload []byte) error) (int64, error) {
	at := 0
	for at < len(data) {
		rest := data[at:]
		if len(rest) < frameHeader || allZero(rest) {
			return int64(at), nil
		}
		length := binary.LittleEndian.Uint32(rest)
		if checksum(rest[:4]) != binary.LittleEndian.Uint32(rest[4:]) || length > maxFrame {
			return 0, &CorruptError{Path: path, Offset: int64(at), What: "the length of the record does not match its checksum"}
		}
		end := frameHeader + int(length)
		if end > len(rest) {
			return int64(at), nil
		}
		payload := rest[frameHeader:end]
		if checksum(payload) != binary.LittleEndian.Uint32(rest[8:]) {
			if end == len(rest) {
				return int64(at), nil
			}
			return 0, &CorruptError{Path: path, Offset: int64(at), What: "the record does not match its checksum"}
		}
		if err := each(int64(at), payload); err != nil {
			return 0, err
		}
		at += end
	}
	return int64(at), nil
}

// allZero recognises the end that a file system adds to a file whose last
// blocks were never written.
func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// file appends frames. Writing is done under the engine's lock; waiting for the
// disk is not, and one sync serves everybody who waits.
type file struct {
	path string
	lock *os.File

	mu      sync.Mutex
	changed *sync.Cond
	f       *os.File
	size    int64
	base    int64  // the size of the first record
	written uint64 // the last record written
	synced  uint64 // the last record known to be on the disk
	syncing bool
	failed  error
	frame   []byte

	// compactAt is the size from which the file is written anew, once it has
	// also doubled; sync is what brings it to the disk.
	compactAt int64
	sync      func(*os.File) error
}

// compactAt is the size from which files are written anew.
const compactAt = 8 << 20

func newFile(path string, lock *os.File) *file {
	l := &file{path: path, lock: lock, compactAt: compactAt, sync: (*os.File).Sync}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// full says that it is time to write the file anew.
func (l *file) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size >= max(l.compactAt, 2*l.base)
}

// lockFile makes sure that no other process has the state open; the lock goes
// with the process.
func lockFile(path string) (*os.File, error) {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("state file %s is open in another process: %w", path, err), lock.Close())
	}
	return lock, nil
}

// append writes one record; on an error nothing more can be appended.
func (l *file) append(record uint64, payload []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	l.frame = appendFrame(l.frame[:0], payload)
	if _, err := l.f.Write(l.frame); err != nil {
		l.failed = fmt.Errorf("writing the state file: %w", err)
		return l.failed
	}
	l.size += int64(len(l.frame))
	l.written = record
	return nil
}

// syncTo returns when a record is on the disk.
func (l *file) syncTo(record uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.synced < record && l.failed == nil {
		if l.syncing {
			l.changed.Wait()
			continue
		}
		l.syncing = true
		f, upTo := l.f, l.written
		l.mu.Unlock()
		err := l.sync(f)
		l.mu.Lock()
		l.syncing = false
		if err != nil {
			l.failed = fmt.Errorf("syncing the state file: %w", err)
		} else {
			l.synced = max(l.synced, upTo)
		}
		l.changed.Broadcast()
	}
	if l.synced >= record {
		return nil
	}
	return l.failed
}

// replace puts a file with one record in the place of all that was written, in
// one step: a kill leaves the one or the other.
func (l *file) replace(payload []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.syncing {
		l.changed.Wait()
	}
	if l.failed != nil {
		return l.failed
	}
	next, err := writeAside(l.path, payload)
	if err != nil {
		return err
	}
	old := l.f
	l.f, l.base, l.synced = next, int64(frameHeader+len(payload)), l.written
	l.size = l.base
	l.changed.Broadcast()
	if old == nil {
		return nil
	}
	if err := old.Close(); err != nil {
		return fmt.Errorf("closing the old state file: %w", err)
	}
	return nil
}

// writeAside makes a file of one frame beside path and renames it over path.
func writeAside(path string, payload []byte) (_ *os.File, err error) {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("new state file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("new state file: %w", err), f.Close())
		}
	}()
	if _, err := f.Write(appendFrame(nil, payload)); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, err
	}
	return f, syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// close ends the file and lets another process have it.
func (l *file) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.syncing {
		l.changed.Wait()
	}
	var failed []error
	if l.f != nil && l.synced < l.written {
		failed = append(failed, l.f.Sync())
	}
	if l.f != nil {
		failed = append(failed, l.f.Close())
	}
	if l.failed == nil {
		l.failed = errors.New("the state file is closed")
	}
	// Unlocked first: a child between fork and exec may still share the lock.
	unlocked := syscall.Flock(int(l.lock.Fd()), syscall.LOCK_UN)
	return errors.Join(append(failed, unlocked, l.lock.Close())...)
}

func readAll(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	}
	return data, nil
}

// openAt opens a file for appending after its last whole frame, cutting off
// what follows it.
func openAt(path string, end int64) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	}
	if err := f.Truncate(end); err != nil {
		return nil, errors.Join(fmt.Errorf("state file: %w", err), f.Close())
	}
	if _, err := f.Seek(end, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("state file: %w", err), f.Close())
	}
	return f, nil
}
