package paper_test

import (
	"slices"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// pinned is what the walk of seed 7 comes to.
const pinned vigia.Price = 125_298

func walked(t *testing.T, o paper.WalkOptions, n int) []paper.Point {
	t.Helper()
	w, err := paper.NewRandomWalk(o)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]paper.Point, n)
	for i := range out {
		if out[i], err = w.Next(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestTheWalkRepeatsForItsSeed(t *testing.T) {
	t.Parallel()
	o := paper.WalkOptions{Seed: 7, From: midnight}
	one, two := walked(t, o, 5000), walked(t, o, 5000)
	if !slices.Equal(one, two) {
		t.Error("one seed, two walks")
	}
	// Written down, so that no other machine and no later version walks otherwise.
	equal(t, "the 5,000th price", one[4999].Price, pinned)
	o.Seed = 8
	if slices.Equal(prices(one), prices(walked(t, o, 5000))) {
		t.Error("two seeds, one walk")
	}
	equal(t, "start", one[0], paper.Point{Price: vigia.Dollars(60_000), At: midnight})
	equal(t, "step", one[10].At, midnight.Add(10*time.Second))
}

func TestTheWalkIsLivelyAndStaysOnTheGrid(t *testing.T) {
	t.Parallel()
	day := walked(t, paper.WalkOptions{Seed: 3, From: midnight}, 24*3600)
	low, high, still := day[0].Price, day[0].Price, 0
	for i, p := range day {
		low, high = min(low, p.Price), max(high, p.Price)
		if i > 0 && p.Price == day[i-1].Price {
			still++
		}
	}
	if spread := float64(high-low) / float64(low); spread < 0.02 || spread > 0.5 {
		t.Errorf("a day between %s and %s", low, high)
	}
	if still > len(day)/50 {
		t.Errorf("%d of %d steps stood still", still, len(day))
	}
	for _, start := range []vigia.Price{vigia.MinPrice, vigia.MaxPrice} {
		o := paper.WalkOptions{Seed: 4, Start: start, Volatility: 5 * vigia.OnePercent, Jump: 50 * vigia.OnePercent, JumpEvery: 5 * time.Second}
		moved := false
		for _, p := range walked(t, o, 20_000) {
			if !p.Price.Valid() {
				t.Fatalf("left the grid: %s", p.Price)
			}
			moved = moved || p.Price != start
		}
		if !moved {
			t.Errorf("it never moved from %s", start)
		}
	}
}

func TestWalksThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, o := range []paper.WalkOptions{
		{Start: 1}, {Home: vigia.MaxPrice + 1}, {Step: -1}, {Step: time.Hour, HomeIn: time.Minute},
		{Volatility: -1}, {Volatility: 6 * vigia.OnePercent}, {Jump: 51 * vigia.OnePercent}, {Jump: -1},
	} {
		if _, err := paper.NewRandomWalk(o); err == nil {
			t.Errorf("%+v walks", o)
		}
	}
}

// steady is a source that stays at a price, a point a second.
type steady struct{ paper.Point }

func (s *steady) Next() (paper.Point, error) {
	s.At = s.At.Add(time.Second)
	return s.Point, nil
}

func TestADrillDropsInAStraightLineAndGoesOnFromThere(t *testing.T) {
	t.Parallel()
	below := &steady{paper.Point{Price: vigia.Dollars(100_000), At: midnight}}
	s := paper.Steer(below)
	next := func() vigia.Price {
		p, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the time goes on", p.At, below.At)
		return p.Price
	}
	if _, err := s.Drop(vigia.OnePercent, time.Second); err == nil {
		t.Error("a drop from nowhere")
	}
	equal(t, "before", next(), vigia.Dollars(100_000))
	to, err := s.Drop(15*vigia.OnePercent, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "where it ends", to, vigia.Dollars(85_000))
	for i := int64(1); i <= 60; i++ {
		equal(t, "on the way", next(), vigia.Dollars(100_000-250*i))
	}
	below.Price = vigia.Dollars(110_000)
	equal(t, "after, in proportion", next(), vigia.Dollars(93_500))

	s.Freeze()
	below.Price = vigia.Dollars(50_000)
	equal(t, "frozen", next(), vigia.Dollars(93_500))
	s.Thaw()
	equal(t, "thawed, no jump", next(), vigia.Dollars(93_500))

	if err := s.Set(vigia.Dollars(70_000)); err != nil {
		t.Fatal(err)
	}
	equal(t, "set", next(), vigia.Dollars(70_000))
	below.Price = vigia.Dollars(100_000)
	equal(t, "and on from there", next(), vigia.Dollars(140_000))
	if _, err := s.Drop(-10*vigia.OnePercent, 0); err != nil {
		t.Fatal(err)
	}
	equal(t, "a rise at once", next(), vigia.Dollars(154_000))
	for _, by := range []vigia.Percent{vigia.HundredPercent, vigia.HundredPercent + 1, -20 * vigia.HundredPercent} {
		if _, err := s.Drop(by, time.Second); err == nil {
			t.Errorf("dropped by %s %%", by)
		}
	}
	if _, err := s.Drop(1, -1); err == nil {
		t.Error("dropped before now")
	}
	if s.Set(1) == nil {
		t.Error("set off the grid")
	}
}
