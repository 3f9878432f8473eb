package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

// patience bounds every wait for something that must come.
const patience = 30 * time.Second

// eventually looks again and again until something holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	if !holdsWithin(within, holds) {
		t.Fatalf("not within %s: %s", within, what)
	}
}

func holdsWithin(within time.Duration, holds func() bool) bool {
	deadline, look := time.NewTimer(within), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline.C:
			return holds()
		}
	}
	return true
}

// pass lets a time go by while something else happens to the process.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// process is one vigia as an operating system sees it.
type process struct {
	t       testing.TB
	name    string
	data    string
	command *exec.Cmd
	said    *output
	steps   *steps
	ended   chan struct{}
	err     error // after ended
	api     *client
}

// output collects what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// launch starts a binary. Where it has steps, they run free until one is held.
func launch(t testing.TB, name, binary string, withSteps bool, environ []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, said: &output{}, ended: make(chan struct{})}
	p.command = exec.Command(binary, args...)
	p.command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir(), "TZ=UTC"}, environ...)
	p.command.Stdout, p.command.Stderr = p.said, p.said
	p.command.SysProcAttr = child()
	var theirs []*os.File
	if withSteps {
		p.steps, theirs = newSteps(t)
		p.command.ExtraFiles = theirs
		p.command.Env = append(p.command.Env, "VIGIA_TEST_STEPS=1")
	}
	started := make(chan error, 1)
	go func() {
		// The process dies with this thread: it lives as long as the process.
		runtime.LockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			p.err = p.command.Wait()
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	for _, f := range theirs {
		_ = f.Close() // the process has its own
	}
	t.Cleanup(func() {
		_ = p.command.Process.Signal(syscall.SIGCONT) // it may be frozen, or gone
		if t.Failed() {
			t.Logf("%s said:\n%s\nand knew:\n%s", p.name, p.said, p.knew())
		}
		if dump := os.Getenv("VIGIA_TEST_DUMP"); dump != "" && t.Failed() && !p.gone() {
			_ = p.command.Process.Signal(syscall.SIGQUIT)
			<-p.ended
			_ = os.WriteFile(filepath.Join(dump, strings.ReplaceAll(t.Name(), "/", "_")+p.name), []byte(p.said.String()), 0o600)
		}
		p.kill()
	})
	return p
}

// knew is what a living process says of what it does, for a test that failed.
func (p *process) knew() string {
	if p.api == nil || p.gone() || !p.api.answers() {
		return "nothing any more"
	}
	var out strings.Builder
	a, _ := p.api.watched(label)
	fmt.Fprintf(&out, "%+v\n", a)
	decisions, err := listed[vigia.KeptDecision](p.api, "/decisions")
	fmt.Fprintf(&out, "decisions, the newest first: %v\n", err)
	for _, d := range decisions {
		fmt.Fprintf(&out, "  %s %s %s %s %s at %s dry run %t\n", d.At.Format(time.StampMilli), d.Automation, d.Subject, d.Action, d.Reason, d.Last, d.DryRun)
	}
	for _, e := range p.api.executions() {
		fmt.Fprintf(&out, "  %s %s %s %s %d sats signed %s settled %s: %s\n", e.ID, e.Action, e.Subject, e.State, e.Amount,
			e.SignedAt.Format(time.StampMilli), e.SettledAt.Format(time.StampMilli), e.Detail)
	}
	return out.String()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %s to %s: %v", s, p.name, err)
	}
}

// kill ends the process without a word, frozen or not, and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
	if p.steps != nil {
		p.steps.close()
	}
}

// stop asks the process to end and gives its exit status.
func (p *process) stop(within time.Duration) int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.exit(within)
}

// exit waits until the process has ended by itself.
func (p *process) exit(within time.Duration) int {
	p.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-timer.C:
		p.t.Fatalf("%s did not end within %s; it said:\n%s", p.name, within, p.said)
		return -1
	}
}

func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// address waits until the process has said where its API is, and makes a client.
func (p *process) address() {
	p.t.Helper()
	var file struct {
		URL     string `json:"url"`
		Process int    `json:"process"`
	}
	eventually(p.t, patience, p.name+" says where it is", func() bool {
		if p.gone() {
			p.t.Fatalf("%s ended: %v; it said:\n%s", p.name, p.err, p.said)
		}
		text, err := os.ReadFile(filepath.Join(p.data, "server.json"))
		return err == nil && json.Unmarshal(text, &file) == nil && file.Process == p.command.Process.Pid
	})
	token, err := os.ReadFile(filepath.Join(p.data, "token"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.api = newClient(p.t, file.URL, strings.TrimSpace(string(token)))
	eventually(p.t, patience, p.name+" answers", func() bool { return p.api.answers() })
}

// steps is the test's end of the kill points: a process tells each step and waits
// for a line.
type steps struct {
	out, in *os.File

	mu     sync.Mutex
	want   act.Step
	after  int
	seen   map[act.Step]int
	holds  chan act.Step
	closed sync.Once
}

func newSteps(t testing.TB) (*steps, []*os.File) {
	t.Helper()
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &steps{out: out, in: in, seen: map[act.Step]int{}, holds: make(chan act.Step, 1)}
	return s, []*os.File{theirOut, theirIn}
}

// follow lets every step pass but the one that is to be held.
func (s *steps) follow() {
	lines := bufio.NewScanner(s.out)
	for lines.Scan() {
		step := act.Step(lines.Text())
		s.mu.Lock()
		s.seen[step]++
		hold := s.at(step) && s.after == 0
		if s.at(step) && s.after > 0 {
			s.after--
		}
		if hold {
			s.want = ""
		}
		s.mu.Unlock()
		if hold {
			s.holds <- step
		} else {
			s.goOn()
		}
	}
}

// goOn lets the process leave the step it waits at.
func (s *steps) goOn() { _, _ = s.in.WriteString("\n") } // a dead process does not mind

func (s *steps) close() {
	s.closed.Do(func() {
		_ = s.out.Close() // pipes of a process that is gone
		_ = s.in.Close()
	})
}

// holdAt makes the process stop at a step, after letting it pass some times.
func (p *process) holdAt(step act.Step, after int) {
	p.steps.mu.Lock()
	defer p.steps.mu.Unlock()
	p.steps.want, p.steps.after = step, after
}

// at says whether a step is the one to be held: where the price was passed before
// it was armed, deciding comes without a tick.
func (s *steps) at(step act.Step) bool {
	return step == s.want || s.want == act.StepDue && step == act.StepDecided
}

// held waits until the process stands at the step.
func (p *process) held(within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.steps.holds:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s ended: %w", p.name, p.err)
	case <-timer.C:
		p.steps.mu.Lock()
		defer p.steps.mu.Unlock()
		return fmt.Errorf("%s was not at %s within %s; steps so far: %v", p.name, p.steps.want, within, p.steps.seen)
	}
}
