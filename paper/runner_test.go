package paper_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// point is a price of a source, seconds after midnight.
func point(usd int64, second int) paper.Point {
	return paper.Point{Price: vigia.Dollars(usd), At: midnight.Add(time.Duration(second) * time.Second)}
}

// run sets a runner going until stop is called, and waits until it waits.
func run(t *testing.T, r *paper.Runner, clock *vigia.ManualClock) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	waiting(t, clock, 1)
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the runner ended with %v", err)
		}
	}
}

// waiting returns when somebody waits on the clock.
func waiting(t *testing.T, clock *vigia.ManualClock, timers int) {
	t.Helper()
	until(t, "somebody waits", func() bool { return clock.Waiting() >= timers })
}

// until looks again and again; the test's own deadline is the safety net.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		if err := t.Context().Err(); err != nil {
			t.Fatalf("never: %s", what)
		}
		runtime.Gosched()
	}
}

// step moves the clock, beat by beat, each after the runner has come to wait.
func (c *console) step(d time.Duration) {
	c.Helper()
	for ; d > 0; d -= time.Second {
		c.clock.Advance(time.Second)
		waiting(c.T, c.clock, 1)
	}
}

func TestTheMarketGoesAtTheSpeedOfTheWallClock(t *testing.T) {
	t.Parallel()
	engine, clock := paper.New(paper.Frictionless()), vigia.NewManualClock(midnight.AddDate(3, 0, 0))
	moves := 0
	r, err := paper.NewRunner(paper.RunnerOptions{
		Engine: engine, Source: paper.Points(point(60_000, 0), point(61_000, 5), point(62_000, 6)), Clock: clock, Moved: func() { moves++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, r, clock)
	equal(t, "first", engine.Last(), vigia.Dollars(60_000))
	equal(t, "the market time is the wall clock's", engine.Ticker().At, clock.Now())
	for i := range 5 {
		equal(t, "before its time", engine.Last(), vigia.Dollars(60_000))
		equal(t, "the time goes on", engine.Ticker().At, clock.Now())
		equal(t, "ticks", moves, i+1)
		clock.Advance(time.Second)
		waiting(t, clock, 1)
	}
	equal(t, "at its time", engine.Last(), vigia.Dollars(61_000))
	clock.Advance(time.Hour) // the machine slept
	waiting(t, clock, 1)
	equal(t, "after the end", engine.Last(), vigia.Dollars(62_000))
	if err := r.SetPrice(vigia.Dollars(50_000)); err != nil {
		t.Error(err)
	}
	equal(t, "drills go on after the end", engine.Last(), vigia.Dollars(50_000))
	stop()
}

func TestARunnerGoesOnFromAStateThatIsAhead(t *testing.T) {
	t.Parallel()
	engine, clock := paper.New(paper.Frictionless()), vigia.NewManualClock(midnight)
	if err := engine.Tick(vigia.Dollars(50_000), midnight.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	r, err := paper.NewRunner(paper.RunnerOptions{Engine: engine, Source: paper.Points(point(60_000, 0)), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	waiting(t, clock, 1)
	clock.Advance(time.Hour)
	until(t, "the market begins", func() bool { return engine.Last() == vigia.Dollars(60_000) })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestOtherSpeedsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := paper.NewRunner(paper.RunnerOptions{Engine: paper.New(paper.Rules{}), Source: paper.Points(), Speed: 10})
	var invalid *vigia.Error
	if !errors.As(err, &invalid) || invalid.Field != "speed" {
		t.Errorf("got %v", err)
	}
}

func TestARunnerEndsWithItsSourceAndItsEngine(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(midnight)
	empty, err := paper.NewRunner(paper.RunnerOptions{Engine: paper.New(paper.Rules{}), Source: paper.Points(), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := empty.Run(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("no price at all: got %v", err)
	}
	if _, _, err := empty.Drop(vigia.OnePercent, 0); !errors.Is(err, paper.ErrNotBegun) {
		t.Errorf("a drill before the first price: got %v", err)
	}
	shut := paper.New(paper.Rules{})
	if err := shut.Shut(); err != nil {
		t.Fatal(err)
	}
	r, err := paper.NewRunner(paper.RunnerOptions{Engine: shut, Source: paper.Points(point(1, 0)), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); err == nil {
		t.Error("an engine that was shut was ticked")
	}
}
