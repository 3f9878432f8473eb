package paper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// RunnerOptions set up a [Runner]. Engine and Source are required.
type RunnerOptions struct {
	Engine *Engine
	Source Source
	// Clock is the wall clock; the machine's when nil.
	Clock vigia.Clock
	// Moved, when set, is called after each price: a Server's Moved.
	Moved func()
	// Speed is 1, or 0 for it. Whoever is on the other side of a socket lives by
	// the wall clock: any other speed is refused. Full speed is Play's.
	Speed int
	// Beat is the longest time between two ticks, 1 s when 0: between two points
	// of the source its price is told again, so that the market time goes on and
	// a drill moves in small steps.
	Beat time.Duration
}

// Runner drives an engine from a source at the speed of the wall clock, and lets
// drills take the price over. The market time is the wall clock's: the first
// point of the source is now, the others as far after it as they are in the
// source. Its methods may be called from any goroutine.
type Runner struct {
	engine *Engine
	below  Source
	clock  vigia.Clock
	moved  func()
	beat   time.Duration

	mu    sync.Mutex // one tick at a time; guards what follows
	wheel *Steered
	hand  *held
	at    time.Time // the market time of the last tick
	begun bool
}

// held hands the wheel one point at a time.
type held struct{ point Point }

func (h *held) Next() (Point, error) { return h.point, nil }

// NewRunner makes a runner; Run sets it going.
func NewRunner(o RunnerOptions) (*Runner, error) {
	if o.Speed != 0 && o.Speed != 1 {
		return nil, vigia.Invalid("speed", fmt.Sprintf("got %d; clients outside live by the wall clock, it takes 1", o.Speed))
	}
	if o.Clock == nil {
		o.Clock = vigia.WallClock{}
	}
	if o.Beat <= 0 {
		o.Beat = time.Second
	}
	hand := &held{}
	return &Runner{engine: o.Engine, below: o.Source, clock: o.Clock, moved: o.Moved, beat: o.Beat, wheel: Steer(hand), hand: hand}, nil
}

// Run ticks until ctx ends, which is no error. When the source has ended the
// last price stays, and drills still move it. An error of the source or of the
// engine ends it.
func (r *Runner) Run(ctx context.Context) error {
	next, err := r.below.Next()
	if err != nil {
		return fmt.Errorf("reading the first price: %w", err)
	}
	// A state file may have come further than the wall clock.
	start := later(r.clock.Now(), r.engine.Ticker().At)
	ahead, ended := start.Sub(next.At), false
	for {
		for due := next.At.Add(ahead); !ended && !due.After(r.clock.Now()); due = next.At.Add(ahead) {
			if err := r.advance(next.Price, due); err != nil || ctx.Err() != nil {
				return err
			}
			if next, err = r.below.Next(); errors.Is(err, io.EOF) {
				ended = true
			} else if err != nil {
				return fmt.Errorf("reading the next price: %w", err)
			}
		}
		wait := r.beat
		if !ended {
			wait = min(wait, next.At.Add(ahead).Sub(r.clock.Now()))
		}
		timer := r.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C():
		}
		if ended || next.At.Add(ahead).After(r.clock.Now()) {
			if err := r.again(); err != nil {
				return err
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	a = a.Round(0).UTC()
	if b.After(a) {
		return b
	}
	return a
}

// advance ticks with a price of the source, as far as nobody has taken it over.
func (r *Runner) advance(price vigia.Price, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hand.point.Price, r.begun = price, true
	return r.tick(at)
}

// again ticks now with what the source said last.
func (r *Runner) again() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tick(r.clock.Now())
}

func (r *Runner) tick(at time.Time) error {
	if !r.begun {
		return nil
	}
	r.at = later(at, r.at)
	r.hand.point.At = r.at
	p, err := r.wheel.Next()
	if err != nil {
		return err
	}
	if err := r.engine.Tick(p.Price, p.At); err != nil {
		return err
	}
	if r.moved != nil {
		r.moved()
	}
	return nil
}

// SetPrice moves the price there at once; the source goes on from it.
func (r *Runner) SetPrice(p vigia.Price) error {
	if err := r.wheel.Set(p); err != nil {
		return vigia.Invalid("usd", err.Error())
	}
	return r.again()
}

// Drop lets the price fall by a share over a time, or rise when it is negative,
// and says from where to where.
func (r *Runner) Drop(by vigia.Percent, over time.Duration) (from, to vigia.Price, err error) {
	from = r.engine.Last()
	to, err = r.wheel.Drop(by, over)
	switch {
	case errors.Is(err, ErrNotBegun):
		return 0, 0, err
	case err != nil:
		return 0, 0, vigia.Invalid("drop_pct", err.Error())
	}
	return from, to, r.again()
}

// Freeze holds the price, Thaw lets it go on from there.
func (r *Runner) Freeze() error {
	r.wheel.Freeze()
	return r.again()
}

// Thaw lets the price go on from where it is.
func (r *Runner) Thaw() error {
	r.wheel.Thaw()
	return r.again()
}
