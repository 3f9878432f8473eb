package record_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
)

// crashHere is set in the process that is going to be killed.
const crashHere = "VIGIA_TEST_CRASH"

// intendForever commits intents and says each id once it was acknowledged.
func intendForever(t *testing.T, path string) {
	b := newBench(t, recordtest.Database{Engine: "sqlite", URL: path})
	for i := 0; ; i++ {
		group := []vigia.Intent{b.add(vigia.TradeID(fmt.Sprint("t", 2*i)), 1), b.add(vigia.TradeID(fmt.Sprint("t", 2*i+1)), 1)}
		refused, err := b.Intend(t.Context(), group)
		if err != nil || refused[0] != nil || refused[1] != nil {
			t.Fatal(err, refused)
		}
		if _, err := fmt.Fprintln(os.Stdout, "committed", group[0].Execution.ID, group[1].Execution.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryAcknowledgedIntentOutlivesAKill(t *testing.T) {
	if path := os.Getenv(crashHere); path != "" {
		intendForever(t, path)
	}
	t.Parallel()
	for _, kill := range []int{1, 7, 40} {
		t.Run(fmt.Sprint("after ", kill), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "vigia.db")
			acknowledged := killAfter(t, path, kill)
			s := recordtest.Database{Engine: "sqlite", URL: path}.Open(t)
			for _, id := range acknowledged {
				if e, err := s.Execution(t.Context(), vigia.LocalOwner, id); err != nil || e.State != vigia.ExecutionIntent {
					t.Errorf("execution %s: got %s, %v, want it in state intent", id, e.State, err)
				}
			}
			whole(t, s)
		})
	}
}

// whole looks that no intent is half there.
func whole(t *testing.T, s *record.Store) {
	t.Helper()
	accounts, err := s.Accounts(t.Context())
	if err != nil || len(accounts) != 1 {
		t.Fatalf("got %v, %v, want one account", accounts, err)
	}
	m, err := s.Memory(t.Context(), accounts[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claims(t.Context(), accounts[0].ID)
	if err != nil || len(m.Unsettled)%2 != 0 || len(claims) != len(m.Unsettled) || len(m.Reserves) != len(m.Unsettled) {
		t.Errorf("got %d intents, %d claims, %d reserves, %v; want as many of each, in groups of two", len(m.Unsettled), len(claims), len(m.Reserves), err)
	}
	check := verify(t, s, nil)
	if !check.OK || check.Entries != int64(2+len(m.Unsettled)) {
		t.Errorf("got %+v, want account, rule and %d intents", check, len(m.Unsettled))
	}
}

// killAfter runs intendForever in a process of its own, kills it once it has
// acknowledged n groups, and gives the ids it had said.
func killAfter(t *testing.T, path string, n int) []vigia.ExecutionID {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestEveryAcknowledgedIntentOutlivesAKill$", "-test.timeout=2m")
	child.Env = append(os.Environ(), crashHere+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []vigia.ExecutionID
	lines := bufio.NewScanner(out)
	for groups := 0; lines.Scan(); {
		said, ok := strings.CutPrefix(lines.Text(), "committed ")
		if !ok {
			t.Errorf("the child said %q", lines.Text())
			continue
		}
		for id := range strings.FieldsSeq(said) {
			ids = append(ids, vigia.ExecutionID(id))
		}
		if groups++; groups == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	// It was killed: how it ended says nothing more.
	_ = child.Wait()
	if len(ids) < 2*n {
		t.Fatalf("got %d ids before the end, want at least %d", len(ids), 2*n)
	}
	return ids
}
