package notify_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// got is one message as a server saw it.
type got struct {
	title, body, priority, path, head string
	header                            http.Header
}

// site is a server that takes messages, as ntfy does, and can be told not to.
type site struct {
	*httptest.Server
	got chan got

	mu     sync.Mutex
	status int           // 0: 200
	answer string        // what it says with that
	later  string        // when to come again, in seconds
	hang   chan struct{} // while there is one, no answer before it is closed
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{got: make(chan got, 1000)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	status, answer, hang := s.status, s.answer, s.hang
	if s.later != "" {
		w.Header().Set("Retry-After", s.later)
	}
	s.mu.Unlock()
	s.got <- got{r.Header.Get("Title"), string(body), r.Header.Get("Priority"), r.URL.String(), r.Header.Get(notify.HeadHeader), r.Header}
	if hang != nil {
		<-hang
	}
	if answer == "" {
		answer = "{}"
	}
	if status != 0 {
		w.WriteHeader(status)
	}
	_, _ = io.WriteString(w, answer)
}

// answers sets what the site says from now on.
func (s *site) answers(status int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.answer = status, text
}

// hangs keeps every answer back until the test ends or the function is called.
func (s *site) hangs(t *testing.T) (release func()) {
	t.Helper()
	hang := make(chan struct{})
	s.mu.Lock()
	s.hang = hang
	s.mu.Unlock()
	release = sync.OnceFunc(func() {
		s.answersAtOnce()
		close(hang)
	})
	t.Cleanup(release)
	return release
}

// answersAtOnce lets new messages be answered, while old ones go on hanging.
func (s *site) answersAtOnce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang = nil
}

func (s *site) host() string { return strings.TrimPrefix(s.URL, "http://") }

// next is the next message that arrives.
func (s *site) next(t *testing.T) got {
	t.Helper()
	select {
	case m := <-s.got:
		return m
	case <-t.Context().Done():
		t.Fatal("no message came")
		return got{}
	}
}

// quiet checks that nothing has arrived beside what was looked at.
func (s *site) quiet(t *testing.T) {
	t.Helper()
	select {
	case m := <-s.got:
		t.Fatalf("a message too many: %+v", m)
	default:
	}
}

// channel opens the site as an ntfy server.
func (s *site) channel(t *testing.T, clock vigia.Clock) *notify.Channel {
	t.Helper()
	return opened(t, "ntfy://"+s.host()+"/topic?scheme=http", clock)
}

func opened(t *testing.T, address string, clock vigia.Clock) *notify.Channel {
	t.Helper()
	c, err := notify.Open(vigia.NewSecret(address), clock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// waiting gives the processor away until so many timers wait on the clock.
func waiting(t *testing.T, clock *vigia.ManualClock, timers int) {
	t.Helper()
	for clock.Waiting() != timers {
		if t.Context().Err() != nil {
			t.Fatalf("%d timers wait, not %d", clock.Waiting(), timers)
		}
		runtime.Gosched()
	}
}

// running runs a worker with two contexts until the test, or stop, ends it.
func running(t *testing.T, run func(intake, work context.Context) error) (stop func()) {
	t.Helper()
	intake, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(intake, context.WithoutCancel(intake)) }()
	stop = sync.OnceFunc(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// lines is a log to be read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) count(part string) int { return strings.Count(l.String(), part) }
