package watch

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigiaguard/vigia"
)

// TickerReader reads the public ticker over REST: Last, FundingRate and
// FundingAt of what it returns count. It must end when its context does.
type TickerReader interface {
	Ticker(ctx context.Context) (vigia.Market, error)
}

// FeedConfig is what a feed is made of. What is zero gets the value named.
type FeedConfig struct {
	Clock  vigia.Clock
	Ticker TickerReader
	// Tick gets every price the feed takes, repeated ones too. It must not
	// block, and of the feed it may call only Market.
	Tick func(vigia.Tick)
	// News gets what people should know. The same holds for it.
	News func(News)
	// CheckEvery is how often the stream is checked against REST: 30 s.
	CheckEvery time.Duration
	// PollEvery is how often REST is read while there is no stream to rely on,
	// and how soon a check that failed or disagreed is repeated: 2 s.
	PollEvery time.Duration
	// QuietAfter is how long a stream may neither tick nor confirm before REST
	// is asked instead: 10 s, which leaves time until the market is blind.
	QuietAfter time.Duration
	// Tolerance is how far stream and REST may lie apart: 0.2 %.
	Tolerance vigia.Percent
}

// NewsKind is what a feed has to say.
type NewsKind uint8

// The kinds of news.
const (
	// NewsBlind: no fresh price any more. Err is why the last read failed.
	NewsBlind NewsKind = iota + 1
	// NewsSighted: a fresh price again, after For.
	NewsSighted
	// NewsStreamStale: two checks in a row say that the stream repeats an old
	// price. It counts as down; reconnecting it may help.
	NewsStreamStale
	// NewsStreamAgrees: two checks in a row agree with it again.
	NewsStreamAgrees
	// NewsSlept: the machine slept for about For.
	NewsSlept
	// NewsClockSetBack: the wall clock was set back by about For.
	NewsClockSetBack
)

// String says the kind in words.
func (k NewsKind) String() string {
	switch k {
	case NewsBlind:
		return "blind"
	case NewsSighted:
		return "sighted"
	case NewsStreamStale:
		return "stream stale"
	case NewsStreamAgrees:
		return "stream agrees"
	case NewsSlept:
		return "slept"
	case NewsClockSetBack:
		return "clock set back"
	}
	return "news?"
}

// News is something people should know of the feed.
type News struct {
	Kind NewsKind
	At   time.Time
	For  time.Duration
	// Stream and REST are the two prices where they disagree.
	Stream, REST vigia.Price
	Err          error
}

// Feed is the one price everything is judged by, and its age. The stream pushes
// prices in; REST checks it, and stands in for it while it is down, quiet or not
// to be trusted. Without either the market is blind after [vigia.FreshFor].
type Feed struct {
	config FeedConfig
	market atomic.Pointer[vigia.Market]
	wake   chan struct{}
	drift  func(from, to time.Time) time.Duration

	mu     sync.Mutex
	stream stream
	rest   rest
	begun  time.Time // when the feed was made
	beat   time.Time // of the last look at the clock
	blind  time.Time // since when; zero while there is sight
}

// stream is what is known of the public socket.
type stream struct {
	up bool
	// proved: a price came since it was up, so that it is really subscribed.
	proved bool
	// distrusted: REST said otherwise, twice.
	distrusted bool
	last       vigia.Price
	// heard is the last tick or confirmation.
	heard time.Time
	// low and high bound its prices since the read under way was begun.
	low, high vigia.Price
}

// rest is what is known of the reads.
type rest struct {
	begun   time.Time // of the last one
	soon    bool      // somebody wants one now
	reading bool
	err     error // of the last one
	// agreed and disagreed count checks in a row.
	agreed, disagreed int
}

// NewFeed makes a feed that knows no price yet. Clock and Ticker are needed.
func NewFeed(config FeedConfig) *Feed {
	config.CheckEvery = cmp.Or(config.CheckEvery, 30*time.Second)
	config.PollEvery = cmp.Or(config.PollEvery, 2*time.Second)
	config.QuietAfter = cmp.Or(config.QuietAfter, 10*time.Second)
	config.Tolerance = cmp.Or(config.Tolerance, vigia.OnePercent/5)
	if config.Tick == nil {
		config.Tick = func(vigia.Tick) {}
	}
	if config.News == nil {
		config.News = func(News) {}
	}
	f := &Feed{config: config, wake: make(chan struct{}, 1), drift: drift, begun: config.Clock.Now()}
	f.market.Store(&vigia.Market{})
	return f
}

