package seal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/seal"
)

func rotate(t *testing.T, s *seal.Sealer) seal.KeyID {
	t.Helper()
	id, err := s.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sealedWith(t *testing.T, value []byte) seal.KeyID {
	t.Helper()
	id, err := seal.KeyOf(value)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	s := create(t, path)
	old := sealed(t, s, plain)
	first := sealedWith(t, old)
	second := rotate(t, s)
	if first == second {
		t.Fatal("the new key has the id of the old one")
	}
	renewed, err := s.Reseal(place, old)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		value []byte
		key   seal.KeyID
		stale bool
	}{{old, first, true}, {sealed(t, s, plain), second, false}, {renewed, second, false}} {
		stale, err := s.Stale(c.value)
		if err != nil || stale != c.stale || sealedWith(t, c.value) != c.key {
			t.Errorf("sealed with %s, stale %t (%v), want %s, %t", sealedWith(t, c.value), stale, err, c.key, c.stale)
		}
		mustOpen(t, s, c.value, plain)
		mustOpen(t, open(t, path), c.value, plain)
	}
	if err := s.Retire(first); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, s, renewed, plain)
	if _, err := s.Unseal(place, old); !errors.Is(err, seal.ErrUnknownKey) {
		t.Errorf("a value of the retired key gave %v", err)
	}
	if keys, err := s.Keys(); err != nil || len(keys) != 1 || keys[0] != (seal.Key{ID: second, Seals: true}) {
		t.Errorf("left are %v, %v", keys, err)
	}
}

func TestRotationKeepsTheFilePrivateAndAlone(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	rotate(t, create(t, path))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("the file has the mode %s", info.Mode())
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the key file there is %v, %v", left, err)
	}
}

// A server goes on while its key file is rotated by a command.
func TestOtherProcessesFollow(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	server := create(t, path)
	before := sealed(t, server, plain)
	command := open(t, path)
	second := rotate(t, command)
	mustOpen(t, server, sealed(t, command, plain), plain)
	if value := sealed(t, server, plain); sealedWith(t, value) != second {
		t.Error("the server still seals with the old key")
	}
	if err := command.Retire(sealedWith(t, before)); err != nil {
		t.Fatal(err)
	}
	if value := sealed(t, server, plain); sealedWith(t, value) != second {
		t.Error("the server seals with a key that was retired")
	}
}

func TestNothingIsSealedWithoutTheFile(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	s := create(t, path)
	value := sealed(t, s, plain)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Seal(place, vigia.NewSecret(plain)); !errors.Is(err, seal.ErrExposed) {
		t.Errorf("sealing with an exposed key gave %v", err)
	}
	mustOpen(t, s, value, plain)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() error{
		"seal":   func() error { _, err := s.Seal(place, vigia.NewSecret(plain)); return err },
		"reseal": func() error { _, err := s.Reseal(place, value); return err },
		"stale":  func() error { _, err := s.Stale(value); return err },
		"keys":   func() error { _, err := s.Keys(); return err },
		"rotate": func() error { _, err := s.Rotate(); return err },
		"retire": func() error { return s.Retire(1) },
	} {
		if err := try(); !errors.Is(err, seal.ErrNoKeyFile) {
			t.Errorf("%s without the key file gave %v", name, err)
		}
	}
	mustOpen(t, s, value, plain)
	foreign := sealed(t, create(t, keyFile(t)), plain)
	if _, err := s.Unseal(place, foreign); !errors.Is(err, seal.ErrUnknownKey) || !errors.Is(err, seal.ErrNoKeyFile) {
		t.Errorf("a foreign value without the key file gave %v", err)
	}
}

func TestWhatCannotBeRetired(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	s := create(t, path)
	primary := sealedWith(t, sealed(t, s, plain))
	before := contents(t, path)
	if err := s.Retire(primary); !errors.Is(err, seal.ErrPrimary) {
		t.Errorf("retiring the key that seals gave %v", err)
	}
	if err := s.Retire(primary + 1); !errors.Is(err, seal.ErrNoSuchKey) {
		t.Errorf("retiring no key gave %v", err)
	}
	if !bytes.Equal(before, contents(t, path)) {
		t.Error("a refusal has changed the file")
	}
}

func TestRotationThroughALink(t *testing.T) {
	t.Parallel()
	path, link := keyFile(t), keyFile(t)
	create(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	s := open(t, link)
	value := sealed(t, s, plain)
	rotate(t, s)
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link was replaced by a file (%v)", err)
	}
	mustOpen(t, open(t, path), value, plain)
}

// No key is lost when several rotate at the same moment.
func TestRotationsAtOnce(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	create(t, path)
	const processes, each = 6, 3
	values := make(chan []byte, processes*each)
	var all sync.WaitGroup
	for range processes {
		s := open(t, path)
		all.Go(func() {
			for range each {
				if _, err := s.Rotate(); err != nil {
					t.Error(err)
				}
				value, err := s.Seal(place, vigia.NewSecret(plain))
				if err != nil {
					t.Error(err)
				}
				values <- value
			}
		})
	}
	all.Wait()
	close(values)
	s := open(t, path)
	if keys, err := s.Keys(); err != nil || len(keys) != 1+processes*each {
		t.Errorf("the file holds %d keys (%v), want %d", len(keys), err, 1+processes*each)
	}
	for value := range values {
		mustOpen(t, s, value, plain)
	}
}

func TestStaleOfWhatIsNotSealed(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	if _, err := s.Stale([]byte("plain")); !errors.Is(err, seal.ErrMalformed) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Reseal(place, []byte("plain")); !errors.Is(err, seal.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}
