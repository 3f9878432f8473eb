package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

var errStore = errors.New("the disk is full")

// ledger is an outbox in memory, which can be told to fail.
type ledger struct {
	mu        sync.Mutex
	events    []vigia.Event
	delivered map[string]int64
	broken    error
}

func (l *ledger) After(_ context.Context, cursor int64, limit int) ([]vigia.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []vigia.Event
	for i := range l.events {
		if l.events[i].Cursor > cursor && len(out) < limit {
			out = append(out, l.events[i])
		}
	}
	return out, l.broken
}

func (l *ledger) Delivered(_ context.Context, consumer string) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delivered[consumer], l.broken
}

func (l *ledger) SetDelivered(_ context.Context, consumer string, cursor int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.delivered[consumer] = max(cursor, l.delivered[consumer])
	}
	return l.broken
}

func (l *ledger) breaks(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

func (l *ledger) cursor() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delivered["test"]
}

// stage is a drain between a ledger and a site, on a clock that stands still.
type stage struct {
	*ledger
	*site
	clock  *vigia.ManualClock
	wake   chan struct{}
	failed chan int // gets each failure's number when its back-off begins
	log    lines
	policy notify.Policy
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return &stage{
		ledger: &ledger{delivered: map[string]int64{}}, site: newSite(t), clock: vigia.NewManualClock(epoch),
		wake: make(chan struct{}), failed: make(chan int, 100),
	}
}

func (s *stage) drain(t *testing.T) *notify.Drain {
	t.Helper()
	return notify.NewDrain(s.ledger, s.channel(t, s.clock), notify.DrainSettings{
		Consumer: "test", Clock: s.clock, Policy: s.policy, Poll: time.Hour, Wake: s.wake,
		Backoff: func(failures int) time.Duration { s.failed <- failures; return time.Second },
		Log:     slog.New(slog.NewTextHandler(&s.log, nil)),
	})
}

func (s *stage) run(t *testing.T) (stop func()) {
	t.Helper()
	return running(t, s.drain(t).Run)
}

// tell commits events that happen now.
func (s *stage) tell(events ...vigia.Event) {
	s.mu().Lock()
	defer s.mu().Unlock()
	for _, e := range events {
		e.Cursor = int64(len(s.events) + 1)
		if e.At.IsZero() {
			e.At = s.clock.Now()
		}
		s.events = append(s.events, e)
	}
}

func (s *stage) mu() *sync.Mutex { return &s.ledger.mu }

// settle returns when the drain has done what there is to do now: it takes a
// wake-up only while it rests.
func (s *stage) settle(t *testing.T) {
	t.Helper()
	for range 2 {
		select {
		case s.wake <- struct{}{}:
		case <-t.Context().Done():
			t.Fatal("the drain does not come to rest")
		}
	}
}

// stumble returns when a back-off has begun.
func (s *stage) stumble() {
	select {
	case s.wake <- struct{}{}:
		<-s.failed
	case <-s.failed:
	}
}

// titles are those that have arrived, without the words before them.
func (s *stage) titles(t *testing.T) []string {
	t.Helper()
	s.settle(t)
	var out []string
	for len(s.got) > 0 {
		m := <-s.got
		_, title, _ := strings.Cut(m.title, ": ")
		if _, more, ok := strings.Cut(m.body, "\n\nAnd "); ok {
			count, _, _ := strings.Cut(more, " ")
			title += " +" + count
		}
		out = append(out, title)
	}
	return out
}

func (s *stage) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := s.titles(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (s *stage) advance(t *testing.T, d time.Duration) {
	t.Helper()
	s.settle(t)
	waiting(t, s.clock, 1)
	s.clock.Advance(d)
}

// Events of one trade each.
func rescued(trade string) vigia.Event {
	return vigia.Event{Kind: vigia.EventRescued, Level: vigia.LevelWarning, Account: "a", Subject: vigia.TradeSubject(vigia.TradeID(trade)), Facts: vigia.EventData{AccountLabel: trade}}
}

func closedTrade(trade string) vigia.Event {
	e := rescued(trade)
	e.Kind, e.Level = vigia.EventClosed, vigia.LevelCritical
	return e
}

func blind(account string) vigia.Event {
	return vigia.Event{Kind: vigia.EventBlind, Level: vigia.LevelCritical, Account: vigia.AccountID(account), Incident: "feed"}
}

func news(n int) vigia.Event {
	e := rescued(fmt.Sprint("n", n))
	e.Kind, e.Level = vigia.EventStopSet, vigia.LevelInfo
	return e
}

func TestDrainSendsInOrderAndMarks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tell(rescued("one"), rescued("two"))
	s.run(t)
	s.expect(t, "Rescued: trade on one", "Rescued: trade on two")
	if got := s.cursor(); got != 2 {
		t.Errorf("delivered up to %d, want 2", got)
	}
	s.tell(closedTrade("one"))
	s.expect(t, "Closed: trade on one")
	if got := s.cursor(); got != 3 {
		t.Errorf("delivered up to %d, want 3", got)
	}
}

func TestDrainGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tell(rescued("one"))
	stop := s.run(t)
	s.expect(t, "Rescued: trade on one")
	stop()
	s.tell(rescued("two"))
	s.run(t)
	s.expect(t, "Rescued: trade on two")
}

func TestDrainPolls(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.run(t)
	s.settle(t)
	s.tell(rescued("one"))
	waiting(t, s.clock, 1)
	s.clock.Advance(time.Hour)
	s.next(t)
}

