package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// smallDisk mounts a file system of some megabytes.
func smallDisk(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=24m,mode=0700"); err != nil {
		t.Skipf("a full disk is not tested: mounting a small one takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(path, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill takes up all the room there is on a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAFullDisk fills the disk under the record: as long as the reserve file lasts
// things go on; then nothing is done, and it is said; with room again it works.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{store: "sqlite", balance: 100_000_000})
	data := filepath.Join(w.dir, "data")
	smallDisk(t, data)
	first, second := w.long(1_000, 20), w.long(1_000, 15)
	p := w.start("data")
	w.join(p)
	w.protect(p, guardConfig(vigia.ShortClose))

	filler := filepath.Join(data, "filler")
	fill(t, filler)
	w.tick(w.firesAt(&first))
	eventually(t, w.terms.grace(), "the reserve file lets a rescue through", func() bool { return w.clear(first.ID) })
	w.rest(p)

	refused := func() bool {
		fill(t, filler)
		_, err := p.api.raw("POST", "/automations", []byte(`{"account":"main","preset":"calm"}`), nil)
		problem, again := p.api.raw("PUT", "/stop", []byte(`{"automations":false}`), nil)
		return err == nil && again == nil && problem != nil && problem.Status >= 500
	}
	eventually(t, patience, "the record takes nothing any more", refused)
	before := len(w.exchange.Requests(0))
	w.tick(w.firesAt(&second))
	full := time.NewTimer(3 * time.Second)
	for waiting := true; waiting; {
		select {
		case <-full.C:
			waiting = false
		default:
			fill(t, filler)
		}
	}
	if n := len(w.exchange.Requests(0)); n != before {
		t.Errorf("%d requests were sent without an intent", n-before)
	}
	if w.clear(second.ID) {
		t.Error("the second trade is out of danger, and nobody can have done that")
	}
	says(t, p, patience, "store", "disk")

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, w.terms.grace(), "it works again", func() bool { return w.clear(second.ID) })
	says(t, p, patience, "The store works again.")
	w.rest(p)
	w.check(p)
	if strings.Contains(p.said.String(), "panic") {
		t.Error("it panicked")
	}
}
