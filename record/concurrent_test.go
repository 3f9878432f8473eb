package record_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
)

// Two processes on one store by mistake: whatever both try, one wins.
func TestOfManyIntentsOnOneLaneExactlyOneWins(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b := newBench(t, db)
		stores := []*record.Store{b.Store, db.Open(t, recordtest.Clock(b.clock))}
		const trades, tries = 5, 6
		var won [trades]atomic.Int64
		var wait sync.WaitGroup
		for trade := range trades {
			for try := range tries {
				intent := b.add(vigia.TradeID(fmt.Sprint("t", trade)), 10)
				wait.Go(func() {
					refused, err := stores[try%2].Intend(t.Context(), []vigia.Intent{intent})
					switch {
					case err != nil:
						t.Error(err)
					case refused[0] == nil:
						won[trade].Add(1)
					case !errors.Is(refused[0], vigia.ErrClaimed):
						t.Errorf("got %v, want ErrClaimed", refused[0])
					}
				})
			}
		}
		wait.Wait()
		for trade := range won {
			if n := won[trade].Load(); n != 1 {
				t.Errorf("trade %d: %d intents won, want 1", trade, n)
			}
		}
		if held, _ := b.held(t); held != trades*10 {
			t.Errorf("got %s held, want %d", held, trades*10)
		}
		if got := verify(t, b.Store, nil); !got.OK {
			t.Errorf("got %+v, want a good journal", got)
		}
	})
}

func TestTogetherTheyNeverPassTheCeiling(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b := newBench(t, db)
		stores := []*record.Store{b.Store, db.Open(t, recordtest.Clock(b.clock))}
		var wait sync.WaitGroup
		for i := range 20 {
			intent := b.add(vigia.TradeID(fmt.Sprint("t", i)), 30)
			intent.Ceiling = &vigia.Ceiling{PerTrade: vigia.NoLimit, PerDay: 100}
			wait.Go(func() {
				refused, err := stores[i%2].Intend(t.Context(), []vigia.Intent{intent})
				if err != nil || refused[0] != nil && code(refused[0]) != vigia.CodeLimit {
					t.Errorf("got %v, %v, want it committed or refused by the limit", refused, err)
				}
			})
		}
		wait.Wait()
		if held, _ := b.held(t); held != 90 {
			t.Errorf("got %s held, want 90: three of 30 under a limit of 100", held)
		}
	})
}

func TestOfManyTakersExactlyOneWins(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		stores := []*record.Store{db.Open(t), db.Open(t)}
		leases, err := stores[0].Leases(t.Context())
		if err != nil || len(leases) != vigia.Shards {
			t.Fatalf("got %d leases, %v, want %d", len(leases), err, vigia.Shards)
		}
		for shard := range 8 {
			var won atomic.Int64
			var wait sync.WaitGroup
			for i := range 4 {
				wait.Go(func() {
					_, err := stores[i%2].Take(t.Context(), fmt.Sprint("taker ", i), leases[shard].Fence)
					if err == nil {
						won.Add(1)
					} else if !errors.Is(err, vigia.ErrChanged) {
						t.Errorf("got %v, want ErrChanged", err)
					}
				})
			}
			wait.Wait()
			if n := won.Load(); n != 1 {
				t.Errorf("shard %d: %d takers won, want 1", shard, n)
			}
		}
	})
}

func TestOfTwoSettlementsOneWritesAndOneIsAnswered(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b := newBench(t, db)
		stores := []*record.Store{b.Store, db.Open(t, recordtest.Clock(b.clock))}
		for i := range 10 {
			id := b.intend(t, b.add(vigia.TradeID(fmt.Sprint("t", i)), 10))
			var written atomic.Int64
			var wait sync.WaitGroup
			for _, s := range stores {
				wait.Go(func() {
					settled, refused, err := s.Settle(t.Context(), []vigia.Settlement{{Execution: id, To: vigia.ExecutionDone, Cost: 10}})
					if err = errors.Join(err, errors.Join(refused...)); err != nil {
						t.Error(err)
					} else if !settled[0].Replayed {
						written.Add(1)
					}
				})
			}
			wait.Wait()
			if n := written.Load(); n != 1 {
				t.Errorf("%d wrote, want 1", n)
			}
		}
		if held, spent := b.held(t); held != 0 || spent != 100 {
			t.Errorf("got %s held and %s spent, want 0 and 100", held, spent)
		}
	})
}
