package watch

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// interval is how far apart reads of a kind are for an account.
func (c *ScheduleConfig) interval(what What, risk Risk) time.Duration {
	if !risk.position() && !risk.Unsettled {
		return c.Flat
	}
	// As many seconds as percent.
	running := time.Duration(risk.nearest()/vigia.OnePercent) * time.Second
	if risk.Trades == 0 || running > c.Period {
		running = c.Period
	}
	if risk.Unsettled {
		running = time.Second
	}
	running = max(time.Second, running)
	switch {
	case what == ReadRunning && risk.Trades > 0 || what == ReadRunning && risk.Unsettled:
		return running
	case what == ReadAccount:
		return min(c.Period, 2*running)
	case what == ReadCross && risk.Cross:
		return c.Period
	}
	return c.Flat
}

// place puts the next reads of an account, which are in no set, among those that
// wait.
func (s *Schedule) place(w *watched) {
	for i := range w.reads {
		u := &w.reads[i]
		if u.reading {
			continue
		}
		u.due, u.urgent = u.next(s.config.interval(u.what, w.risk))
		u.from = later(u.due, w.notBefore)
		s.waiting.Set(u)
		u.placed = s.waiting
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next is when the read should begin, and whether somebody wants it then.
func (u *upcoming) next(interval time.Duration) (at time.Time, urgent bool) {
	if u.failures > 0 {
		interval = backoff(u.failures-1, time.Second, interval)
	}
	if !u.begun.IsZero() {
		at = u.begun.Add(interval)
	}
	switch {
	case u.wanted.IsZero():
		return at, false
	case u.wanted.Before(at):
		return u.wanted, true
	}
	return at, true
}

func (u *upcoming) want(at time.Time) {
	if u.wanted.IsZero() || at.Before(u.wanted) {
		u.wanted = at
	}
}

// fund asks for every position at a funding moment: a settlement moves
// liquidations without a tick, and its rows can come minutes late.
func (s *Schedule) fund(now time.Time) {
	if s.funding.IsZero() || s.funding.Sub(now) > fundingEvery { // the clock was set back
		s.funding = NextFunding(now)
	}
	if now.Before(s.funding) {
		return
	}
	for _, w := range s.accounts {
		if !w.risk.position() {
			continue
		}
		s.lift(w)
		for what := range What(reads) {
			if what != ReadCross || w.risk.Cross {
				w.reads[what].want(now)
			}
		}
		s.place(w)
	}
	s.funding = NextFunding(now)
}

const (
	fundingEvery = 8 * time.Hour
	fundingLate  = 5 * time.Minute
)

// NextFunding is the next moment after t at which positions are read because of
// funding: 00, 08 and 16 UTC (reference 7.7), and five minutes after each.
func NextFunding(t time.Time) time.Time {
	settled := t.UTC().Truncate(fundingEvery)
	if again := settled.Add(fundingLate); again.After(t) {
		return again
	}
	return settled.Add(fundingEvery)
}

// backoff doubles a first wait n times, up to a longest.
func backoff(n int, wait, longest time.Duration) time.Duration {
	for ; n > 0 && wait < longest; n-- {
		wait *= 2
	}
	return min(wait, longest)
}
