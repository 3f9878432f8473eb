package e2e

import (
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// chronicle is what happened outside of vigia, by the machine's clock: where the
// price was, when vigia was down or the exchange in trouble, and who died.
type chronicle struct {
	mu       sync.Mutex
	prices   []priced
	troubles []span
	deaths   []death
	byHand   []hand
}

type priced struct {
	at    time.Time
	price vigia.Price
}

// span is a time of trouble; it lasts while it has no end.
type span struct{ from, to time.Time }

// death is a liquidation.
type death struct {
	at    time.Time
	trade vigia.Trade
}

func newChronicle() *chronicle { return &chronicle{} }

// hear is told of everything by the engine.
func (c *chronicle) hear(e paper.Event) {
	if e.Kind != paper.EventLiquidation {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaths = append(c.deaths, death{time.Now(), e.Trade})
}

func (c *chronicle) ticked(at time.Time, p vigia.Price) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prices = append(c.prices, priced{at, p})
}

// trouble begins a time in which nothing is promised to be quick.
func (c *chronicle) trouble() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.troubles); n > 0 && c.troubles[n-1].to.IsZero() {
		return
	}
	c.troubles = append(c.troubles, span{from: time.Now()})
}

// calm ends it.
func (c *chronicle) calm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.troubles); n > 0 && c.troubles[n-1].to.IsZero() {
		c.troubles[n-1].to = time.Now()
	}
}

// calmSince is the end of the last trouble before a time; the time itself while
// it was in trouble.
func (c *chronicle) calmSince(at time.Time) time.Time {
	since := time.Time{}
	for _, s := range c.troubles {
		switch {
		case s.from.After(at):
		case s.to.IsZero() || s.to.After(at):
			return at
		case s.to.After(since):
			since = s.to
		}
	}
	return since
}

// endangered is how long, up to a time, the price stood at or beyond a level.
func (c *chronicle) endangered(side vigia.Side, level vigia.Price, until time.Time) time.Time {
	since := until
	for i := len(c.prices) - 1; i >= 0; i-- {
		p := c.prices[i]
		if p.at.After(until) {
			continue
		}
		if side.Worse(level, p.price) {
			break
		}
		since = p.at
	}
	return since
}

// trouble in a time, added up.
func (c *chronicle) troubled(from, to time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := time.Duration(0)
	for _, s := range c.troubles {
		end := s.to
		if end.IsZero() || end.After(to) {
			end = to
		}
		begin := s.from
		if begin.Before(from) {
			begin = from
		}
		if end.After(begin) {
			sum += end.Sub(begin)
		}
	}
	return sum
}
