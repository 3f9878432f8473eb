package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
)

// beatEvery is how often a feed looks at the clock at least: a machine that
// slept is noticed that soon after it woke.
const beatEvery = time.Second

// reading is one read of the ticker and what came of it.
type reading struct {
	begun  time.Time
	market vigia.Market
	err    error
}

// Run reads REST when it is due and notices blindness, sleep and clocks set
// back, until the context ends; then it returns nil. One Run per feed.
func (f *Feed) Run(ctx context.Context) error {
	answers := make(chan reading, 1)
	for {
		now := f.config.Clock.Now()
		due, wait := f.look(now)
		if due {
			go func() {
				market, err := f.config.Ticker.Ticker(ctx)
				answers <- reading{now, market, err}
			}()
		}
		timer := f.config.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C():
		case <-f.wake:
		case answer := <-answers:
			f.checked(answer)
		}
		timer.Stop()
		if ctx.Err() != nil {
			f.drain(answers)
			return nil //nolint:nilerr // to be told to stop is no failure
		}
	}
}

// drain waits for the read under way, which ends with the context.
func (f *Feed) drain(answers <-chan reading) {
	f.mu.Lock()
	under := f.rest.reading
	f.rest.reading = false
	f.mu.Unlock()
	if under {
		<-answers
	}
}

// look says whether a read is due now, which then counts as begun, and how long
// to wait before looking again.
func (f *Feed) look(now time.Time) (due bool, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookAtClock(now)
	f.lookForSight(now)
	next := f.nextRead(now)
	if due = !f.rest.reading && !next.After(now); due {
		f.rest.reading, f.rest.soon, f.rest.begun = true, false, now
		f.stream.low, f.stream.high = f.stream.last, f.stream.last
	}
	wait = beatEvery
	if !f.rest.reading {
		wait = min(wait, next.Sub(now))
	}
	if f.blind.IsZero() {
		// A nanosecond later, as long as FreshFor is not yet too old.
		wait = min(wait, f.freshUntil().Sub(now)+1)
	}
	return due, max(wait, time.Millisecond)
}

// nextRead is when REST is due.
func (f *Feed) nextRead(now time.Time) time.Time {
	switch r := &f.rest; {
	case r.begun.IsZero():
		return now
	case r.soon, r.err != nil, r.disagreed > 0, !f.streaming(now):
		return r.begun.Add(f.config.PollEvery)
	default:
		return r.begun.Add(f.config.CheckEvery)
	}
}

// freshUntil is when the price, or the wait for the first one, is too old.
func (f *Feed) freshUntil() time.Time {
	return later(f.begun, f.Market().ConfirmedAt).Add(vigia.FreshFor)
}

func (f *Feed) lookAtClock(now time.Time) {
	if !f.beat.IsZero() {
		switch d := f.drift(f.beat, now); {
		case d > slept:
			f.rest.soon = true
			f.config.News(News{Kind: NewsSlept, At: now, For: d})
		case d < -setBack:
			f.config.News(News{Kind: NewsClockSetBack, At: now, For: -d})
		}
	}
	f.beat = now
}

func (f *Feed) lookForSight(now time.Time) {
	if !f.blind.IsZero() {
		f.sight()
		return
	}
	if f.isBlind(now) && vigia.Age(now, later(f.begun, f.Market().ConfirmedAt)) > vigia.FreshFor {
		f.blind = now
		f.config.News(News{Kind: NewsBlind, At: now, Stream: f.stream.last, Err: f.rest.err})
	}
}

// checked takes the answer of a read: as the price, where there is no stream to
// rely on, and as a check of the stream, where there is one.
func (f *Feed) checked(r reading) {
	now := f.config.Clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.err == nil && !r.market.Last.Valid() {
		r.err = fmt.Errorf("the ticker shows %s, which is no price", r.market.Last)
	}
	if f.rest.reading, f.rest.err = false, r.err; r.err != nil {
		return
	}
	next := f.Market()
	next.FundingRate, next.FundingAt = r.market.FundingRate, r.market.FundingAt
	f.market.Store(&next)
	f.compare(r.market.Last, now)
	switch {
	case !f.streaming(now):
		f.take(r.market.Last, r.begun, now)
	case f.rest.disagreed > 0:
	case next.Last != f.stream.last: // it had stood in for the stream
		f.take(f.stream.last, r.begun, now)
	default:
		f.confirm(r.begun)
	}
}

// compare holds the stream against what REST says. The stream may have moved
// while the read was under way, so its range since then counts.
func (f *Feed) compare(last vigia.Price, now time.Time) {
	s, r := &f.stream, &f.rest
	if !s.up || !s.proved {
		return
	}
	if !f.apart(last, s.low, s.high) {
		r.agreed, r.disagreed = r.agreed+1, 0
		if s.distrusted && r.agreed >= enough {
			s.distrusted = false
			f.config.News(News{Kind: NewsStreamAgrees, At: now, Stream: s.last, REST: last})
		}
		return
	}
	r.agreed, r.disagreed = 0, r.disagreed+1
	if !s.distrusted && r.disagreed >= enough {
		s.distrusted = true
		f.config.News(News{Kind: NewsStreamStale, At: now, Stream: s.last, REST: last})
	}
}

// enough is how many checks in a row decide about the stream: one can catch it
// in the middle of a jump.
const enough = 2
