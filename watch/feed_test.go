package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
)

// scene is a feed, a clock and an exchange that are moved by hand, in one
// goroutine: what Run does in between is done by until.
type scene struct {
	t     *testing.T
	clock *vigia.ManualClock
	feed  *Feed
	// ticker is what REST shows, refused why it fails.
	ticker  vigia.Price
	refused error
	reads   int
	ticks   []vigia.Tick
	said    []string
	// each is called whenever the feed waits.
	each func(now float64)
}

var errDown = errors.New("connection refused")

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, clock: vigia.NewManualClock(start), ticker: vigia.Dollars(100_000)}
	s.feed = NewFeed(FeedConfig{Clock: s.clock, Ticker: s,
		Tick: func(tick vigia.Tick) { s.ticks = append(s.ticks, tick) },
		News: func(n News) {
			s.said = append(s.said, fmt.Sprintf("%v %s", n.At.Sub(start).Round(time.Second/10).Seconds(), n.Kind))
		}})
	return s
}

func (s *scene) Ticker(context.Context) (vigia.Market, error) {
	s.reads++
	return vigia.Market{Last: s.ticker, FundingRate: 7}, s.refused
}

// until runs the feed up to a second of the day.
func (s *scene) until(second float64) {
	s.t.Helper()
	for {
		now := s.clock.Now()
		due, wait := s.feed.look(now)
		if due {
			market, err := s.Ticker(s.t.Context())
			s.feed.checked(reading{now, market, err})
			continue
		}
		if s.each != nil {
			s.each(now.Sub(start).Seconds())
			_, wait = s.feed.look(now)
		}
		if next := now.Add(wait); next.After(at(second)) {
			s.clock.Set(at(second))
			return
		}
		s.clock.Advance(wait)
	}
}

func (s *scene) tick(usd int64) { s.feed.OnTick(vigia.Dollars(usd), s.clock.Now()) }

func (s *scene) last(usd int64) {
	s.t.Helper()
	if got := s.feed.Market().Last; got != vigia.Dollars(usd) {
		s.t.Errorf("the price is %s, want %d", got, usd)
	}
}

func (s *scene) news(want ...string) {
	s.t.Helper()
	if got := strings.Join(s.said, "; "); got != strings.Join(want, "; ") {
		s.t.Errorf("said %q, want %q", got, want)
	}
}

func (s *scene) sight(want bool) {
	s.t.Helper()
	market := s.feed.Market()
	if got := !market.Blind(s.clock.Now()); got != want {
		s.t.Errorf("sight is %t, want %t (confirmed %v)", got, want, market.ConfirmedAt)
	}
}

func TestFeedPollsWhileThereIsNoStream(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.until(20.5)
	s.last(100_000)
	s.sight(true)
	if s.reads != 11 {
		t.Errorf("%d reads in 20 seconds, want one every two", s.reads)
	}
	s.ticker = vigia.Dollars(99_000)
	s.until(22.5)
	s.last(99_000)
	if got := s.feed.Market().FundingRate; got != 7 {
		t.Errorf("funding rate %d", got)
	}
	s.news()
}

func TestFeedReadsSeldomWhileTheStreamTicks(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	s.each = func(float64) { s.tick(100_000) }
	s.until(100)
	if s.reads != 4 {
		t.Errorf("%d reads in 100 seconds, want one every 30", s.reads)
	}
	if !s.feed.Status().Streaming {
		t.Error("does not rely on the stream")
	}
	s.news()
}

// A price that does not move is fresh while pings are answered, and only then.
func TestFeedConfirmations(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.refused = errDown
	s.feed.OnUp()
	s.feed.OnConfirm(s.clock.Now())
	s.sight(false) // a socket that showed no price proves nothing
	s.tick(100_000)
	s.each = func(now float64) {
		if now <= 60 {
			s.feed.OnConfirm(s.clock.Now())
		}
	}
	s.until(75)
	s.sight(true)
	s.news()
	s.until(76)
	s.sight(false)
	s.news("75 blind")
	s.feed.OnConfirm(at(75.5))
	s.news("75 blind", "76 sighted")
}

