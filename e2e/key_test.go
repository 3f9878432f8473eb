package e2e

import (
	"testing"

	"github.com/vigiaguard/vigia/seal"
)

// makeKey makes the key file that processes on one database share.
func makeKey(t testing.TB, path string) {
	t.Helper()
	if _, err := seal.Create(path); err != nil {
		t.Fatal(err)
	}
}
