package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// anyPort keeps the processes of the tests out of each other's way.
func anyPort(args ...string) []string {
	return append(args, "--listen", "127.0.0.1:0", "--metrics=", "--paper-listen", "127.0.0.1:0", "--paper-admin", "127.0.0.1:0")
}

// says waits until a process has said something.
func says(t *testing.T, p *process, within time.Duration, what ...string) {
	t.Helper()
	for _, text := range what {
		eventually(t, within, p.name+" says: "+text, func() bool { return strings.Contains(unwrapped(p.said.String()), text) })
	}
}

// unwrapped is what was said without its line breaks.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestTheFirstMinute starts vigia in an empty folder: it says that it is paper,
// opens three trades, says what the guard did and why, what became of the other
// two, and what to type next.
func TestTheFirstMinute(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "vigia-data")
	binary := released(t)
	began := time.Now()
	p := launch(t, "demo", binary, false, nil, anyPort("serve", "--data", folder)...)
	says(t, p, time.Minute,
		"PAPER: the exchange inside is a simulator. No money is at risk.",
		"vigia account add --label main --network mainnet",
		"vigia automation create --account main --preset standard",
		"vigia automation go-live --automation",
		"Three trades are open",
		"Rescued: long of $1,000 on demo (paper)",
		"The trigger price was reached.",
		"What became of the three:",
		"1 lives.",
		"2 was liquidated",
		"3 was liquidated",
	)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s, longer than a minute", took)
	}
	began = time.Now()
	if code := p.stop(10 * time.Second); code != 0 {
		t.Errorf("exit status %d", code)
	}
	t.Logf("SIGTERM took %s", time.Since(began))

	// The second start finds what the first left and opens no demo again.
	again := launch(t, "again", released(t), false, nil, anyPort("serve", "--data", folder)...)
	again.data = folder
	again.address()
	drill := scriptJSON[map[string]any](t, "drill", "--data", folder, "--account", "demo", "--drop", "1%", "--over", "1s", "--settle", "1s", "--json")
	has(t, "a drill", drill, "drop_pct", "over_s", "executions")
	if code := again.stop(10 * time.Second); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if strings.Contains(again.said.String(), "Three trades are open") {
		t.Errorf("it opened the demo again:\n%s", again.said)
	}
}

// TestNoDemo leaves the paper exchange and its trades out.
func TestNoDemo(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	p := launch(t, "no demo", released(t), false, nil, "serve", "--data", folder, "--no-demo", "--listen", "127.0.0.1:0", "--metrics=")
	p.data = folder
	p.address()
	says(t, p, patience, "vigia account add --label main --network mainnet")
	if said := p.said.String(); strings.Contains(said, "PAPER") || strings.Contains(said, "Three trades") {
		t.Errorf("it said:\n%s", said)
	}
	problem := p.api.refused("POST", "/accounts", map[string]any{"label": "x", "network": "paper", "key": "k", "secret": "s", "passphrase": "p"})
	if problem.Field != "network" {
		t.Errorf("got %+v", problem)
	}
	if code := p.stop(10 * time.Second); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
