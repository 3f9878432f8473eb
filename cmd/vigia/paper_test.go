package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/vigiaguard/vigia"
)

// paperProcess is a paper exchange that runs until the test ends.
type paperProcess struct {
	admin string
	stop  context.CancelFunc
	ended chan error
}

// startPaper runs vigia paper on free ports and waits until it says where.
func startPaper(t *testing.T, args ...string) *paperProcess {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Name("vigia"))
	must(t, err)
	_, err = parser.Parse(append([]string{"paper", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json"}, args...))
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	p := &paperProcess{stop: stop, ended: make(chan error, 1)}
	reader, writer := io.Pipe()
	go func() {
		err := c.Paper.Serve.Run(ctx, environment{in: strings.NewReader(""), out: writer, err: io.Discard, clock: vigia.WallClock{}})
		_ = writer.CloseWithError(io.EOF) // never fails
		p.ended <- err
	}()
	var said bytes.Buffer
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		said.WriteString(lines.Text())
		if lines.Text() == "}" {
			break
		}
	}
	var where struct{ Admin string }
	if err := json.Unmarshal(said.Bytes(), &where); err != nil {
		t.Fatalf("%v in %q; it ended with %v", err, said.String(), <-p.ended)
	}
	p.admin = where.Admin
	t.Cleanup(func() { p.end(t) })
	return p
}

func (p *paperProcess) end(t *testing.T) {
	t.Helper()
	p.stop()
	if err, first := <-p.ended; first && err != nil {
		t.Error(err)
	}
	p.ended = closed()
}

func closed() chan error {
	c := make(chan error)
	close(c)
	return c
}

// run asks the exchange for something.
func (p *paperProcess) run(t *testing.T, args ...string) string {
	t.Helper()
	return runVigia(append(append([]string{"paper"}, args...), "--admin", p.admin)...).ok(t).out.String()
}

func TestAPaperExchangeIsRunFromTheCommandLine(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "paper.state")
	p := startPaper(t, "--source", "walk:7", "--state", state)
	var key newPaperKey
	must(t, json.Unmarshal([]byte(p.run(t, "account", "new", "--balance", "1000000", "--json")), &key))
	if key.Key == "" || key.Secret == "" || key.Passphrase == "" {
		t.Fatal("the key is not whole")
	}
	p.run(t, "price", "--freeze")
	for { // before the first price there is nothing to set
		p.run(t, "price", "--set", "100000")
		if got := p.run(t, "price"); strings.HasPrefix(got, "The paper price is $100,000 ") {
			break
		}
	}
	opened := p.run(t, "trade", "open", "--account", string(key.ID), "--quantity", "1000", "--leverage", "20", "--stop", "96000")
	if !strings.Contains(opened, "long 1000 USD at $100,000.50, liquidated at $95,23") {
		t.Errorf("got %q", opened)
	}
	if got := p.run(t, "trade", "list", "--account", string(key.ID)); !strings.Contains(got, "buy   1000     20.0×  $100,000.50") {
		t.Errorf("got %q", got)
	}
	if got := p.run(t, "account", "deposit", "--account", string(key.ID), "--sats", "1000"); !strings.HasPrefix(got, "It has ") {
		t.Errorf("got %q", got)
	}
	if got := p.run(t, "price", "--drop", "2%", "--over", "1s"); got != "The paper price goes from $100,000 to $98,000 within 1s.\n" {
		t.Errorf("got %q", got)
	}
	p.run(t, "price", "--thaw")
	p.end(t)
	again := startPaper(t, "--state", state)
	if got := again.run(t, "trade", "list", "--account", string(key.ID)); !strings.Contains(got, "1000") {
		t.Errorf("the state was not kept: got %q", got)
	}
}

func TestFaultsAreSwitchedOnAndOff(t *testing.T) {
	t.Parallel()
	p := startPaper(t)
	if got := p.run(t, "fault", "list"); got != "No fault is on.\n" {
		t.Errorf("got %q", got)
	}
	set := p.run(t, "fault", "set", "--kind", "answer_lost_executed_late", "--call", "writes", "--delay", "5s", "--chance", "20%", "--count", "3", "--hang")
	if !strings.Contains(set, "its id is 1.") {
		t.Errorf("got %q", set)
	}
	p.run(t, "fault", "set", "--kind", "clock_off", "--shift", "1m")
	want := "id  kind                       call    chance  at most  delay  shift  struck\n" +
		" 1  answer_lost_executed_late  writes  20 %          3     5s              0\n" +
		" 2  clock_off                          always                   1m0s       0\n"
	if got := p.run(t, "fault", "list"); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	p.run(t, "fault", "clear", "--id", "1")
	p.run(t, "fault", "clear")
	if got := p.run(t, "fault", "list", "--json"); got != "[]\n" {
		t.Errorf("got %q", got)
	}
}

func TestCandlesDriveThePrice(t *testing.T) {
	t.Parallel()
	file := writeTemp(t, "c.csv", "time,open,high,low,close,volume\n2023-03-01T00:00:00Z,24000,24100,23900,24050,1\n2023-03-01T00:01:00Z,24050,24100,23900,24000,1\n")
	p := startPaper(t, "--source", "csv:"+file, "--path", "low-first")
	for {
		got := runVigia("paper", "price", "--admin", p.admin).ok(t).out.String()
		if strings.HasPrefix(got, "The paper price is $24,000 ") {
			return
		}
		if !strings.HasPrefix(got, "The paper price is $0 ") {
			t.Fatalf("got %q", got)
		}
	}
}

// The admin port is that of the server in the data folder when none is named.
func TestTheAdminPortIsFoundByTheDataFolder(t *testing.T) {
	t.Parallel()
	p := startPaper(t)
	folder := t.TempDir()
	writeServerFile(t, folder, serverFile{URL: "http://127.0.0.1:1", PaperAdmin: p.admin})
	if got := runVigia("paper", "account", "list", "--data", folder, "--json").ok(t).out.String(); got != "[]\n" {
		t.Errorf("got %q", got)
	}
	writeServerFile(t, folder, serverFile{URL: "http://127.0.0.1:1"})
	got := runVigia("paper", "account", "list", "--data", folder)
	if got.code != 1 || !strings.Contains(got.err.String(), "has no paper exchange inside") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
	if address, err := (&onPaper{Data: "/nowhere"}).address(); err != nil || address != defaultPaperAdmin {
		t.Errorf("got %q, %v", address, err)
	}
}

func TestNoPaperExchangeSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	got := runVigia("paper", "price", "--admin", "127.0.0.1:1")
	if got.code != 1 || !strings.HasPrefix(got.err.String(), "vigia: admin: no paper exchange answers at 127.0.0.1:1: connection refused\n") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
}

func TestWhatThePaperExchangeRefusesIsPrintedAsItSaidIt(t *testing.T) {
	t.Parallel()
	p := startPaper(t)
	for args, want := range map[string]string{
		"paper price --drop 101% --over 1s":           "vigia: drop_pct: ",
		"paper fault clear --id 77":                   "vigia: ",
		"paper account new --balance 1 --scopes fly":  `vigia: scopes: "fly" is not a scope of the exchange`,
		"paper fault set --kind slow --delay=-1s":     "vigia: delay: got -1s; slow takes a time",
		"paper account deposit --account x --sats 10": "vigia: ",
	} {
		got := runVigia(append(strings.Fields(args), "--admin", p.admin)...)
		if got.code != 1 || !strings.HasPrefix(got.err.String(), want) {
			t.Errorf("%s: got %d, %q", args, got.code, got.err.String())
		}
	}
}
