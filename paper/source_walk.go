package paper

import (
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/vigiaguard/vigia"
)

// WalkOptions shape a seeded walk. The zero of each, seed and time aside, takes
// what its comment names.
type WalkOptions struct {
	Seed uint64
	// Start is the first price ($60,000), at From.
	Start vigia.Price
	From  time.Time
	// Step is the time between two points (1 s).
	Step time.Duration
	// Volatility is the standard deviation of one step (0.03 %).
	Volatility vigia.Percent
	// JumpEvery is how far apart jumps lie on average (one hour), a negative one
	// means never; Jump is the largest of them (1.5 %), up or down.
	JumpEvery time.Duration
	Jump      vigia.Percent
	// Home is the price that the walk is drawn back to (Start), within about
	// HomeIn (one day).
	Home   vigia.Price
	HomeIn time.Duration
}

func (o WalkOptions) withDefaults() WalkOptions {
	if o.Start == 0 {
		o.Start = vigia.Dollars(60_000)
	}
	if o.Home == 0 {
		o.Home = o.Start
	}
	if o.Step == 0 {
		o.Step = time.Second
	}
	if o.Volatility == 0 {
		o.Volatility = 30
	}
	if o.JumpEvery == 0 {
		o.JumpEvery = time.Hour
	}
	if o.Jump == 0 {
		o.Jump = 3 * vigia.OnePercent / 2
	}
	if o.HomeIn == 0 {
		o.HomeIn = 24 * time.Hour
	}
	return o
}

// The walk goes in fractions of a tick, so that it moves at low prices too.
const walkFraction = 1 << 10

// RandomWalk is a [Source] without end: a random walk with jumps, the same for
// the same options on every machine, because nothing in it is a float. It never
// leaves the grid of the exchange.
type RandomWalk struct {
	options WalkOptions
	random  *mathrand.Rand
	at      time.Time
	value   int64 // in fractions of a tick
	begun   bool
}

// NewRandomWalk starts a walk. It refuses a price off the grid, steps that do
// not go forward, and moves of half the price or more.
func NewRandomWalk(options WalkOptions) (*RandomWalk, error) {
	o := options.withDefaults()
	const widest = vigia.HundredPercent / 2
	switch {
	case !o.Start.Valid() || !o.Home.Valid():
		return nil, fmt.Errorf("walk: it starts at %s and lives at %s, both must be on the grid of the exchange", o.Start, o.Home)
	case o.Step <= 0 || o.HomeIn < o.Step:
		return nil, fmt.Errorf("walk: steps of %s and %s to come home, steps must go forward and coming home takes at least one", o.Step, o.HomeIn)
	case o.Volatility < 0 || o.Volatility > widest/10 || o.Jump < 0 || o.Jump > widest:
		return nil, fmt.Errorf("walk: volatility %s %% and jump %s %%, at most %s %% and %s %%", o.Volatility, o.Jump, widest/10, widest)
	}
	return &RandomWalk{
		options: o,
		random:  mathrand.New(mathrand.NewPCG(o.Seed, 0x7669676961)),
		at:      o.From,
		value:   int64(o.Start) * walkFraction,
	}, nil
}

// Next is the next point; it never ends.
func (w *RandomWalk) Next() (Point, error) {
	if w.begun {
		w.step()
		w.at = w.at.Add(w.options.Step)
	}
	w.begun = true
	return Point{Price: vigia.Price((w.value + walkFraction/2) / walkFraction), At: w.at}, nil
}

func (w *RandomWalk) step() {
	o := &w.options
	w.value += w.share(o.Volatility) * w.normal() >> normalBits
	w.value += (int64(o.Home)*walkFraction - w.value) / int64(o.HomeIn/o.Step)
	if o.JumpEvery > 0 && w.random.Int64N(max(1, int64(o.JumpEvery/o.Step))) == 0 {
		w.value += w.share(vigia.Percent(w.random.Int64N(2*int64(o.Jump)+1)) - o.Jump)
	}
	const lowest, highest = int64(vigia.MinPrice) * walkFraction, int64(vigia.MaxPrice) * walkFraction
	if w.value < lowest {
		w.value = 2*lowest - w.value
	}
	w.value = max(lowest, min(highest, w.value))
}

// share is a percentage of the value.
func (w *RandomWalk) share(p vigia.Percent) int64 {
	return w.value * int64(p) / int64(vigia.HundredPercent)
}

const normalBits = 20

// normal is nearly normally distributed with a standard deviation of one, in
// 2^-20: twelve uniform numbers less their mean.
func (w *RandomWalk) normal() int64 {
	sum := int64(-6 << normalBits)
	for range 12 {
		sum += w.random.Int64N(1 << normalBits)
	}
	return sum
}
