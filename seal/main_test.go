package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/seal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var place = seal.Binding{Owner: "owner-1", Account: "account-1", Column: "account.secret", Version: 3}

// plain looks like what an exchange hands out.
const plain = "q7Hs0mVtV2nXJ5cR1pLw8zKd4yBfEoUa"

// keyFile is a path in a folder of this test, where nothing is yet.
func keyFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "vigia.key")
}

func create(t testing.TB, path string) *seal.Sealer {
	t.Helper()
	s, err := seal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, path string) *seal.Sealer {
	t.Helper()
	s, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sealed(t testing.TB, s *seal.Sealer, text string) []byte {
	t.Helper()
	out, err := s.Seal(place, vigia.NewSecret(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustOpen(t testing.TB, s *seal.Sealer, value []byte, want string) {
	t.Helper()
	got, err := s.Unseal(place, value)
	if err != nil {
		t.Fatal(err)
	}
	if got.Reveal() != want {
		t.Fatal("it opened as another text")
	}
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// holds says whether a dump has any eight bytes of the text in a row.
func holds(dump []byte, text string) bool {
	for i := 0; i+8 <= len(text); i++ {
		if bytes.Contains(dump, []byte(text[i:i+8])) {
			return true
		}
	}
	return false
}
