package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/seal"
)

// openKey opens the key file. It is made only where there is nothing yet that a
// lost one could have sealed.
func openKey(path string, fresh bool) (*seal.Sealer, error) {
	sealer, err := seal.Open(path)
	if errors.Is(err, seal.ErrNoKeyFile) && fresh {
		return seal.Create(path)
	}
	if errors.Is(err, seal.ErrNoKeyFile) {
		return nil, &vigia.Error{Code: vigia.CodeInvalid, Field: "key-file", Cause: err,
			Message: fmt.Sprintf("there is no key file %s, and the record was sealed with one", path),
			Help:    "Put the key file back; without it the exchange keys in the record cannot be opened by anybody."}
	}
	if err != nil {
		return nil, &vigia.Error{Code: vigia.CodeInvalid, Field: "key-file", Cause: err, Message: err.Error()}
	}
	return sealer, nil
}

// signingKey opens, or makes, the key that signs the journal's checkpoints. It
// lies beside the key file, so that who has the record alone cannot sign.
func signingKey(path string) (crypto.Signer, error) {
	text, err := secretFile(path, func() (string, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return hex.EncodeToString(key.Seed()), err
	})
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(text)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, vigia.Invalid("key-file", fmt.Sprintf("%s does not hold a signing key: 64 hexadecimal digits", path))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// tokenFile opens, or makes, the bearer token of the API.
func tokenFile(path string) (vigia.Secret, error) {
	text, err := secretFile(path, func() (string, error) { return rand.Text() + rand.Text(), nil })
	return vigia.NewSecret(text), err
}

// secretFile reads a file that only its owner may read, and makes it when it is
// missing.
func secretFile(path string, made func() (string, error)) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err := made()
		if err != nil {
			return "", fmt.Errorf("making %s: %w", path, err)
		}
		return text, writeSecret(path, text)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, rootCause(err))
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", &vigia.Error{Code: vigia.CodeInvalid, Field: path, Message: fmt.Sprintf("others can read it (mode %04o); it takes 0600", mode),
			Help: "chmod 600 " + path}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, rootCause(err))
	}
	return strings.TrimSpace(string(content)), nil
}

func writeSecret(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making %s: %w", path, rootCause(err))
	}
	_, err = file.WriteString(text + "\n")
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
