package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vigiaguard/vigia/seal"
)

// refused checks that a key file is refused in one sentence that names it.
func refused(t *testing.T, err, want error, parts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
		return
	}
	for _, part := range append(parts, "key file ") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than one sentence", err)
	}
}

func TestCreateMakesAPrivateFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config", "vigia", "vigia.key")
	s := create(t, path)
	for at, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): fs.ModeDir | 0o700} {
		info, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %s, want %s", at, info.Mode(), want)
		}
	}
	keys, err := s.Keys()
	if err != nil || len(keys) != 1 || !keys[0].Seals {
		t.Errorf("a new file holds %v, %v", keys, err)
	}
	if text := contents(t, path); !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) || !bytes.Contains(text, []byte("primaryKeyId")) {
		t.Error("the file is not a keyset in JSON")
	}
}

func TestCreateLeavesAFileAlone(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	value := sealed(t, create(t, path), plain)
	before := contents(t, path)
	_, err := seal.Create(path)
	refused(t, err, seal.ErrKeyFileExists, path)
	if !bytes.Equal(before, contents(t, path)) {
		t.Error("the file that was there has changed")
	}
	mustOpen(t, open(t, path), value, plain)
}

func TestCreateLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	blocked := keyFile(t)
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Create(filepath.Join(blocked, "vigia.key")); err == nil || !strings.Contains(err.Error(), blocked) {
		t.Errorf("a file in the place of the folder gave %v", err)
	}
}

func TestOpenNeverMakesAFile(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	_, err := seal.Open(path)
	refused(t, err, seal.ErrNoKeyFile, path, "nothing that was sealed can be read", "put back the copy")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it made something")
	}
}

func TestOpenRefusesWhatOthersCanRead(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	create(t, path)
	for mode, text := range map[fs.FileMode]string{0o644: "0644", 0o640: "0640", 0o604: "0604", 0o620: "0620", 0o601: "0601", 0o777: "0777"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := seal.Open(path)
		refused(t, err, seal.ErrExposed, path, "its mode is "+text, "it takes 0600", "chmod 600 "+path)
	}
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		open(t, path)
	}
}

func TestOpenRefusesWhatIsNoKeyFile(t *testing.T) {
	t.Parallel()
	const material = "GiAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw=="
	for name, text := range map[string]string{
		"empty":         "",
		"not JSON":      "-----BEGIN PRIVATE KEY-----\n" + material,
		"cut":           fuzzKey[:len(fuzzKey)-20],
		"other JSON":    `{"key":"` + material + `"}`,
		"no keys":       `{"primaryKeyId":7,"key":[]}`,
		"no such":       strings.Replace(fuzzKey, `"primaryKeyId":7`, `"primaryKeyId":8`, 1),
		"key too short": strings.Replace(fuzzKey, material, "GgIAAQ==", 1),
		"another kind":  strings.Replace(fuzzKey, "AesGcmKey", "HmacKey", 1),
		"without an id": strings.Replace(fuzzKey, "TINK", "RAW", 1),
		"huge":          strings.Repeat(" ", 1<<20) + fuzzKey,
	} {
		path := keyFile(t)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := seal.Open(path)
		if !errors.Is(err, seal.ErrBadKeyFile) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		refused(t, err, seal.ErrBadKeyFile, path)
		if strings.Contains(err.Error(), material[:12]) {
			t.Errorf("%s: the error shows a key: %v", name, err)
		}
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	folder, pipe := t.TempDir(), keyFile(t)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, pipe} {
		_, err := seal.Open(path)
		refused(t, err, seal.ErrBadKeyFile, path, "regular file")
	}
}

func TestApart(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	data, linked := filepath.Join(base, "data"), filepath.Join(base, "linked")
	if err := os.MkdirAll(filepath.Join(data, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(data, linked); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(base, "keys")
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	create(t, filepath.Join(data, "deep", "hidden.key"))
	if err := os.Symlink(filepath.Join(data, "deep", "hidden.key"), filepath.Join(outside, "link.key")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key, data string
		inside    bool
	}{
		"beside":                 {filepath.Join(base, "vigia.key"), data, false},
		"elsewhere":              {filepath.Join(outside, "vigia.key"), data, false},
		"a name alike":           {filepath.Join(base, "data.key"), data, false},
		"neither is there yet":   {filepath.Join(base, "new", "vigia.key"), filepath.Join(base, "new", "data"), false},
		"in it":                  {filepath.Join(data, "vigia.key"), data, true},
		"deep in it":             {filepath.Join(data, "deep", "er", "vigia.key"), data, true},
		"in it by dots":          {filepath.Join(outside, "..", "data", "vigia.key"), data, true},
		"in it by a link":        {filepath.Join(linked, "vigia.key"), data, true},
		"the data is a link":     {filepath.Join(data, "vigia.key"), linked, true},
		"the key is a link":      {filepath.Join(outside, "link.key"), data, true},
		"in it, before there is": {filepath.Join(base, "new", "data", "vigia.key"), filepath.Join(base, "new", "data"), true},
	} {
		err := seal.Apart(c.key, c.data)
		if !c.inside {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, seal.ErrInsideData) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		refused(t, err, seal.ErrInsideData, c.key, c.data)
	}
}
