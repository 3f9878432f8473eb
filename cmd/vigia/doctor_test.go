package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lease"
)

// outside is what the doctor finds when no server runs.
func outside(t *testing.T, folder string, more ...string) (map[string]vigia.Check, *console) {
	t.Helper()
	got := runVigia(append([]string{"doctor", "--json", "--listen", "127.0.0.1:0", "--data", folder}, more...)...)
	var checks []vigia.Check
	if err := json.Unmarshal(got.out.Bytes(), &checks); err != nil {
		t.Fatalf("%v in %s", err, got.out.String())
	}
	out := map[string]vigia.Check{}
	for _, check := range checks {
		out[check.Name] = check
	}
	if got.code != 1 || out["server"].OK || !strings.Contains(out["server"].Do, "vigia serve --data "+folder) {
		t.Errorf("got %d, %+v", got.code, out["server"])
	}
	return out, got
}

func TestTheDoctorLooksFromOutside(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	checks, _ := outside(t, folder)
	if !checks["data folder"].OK || !checks["port"].OK || len(checks) != 3 {
		t.Errorf("an empty place: got %+v", checks)
	}
	recordIn(t, folder)
	checks, _ = outside(t, folder)
	for _, name := range []string{"data folder", "port", "lock", "key file", "disk", "database"} {
		if !checks[name].OK || checks[name].Do != "" {
			t.Errorf("%s: got %+v", name, checks[name])
		}
	}
}

func TestTheDoctorNamesWhatIsWrongOutside(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil      func(t *testing.T, folder string)
		check, say string
	}{
		"key file gone":     {func(t *testing.T, f string) { must(t, os.Remove(f+".key")) }, "key file", "there is no key file"},
		"key file readable": {func(t *testing.T, f string) { must(t, os.Chmod(f+".key", 0o644)) }, "key file", "others may read"},
		"key file broken":   {func(t *testing.T, f string) { must(t, os.WriteFile(f+".key", []byte("x"), 0o600)) }, "key file", ""},
		"database broken": {func(t *testing.T, f string) {
			must(t, os.WriteFile(f+"/vigia.db", []byte("x, and long enough"), 0o600))
		}, "database", "file is not a database"},
		"folder open to all": {func(t *testing.T, f string) { must(t, os.Chmod(f, 0o755)) }, "data folder", "others may look into"},
		"folder is a file": {func(t *testing.T, f string) {
			must(t, os.RemoveAll(f))
			must(t, os.WriteFile(f, nil, 0o600))
		}, "data folder", "is no folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "data")
			recordIn(t, folder)
			tc.spoil(t, folder)
			checks, _ := outside(t, folder)
			if got := checks[tc.check]; got.OK || got.Do == "" || !strings.Contains(got.Found, tc.say) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheDoctorSaysWhoHoldsTheFolderAndThePort(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	recordIn(t, folder)
	lock, err := lease.TryLock(filepath.Join(folder, "lock"))
	must(t, err)
	port, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	checks, _ := outside(t, folder, "--listen", port.Addr().String())
	if got := checks["lock"]; got.OK || !strings.Contains(got.Found, "guards from this folder and does not answer here") {
		t.Errorf("got %+v", got)
	}
	if got := checks["port"]; got.OK || !strings.Contains(got.Found, "address already in use") {
		t.Errorf("got %+v", got)
	}
	if _, looked := checks["database"]; looked {
		t.Error("a database that is in use is not touched")
	}
	must(t, lock.Release())
	must(t, port.Close())
}
