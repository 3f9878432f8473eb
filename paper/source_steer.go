package paper

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Steered is a [Source] over another one that drills take over: its price can
// be set, made to fall, and frozen, while the times go on. What it lets go of
// again continues from where it stands, with the moves of the source below in
// proportion. Its methods may be called from any goroutine.
type Steered struct {
	mu    sync.Mutex
	below Source

	// out is the last point given, in the last taken from below.
	out, in Point
	begun   bool
	// The price given is the one from below times num / den.
	num, den vigia.Price
	frozen   bool
	drop     *drop
	// wanted is the price of the next point, when it was set.
	wanted vigia.Price
}

// drop is a straight move in the making; it begins at the first point it meets.
type drop struct {
	from, to vigia.Price
	begun    time.Time
	over     time.Duration
}

// Steer puts a source under the wheel.
func Steer(below Source) *Steered { return &Steered{below: below, num: 1, den: 1} }

// ErrNotBegun says that there is no price yet to move from.
var ErrNotBegun = errors.New("there is no price yet")

// Next is the next point.
func (s *Steered) Next() (Point, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, err := s.below.Next()
	if err != nil {
		return Point{}, err
	}
	s.in = in
	if !s.begun {
		s.begun, s.out = true, in
	}
	switch {
	case s.wanted != 0:
		s.hold(s.wanted)
		s.wanted = 0
	case s.drop != nil:
		s.fall()
	case !s.frozen:
		s.out.Price = s.scaled()
	}
	s.out.At = in.At
	return s.out, nil
}

// scaled is the price from below in proportion, on the nearest tick of the grid.
func (s *Steered) scaled() vigia.Price {
	p := (s.in.Price*s.num*2 + s.den) / (2 * s.den)
	return max(vigia.MinPrice, min(vigia.MaxPrice, p))
}

// hold makes a price the one from which the source below goes on.
func (s *Steered) hold(p vigia.Price) {
	s.out.Price, s.num, s.den = p, p, s.in.Price
}

// fall moves along the drop.
func (s *Steered) fall() {
	d := s.drop
	gone := s.in.At.Sub(d.begun).Milliseconds()
	whole := d.over.Milliseconds()
	if gone >= whole {
		s.hold(d.to)
		s.drop = nil
		return
	}
	s.out.Price = d.from + vigia.Price(int64(d.to-d.from)*gone/whole)
}

// Set moves the price there with the next point, ending a drop. A frozen price
// is frozen there.
func (s *Steered) Set(p vigia.Price) error {
	if !p.Valid() {
		return fmt.Errorf("%s is not a price of the grid", p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted, s.drop = p, nil
	return nil
}

// Drop lets the price fall by a share in a straight line over a time of the
// market, rise when the share is negative, and answers where that ends. It
// refuses a share of everything or more, and what leaves the grid.
func (s *Steered) Drop(by vigia.Percent, over time.Duration) (vigia.Price, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		return 0, ErrNotBegun
	}
	if over < 0 {
		return 0, fmt.Errorf("a drop over %s would be before now", over)
	}
	if by < -MaxTrailing || by > vigia.HundredPercent {
		return 0, fmt.Errorf("a drop by %s %% is beyond what a price can do", by)
	}
	to := vigia.Price(int64(s.out.Price) * int64(vigia.HundredPercent-by) / int64(vigia.HundredPercent))
	if !to.Valid() {
		return 0, fmt.Errorf("a drop by %s %% from %s leaves the grid of the exchange", by, s.out.Price)
	}
	s.frozen, s.wanted = false, 0
	s.drop = &drop{from: s.out.Price, to: to, begun: s.out.At, over: over}
	return to, nil
}

// Freeze holds the price where it is, in the middle of a drop too; the times go
// on.
func (s *Steered) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen, s.drop = true, nil
}

// Thaw lets the price go on from where it is.
func (s *Steered) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen && s.begun {
		s.hold(s.out.Price)
	}
	s.frozen = false
}
