package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	flag.Parse()
	time.Local = time.UTC // what is printed does not depend on where the tests run
	goleak.VerifyTestMain(m)
}

// noon is when everything in these tests happens.
var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// console is a terminal without a person: lines in, text out.
type console struct {
	out, err bytes.Buffer
	code     int
}

// vigiaWith runs the program with lines typed into it.
func vigiaWith(clock vigia.Clock, in string, args ...string) *console {
	c := &console{}
	c.code = vigiaMain(args, environment{in: strings.NewReader(in), out: &c.out, err: &c.err, clock: clock})
	return c
}

func runVigia(args ...string) *console { return vigiaWith(vigia.NewManualClock(noon), "", args...) }

// sameAsGolden compares with a file in testdata.
func sameAsGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test ./cmd/vigia -update writes it anew)", path, got, want)
	}
}

func (c *console) ok(t *testing.T) *console {
	t.Helper()
	if c.code != 0 {
		t.Fatalf("exit status %d: %s", c.code, c.err.String())
	}
	return c
}

func writeTemp(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every wrong thing is refused with one sentence that names the field, what it
// got and what it takes, and the exit status 1.
func TestARefusalIsOneSentence(t *testing.T) {
	t.Parallel()
	folder := newFakeServer(t).folder
	file := writeTemp(t, "rule.json", `{"preset":"standard"}`)
	broken := writeTemp(t, "broken.csv", "time,open,high,low,close,volume\n2023-03-01T00:00:00Z,5,6,4,5,0\n2023-03-01T00:01:00Z,5,6,4,x,0\n")
	back := writeTemp(t, "back.csv", "2023-03-01T00:01:00Z,5,6,4,5,0\n2023-03-01T00:00:00Z,5,6,4,5,0\n")
	gap := writeTemp(t, "gap.csv", "2023-03-01T00:00:00Z,5,6,4,5,0\n2023-03-01T00:01:00Z,5,6,4,5,0\n2023-03-01T00:05:00Z,5,6,4,5,0\n")
	empty := writeTemp(t, "empty.csv", "time,open,high,low,close,volume\n")
	ports := "--listen 127.0.0.1:0 --admin 127.0.0.1:0 "
	for _, tc := range []struct{ args, want string }{
		{"status --jsn", `unknown flag --jsn, did you mean "--json"?`},
		{"drill --account demo --drop 200%", `drop: got "200%"; it takes a percentage above 0 and up to 90, such as 15%`},
		{"drill --account demo --drop NaN", `drop: got "NaN"; it takes a percentage above 0 and up to 90, such as 15%`},
		{"drill --account demo --drop 5% --over 100ms", "over: got 100ms; it takes whole seconds, 1s to 1h"},
		{"drill --account demo --drop 5% --settle=-1s", "settle: got -1s; it takes 0s to 1h"},
		{"account add --label x --network mars", `--network must be one of "mainnet","signet","paper" but got "mars"`},
		{"automation create --account demo", "preset: got neither --preset nor --trigger nor --file; it takes a preset (standard, calm, tight), or a trigger and a target"},
		{"automation create --preset standard", "account: got none; it takes the label or id of an account: vigia account list shows them"},
		{"automation create --account demo --trigger NaN --target 4", `trigger: got "NaN"; it takes a percentage with at most three decimals, such as 2.5%`},
		{"automation create --account demo --trigger 2 --target 1e3", `target: got "1e3"; it takes a percentage with at most three decimals, such as 2.5%`},
		{"automation create --account demo --trigger 2", "target: got none; adding margin takes the distance it restores, at least trigger + 2 × hysteresis"},
		{"automation create --account demo --preset standard --per-trade 0.5", `per-trade: got "0.5"; it takes a whole number of sats, or none`},
		{"automation create --account demo --preset standard --max-leverage x", `max-leverage: got "x"; it takes a leverage such as 25`},
		{"automation create --account demo --preset standard --cool-down soon", `cool-down: got "soon"; it takes a time such as 30s`},
		{"automation create --file " + file + " --preset calm", "file: got a file and --preset; the rule is written in one or the other"},
		{"automation create --file " + file, "account: got none; it takes the label or id of an account, as --account or in the file"},
		{"automation create --file /nowhere.json", "file: /nowhere.json cannot be read: no such file or directory"},
		{"automation show --automation nothing", `automation: there is no automation "nothing"`},
		{"execution list --limit=-1", "limit: got -1; it takes 0 (all) or more"},
		{"journal verify --head abc", `head: "abc" is not a journal head: CHAIN@SEQ:HASH`},
		{"restore --from /nowhere.db", "from: there is no file /nowhere.db"},
		{"status --watch", "watch: got an output or input that is no terminal; a script takes vigia status --json"},
		{"paper price --set 12.3", `set: "12.3" is not a price in steps of half a dollar`},
		{"paper price --set 1 --freeze", "price: got several of --set, --drop, --freeze and --thaw; it takes one at a time"},
		{"paper price --drop x", `drop: got "x"; it takes a percentage with at most three decimals, such as 2.5%`},
		{"paper account new --balance 1.5", `balance: got "1.5"; it takes a whole number of sats, up to 2,100,000,000,000,000`},
		{"paper fault set --kind slow", "delay: got 0s; slow takes a time"},
		{"paper trade open --account x --quantity 0 --leverage 5", "quantity: quantity too low: 0 USD, an order has at least 1"},
		{"paper trade open --account x --quantity 5 --leverage 101", "leverage: leverage out of range: 101, the exchange takes 1 to 100"},
		{"paper " + ports + "--source moon", `source: got "moon"; it takes walk, walk:SEED or csv:FILE`},
		{"paper " + ports + "--source walk:x", `source: got "walk:x"; a walk's seed is a whole number from 0, such as walk:7`},
		{"paper " + ports + "--source csv:/nowhere.csv", "source: /nowhere.csv cannot be read: no such file or directory"},
		{"paper " + ports + "--source csv:" + broken, `source: ` + broken + `: line 3: close "x" is not a number`},
		{"paper " + ports + "--source csv:" + back, "source: " + back + ": line 2: time goes back: 2023-03-01T00:00:00Z after 2023-03-01T00:01:00Z"},
		{"paper " + ports + "--no-gaps --source csv:" + gap, "source: " + gap + ": line 3: gap of 3m0s before 2023-03-01T00:05:00Z"},
		{"paper " + ports + "--source csv:" + empty, "source: " + empty + ": there is no candle in it"},
		{"paper " + ports + "--start 0.3", `start: "0.3" is not a price in steps of half a dollar`},
		{"paper " + ports + "--clock-window 0s", "clock-window: got 0s; it takes a time above 0"},
		{"paper --listen 127.0.0.1:x", "listen: 127.0.0.1:x cannot be listened on"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(tc.args)
			if !strings.HasPrefix(tc.args, "paper --") && !strings.HasPrefix(tc.args, "restore") {
				args = append(args, "--data", folder)
			}
			got := runVigia(args...)
			sentence, _, _ := strings.Cut(got.err.String(), "\n")
			if got.code != 1 || !strings.HasPrefix(sentence, "vigia: "+tc.want) {
				t.Errorf("got exit status %d and %q, want 1 and %q", got.code, sentence, "vigia: "+tc.want)
			}
			if got.out.Len() > 0 {
				t.Errorf("it printed %q as well", got.out.String())
			}
		})
	}
}

func TestHelpHasExamplesForANewcomer(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"status", "account add", "account prove", "automation create", "automation preview", "automation go-live",
		"drill", "paper", "paper price", "paper fault set", "stop", "journal verify", "backup", "restore", "doctor", "decision list", "execution list"} {
		got := runVigia(append(strings.Fields(args), "--help")...)
		if got.code != 0 || !strings.Contains(got.out.String(), "vigia "+args) || !strings.Contains(got.out.String(), "\n    vigia ") {
			t.Errorf("vigia %s --help: exit status %d and no example in\n%s", args, got.code, got.out.String())
		}
	}
}

func TestTheVersionIsPrinted(t *testing.T) {
	t.Parallel()
	if got := runVigia("version").ok(t).out.String(); got != "vigia dev\n" {
		t.Errorf("got %q", got)
	}
	if got := runVigia("version", "--json").ok(t).out.String(); got != "{\n  \"version\": \"dev\"\n}\n" {
		t.Errorf("got %q", got)
	}
}
