package notify_test

import (
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

// line is a direct path to a site.
type line struct {
	*site
	*notify.Direct
	clock  *vigia.ManualClock
	failed chan int
	log    lines
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{site: newSite(t), clock: vigia.NewManualClock(epoch), failed: make(chan int, 100)}
	l.Direct = notify.NewDirect(l.channel(t, l.clock), notify.DirectSettings{
		Clock: l.clock, Log: slog.New(slog.NewTextHandler(&l.log, nil)),
		Backoff: func(failures int) time.Duration { l.failed <- failures; return time.Second },
	})
	return l
}

var (
	storeDown = notify.Words(&vigia.Event{Kind: vigia.EventStore, Level: vigia.LevelCritical, At: epoch})
	storeBack = notify.StoreBack(epoch, epoch)
)

func (l *line) hears(t *testing.T, m notify.Message) {
	t.Helper()
	if got := l.next(t); got.title != m.Subject() {
		t.Errorf("heard %q, want %q", got.title, m.Subject())
	}
}

// sent waits until so many messages have gone out.
func (l *line) sent(t *testing.T, n int) {
	t.Helper()
	waitFor(t, func() bool { return l.Health().Sent == n })
}

func TestDownAndBackAreSaidOnce(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	stop := running(t, l.Run)
	l.Back("store", storeBack) // it was never down
	for range 5 {
		l.Down("store", storeDown)
	}
	l.hears(t, storeDown)
	l.sent(t, 1)
	l.Down("store", storeDown)
	for range 5 {
		l.Back("store", storeBack)
	}
	l.hears(t, storeBack)
	stop()
	l.quiet(t)
}

func TestCausesAreApart(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	stop := running(t, l.Run)
	l.Down("store", storeDown)
	l.hears(t, storeDown)
	l.Down("disk", alarm("The disk is full"))
	l.hears(t, alarm("The disk is full"))
	stop()
	l.quiet(t)
}

func TestFlappingIsBounded(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	running(t, l.Run)
	l.Down("store", storeDown)
	l.hears(t, storeDown)
	l.sent(t, 1)
	l.Back("store", storeBack)
	l.hears(t, storeBack)
	l.sent(t, 2)
	for range 5 {
		l.Down("store", storeDown)
		l.Back("store", storeBack)
	}
	l.Down("store", storeDown)
	waiting(t, l.clock, 1)
	l.clock.Advance(15*time.Minute - 1)
	l.quiet(t)
	for len(l.got) == 0 { // it may count its wait anew at any of these
		l.clock.Advance(1)
		runtime.Gosched()
	}
	l.hears(t, storeDown)
	l.sent(t, 3)
	l.Back("store", storeBack)
	l.hears(t, storeBack)
}

func TestADeadChannelNeverBlocksWhoSaysIt(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.hangs(t)
	stop := running(t, l.Run)
	l.Down("store", storeDown)
	l.hears(t, storeDown)
	for range 1000 { // they return although the first still hangs
		l.Down("store", storeDown)
		l.Down("disk", alarm("The disk is full"))
		l.Back("disk", alarm("The disk has room"))
	}
	l.clock.Advance(notify.SendTimeout)
	if got := <-l.failed; got != 1 {
		t.Errorf("failure %d", got)
	}
	if err := l.Health().Last; !errors.Is(err, notify.ErrTimeout) {
		t.Errorf("got %v", err)
	}
	waiting(t, l.clock, 1)
	l.answersAtOnce()
	l.clock.Advance(time.Second)
	l.hears(t, storeDown)
	l.sent(t, 1)
	stop()
	l.quiet(t)
	if l.log.count("fails; it is tried again") != 1 || l.log.count("works again") != 1 {
		t.Errorf("the log says\n%s", l.log.String())
	}
}

func TestWhatIsOverBeforeItCouldBeSaidIsNotSaid(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.answers(503, "{}")
	stop := running(t, l.Run)
	l.Down("store", storeDown)
	l.next(t)
	<-l.failed
	l.Back("store", storeBack)
	l.answers(0, "")
	waiting(t, l.clock, 1)
	l.clock.Advance(time.Second)
	l.Down("disk", alarm("The disk is full"))
	l.hears(t, alarm("The disk is full"))
	stop()
	l.quiet(t)
}

// The last words of a process are said while it stops.
func TestStopSaysTheLastWords(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.answers(503, "{}")
	stop := running(t, l.Run)
	l.Down("store", storeDown)
	l.next(t)
	<-l.failed
	l.answers(0, "")
	stop()
	l.hears(t, storeDown)
	l.quiet(t)
}
