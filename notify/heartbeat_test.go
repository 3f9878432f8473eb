package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

// heart is a heartbeat to a site, and the life it stands for.
type heart struct {
	*site
	*notify.Heartbeat
	clock *vigia.ManualClock
	log   lines
	asked chan struct{}
	dying atomic.Pointer[error]
}

func newHeart(t *testing.T, path string, set notify.HeartbeatSettings) *heart {
	t.Helper()
	h := &heart{site: newSite(t), clock: vigia.NewManualClock(epoch), asked: make(chan struct{}, 100)}
	set.Clock, set.Log = h.clock, slog.New(slog.NewTextHandler(&h.log, nil))
	alive := func() error {
		h.asked <- struct{}{}
		if why := h.dying.Load(); why != nil {
			return *why
		}
		return nil
	}
	var err error
	if h.Heartbeat, err = notify.NewHeartbeat(vigia.NewSecret(h.URL+path), alive, set); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *heart) run(t *testing.T) (stop func()) {
	t.Helper()
	return running(t, func(intake, _ context.Context) error { return h.Run(intake) })
}

// beats lets a period pass, once the ping that is under way is over: the caller
// has seen to that.
func (h *heart) beats(t *testing.T) {
	t.Helper()
	<-h.asked
	waiting(t, h.clock, 1)
	h.clock.Advance(time.Minute)
}

func TestHeartbeatPingsWhileAlive(t *testing.T) {
	t.Parallel()
	h := newHeart(t, "/ping/s3cr3ttopic", notify.HeartbeatSettings{})
	stop := h.run(t)
	for i := range 3 {
		if got := h.next(t); got.path != "/ping/s3cr3ttopic" || got.head != "" {
			t.Errorf("asked for %+v", got)
		}
		waitFor(t, func() bool { return h.Health().Sent == i+1 })
		h.beats(t)
	}
	h.next(t)
	stop()
	if got := h.Guard(); got.Sent != 4 || got.Failures != 0 {
		t.Errorf("it was alive at %+v", got)
	}
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for !holds() {
		if t.Context().Err() != nil {
			t.Fatal("it never came true")
		}
		runtime.Gosched()
	}
}

func TestHeartbeatIsSilentWhenTheGuardIsNotAlive(t *testing.T) {
	t.Parallel()
	h := newHeart(t, "/ping", notify.HeartbeatSettings{})
	why := errors.New("no price for 40 s")
	h.dying.Store(&why)
	h.run(t)
	for range 3 {
		h.beats(t)
	}
	waitFor(t, func() bool { return h.Guard().Failures == 4 })
	h.quiet(t)
	if got := h.Guard(); !errors.Is(got.Last, why) {
		t.Errorf("it does not say why: %+v", got)
	}
	if n := h.log.count("no price for 40 s"); n != 1 {
		t.Errorf("the reason was said %d times", n)
	}
	h.dying.Store(nil)
	h.beats(t)
	h.next(t)
	waitFor(t, func() bool { return h.Health().Sent == 1 })
	if n := h.log.count("works again"); n != 1 {
		t.Errorf("that it is alive again was said %d times", n)
	}
}

func TestHeartbeatCarriesTheHead(t *testing.T) {
	t.Parallel()
	head := vigia.JournalHead{Chain: "system", Seq: 42, Hash: []byte{0xca, 0xfe}}
	known := true
	set := notify.HeartbeatSettings{Head: func() (vigia.JournalHead, bool) { return head, known }}
	h := newHeart(t, "/push?status=up&msg={head}", set)
	h.run(t)
	if got := h.next(t); got.head != "system/42/cafe" || got.path != "/push?status=up&msg=system%2F42%2Fcafe" {
		t.Errorf("asked for %+v", got)
	}
	known = false
	waitFor(t, func() bool { return h.Health().Sent == 1 })
	h.beats(t)
	if got := h.next(t); got.head != "" || got.path != "/push?status=up&msg=" {
		t.Errorf("without a head asked for %+v", got)
	}
}

func TestHeartbeatCountsItsFailures(t *testing.T) {
	t.Parallel()
	h := newHeart(t, "/ping/s3cr3ttopic", notify.HeartbeatSettings{})
	h.answers(404, "no such check s3cr3ttopic")
	h.run(t)
	for want := 1; want <= 3; want++ {
		h.next(t)
		waitFor(t, func() bool { return h.Health().Failures == want })
		if last := h.Health().Last; !errors.Is(last, notify.ErrRefused) || leaks(fmt.Sprint(last)) {
			t.Errorf("it says %v", last)
		}
		if want == 3 {
			h.answers(0, "")
		}
		h.beats(t)
	}
	h.next(t)
	waitFor(t, func() bool { return h.Health().Sent == 1 })
	if h.log.count("the heartbeat fails") != 1 || h.log.count("failures=3") != 1 || leaks(h.log.String()) {
		t.Errorf("the log says\n%s", h.log.String())
	}
}

func TestHeartbeatWaitsNoLongerThanItsTime(t *testing.T) {
	t.Parallel()
	h := newHeart(t, "/ping", notify.HeartbeatSettings{})
	h.hangs(t)
	h.run(t)
	h.next(t)
	h.clock.Advance(10 * time.Second)
	waitFor(t, func() bool { return h.Health().Failures == 1 })
	if err := h.Health().Last; !errors.Is(err, notify.ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

func TestHeartbeatStopsDuringAPing(t *testing.T) {
	t.Parallel()
	h := newHeart(t, "/ping", notify.HeartbeatSettings{})
	h.hangs(t)
	stop := h.run(t)
	h.next(t)
	stop()
	if got := h.Health(); got.Failures != 0 {
		t.Errorf("the stop counts as the failure %v", got.Last)
	}
}

func TestHeartbeatToNobody(t *testing.T) {
	t.Parallel()
	h := newHeart(t, "/ping/s3cr3ttopic", notify.HeartbeatSettings{})
	h.Close()
	h.run(t)
	waitFor(t, func() bool { return h.Health().Failures == 1 })
	if last := h.Health().Last; !errors.Is(last, notify.ErrUnreachable) || strings.Contains(last.Error(), "127.0.0.1") || leaks(last.Error()) {
		t.Errorf("it says %v", last)
	}
}

func TestHeartbeatRefusesOtherURLs(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", secret, "ftp://" + secret, "https://", "http://" + secret + "\x7f/", "ntfy://ntfy.sh/" + secret} {
		_, err := notify.NewHeartbeat(vigia.NewSecret(address), nil, notify.HeartbeatSettings{Clock: vigia.WallClock{}})
		if !errors.Is(err, notify.ErrURL) || leaks(err.Error()) {
			t.Errorf("%q: got %v", address, err)
		}
	}
}