func TestFeedBlindFromTheStart(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.refused = errDown
	s.until(40)
	s.news("15 blind")
	if status := s.feed.Status(); !status.Blind || !errors.Is(status.ReadErr, errDown) {
		t.Errorf("status %+v", status)
	}
	s.refused = nil
	s.until(43)
	s.news("15 blind", "42 sighted")
	s.refused, s.ticker = nil, 0
	s.until(60)
	s.news("15 blind", "42 sighted", "57 blind")
	if err := s.feed.Status().ReadErr; err == nil || !strings.Contains(err.Error(), "no price") {
		t.Errorf("a ticker without a price: %v", err)
	}
}

// A socket that died without a word is not waited for until the market is
// blind.
func TestFeedQuietStream(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	s.tick(100_000)
	s.ticker = vigia.Dollars(100_100)
	s.until(60)
	s.news()
	s.last(100_100)
	s.sight(true)
	if s.reads < 20 {
		t.Errorf("%d reads in 50 quiet seconds", s.reads)
	}
	s.tick(100_200)
	s.last(100_200)
}

func TestFeedStreamLostAndBack(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	s.tick(100_000)
	s.until(5)
	s.feed.OnDown()
	s.ticker = vigia.Dollars(98_000)
	before := s.reads
	s.until(5.5)
	s.last(98_000)
	if s.reads != before+1 {
		t.Errorf("%d reads at once, want 1", s.reads-before)
	}
	s.feed.OnConfirm(at(5.5)) // a late pong of the lost socket
	s.feed.OnUp()             // up, but its subscription is not proved
	s.ticker = vigia.Dollars(97_000)
	s.until(8)
	s.last(97_000)
	s.tick(96_900)
	s.ticker = vigia.Dollars(97_001)
	s.until(9)
	s.last(96_900)
	s.news()
}

// The stale price fault: the stream repeats an old price while REST says
// otherwise.
func TestFeedStalePrice(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	streamed := int64(100_000)
	s.each = func(float64) { s.tick(streamed) }
	s.until(1)
	s.ticker = vigia.Dollars(97_000)
	s.until(31)
	s.news() // one check may have caught the stream in the middle of a jump
	s.last(100_000)
	s.until(33)
	s.news("32 stream stale")
	s.last(97_000)
	if s.feed.Status().Streaming || !s.feed.Status().Distrusted {
		t.Errorf("status %+v", s.feed.Status())
	}
	s.ticker = vigia.Dollars(96_000)
	s.until(35)
	s.last(96_000)

	s.feed.OnDown() // reconnecting brings no trust by itself
	s.feed.OnUp()
	s.until(41)
	s.last(96_000)
	streamed = 96_100
	s.until(47)
	s.news("32 stream stale", "44 stream agrees")
	s.last(96_100)
	streamed = 96_200
	s.until(48)
	s.last(96_200)
}

func TestFeedOneDisagreementIsForgotten(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	s.each = func(float64) { s.tick(100_000) }
	s.until(29)
	s.ticker = vigia.Dollars(99_000)
	s.until(31)
	s.ticker = vigia.Dollars(100_100)
	s.until(120)
	s.last(100_000)
	s.news()
}

// While a read was under way the price moved: what the stream showed meanwhile
// is no disagreement.
func TestFeedPriceMovesDuringTheRead(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	s.tick(100_000)
	for i := range 5 {
		begun := s.clock.Now()
		if due, _ := s.feed.look(begun); !due {
			t.Fatalf("read %d is not due", i)
		}
		s.tick(95_000)
		s.clock.Advance(time.Second)
		s.tick(100_000)
		s.feed.checked(reading{begun: begun, market: vigia.Market{Last: vigia.Dollars(97_000)}})
		s.clock.Advance(30 * time.Second)
		s.tick(100_000)
	}
	s.news()
}

