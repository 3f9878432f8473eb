package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// parsed reads a command line with an environment, as the program does.
func parsed(t *testing.T, environ []string, args ...string) (*commands, error) {
	t.Helper()
	var c commands
	var out bytes.Buffer
	parser, err := kong.New(&c, kong.Name("vigia"), kong.Writers(&out, &out), kong.Exit(func(int) {}), kong.Resolvers(&settings{environ: environ}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return &c, err
}

func TestFlagsBeatVariablesBeatTheFile(t *testing.T) {
	t.Parallel()
	config := writeTemp(t, "vigia.yaml", "listen: 127.0.0.1:1\nlease_term: 9s\ndata: from-file\nno-demo: true\nnotify:\n")
	for _, tc := range []struct {
		environ, args, listen, data string
	}{
		{"", "", "127.0.0.1:8420", "vigia-data"},
		{"", "--config " + config, "127.0.0.1:1", "from-file"},
		{"VIGIA_CONFIG=" + config, "", "127.0.0.1:1", "from-file"},
		{"VIGIA_CONFIG=" + config + " VIGIA_LISTEN=127.0.0.1:2", "", "127.0.0.1:2", "from-file"},
		{"VIGIA_CONFIG=" + config + " VIGIA_LISTEN=127.0.0.1:2", "--listen 127.0.0.1:3 --data flag", "127.0.0.1:3", "flag"},
	} {
		c, err := parsed(t, strings.Fields(tc.environ), append([]string{"serve"}, strings.Fields(tc.args)...)...)
		if err != nil {
			t.Errorf("%s %s: %v", tc.environ, tc.args, err)
			continue
		}
		if c.Serve.Listen != tc.listen || c.Serve.Data != tc.data {
			t.Errorf("%s %s: got %s and %s", tc.environ, tc.args, c.Serve.Listen, c.Serve.Data)
		}
		if fromFile := tc.data == "from-file"; fromFile && (c.Serve.LeaseTerm != 9*time.Second || !c.Serve.NoDemo) {
			t.Errorf("%s %s: got %+v", tc.environ, tc.args, c.Serve)
		}
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	file := writeTemp(t, "database", "postgres://user:secret@host/db\r\n")
	c, err := parsed(t, []string{"VIGIA_DATABASE_FILE=" + file, "VIGIA_DATABASE=weaker"}, "serve")
	if err != nil || c.Serve.Database != "postgres://user:secret@host/db" {
		t.Errorf("got %q, %v", c.Serve.Database, err)
	}
	c, err = parsed(t, []string{"VIGIA_DATABASE_FILE=" + file}, "serve", "--database", "postgres://flag")
	if err != nil || c.Serve.Database != "postgres://flag" {
		t.Errorf("got %q, %v", c.Serve.Database, err)
	}
	c, err = parsed(t, []string{"VIGIA_KEY_FILE=/keys/k"}, "serve") // a setting whose name ends so
	if err != nil || c.Serve.KeyFile != "/keys/k" {
		t.Errorf("got %q, %v", c.Serve.KeyFile, err)
	}
}

func TestUnknownSettingsNameTheNearest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		environ, yaml, want string
	}{
		{"VIGIA_LISTN=x", "", `VIGIA_LISTN: there is no such setting; did you mean "VIGIA_LISTEN"?`},
		{"VIGIA_LISTEN_FILE=/x", "", "VIGIA_LISTEN_FILE: only secrets come from files; set VIGIA_LISTEN"},
		{"VIGIA_DATABASE_FILE=/nowhere/x", "", "VIGIA_DATABASE_FILE: the file cannot be read: no such file or directory"},
		{"", "leese_term: 5s", `has the unknown key "leese_term"; did you mean "lease-term"?`},
		{"", "zzzzzzzzzzzz: 1", `has the unknown key "zzzzzzzzzzzz"`},
		{"", "- 1", "is not YAML: "},
		{"VIGIA_CONFIG=/nowhere.yaml", "", "config: there is no file /nowhere.yaml"},
		{"", "lease_term: soon", `expected duration but got "soon"`},
	} {
		environ := strings.Fields(tc.environ)
		if tc.yaml != "" {
			environ = append(environ, "VIGIA_CONFIG="+writeTemp(t, "vigia.yaml", tc.yaml))
		}
		if _, err := parsed(t, environ, "serve"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s %s: got %v, want %q", tc.environ, tc.yaml, err, tc.want)
		}
	}
	if _, err := parsed(t, []string{"VIGIA_TEST_POSTGRES=x", "PATH=/bin"}, "serve"); err != nil {
		t.Errorf("variables of the tests are not settings: %v", err)
	}
}

func TestClientCommandsTakeTheSameSettings(t *testing.T) {
	t.Parallel()
	c, err := parsed(t, []string{"VIGIA_DATA=/data", "VIGIA_ACCOUNT=main"}, "execution", "list")
	if err != nil || c.Execution.List.Data != "/data" || c.Execution.List.Account != "main" {
		t.Errorf("got %+v, %v", c.Execution.List, err)
	}
}
