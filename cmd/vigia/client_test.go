package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
)

func TestWithoutAServerACommandSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	got := runVigia("status", "--data", "/nowhere/data")
	want := "vigia: no server runs from /nowhere/data (/nowhere/data/server.json is missing); start it with: vigia serve --data /nowhere/data\n"
	if got.code != 1 || got.err.String() != want {
		t.Errorf("got %d, %q, want %q", got.code, got.err.String(), want)
	}
}

func TestAServerThatDiedIsSaidToBeGone(t *testing.T) {
	t.Parallel()
	f := newFakeServer(t)
	f.http.Close()
	got := f.run("", "status")
	if got.code != 1 || !strings.HasPrefix(got.err.String(), "vigia: no server answers at "+f.http.URL+", the address in "+f.folder) ||
		!strings.Contains(got.err.String(), "connection refused; start it with: vigia serve --data ") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
}

func TestAServerThatBreaksOffIsNotSaidToBeGone(t *testing.T) {
	t.Parallel()
	f := newFakeServer(t)
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	writeServerFile(t, f.folder, serverFile{URL: broken.URL})
	if got := f.run("", "status"); got.code != 1 || !strings.Contains(got.err.String(), "broke off") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
}

func writeServerFile(t *testing.T, folder string, file serverFile) {
	t.Helper()
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, serverFileName), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestATokenOfAnotherFolderIsRefused(t *testing.T) {
	t.Parallel()
	f := newFakeServer(t)
	if err := os.WriteFile(filepath.Join(f.folder, "token"), []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := f.run("", "status")
	if got.code != 1 || !strings.Contains(got.err.String(), "does not take the token in "+filepath.Join(f.folder, "token")) || strings.Contains(got.err.String(), "wrong") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
}

func TestWhatTheServerRefusesIsPrintedAsItSaidIt(t *testing.T) {
	t.Parallel()
	got := newFakeServer(t).run("", "account", "remove", "--account", "nobody")
	want := "vigia: account: there is no account \"nobody\"\n       vigia account list shows what there is.\n"
	if got.code != 1 || got.err.String() != want {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
}

func TestABrokenServerFileIsSaid(t *testing.T) {
	t.Parallel()
	f := newFakeServer(t)
	for _, text := range []string{"", "{", `{"url":""}`} {
		if err := os.WriteFile(filepath.Join(f.folder, serverFileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := f.run("", "status"); got.code != 1 || !strings.Contains(got.err.String(), "does not say where the server is") {
			t.Errorf("%q: got %d, %q", text, got.code, got.err.String())
		}
	}
}

func TestLongListsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	f := newFakeServer(t)
	for range 450 {
		f.executions = append(f.executions, vigia.Execution{ID: oneExecution, Subject: vigia.AccountSubject(), State: vigia.ExecutionDone})
	}
	for limit, want := range map[string]int{"0": 450, "7": 7, "200": 200, "201": 201, "1000": 450} {
		var got []executionLine
		if err := json.Unmarshal(f.run("", "execution", "list", "--limit", limit, "--json").ok(t).out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != want {
			t.Errorf("--limit %s: got %d, want %d", limit, len(got), want)
		}
	}
}

// The file by which commands find the server is whole, and for its owner only.
func TestTheServerFileNamesTheServer(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	listen := func(address string) net.Listener {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	l := &listeners{api: listen("127.0.0.1:0"), paper: listen(":0"), admin: listen("127.0.0.1:0")}
	s := &server{o: &serveCommand{Data: folder, KeyFile: "key"}}
	if err := s.writeClientFile(l); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, serverFileName)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v, want mode 0600", info.Mode(), err)
	}
	got, err := (&onServer{Data: folder}).serverFile()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.paper.Addr().String())
	if got.URL != "http://"+l.api.Addr().String() || got.PaperAdmin != l.admin.Addr().String() || !filepath.IsAbs(got.KeyFile) ||
		got.Paper != "http://[::1]:"+port && got.Paper != "http://127.0.0.1:"+port {
		t.Errorf("got %+v", got)
	}
	for range 2 { // the second time there is none: no error
		if err := s.removeClientFile(); err != nil {
			t.Error(err)
		}
	}
	if exists(path) {
		t.Error("it is still there")
	}
}
