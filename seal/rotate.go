package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Rotate adds a key to the file and gives its id; it seals from now on, here and
// in every process that uses the file. It fails with an error of the key file, or
// with what the system said when the file could not be replaced; then all is as
// it was.
func (s *Sealer) Rotate() (KeyID, error) {
	keys, err := s.replace((*ring).withNewKey)
	if err != nil {
		return 0, err
	}
	return keys.primary, nil
}

// Retire takes a key out of the file: what is still sealed with it is lost. It
// fails with ErrPrimary or ErrNoSuchKey, or as Rotate does.
func (s *Sealer) Retire(id KeyID) error {
	_, err := s.replace(func(r *ring) (*ring, error) { return r.without(id) })
	return err
}

// replace changes the file in one step, alone.
func (s *Sealer) replace(change func(*ring) (*ring, error)) (*ring, error) {
	path, err := filepath.EvalSymlinks(s.path)
	if err != nil {
		_, _, err = readKeyFile(s.path) // which says it better
		return nil, err
	}
	file, err := lock(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // closing gives the lock back
	before, info, err := readOpen(file)
	if err != nil {
		return nil, err
	}
	after, err := change(before)
	if err != nil {
		return nil, err
	}
	if err := put(path, after, info); err != nil {
		return nil, fmt.Errorf("key file %s was left as it was: %w", s.path, err)
	}
	return s.fresh()
}

// lock opens the key file and holds it against other processes. A file that was
// replaced while we waited is let go and the new one taken.
func lock(path string) (*os.File, error) {
	for {
		if _, _, err := readKeyFile(path); err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("key file: %w", err)
		}
		held, err := hold(file)
		if err != nil || held {
			return file, err
		}
	}
}

// hold waits for the lock and says whether the file is still the one in place;
// if not, or on failure, it closes it.
func hold(file *os.File) (bool, error) {
	if err := flock(file); err != nil {
		return false, errors.Join(fmt.Errorf("lock key file %s: %w", file.Name(), err), file.Close())
	}
	mine, ours := file.Stat()
	placed, theirs := os.Stat(file.Name())
	if errors.Is(theirs, fs.ErrNotExist) {
		theirs = nil // the next look will say so
	}
	if err := errors.Join(ours, theirs); err != nil {
		return false, errors.Join(fmt.Errorf("key file: %w", err), file.Close())
	}
	if placed != nil && os.SameFile(mine, placed) {
		return true, nil
	}
	return false, file.Close()
}

func flock(file *os.File) error {
	for {
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// put writes the keys beside the file and moves them over it, with the owner
// that the file had.
func put(path string, keys *ring, was os.FileInfo) error {
	text, err := keys.text()
	if err != nil {
		return err
	}
	defer clear(text)
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	name := file.Name()
	if owner, ok := was.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		err = file.Chown(int(owner.Uid), int(owner.Gid))
	}
	if err != nil {
		return errors.Join(err, file.Close(), os.Remove(name))
	}
	if err := fill(file, text); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	if err := os.Rename(name, path); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return syncFolder(filepath.Dir(path))
}
