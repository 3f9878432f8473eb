package lnmarkets

import (
	"errors"
	"net"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// scripted is a connection whose writes end as told.
type scripted struct {
	net.Conn

	write func([]byte) (int, error)
}

func (s scripted) Write(p []byte) (int, error) { return s.write(p) }

func boarded(write func([]byte) (int, error)) (*countedConn, *flight) {
	conn := &countedConn{Conn: scripted{write: write}}
	f := &flight{clock: vigia.NewManualClock(time.UnixMilli(1))}
	return conn, f
}

func all(p []byte) (int, error)  { return len(p), nil }
func none([]byte) (int, error)   { return 0, errors.New("broken pipe") }
func some(p []byte) (int, error) { return len(p) / 2, errors.New("broken pipe") }

func TestAFlightIsUnsentOnlyWhenNothingWasWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		write   func([]byte) (int, error)
		request bool
		want    bool
	}{
		{"no connection was given", nil, false, true},
		{"given, nothing written yet", all, false, true},
		{"the write failed whole", none, true, true},
		{"the write failed half way", some, true, false},
		{"written", all, true, false},
	} {
		conn, f := boarded(c.write)
		if c.write != nil {
			_, _ = conn.Write([]byte("an earlier request")) // does not count
			f.board(httptrace.GotConnInfo{Conn: conn})
		}
		if c.request {
			_, _ = conn.Write([]byte("request"))
		}
		if got := f.unsent(); got != c.want {
			t.Errorf("%s: unsent is %t", c.name, got)
		}
		if c.write == nil {
			continue
		}
		// What has been found stays true: nothing can be written any more.
		if n, err := conn.Write([]byte("late")); n != 0 || !errors.Is(err, errSealed) {
			t.Errorf("%s: a late write went through: %d, %v", c.name, n, err)
		}
	}
}

func TestAWriteThatHangsIsNotUnsent(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	conn, f := boarded(func([]byte) (int, error) { close(started); <-release; return 0, errors.New("closed") })
	f.board(httptrace.GotConnInfo{Conn: conn})
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = conn.Write([]byte("request")) }()
	<-started
	if f.unsent() {
		t.Error("a write under way was taken for none")
	}
	close(release)
	<-ended
}

func TestAConnectionThatIsNotCountedProvesNothing(t *testing.T) {
	t.Parallel()
	_, f := boarded(all)
	f.board(httptrace.GotConnInfo{Conn: scripted{}})
	if f.unsent() || f.sentAt().IsZero() {
		t.Error("a foreign connection was taken for proof")
	}
}
