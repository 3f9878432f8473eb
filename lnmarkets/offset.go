package lnmarkets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// WarnOffset is the difference of clocks that is worth a warning: the exchange
// refuses signatures some seconds further off.
const WarnOffset = 2 * time.Second

// Offset is how far the exchange's clock is ahead of ours. It starts at 0 and
// corrects signatures once it was measured.
type Offset struct {
	clock vigia.Clock

	mu       sync.Mutex
	last     Measured
	onChange func(Measured)
}

// Measured is one measurement of the offset.
type Measured struct {
	// Ahead is what has to be added to our clock to get the exchange's.
	Ahead time.Duration
	// RoundTrip is of the sample that was taken; half of it is the error bound.
	RoundTrip time.Duration
	// At is when it was measured, on our clock; zero while it never was.
	At time.Time
}

// Warn says whether the clocks are too far apart.
func (m Measured) Warn() bool { return m.Ahead.Abs() > WarnOffset }

// NewOffset starts with clocks that agree.
func NewOffset(clock vigia.Clock) *Offset { return &Offset{clock: clock} }

// OnChange has f called after each measurement that found another offset, by
// the goroutine that measured. There is one f; nil takes it away.
func (o *Offset) OnChange(f func(Measured)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.onChange = f
}

// Last is the last measurement.
func (o *Offset) Last() Measured {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// Now is the exchange's time as far as we know, UTC and without a monotonic
// reading.
func (o *Offset) Now() time.Time { return o.clock.Now().Add(o.Last().Ahead).Round(0).UTC() }

// Set takes a measurement made elsewhere.
func (o *Offset) Set(m Measured) {
	o.mu.Lock()
	changed := m.Ahead != o.last.Ahead
	o.last = m
	tell := o.onChange
	o.mu.Unlock()
	if changed && tell != nil {
		tell(m)
	}
}

// MeasureOffset asks the exchange for its time, samples times (at least once),
// and sets o to the median. Half of each round trip is taken as the way there.
// It waits for the public budget before each sample, outside of what it
// measures.
func (p *Public) MeasureOffset(ctx context.Context, o *Offset, samples int) (Measured, error) {
	found := make([]Measured, 0, max(1, samples))
	for range cap(found) {
		m, err := p.sample(ctx)
		if err != nil {
			return Measured{}, fmt.Errorf("measuring the clock: %w", err)
		}
		found = append(found, m)
	}
	slices.SortFunc(found, func(a, b Measured) int { return cmp.Compare(a.Ahead, b.Ahead) })
	m := found[len(found)/2]
	o.Set(m)
	return m, nil
}

func (p *Public) sample(ctx context.Context) (Measured, error) {
	if err := p.rest.budget.Take(ctx, PriorityRead); err != nil {
		return Measured{}, err
	}
	prepared, err := p.rest.prepare(&request{call: callTime})
	if err != nil {
		return Measured{}, err
	}
	a, failure := p.rest.send(ctx, prepared, p.rest.readWithin)
	if failure != nil {
		return Measured{}, failure
	}
	server, failure := decode[ServerTime](callTime, a)
	if failure != nil {
		return Measured{}, failure
	}
	if server.Time.IsZero() {
		return Measured{}, fmt.Errorf("%w: it holds no time", ErrUnreadable)
	}
	trip := a.came.Sub(a.sent)
	middle := a.sent.Add(trip / 2).Round(0)
	return Measured{Ahead: server.Time.Sub(middle), RoundTrip: trip, At: a.came}, nil
}
