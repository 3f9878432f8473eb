package e2e

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// weather is one kind of world for random kills.
type weather struct {
	name   string
	config vigia.GuardConfig
	// generous worlds have sats for everything: nobody may die who could be saved.
	generous bool
	balance  vigia.Sats
}

func weathers() []weather {
	limited := func(c vigia.GuardConfig) vigia.GuardConfig {
		c.Limits = vigia.GuardLimits{PerTradeMargin: vigia.HundredPercent, PerDayOfFree: 50 * vigia.OnePercent,
			UntouchedShare: 20 * vigia.OnePercent}
		return c
	}
	return []weather{
		{"close", guardConfig(vigia.ShortClose), true, 100_000_000},
		{"add what there is", guardConfig(vigia.ShortAdd), true, 100_000_000},
		{"limits, close", limited(guardConfig(vigia.ShortClose)), false, 900_000},
		{"limits, add what there is", limited(guardConfig(vigia.ShortAdd)), false, 900_000},
		{"limits, leave", limited(guardConfig(vigia.ShortLeave)), false, 900_000},
	}
}

// seedOf is the seed of a world: VIGIA_TEST_SEED, or another each time.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("VIGIA_TEST_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("VIGIA_TEST_SEED: %v", err)
		}
	}
	t.Logf("VIGIA_TEST_SEED=%d", seed)
	return seed
}

// TestKilledAtRandom kills vigia at random moments in all weathers: with the kills
// at each step there are more than fifty on each store.
func TestKilledAtRandom(t *testing.T) {
	longKills(t)
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		for _, weather := range weathers() {
			t.Run(weather.name, func(t *testing.T) {
				t.Parallel()
				killAtRandom(t, store, weather, quickTerms, 7)
			})
		}
	})
}

// wholeRun is the number of kills on SQLite of a whole run, with two fifths of it
// on PostgreSQL and ten with the terms of the real exchange.
const wholeRun = 500

// longKills is VIGIA_TEST_KILLS, or as many as a run of all tests has time for.
func longKills(t *testing.T) int {
	t.Helper()
	given := os.Getenv("VIGIA_TEST_KILLS")
	if given == "" {
		t.Skip("VIGIA_TEST_KILLS says how often: a run of these found a trade one sat over its limit, see docs/plan.md")
	}
	kills, err := strconv.Atoi(given)
	if err != nil || kills < 10 {
		t.Fatalf("VIGIA_TEST_KILLS: got %q; it takes a number from 10 on", given)
	}
	return kills
}

// TestLongKilledAtRandom does so for longer: a whole run has ten kills with the
// terms of the real exchange.
func TestLongKilledAtRandom(t *testing.T) {
	long(t)
	t.Parallel()
	sqlite := longKills(t)
	for store, kills := range map[string]int{"sqlite": sqlite, "postgres": sqlite * 2 / 5} {
		for i := range kills / 10 {
			weather, terms, name := weathers()[i%5], quickTerms, ""
			if sqlite >= wholeRun && i >= kills/10-1 {
				terms, name = realTerms, ", the real terms"
			}
			t.Run(fmt.Sprintf("%s %d, %s%s", store, i, weather.name, name), func(t *testing.T) {
				t.Parallel()
				rounds := 10
				if terms == realTerms {
					rounds = 5
				}
				killAtRandom(t, store, weather, terms, rounds)
			})
		}
	}
}

// killAtRandom is one world with some kills. On a server a second process works
// beside the one that is killed.
func killAtRandom(t *testing.T, store string, weather weather, terms terms, kills int) {
	t.Helper()
	seed := seedOf(t)
	w := newWorld(t, worldOptions{store: store, terms: terms, balance: weather.balance, seed: seed})
	s := newStorm(w, seed)
	w.generous = weather.generous
	s.trade(10)
	folders := []string{"one"}
	if store == "postgres" {
		folders = append(folders, "two")
	}
	at := map[string]*process{}
	for _, folder := range folders {
		at[folder] = w.start(folder)
	}
	w.join(at["one"])
	w.protect(at["one"], weather.config)
	for round := range kills {
		s.begin()
		pass(s.between(100*time.Millisecond, 1200*time.Millisecond))
		s.meddle()
		victim := folders[s.draw.IntN(len(folders))]
		at[victim].kill()
		pass(s.between(0, 300*time.Millisecond))
		at[victim] = w.standBy(victim)
		at[victim].address()
		pass(s.between(100*time.Millisecond, 800*time.Millisecond))
		if s.draw.IntN(kills) == 0 {
			w.fund()
		}
		s.end()
		witness := at[folders[round%len(folders)]]
		w.rest(witness)
		w.check(witness)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		count(store+" kills", "at random", 1)
		s.trade(10)
	}
	s.report(store)
}

// report counts what came of it.
func (s *storm) report(store string) {
	unknown, rescued := 0, 0
	for _, e := range s.read {
		if e.AnsweredAt.IsZero() && !e.SignedAt.IsZero() {
			unknown++
		}
		if e.State == vigia.ExecutionDone && e.Action == vigia.ActionAddMargin {
			rescued++
		}
	}
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	count(store+" random worlds", "rescued", rescued)
	count(store+" random worlds", "unknown resolved", unknown)
	count(store+" random worlds", "liquidated in the storm", len(s.past.deaths))
}
