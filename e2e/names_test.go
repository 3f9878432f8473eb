package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// script runs a command of the released binary to its end.
func script(t *testing.T, stdin string, args ...string) []byte {
	t.Helper()
	command := exec.Command(released(t), args...)
	command.Stdin = strings.NewReader(stdin)
	command.SysProcAttr = child()
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("vigia %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return out
}

// scriptJSON runs one that prints JSON.
func scriptJSON[T any](t *testing.T, args ...string) T {
	t.Helper()
	var out T
	text := script(t, "", args...)
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("vigia %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	return out
}

// freePort is an address that was free a moment ago: the name of a flag is tried,
// which a port of 0 would not show.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func has(t *testing.T, what string, got map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, ok := got[name]; !ok {
			t.Errorf("%s has no %q: %v", what, name, got)
		}
	}
}

// TestNamesThatScriptsRelyOn walks from an empty folder to a rescue with nothing
// but the commands, flags and fields that scripts may rely on.
func TestNamesThatScriptsRelyOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	admin, listen := freePort(t), freePort(t)
	market := launch(t, "paper", released(t), false, nil, "paper", "--listen", listen, "--admin", admin,
		"--state", filepath.Join(dir, "paper.state"), "--source", "walk:7")
	eventually(t, patience, "the paper exchange has a price", func() bool {
		command := exec.Command(released(t), "paper", "price", "--admin", admin, "--set", "100000")
		command.SysProcAttr = child()
		return !market.gone() && command.Run() == nil
	})
	script(t, "", "paper", "price", "--admin", admin, "--freeze")
	key := scriptJSON[map[string]any](t, "paper", "account", "new", "--admin", admin, "--balance", "2000000", "--json")
	has(t, "a new account", key, "key", "secret", "passphrase")

	data := filepath.Join(dir, "data")
	p := launch(t, "serve", released(t), false, []string{"VIGIA_NO_DEMO=true", "VIGIA_METRICS="}, "serve", "--data", data,
		"--listen", "127.0.0.1:0", "--paper-url", "http://"+listen)
	p.data = data
	p.address()
	var lines []string
	for _, part := range []string{"key", "secret", "passphrase"} {
		lines = append(lines, key[part].(string))
	}
	script(t, strings.Join(lines, "\n")+"\n", "account", "add", "--data", data, "--label", "main", "--network", "paper", "--json")

	status := scriptJSON[map[string]any](t, "status", "--data", data, "--json")
	has(t, "status", status, "armed", "accounts")
	accounts := status["accounts"].([]any)
	if len(accounts) != 1 {
		t.Fatalf("status shows %v", status)
	}
	has(t, "an account of status", accounts[0].(map[string]any), "price_age_ms", "snapshot_age_ms", "worst_distance_pct", "held_to_usd", "protection")

	script(t, "", "paper", "trade", "open", "--admin", admin, "--account", key["id"].(string), "--side", "long", "--leverage", "20", "--quantity", "1000")
	eventually(t, patience, "the trade is seen", func() bool {
		a, ok := p.api.watched("main")
		return ok && len(a.Trades) == 1 && !a.FreeBegun.IsZero()
	})
	made := scriptJSON[map[string]any](t, "automation", "create", "--data", data, "--account", "main", "--preset", "standard", "--json")
	script(t, "", "automation", "go-live", "--data", data, "--automation", made["id"].(string), "--yes")
	eventually(t, patience, "the live rule has decided", func() bool {
		for _, d := range scriptJSON[[]map[string]any](t, "decision", "list", "--data", data, "--json") {
			dry, _ := d["dry_run"].(bool)
			if d["automation"] == made["id"] && !dry && d["reason"] == "not_reached" {
				return true
			}
		}
		return false
	})
	script(t, "", "paper", "price", "--admin", admin, "--set", "97100")
	var executions []map[string]any
	eventually(t, patience, "the rescue is listed", func() bool {
		executions = scriptJSON[[]map[string]any](t, "execution", "list", "--data", data, "--json")
		return len(executions) == 1 && executions[0]["state"] == "done"
	})
	has(t, "an execution", executions[0], "id", "automation", "subject", "action", "state", "reason", "sats", "tick_to_wire_us")
	if e := executions[0]; e["action"] != "add_margin" || e["sats"].(float64) <= 0 || e["tick_to_wire_us"].(float64) <= 0 {
		t.Errorf("got %v", e)
	}
	journal := scriptJSON[map[string]any](t, "journal", "verify", "--data", data, "--json")
	has(t, "the journal", journal, "entries", "ok", "first_bad")
	if ok, _ := journal["ok"].(bool); !ok || journal["entries"].(float64) < 3 {
		t.Errorf("got %v", journal)
	}
	if code := p.stop(patience); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if code := market.stop(patience); code != 0 {
		t.Errorf("the paper exchange: exit status %d", code)
	}
}
