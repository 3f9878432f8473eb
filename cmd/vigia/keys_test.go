package main

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
)

// A key file is made only where nothing can have been sealed with a lost one.
func TestALostKeyFileIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vigia.key")
	var refused *vigia.Error
	if _, err := openKey(path, false); !errors.As(err, &refused) || refused.Field != "key-file" || !strings.Contains(refused.Message, "there is no key file "+path) || exists(path) {
		t.Errorf("got %v", err)
	}
	_, err := openKey(path, true)
	must(t, err)
	_, err = openKey(path, false)
	must(t, err)
	must(t, os.Chmod(path, 0o640))
	if _, err := openKey(path, true); !errors.As(err, &refused) || !strings.Contains(refused.Message, "0640") {
		t.Errorf("a key file that others can read: got %v", err)
	}
}

func TestTheTokenIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	first, err := tokenFile(path)
	must(t, err)
	again, err := tokenFile(path)
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	if len(first.Reveal()) < 40 || first.Reveal() != again.Reveal() || info.Mode().Perm() != 0o600 {
		t.Errorf("got %d characters, the same again: %v, mode %v", len(first.Reveal()), first.Reveal() == again.Reveal(), info.Mode())
	}
	must(t, os.Chmod(path, 0o644))
	if _, err := tokenFile(path); err == nil || !strings.Contains(err.Error(), "others can read it (mode 0644); it takes 0600") {
		t.Errorf("got %v", err)
	}
}

func TestASigningKeyIsReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.journal")
	first, err := signingKey(path)
	must(t, err)
	again, err := signingKey(path)
	must(t, err)
	if public, ok := first.Public().(ed25519.PublicKey); !ok || !public.Equal(again.Public()) {
		t.Error("another key came back")
	}
	must(t, os.WriteFile(path, []byte("not hex"), 0o600))
	if _, err := signingKey(path); err == nil || !strings.Contains(err.Error(), "does not hold a signing key") {
		t.Errorf("got %v", err)
	}
}