// More events than are read at once.
func TestDrainReadsOn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.policy = notify.Policy{Most: 2, Window: time.Minute}
	for i := range 450 {
		s.tell(rescued(fmt.Sprint(i)))
	}
	s.run(t)
	s.expect(t, "Rescued: trade on 0", "Rescued: trade on 1")
	s.tell(closedTrade("last"))
	s.expect(t, "Closed: trade on last")
	s.advance(t, time.Minute)
	s.expect(t, "Rescued: trade on 449 +447")
	if s.cursor() != 451 {
		t.Errorf("delivered up to %d", s.cursor())
	}
}

func TestADeadChannelIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.answers(503, "{}")
	s.tell(rescued("one"), rescued("two"))
	d := s.drain(t)
	running(t, d.Run)
	for want := 1; want <= 3; want++ {
		if got := <-s.failed; got != want {
			t.Errorf("failure %d is counted as %d", want, got)
		}
		waiting(t, s.clock, 1)
		if want == 3 {
			s.answers(0, "")
		}
		if s.cursor() != 0 {
			t.Error("it was marked as delivered before it arrived")
		}
		s.next(t)
		s.clock.Advance(time.Second)
	}
	s.expect(t, "Rescued: trade on one", "Rescued: trade on two")
	if n := s.log.count("msg=\"channel ntfy fails"); n != 1 || s.log.count("works again") != 1 {
		t.Errorf("the failure was said %d times:\n%s", n, s.log.String())
	}
	if h := d.Health(); h.Failures != 0 || h.Sent != 2 || h.Last != nil {
		t.Errorf("its health is %+v", h)
	}
}

func TestTheUsualBackoff(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.answers(503, "{}")
	s.tell(rescued("one"))
	d := notify.NewDrain(s.ledger, s.channel(t, s.clock), notify.DrainSettings{Consumer: "test", Clock: s.clock})
	running(t, d.Run)
	for i, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		s.next(t)
		waitFor(t, func() bool { return d.Health().Failures == i+1 })
		waiting(t, s.clock, 1)
		s.clock.Advance(wait*time.Second - 1)
		if s.clock.Waiting() != 1 {
			t.Errorf("wait %d is shorter than %d s", i, wait)
		}
		s.clock.Advance(1)
	}
	s.next(t)
}

func TestHealthOfADeadChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.answers(403, "{}")
	s.tell(rescued("one"))
	d := s.drain(t)
	running(t, d.Run)
	<-s.failed
	if h := d.Health(); h.Failures != 1 || !h.Since.Equal(epoch) || !errors.Is(h.Last, notify.ErrRefused) {
		t.Errorf("its health is %+v", h)
	}
}

func TestAChannelIsLeftAloneAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.answers(429, "{}")
	s.later = "60"
	s.tell(rescued("one"))
	s.run(t)
	s.next(t)
	<-s.failed
	waiting(t, s.clock, 1)
	s.answers(0, "")
	s.clock.Advance(60*time.Second - 1)
	if s.clock.Waiting() != 1 {
		t.Fatal("it came again too early")
	}
	s.clock.Advance(1)
	s.next(t)
}

// A message that the server will never take does not hold up the rest for ever.
func TestAnUnfitMessageBecomesItsTitle(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.answers(400, "{}")
	s.tell(rescued("one"))
	s.run(t)
	for range 5 {
		if m := s.next(t); !strings.Contains(m.body, "Vigia added") {
			t.Errorf("too early without its text: %q", m.body)
		}
		<-s.failed
		waiting(t, s.clock, 1)
		s.clock.Advance(time.Second)
	}
	if m := s.next(t); m.title == "" || strings.Contains(m.body, "Vigia added") {
		t.Errorf("it is still %+v", m)
	}
}

func TestStopWhileTheChannelIsDead(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.answers(503, "{}")
	s.tell(rescued("one"))
	stop := s.run(t)
	<-s.failed
	stop()
	if s.cursor() != 0 {
		t.Error("what never arrived is marked as delivered")
	}
	s.answers(0, "")
	s.next(t)
	s.run(t)
	s.expect(t, "Rescued: trade on one")
}

// The send that is under way at the stop finishes, and counts.
func TestStopDuringASend(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	release := s.hangs(t)
	s.tell(rescued("one"), rescued("two"))
	intake, end := context.WithCancel(t.Context())
	ended := make(chan error)
	d := s.drain(t)
	go func() { ended <- d.Run(intake, t.Context()) }()
	s.next(t)
	end()
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := s.cursor(); got < 1 {
		t.Errorf("delivered up to %d, want 1 at least", got)
	}
}

func TestABrokenStoreIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.breaks(errStore)
	s.tell(rescued("one"))
	s.run(t)
	<-s.failed
	waiting(t, s.clock, 1)
	s.breaks(nil)
	s.clock.Advance(time.Second)
	s.expect(t, "Rescued: trade on one")
	s.breaks(errStore)
	s.stumble()
	waiting(t, s.clock, 1)
	s.breaks(nil)
	s.clock.Advance(time.Second)
	s.tell(rescued("two"))
	s.expect(t, "Rescued: trade on two")
	if n := s.log.count("reading the outbox for channel ntfy fails"); n != 2 {
		t.Errorf("two failures of the store were said %d times:\n%s", n, s.log.String())
	}
}

// What was sent and could not be marked is sent again, not lost.
func TestAMarkThatFailsCostsARepetition(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	release := s.hangs(t)
	s.tell(rescued("one"))
	stop := s.run(t)
	s.next(t)
	s.breaks(errStore)
	release()
	s.stumble()
	stop()
	s.breaks(nil)
	s.run(t)
	s.expect(t, "Rescued: trade on one")
}
