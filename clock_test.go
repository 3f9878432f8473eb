package vigia_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

var noon = time.Date(2025, time.March, 1, 12, 0, 0, 0, time.UTC)

// fired says whether a timer has fired, and when; it takes the firing.
func fired(timer vigia.Timer) (time.Time, bool) {
	select {
	case at := <-timer.C():
		return at, true
	default:
		return time.Time{}, false
	}
}

func TestManualClockStandsStillUntilItIsMoved(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(noon)
	same(t, "now", clock.Now(), noon)
	same(t, "now again", clock.Now(), noon)
	clock.Advance(time.Minute)
	same(t, "after a minute", clock.Now(), noon.Add(time.Minute))
	clock.Set(noon)
	same(t, "set back", clock.Now(), noon)
}

func TestManualTimerFiresOnceWhenTheClockGetsThere(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(noon)
	timer := clock.NewTimer(time.Minute)
	same(t, "waiting", clock.Waiting(), 1)
	clock.Advance(time.Minute - 1)
	if _, ok := fired(timer); ok {
		t.Fatal("fired a nanosecond early")
	}
	clock.Advance(time.Hour)
	at, ok := fired(timer)
	same(t, "fired", ok, true)
	same(t, "at", at, noon.Add(time.Minute))
	same(t, "waiting", clock.Waiting(), 0)
	clock.Advance(time.Hour)
	if _, ok := fired(timer); ok {
		t.Fatal("fired twice")
	}
}

func TestManualTimerOfNoTimeFiresAtOnce(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(noon)
	for _, d := range []time.Duration{0, -time.Hour} {
		at, ok := fired(clock.NewTimer(d))
		same(t, "fired", ok, true)
		same(t, "at", at, noon)
	}
	same(t, "waiting", clock.Waiting(), 0)
}

func TestManualClockSetBackFiresNothing(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(noon)
	timer := clock.NewTimer(time.Second)
	clock.Set(noon.Add(-time.Hour))
	if _, ok := fired(timer); ok {
		t.Fatal("fired")
	}
	clock.Set(noon.Add(time.Second))
	if _, ok := fired(timer); !ok {
		t.Fatal("did not fire when its time came again")
	}
}

func TestStoppedTimerGivesNothingAnyMore(t *testing.T) {
	t.Parallel()
	manual := vigia.NewManualClock(noon)
	for name, clock := range map[string]vigia.Clock{"manual": manual, "wall": vigia.WallClock{}} {
		early := clock.NewTimer(time.Hour)
		early.Stop()
		early.Stop()
		late := clock.NewTimer(0) // fires, and nobody receives it
		late.Stop()
		for _, timer := range []vigia.Timer{early, late} {
			if _, ok := fired(timer); ok {
				t.Errorf("%s: a stopped timer fired", name)
			}
		}
	}
	same(t, "waiting", manual.Waiting(), 0)
	manual.Advance(2 * time.Hour)
}

// A model of the clock: a list of times. Whatever is started, stopped and moved,
// those fire whose time has come, each at its own.
func TestManualTimersFireWhenTheirTimeHasCome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := vigia.NewManualClock(noon)
		waiting := map[vigia.Timer]time.Time{}
		anyStep := rapid.Int64Range(1, 50)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				d := time.Duration(anyStep.Draw(t, "after"))
				waiting[clock.NewTimer(d)] = clock.Now().Add(d)
			case 2:
				for timer := range waiting {
					timer.Stop()
					delete(waiting, timer)
					break
				}
			case 3:
				clock.Advance(time.Duration(anyStep.Draw(t, "advance")))
			}
			for timer, at := range waiting {
				got, ok := fired(timer)
				same(t, "fired", ok, !at.After(clock.Now()))
				if ok {
					same(t, "at", got, at)
					delete(waiting, timer)
				}
			}
			same(t, "waiting", clock.Waiting(), len(waiting))
		}
	})
}

func TestManualClockMovedFromManySidesLosesNoTime(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(noon)
	var movers sync.WaitGroup
	for range 8 {
		movers.Go(func() {
			for range 100 {
				clock.Advance(time.Second)
				clock.NewTimer(time.Second).Stop()
			}
		})
	}
	movers.Wait()
	same(t, "now", clock.Now(), noon.Add(800*time.Second))
	same(t, "waiting", clock.Waiting(), 0)
}

func TestWallTimerFires(t *testing.T) {
	t.Parallel()
	clock := vigia.WallClock{}
	before := clock.Now()
	at := <-clock.NewTimer(time.Millisecond).C()
	if at.Sub(before) < time.Millisecond {
		t.Errorf("fired after %s", at.Sub(before))
	}
}

func TestAgeIsTheLargerOfWallAndMonotonicTime(t *testing.T) {
	t.Parallel()
	same(t, "of wall times", vigia.Age(noon.Add(time.Minute), noon), time.Minute)
	// The monotonic reading stays when a wall time is moved by Add, and goes
	// when it is rounded.
	seen := vigia.WallClock{}.Now()
	same(t, "by both", vigia.Age(seen.Add(time.Minute), seen), time.Minute)
	same(t, "when one has no monotonic reading", vigia.Age(seen.Add(time.Hour).Round(0), seen), time.Hour)
}
