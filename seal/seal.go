package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/vigiaguard/vigia"
)

const (
	// MaxSecret is the longest secret that can be sealed, in bytes.
	MaxSecret = 64 << 10

	format    = 1 // first byte of a sealed value
	markLen   = 8 // then the mark of its place
	headLen   = 1 + markLen
	tinkByte  = 1  // first byte of what Tink makes with a key that has an id
	tinkLen   = 5  // that byte and the id
	lengthLen = 4  // the plain text starts with its length
	blockLen  = 64 // and is padded to a multiple of this
	shortest  = headLen + tinkLen + blockLen
)

// Sealer seals and opens with the keys of one file.
type Sealer struct {
	path string

	mu   sync.Mutex
	ring *ring       // the keys as they were read last
	seen os.FileInfo // and the file they were read from
}

// Seal closes a secret for a place. Two seals of one secret differ. It fails with
// ErrBinding, ErrEmpty or ErrTooLong, or with an error of the key file when that
// is gone or has become unreadable since.
func (s *Sealer) Seal(place Binding, secret vigia.Secret) ([]byte, error) {
	if err := place.check(); err != nil {
		return nil, err
	}
	plain, err := pad(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	defer clear(plain)
	keys, err := s.fresh()
	if err != nil {
		return nil, fmt.Errorf("%s was not sealed: %w", place, err)
	}
	associated := place.associated()
	closed, err := keys.aead.Encrypt(plain, associated)
	if err != nil {
		return nil, fmt.Errorf("%s was not sealed: %w", place, err)
	}
	sealed := append([]byte{format}, mark(associated)...)
	return append(sealed, closed...), nil
}

// Unseal opens a value at its place. It fails with ErrMalformed, ErrUnknownKey,
// ErrMoved or ErrTampered.
func (s *Sealer) Unseal(place Binding, sealed []byte) (vigia.Secret, error) {
	secret, err := s.open(place, sealed)
	if err != nil {
		return vigia.Secret{}, fmt.Errorf("%s does not open: %w", place, err)
	}
	return secret, nil
}

func (s *Sealer) open(place Binding, sealed []byte) (vigia.Secret, error) {
	if err := place.check(); err != nil {
		return vigia.Secret{}, err
	}
	id, err := KeyOf(sealed)
	if err != nil {
		return vigia.Secret{}, err
	}
	keys, err := s.holding(id)
	if err != nil {
		return vigia.Secret{}, err
	}
	associated := place.associated()
	if !bytes.Equal(sealed[1:headLen], mark(associated)) {
		return vigia.Secret{}, ErrMoved
	}
	plain, err := keys.aead.Decrypt(sealed[headLen:], associated)
	if err != nil {
		return vigia.Secret{}, ErrTampered // Tink says no more than that
	}
	defer clear(plain)
	return unpad(plain)
}

// Reseal closes a value anew with the key that seals now. It fails as Unseal and
// Seal do.
func (s *Sealer) Reseal(place Binding, sealed []byte) ([]byte, error) {
	secret, err := s.Unseal(place, sealed)
	if err != nil {
		return nil, err
	}
	return s.Seal(place, secret)
}

// Stale says whether a value was sealed with another key than the one that seals
// now. It fails with ErrMalformed, or with an error of the key file.
func (s *Sealer) Stale(sealed []byte) (bool, error) {
	id, err := KeyOf(sealed)
	if err != nil {
		return false, err
	}
	keys, err := s.fresh()
	if err != nil {
		return false, err
	}
	return id != keys.primary, nil
}

// KeyOf says which key a value was sealed with, or ErrMalformed.
func KeyOf(sealed []byte) (KeyID, error) {
	if len(sealed) < shortest || sealed[0] != format || sealed[headLen] != tinkByte {
		return 0, ErrMalformed
	}
	return KeyID(binary.BigEndian.Uint32(sealed[headLen+1:])), nil
}

// fresh gives the keys as they stand in the file now.
func (s *Sealer) fresh() (*ring, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := os.Stat(s.path)
	if err == nil && os.SameFile(now, s.seen) && now.ModTime().Equal(s.seen.ModTime()) && now.Mode() == s.seen.Mode() {
		return s.ring, nil
	}
	keys, info, err := readKeyFile(s.path)
	if err != nil {
		return nil, err
	}
	s.ring, s.seen = keys, info
	return keys, nil
}

// holding gives keys among which is the one asked for, from the file when it is
// not known yet.
func (s *Sealer) holding(id KeyID) (*ring, error) {
	s.mu.Lock()
	keys := s.ring
	s.mu.Unlock()
	if keys.holds(id) {
		return keys, nil
	}
	keys, err := s.fresh()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w (key %s)", ErrUnknownKey, id), err)
	}
	if !keys.holds(id) {
		return nil, fmt.Errorf("%w (key %s)", ErrUnknownKey, id)
	}
	return keys, nil
}

// Keys lists the keys as they stand in the file now.
func (s *Sealer) Keys() ([]Key, error) {
	keys, err := s.fresh()
	if err != nil {
		return nil, err
	}
	return keys.list(), nil
}

// String names the file and nothing of what is in it.
func (s *Sealer) String() string { return "sealer with key file " + s.path }

// Format prints String whatever the verb.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

func pad(secret vigia.Secret) ([]byte, error) {
	switch text := secret.Reveal(); {
	case text == "":
		return nil, ErrEmpty
	case len(text) > MaxSecret:
		return nil, fmt.Errorf("%w: it takes %d bytes at most", ErrTooLong, MaxSecret)
	default:
		blocks := (lengthLen + len(text) + blockLen - 1) / blockLen
		plain := make([]byte, blocks*blockLen)
		binary.BigEndian.PutUint32(plain, uint32(len(text)))
		copy(plain[lengthLen:], text)
		return plain, nil
	}
}

func unpad(plain []byte) (vigia.Secret, error) {
	if len(plain) < lengthLen {
		return vigia.Secret{}, ErrMalformed
	}
	length, text := uint64(binary.BigEndian.Uint32(plain)), plain[lengthLen:]
	if length > uint64(len(text)) {
		return vigia.Secret{}, ErrMalformed
	}
	return vigia.NewSecret(string(text[:length])), nil
}
