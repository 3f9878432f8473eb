package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Binding is the place a value is sealed for.
type Binding struct {
	// Owner is the id of the user whose secret it is.
	Owner string
	// Account is the id of the account it belongs to; empty where the secret is
	// the owner's own.
	Account string
	// Column is the table and column that hold it, as in "account.secret".
	Column string
	// Version counts up, from 0, with what the text means: its format, or the
	// generation of the row. An older value put back does not open.
	Version int
}

// String names the place for errors and logs; nothing in it is secret.
func (b Binding) String() string {
	of := "owner " + b.Owner
	if b.Account != "" {
		of = "account " + b.Account + " of " + of
	}
	return fmt.Sprintf("%s (version %d) of %s", b.Column, b.Version, of)
}

func (b Binding) check() error {
	if b.Owner == "" || b.Column == "" || b.Version < 0 {
		return fmt.Errorf("%w: got owner %q, column %q, version %d", ErrBinding, b.Owner, b.Column, b.Version)
	}
	return nil
}

// domain keeps these associated data apart from those of any other use of the
// same key.
const domain = "github.com/vigiaguard/vigia/seal 1"

// associated writes the place so that no two places are written alike: each part
// follows its length.
func (b Binding) associated() []byte {
	var out []byte
	for _, part := range []string{domain, b.Owner, b.Account, b.Column} {
		out = binary.BigEndian.AppendUint64(out, uint64(len(part)))
		out = append(out, part...)
	}
	return binary.BigEndian.AppendUint64(out, uint64(b.Version))
}

// mark is the short digest of a place that a sealed value shows.
func mark(associated []byte) []byte {
	sum := sha256.Sum256(associated)
	return sum[:markLen]
}
