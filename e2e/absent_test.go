package e2e

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// TestTheReleasedBinaryHasNoKillPoints looks for them in it, and finds that it
// neither writes a step nor waits for one where a test would have it.
func TestTheReleasedBinaryHasNoKillPoints(t *testing.T) {
	t.Parallel()
	for _, binary := range []struct {
		path string
		has  bool
	}{{released(t), false}, {stepping(t), true}} {
		code, err := os.ReadFile(binary.path)
		if err != nil {
			t.Fatal(err)
		}
		if has := bytes.Contains(code, []byte("VIGIA_TEST_STEPS")); has != binary.has {
			t.Errorf("%s knows the variable of the kill points: %t", binary.path, has)
		}
	}
	w := newWorld(t, worldOptions{balance: 10_000_000})
	trade := w.long(1_000, 20)
	p := launch(t, "released", released(t), true, nil, w.arguments(w.dir+"/data")...)
	p.data = w.dir + "/data"
	said := make(chan []byte, 1)
	go func() {
		steps, _ := io.ReadAll(p.steps.out) // ends with the process
		said <- steps
	}()
	p.address()
	w.join(p)
	w.protect(p, guardConfig(vigia.ShortClose))
	w.tick(w.firesAt(&trade))
	eventually(t, w.terms.grace(), "the trade is saved, with nobody to answer a step", func() bool { return w.clear(trade.ID) })
	w.rest(p)
	w.check(p)
	if code := p.stop(patience); code != 0 {
		t.Errorf("exit status %d", code)
	}
	select {
	case steps := <-said:
		if len(steps) > 0 {
			t.Errorf("it wrote %q", steps)
		}
	case <-time.After(patience):
		t.Error("the pipe outlives the process")
	}
}
