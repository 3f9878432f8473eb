package e2e

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatServeRefuses starts vigia with bad settings: it ends with one sentence
// that names what was wrong and what it takes, and writes nothing.
func TestWhatServeRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for _, c := range []struct {
		name    string
		environ []string
		// yaml, where set, is the configuration file.
		yaml string
		args []string
		want []string
	}{
		{name: "an unknown flag names the nearest", args: []string{"--lsten", "127.0.0.1:0"}, want: []string{"--lsten", "--listen"}},
		{name: "an unknown variable names the nearest", environ: []string{"VIGIA_LISTN=127.0.0.1:0"}, want: []string{"VIGIA_LISTN", "VIGIA_LISTEN"}},
		{name: "an unknown key names the nearest", yaml: "listn: 127.0.0.1:0\n", want: []string{"listn", "listen"}},
		{name: "a file that is not YAML", yaml: "listen: [\n", want: []string{"is not YAML"}},
		{name: "a file that is not there", args: []string{"--config", "/no/such/file"}, want: []string{"/no/such/file"}},
		{name: "a secret's file that is not there", environ: []string{"VIGIA_DATABASE_FILE=/no/such/file"}, want: []string{"VIGIA_DATABASE_FILE"}},
		{name: "a port that is taken", args: []string{"--listen", taken.Addr().String()}, want: []string{"listen", taken.Addr().String(), "in use"}},
		{name: "an address that others reach", args: []string{"--listen", "0.0.0.0:0"}, want: []string{"listen", "0.0.0.0:0"}},
		{name: "an address that is none", args: []string{"--listen", "nowhere"}, want: []string{"listen", "nowhere"}},
		{name: "a term of nothing", args: []string{"--lease-term", "0s"}, want: []string{"lease-term", "0s", "1s"}},
		{name: "a time without a unit", args: []string{"--clock-window", "30"}, want: []string{"clock-window"}},
		{name: "a database that is no URL", args: []string{"--database", "hunter2"}, want: []string{"database", "postgres://"}},
		{name: "a data folder that cannot be made", args: []string{"--data", "/dev/null/data"}, want: []string{"/dev/null"}},
		{name: "a data folder that cannot be written", args: []string{"--data", "/proc/data"}, want: []string{"data folder", "/proc/data"}},
		{name: "a key file in the data folder", args: []string{"--key-file", "{data}/key"}, want: []string{"key-file"}},
		{name: "a channel that there is not", args: []string{"--notify", "pigeon://coo"}, want: []string{"notify"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := filepath.Join(dir, "data")
			args := []string{"serve", "--no-demo", "--metrics=", "--data", data}
			if !strings.Contains(strings.Join(c.args, " "), "--listen") {
				args = append(args, "--listen", "127.0.0.1:0")
			}
			if c.yaml != "" {
				path := filepath.Join(dir, "vigia.yaml")
				if err := os.WriteFile(path, []byte(c.yaml), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--config", path)
			}
			for _, a := range c.args {
				args = append(args, strings.ReplaceAll(a, "{data}", data))
			}
			p := launch(t, "refused", released(t), false, c.environ, args...)
			p.refuses(c.want...)
			if strings.Contains(p.said.String(), "hunter2") {
				t.Error("it said a secret")
			}
			if left, err := os.ReadDir(data); err == nil && len(left) > 0 && !strings.Contains(c.name, "channel") {
				t.Errorf("it left %v", left)
			}
		})
	}
}

// refuses says that a process ends by itself with a sentence that has all of these.
func (p *process) refuses(want ...string) {
	p.t.Helper()
	code := p.exit(patience)
	said := p.said.String()
	if code == 0 || !strings.Contains(said, "vigia: ") || strings.Contains(said, "goroutine ") || strings.Contains(said, "panic") {
		p.t.Errorf("exit status %d:\n%s", code, said)
	}
	for _, text := range want {
		if !strings.Contains(said, text) {
			p.t.Errorf("it does not name %q:\n%s", text, said)
		}
	}
}

// TestADataFolderThatIsNotWhole changes what an earlier run left.
func TestADataFolderThatIsNotWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, data, key string)
		want  []string
	}{
		{"the key file is missing", func(t *testing.T, _, key string) {
			if err := os.Remove(key); err != nil {
				t.Fatal(err)
			}
		}, []string{"there is no key file"}},
		{"the key file is readable by all", func(t *testing.T, _, key string) {
			if err := os.Chmod(key, 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{"key", "0600"}},
		{"the key file is damaged", func(t *testing.T, _, key string) {
			if err := os.WriteFile(key, []byte("nonsense"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"key"}},
		{"the token is readable by all", func(t *testing.T, data, _ string) {
			if err := os.Chmod(filepath.Join(data, "token"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{"token", "0600"}},
		{"the database is of a newer version", func(t *testing.T, data, _ string) {
			spoilDatabase(t, data, "INSERT INTO schema_version (version, name, at) VALUES (9999, '9999_tomorrow.sql', 0)")
		}, []string{"newer"}},
		{"the database is no database", func(t *testing.T, data, _ string) {
			for _, name := range []string{"vigia.db", "vigia.db-wal", "vigia.db-shm"} {
				if err := os.WriteFile(filepath.Join(data, name), []byte("nonsense, and rather a lot of it"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"vigia.db"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data, key := filepath.Join(dir, "data"), filepath.Join(dir, "key")
			args := []string{"serve", "--no-demo", "--metrics=", "--listen", "127.0.0.1:0", "--data", data, "--key-file", key}
			first := launch(t, "first", released(t), false, nil, args...)
			first.data = data
			first.address()
			if code := first.stop(patience); code != 0 {
				t.Fatalf("exit status %d:\n%s", code, first.said)
			}
			c.spoil(t, data, key)
			launch(t, "second", released(t), false, nil, args...).refuses(c.want...)
		})
	}
}

func spoilDatabase(t *testing.T, data, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "vigia.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
