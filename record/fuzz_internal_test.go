package record

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// Whatever bytes lie in the journal, only those that were written verify.
func FuzzEntry(f *testing.F) {
	salt, payload := []byte("salt"), []byte(`{"n":1}`)
	good := canonical(1, 1_677_628_800_000_000, "test", digest(salt, payload), genesis("c"))
	f.Add(good, int64(1), int64(1_677_628_800_000_000), "test", payload)
	f.Add(good[:40], int64(1), int64(0), "", []byte(nil))
	f.Add([]byte{}, int64(-1), int64(-1), "a kind longer than the bytes", []byte("x"))
	f.Fuzz(func(t *testing.T, said []byte, seq, at int64, kind string, other []byte) {
		sum := sha256.Sum256(said)
		w := &walk{chain: "c", hash: genesis("c")}
		why := w.check(&sqlcgen.Journal{Chain: "c", Seq: seq, At: at, Kind: kind, Canonical: said, Hash: sum[:], Payload: other, Salt: salt})
		if why != "" {
			return
		}
		if !bytes.Equal(said, canonical(1, at, kind, digest(salt, other), genesis("c"))) && other != nil {
			t.Errorf("bytes %x of %q at %d were taken for entry 1 with payload %q", said, kind, at, other)
		}
	})
}
