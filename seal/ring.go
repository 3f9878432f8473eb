package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// KeyID names a key; it stands in the open in every value sealed with it.
type KeyID uint32

// String is the id in eight hexadecimal digits.
func (id KeyID) String() string { return fmt.Sprintf("%08x", uint32(id)) }

// Key is what may be told of one key.
type Key struct {
	ID KeyID
	// Seals marks the one key that seals; the others only open.
	Seals bool
}

// ring is the keys of a file.
type ring struct {
	handle  *keyset.Handle
	aead    tink.AEAD
	primary KeyID
	ids     []KeyID
}

func newRing(handle *keyset.Handle) (*ring, error) {
	r := &ring{handle: handle}
	for _, key := range handle.KeysetInfo().GetKeyInfo() {
		if key.GetOutputPrefixType() != tinkpb.OutputPrefixType_TINK {
			return nil, fmt.Errorf("key %s does not write its id into what it seals", KeyID(key.GetKeyId()))
		}
		if key.GetStatus() == tinkpb.KeyStatusType_ENABLED {
			r.ids = append(r.ids, KeyID(key.GetKeyId()))
		}
	}
	r.primary = KeyID(handle.KeysetInfo().GetPrimaryKeyId())
	var err error
	if r.aead, err = aead.New(handle); err != nil {
		return nil, fmt.Errorf("the keys do not seal: %w", err)
	}
	return r, nil
}

// firstRing makes a ring of one new key.
func firstRing() (*ring, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return newRing(handle)
}

// parseRing reads a keyset in JSON.
func parseRing(text []byte) (*ring, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		// Tink's parser quotes what it stumbles over, which may be key material.
		return nil, errors.New("it takes a Tink keyset in JSON")
	}
	return newRing(handle)
}

// text is the keyset in JSON: the keys in plain.
func (r *ring) text() ([]byte, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(r.handle, keyset.NewJSONWriter(&out)); err != nil {
		return nil, fmt.Errorf("write the keys: %w", err)
	}
	return out.Bytes(), nil
}

func (r *ring) holds(id KeyID) bool { return slices.Contains(r.ids, id) }

func (r *ring) list() []Key {
	keys := make([]Key, 0, len(r.ids))
	for _, id := range r.ids {
		keys = append(keys, Key{ID: id, Seals: id == r.primary})
	}
	return keys
}

// withNewKey is the ring with one key more, which seals.
func (r *ring) withNewKey() (*ring, error) {
	manager := keyset.NewManagerFromHandle(r.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("add a key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("seal with the new key: %w", err)
	}
	return fromManager(manager)
}

// without is the ring less one key.
func (r *ring) without(id KeyID) (*ring, error) {
	switch {
	case id == r.primary:
		return nil, fmt.Errorf("key %s: %w", id, ErrPrimary)
	case !r.holds(id):
		return nil, fmt.Errorf("key %s: %w", id, ErrNoSuchKey)
	}
	manager := keyset.NewManagerFromHandle(r.handle)
	if err := manager.Delete(uint32(id)); err != nil {
		return nil, fmt.Errorf("retire key %s: %w", id, err)
	}
	return fromManager(manager)
}

func fromManager(manager *keyset.Manager) (*ring, error) {
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return newRing(handle)
}
