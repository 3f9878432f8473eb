package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vigiaguard/vigia/record/recordtest"
)

// sideBySide is how many tests run at a time: they mostly wait.
const sideBySide = "8"

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", sideBySide); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "vigia-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binaries.dir = dir
	code := recordtest.Main(m)
	printTallies()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// binaries are built when the first test asks for one.
var binaries struct {
	dir             string
	plain, stepping sync.Once
	failed          [2]error
}

// released is the binary as it is released.
func released(t testing.TB) string {
	t.Helper()
	return built(t, 0, &binaries.plain, "vigia")
}

// stepping is the binary with kill points. Neither is built with the race
// detector, which would be killed as well.
func stepping(t testing.TB) string {
	t.Helper()
	return built(t, 1, &binaries.stepping, "vigia-killpoints", "-tags", "killpoints")
}

func built(t testing.TB, i int, once *sync.Once, name string, flags ...string) string {
	t.Helper()
	path := filepath.Join(binaries.dir, name)
	once.Do(func() {
		args := append([]string{"build", "-o", path}, flags...)
		command := exec.Command("go", append(args, "../cmd/vigia")...)
		if out, err := command.CombinedOutput(); err != nil {
			binaries.failed[i] = fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	})
	if err := binaries.failed[i]; err != nil {
		t.Fatal(err)
	}
	return path
}

// long skips what takes hours' share of an afternoon.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("VIGIA_TEST_LONG") == "" {
		t.Skip("set VIGIA_TEST_LONG=1 to run the long tests")
	}
}

// tallies count what was tried, for the summary at the end.
var tallies struct {
	mu    sync.Mutex
	order []string
	kept  map[string]*tally
}

// tally is one line of the summary.
type tally struct {
	counts map[string]int
	names  []string
}

// count adds to a line of the summary.
func count(line, what string, n int) {
	tallies.mu.Lock()
	defer tallies.mu.Unlock()
	if tallies.kept == nil {
		tallies.kept = map[string]*tally{}
	}
	row := tallies.kept[line]
	if row == nil {
		row = &tally{counts: map[string]int{}}
		tallies.kept[line] = row
		tallies.order = append(tallies.order, line)
	}
	if _, known := row.counts[what]; !known {
		row.names = append(row.names, what)
	}
	row.counts[what] += n
}

func printTallies() {
	tallies.mu.Lock()
	defer tallies.mu.Unlock()
	for _, line := range tallies.order {
		row, parts := tallies.kept[line], []string{}
		for _, name := range row.names {
			parts = append(parts, fmt.Sprintf("%s %d", name, row.counts[name]))
		}
		_, _ = fmt.Fprintf(os.Stdout, "%s: %s\n", line, strings.Join(parts, ", "))
	}
}
