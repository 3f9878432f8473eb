package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	keyFileMode   fs.FileMode = 0o600
	keyFolderMode fs.FileMode = 0o700
	others        fs.FileMode = 0o077
	maxKeyFile                = 1 << 20
)

// Open reads a key file. It fails with ErrNoKeyFile, ErrExposed or ErrBadKeyFile,
// or with what the system said; nothing is made or changed.
func Open(keyFile string) (*Sealer, error) {
	keys, info, err := readKeyFile(keyFile)
	if err != nil {
		return nil, err
	}
	return &Sealer{path: keyFile, ring: keys, seen: info}, nil
}

// Create makes a key file with one new key, mode 0600, and the folder around it,
// mode 0700, where that is missing. It fails with ErrKeyFileExists and leaves
// what is there alone.
func Create(keyFile string) (*Sealer, error) {
	keys, err := firstRing()
	if err != nil {
		return nil, err
	}
	text, err := keys.text()
	if err != nil {
		return nil, err
	}
	defer clear(text)
	if err := os.MkdirAll(filepath.Dir(keyFile), keyFolderMode); err != nil {
		return nil, fmt.Errorf("folder of key file %s: %w", keyFile, err)
	}
	file, err := os.OpenFile(keyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, keyFileMode)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("key file %s: %w, and a new one would open nothing that it sealed", keyFile, ErrKeyFileExists)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if err := fill(file, text); err != nil {
		return nil, errors.Join(fmt.Errorf("key file: %w", err), os.Remove(keyFile))
	}
	return Open(keyFile)
}

// Apart checks that a key file lies outside a data folder, links followed: a copy
// of the folder must not carry the key with it. It fails with ErrInsideData.
// Neither needs to exist yet.
func Apart(keyFile, dataFolder string) error {
	key, err := resolve(keyFile)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	data, err := resolve(dataFolder)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	folder, statErr := os.Stat(data)
	for dir := filepath.Dir(key); ; dir = filepath.Dir(dir) {
		inside := dir == data
		if around, err := os.Stat(dir); err == nil && statErr == nil {
			inside = inside || os.SameFile(around, folder)
		}
		if inside {
			return fmt.Errorf("key file %s: %w %s: put it where a copy of that folder does not take it along", keyFile, ErrInsideData, dataFolder)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// resolve follows the links of as much of a path as exists.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for at := path; ; at = filepath.Dir(at) {
		found, err := filepath.EvalSymlinks(at)
		if err == nil {
			return filepath.Join(found, strings.TrimPrefix(path, at)), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return "", err
		}
	}
}

func readKeyFile(path string) (*ring, os.FileInfo, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		// Opening a pipe would wait for whoever writes it.
		return nil, nil, fmt.Errorf("key file %s: %w: it takes a regular file, this is %s", path, ErrBadKeyFile, info.Mode().Type())
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("key file %s: %w: without it nothing that was sealed can be read; put back the copy of it that was kept, or create a new one if nothing was sealed yet", path, ErrNoKeyFile)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("key file: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	return readOpen(file)
}

// readOpen judges the file that is open, which cannot be swapped meanwhile.
func readOpen(file *os.File) (*ring, os.FileInfo, error) {
	path := file.Name()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&others != 0 {
		return nil, nil, fmt.Errorf("key file %s: %w: its mode is %04o, it takes %04o (chmod 600 %s)", path, ErrExposed, mode, keyFileMode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("key file: %w", err)
	}
	defer clear(text)
	if len(text) > maxKeyFile {
		return nil, nil, fmt.Errorf("key file %s: %w: it has more than %d bytes", path, ErrBadKeyFile, maxKeyFile)
	}
	keys, err := parseRing(text)
	if err != nil {
		return nil, nil, fmt.Errorf("key file %s: %w: %w", path, ErrBadKeyFile, err)
	}
	return keys, info, nil
}

// fill writes a file through to the disk, its folder's entry included, and
// closes it.
func fill(file *os.File, text []byte) error {
	_, err := file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file.Name()))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