// A second witness that sees another price makes REST be asked at once.
func TestFeedWitness(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnUp()
	s.each = func(float64) { s.tick(100_000) }
	s.until(5)
	before := s.reads
	s.feed.OnWitness(vigia.Dollars(100_100))
	s.feed.OnWitness(0)
	s.until(6)
	if s.reads != before {
		t.Error("a witness that agrees asks for a read")
	}
	s.ticker = vigia.Dollars(97_000)
	s.feed.OnWitness(vigia.Dollars(97_000))
	s.until(9)
	s.news("8 stream stale")
	s.last(97_000)
}

func TestFeedFunding(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.feed.OnFunding(-5, at(60))
	if m := s.feed.Market(); m.FundingRate != -5 || !m.FundingAt.Equal(at(60)) {
		t.Errorf("market %+v", m)
	}
	s.feed.OnTick(vigia.MaxPrice+1, start)
	if m := s.feed.Market(); m.Last != 0 || len(s.ticks) != 0 {
		t.Errorf("took a price that is none: %+v", m)
	}
}

// A machine that slept was not fresh, and says so.
func TestFeedSleep(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.until(1)
	s.feed.drift = func(from, to time.Time) time.Duration { return to.Sub(from) - time.Second }
	s.refused = errDown
	s.clock.Advance(time.Hour)
	s.sight(false)
	s.feed.look(s.clock.Now())
	s.news("3601 slept", "3601 blind")
	s.feed.drift = func(time.Time, time.Time) time.Duration { return -time.Minute }
	s.feed.look(s.clock.Now())
	s.news("3601 slept", "3601 blind", "3601 clock set back")
}

// gate is a ticker whose reads wait for the test.
type gate struct {
	begun  chan struct{}
	answer chan vigia.Price
}

func (g *gate) Ticker(ctx context.Context) (vigia.Market, error) {
	g.begun <- struct{}{}
	select {
	case last := <-g.answer:
		return vigia.Market{Last: last}, nil
	case <-ctx.Done():
		return vigia.Market{}, ctx.Err()
	}
}

// A read that hangs holds nothing up: the market goes blind in time, and the
// end of the context ends everything.
func TestFeedRunWithAReadThatHangs(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	clock := vigia.NewManualClock(start)
	g := &gate{begun: make(chan struct{}), answer: make(chan vigia.Price)}
	ticks, news := make(chan vigia.Tick, 10), make(chan News, 10)
	feed := NewFeed(FeedConfig{Clock: clock, Ticker: g,
		Tick: func(tick vigia.Tick) { ticks <- tick }, News: func(n News) { news <- n }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- feed.Run(ctx) }()

	<-g.begun
	g.answer <- vigia.Dollars(100_000)
	if got := <-ticks; got.Last != vigia.Dollars(100_000) {
		t.Errorf("the first tick is %s", got.Last)
	}
	clock.Advance(2 * time.Second)
	feed.OnDown() // whatever timer it was in the middle of making
	<-g.begun     // and this one is not answered
	clock.Advance(20 * time.Second)
	feed.OnUp()
	if got := <-news; got.Kind != NewsBlind {
		t.Errorf("said %s, want blind", got.Kind)
	}
	feed.OnTick(vigia.Dollars(99_000), clock.Now())
	if got := <-news; got.Kind != NewsSighted || got.For != 0 {
		t.Errorf("said %s after %s, want sighted at once", got.Kind, got.For)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// Prices come from several goroutines while everybody looks.
func TestFeedManyAtOnce(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(start)
	busy := 0 // the race detector sees whether two calls of Tick overlap
	feed := NewFeed(FeedConfig{Clock: clock, Ticker: &scene{ticker: 2}, Tick: func(vigia.Tick) { busy++ }})
	done := make(chan struct{})
	for range 4 {
		go func() {
			for i := range 300 {
				feed.OnTick(vigia.Price(1000+i), clock.Now())
				feed.OnConfirm(clock.Now())
				feed.OnWitness(5)
				if m := feed.Market(); m.Last == 0 {
					t.Error("no price after a tick")
				}
				feed.Status()
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	if busy != 1200 {
		t.Errorf("%d ticks went out, want 1200", busy)
	}
}