// Market is the price now. It takes no lock.
func (f *Feed) Market() vigia.Market { return *f.market.Load() }

// OnTick takes a price from the public stream that reached this machine at at.
func (f *Feed) OnTick(last vigia.Price, at time.Time) {
	if !last.Valid() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.stream
	s.up, s.proved, s.last, s.heard = true, true, last, later(s.heard, at)
	s.low, s.high = min(s.low, last), max(s.high, last)
	if s.distrusted {
		return
	}
	f.take(last, at, at)
}

// OnConfirm says that a ping sent at at was answered on the public socket: its
// last price still held then. On a socket that has shown no price since it was
// up it proves nothing.
func (f *Feed) OnConfirm(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.stream
	if !s.up || !s.proved || s.distrusted {
		return
	}
	s.heard = later(s.heard, at)
	f.confirm(at)
}

// OnUp says that the public socket is connected and subscribed, as far as the
// reply to that goes.
func (f *Feed) OnUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stream.up, f.stream.proved = true, false
	f.nudge()
}

// OnDown says that the public socket is lost: REST is read from now on.
func (f *Feed) OnDown() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stream.up, f.stream.proved = false, false
	f.nudge()
}

// OnWitness takes the price that an account's socket shows. It moves nothing,
// but where it lies too far from what is known, REST is asked at once.
func (f *Feed) OnWitness(last vigia.Price) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.Market().Last; last.Valid() && known != 0 && f.apart(last, known, known) && !f.rest.soon {
		f.rest.soon = true
		f.nudge()
	}
}

// OnFunding takes the rate of the next settlement from the stream.
func (f *Feed) OnFunding(rate vigia.FundingRate, settles time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.Market()
	next.FundingRate, next.FundingAt = rate, settles
	f.market.Store(&next)
}

// FeedStatus is how the feed stands, for doctor and the proof of life.
type FeedStatus struct {
	// Streaming says that the stream is relied on: up, proved, trusted and not
	// quiet. Otherwise REST is.
	Streaming  bool
	Distrusted bool
	Blind      bool
	// HeardAt is the last tick or confirmation of the stream, ReadAt the start
	// of the last read, ReadErr its error.
	HeardAt, ReadAt time.Time
	ReadErr         error
}

// Status is how the feed stands.
func (f *Feed) Status() FeedStatus {
	now := f.config.Clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	return FeedStatus{Streaming: f.streaming(now), Distrusted: f.stream.distrusted, Blind: f.isBlind(now),
		HeardAt: f.stream.heard, ReadAt: f.rest.begun, ReadErr: f.rest.err}
}

// take makes a price the last one, known to hold at held.
func (f *Feed) take(last vigia.Price, held, at time.Time) {
	next := f.Market()
	next.Last, next.ConfirmedAt = last, later(next.ConfirmedAt, held)
	f.market.Store(&next)
	f.config.Tick(vigia.Tick{Last: last, At: at})
	f.sight()
}

// confirm makes the last price younger.
func (f *Feed) confirm(held time.Time) {
	next := f.Market()
	if next.Last == 0 || !held.After(next.ConfirmedAt) {
		return
	}
	next.ConfirmedAt = held
	f.market.Store(&next)
	f.sight()
}

// sight ends being blind, when it does.
func (f *Feed) sight() {
	if f.blind.IsZero() {
		return
	}
	if now := f.config.Clock.Now(); !f.isBlind(now) {
		since := f.blind
		f.blind = time.Time{}
		f.config.News(News{Kind: NewsSighted, At: now, For: vigia.Age(now, since)})
	}
}

func (f *Feed) isBlind(now time.Time) bool {
	m := f.Market()
	return m.Blind(now)
}

// streaming says whether the stream is relied on.
func (f *Feed) streaming(now time.Time) bool {
	s := &f.stream
	return s.up && s.proved && !s.distrusted && vigia.Age(now, s.heard) <= f.config.QuietAfter
}

// apart says whether a price lies further from a range than the tolerance.
func (f *Feed) apart(p, low, high vigia.Price) bool {
	near := func(edge vigia.Price) bool {
		gap := max(p-edge, edge-p)
		return int64(gap)*int64(vigia.HundredPercent) <= int64(edge)*int64(f.config.Tolerance)
	}
	return (p < low || p > high) && !near(low) && !near(high)
}

// nudge makes Run look again.
func (f *Feed) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
