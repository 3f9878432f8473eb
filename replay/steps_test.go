package replay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/replay"
)

// One seed, one table: nothing in a replay depends on the machine or the moment.
func TestReplayIsTheSameAgain(t *testing.T) {
	t.Parallel()
	var tables [2]string
	for i := range tables {
		m := ownCrash(t, crashSeed+1)
		var scenes []*scene
		matrix(func(preset vigia.GuardPreset, ifShort vigia.IfShort) {
			scenes = append(scenes, sceneOf(threeTrades(), scarceOfThree, preset, ifShort))
		})
		w := play(t, m, m.walk(), scenes)
		for _, s := range scenes {
			tables[i] += w.table(t, s, s).String()
		}
	}
	if tables[0] != tables[1] {
		t.Errorf("the first run:\n%s\nthe second:\n%s", tables[0], tables[1])
	}
	if !strings.Contains(tables[0], "stopped at") || !strings.Contains(tables[0], "liquidated at") {
		t.Errorf("nothing happened that could differ:\n%s", tables[0])
	}
}

// Leaving out prices between which no rule had anything to do changes no decision:
// the corners of the walk and the prices that were acted at are enough, and any of
// the others may be among them.
func TestPricesNothingHappensAtCanBeLeftOut(t *testing.T) {
	t.Parallel()
	m := ownCrash(t, crashSeed)
	scenes := func() []*scene {
		var out []*scene
		matrix(func(preset vigia.GuardPreset, ifShort vigia.IfShort) {
			out = append(out, sceneOf(tenTrades(), scarceOfTen, preset, ifShort))
		})
		return out
	}
	whole := scenes()
	play(t, m, m.walk(), whole)
	keep := map[paper.Point]bool{}
	for _, p := range m.points {
		keep[p] = true
	}
	acts := 0
	for _, s := range whole {
		for i := range s.guard.Acts {
			acts++
			keep[paper.Point{Price: s.guard.Acts[i].Last, At: s.guard.Acts[i].At}] = true
		}
	}
	if acts < 50 {
		t.Fatalf("only %d acts to compare", acts)
	}
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("choice %d", seed), func(t *testing.T) {
			t.Parallel()
			thin := scenes()
			play(t, m, &thinned{m.walk(), keep, rand.New(rand.NewPCG(seed, 1)), int(seed) * 10}, thin)
			for i, s := range thin {
				compareActs(t, whole[i], s)
			}
		})
	}
}

// thinned keeps some prices of a walk, and of the others so many in a thousand.
type thinned struct {
	walk     paper.Source
	keep     map[paper.Point]bool
	from     *rand.Rand
	thousand int
}

func (s *thinned) Next() (paper.Point, error) {
	for {
		p, err := s.walk.Next()
		if err != nil || s.keep[p] || s.from.IntN(1000) < s.thousand {
			return p, err
		}
	}
}

// compareActs holds two plays of one scene to the same decisions at the same
// prices and times.
func compareActs(t *testing.T, want, got *scene) {
	t.Helper()
	lines := func(s *scene) []string {
		var out []string
		for i := range s.guard.Acts {
			out = append(out, lineOf(s, &s.guard.Acts[i]))
		}
		return out
	}
	if w, g := lines(want), lines(got); !slices.Equal(w, g) {
		t.Errorf("%s: walking\n%s\nwith prices left out\n%s", want.name, strings.Join(w, "\n"), strings.Join(g, "\n"))
	}
}

func lineOf(s *scene, act *replay.Act) string {
	return fmt.Sprintf("%s trade %d: %s %d stop %s at %s, %s", act.At.Format(time.RFC3339Nano),
		slices.Index(s.trades, act.Subject.Trade), act.Action, act.Amount, act.Stop, act.Last, act.Reason)
}

// In steps from corner to corner a rule acts at the end of the step in which it
// would have acted walking: at the same price where that is the corner itself, else
// later and at a worse one, or too late, the exchange having ended the trade in the
// step. That is claimed of the first act on a trade that is alone in its wallet:
// what follows builds on it.
func TestInStepsARuleActsLaterAndWorseOrAlike(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("the walk to compare with is not played under the race detector")
	}
	m := ownCrash(t, crashSeed)
	scenes := func() []*scene {
		var out []*scene
		for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
			for _, leverage := range []int64{10, 20, 25, 50} {
				for i, o := range everyTrade(side, leverage) {
					o.hour = 2 * i
					for _, ifShort := range []vigia.IfShort{vigia.ShortClose, vigia.ShortAdd} {
						out = append(out, sceneOf([]order{o}, ample, vigia.PresetStandard, ifShort))
					}
				}
			}
		}
		return out
	}
	walked, stepped := scenes(), scenes()
	play(t, m, m.walk(), walked)
	steps := play(t, m, m.steps(), stepped)
	var alike, later, tooLate int
	for i := range walked {
		walkedAct, acted := firstAtTrigger(walked[i])
		steppedAct, actedToo := firstAtTrigger(stepped[i])
		name := fmt.Sprintf("%s %d× of day %d, %s", walked[i].orders[0].side, walked[i].orders[0].leverage,
			walked[i].orders[0].day, walked[i].ifShort)
		if !acted {
			if actedToo {
				t.Errorf("%s: acts in steps at %s, and never walking", name, steppedAct.At)
			}
			continue
		}
		corner := cornerOf(m, walkedAct.At)
		ended, _, _ := steps.engine.Trade(stepped[i].key.ID, stepped[i].trades[0])
		side := walked[i].orders[0].side
		switch {
		case !actedToo && ended.State == vigia.TradeClosed && ended.ClosedAt.Sub(corner.At).Abs() <= time.Millisecond:
			tooLate++
		case !actedToo || !steppedAct.At.Equal(corner.At) || steppedAct.Last != corner.Price:
			t.Errorf("%s: acts at %s walking; in steps at %s, the step ends at %s", name, walkedAct.At, steppedAct.At, corner.At)
		case walkedAct.At.Equal(corner.At):
			alike++
			if w, s := lineOf(walked[i], &walkedAct), lineOf(stepped[i], &steppedAct); w != s {
				t.Errorf("%s: walking %s, in steps %s", name, w, s)
			}
		case side.Worse(walkedAct.Last, steppedAct.Last):
			t.Errorf("%s: acts at %s walking and at a better %s in steps", name, walkedAct.Last, steppedAct.Last)
		default:
			later++
		}
	}
	if later == 0 || alike+later+tooLate < 50 {
		t.Errorf("%d alike, %d later, %d too late: too few to show anything", alike, later, tooLate)
	}
	t.Logf("first acts in steps: %d alike, %d later and worse, %d too late", alike, later, tooLate)
}

// firstAtTrigger is the first add or close; stops are set ahead of need.
func firstAtTrigger(s *scene) (replay.Act, bool) {
	for _, act := range s.guard.Acts {
		if act.Action == vigia.ActionAddMargin || act.Action == vigia.ActionClose {
			return act, true
		}
	}
	return replay.Act{}, false
}

// cornerOf is the corner that ends the step a moment lies in.
func cornerOf(m *market, at time.Time) paper.Point {
	i, _ := slices.BinarySearchFunc(m.points, at, func(p paper.Point, at time.Time) int { return p.At.Compare(at) })
	return m.points[i]
}
