package lease

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/recordtest"
)

const term = time.Second

func keeper(clock vigia.Clock, store Store, holder string, with ...func(*Options)) *Keeper {
	o := Options{Clock: clock, Store: store, Holder: holder, Term: term}
	for _, change := range with {
		change(&o)
	}
	return New(o)
}

// onBoth runs a case on both engines.
func onBoth(t *testing.T, f func(t *testing.T, clock *vigia.ManualClock, store, second Store)) {
	t.Helper()
	t.Parallel()
	recordtest.Each(t, func(t *testing.T, db recordtest.Database) {
		clock := vigia.NewManualClock(recordtest.Start)
		f(t, clock, db.Open(t, recordtest.Clock(clock)), db.Open(t, recordtest.Clock(clock)))
	})
}

func want(t *testing.T, k *Keeper, shards int, when string) {
	t.Helper()
	if got := k.Shards(); got != shards {
		t.Errorf("%s: %s holds %d shards, want %d", when, k.o.Holder, got, shards)
	}
}

func TestTheFirstComeHoldsAndTheSecondStandsBy(t *testing.T) {
	onBoth(t, func(t *testing.T, clock *vigia.ManualClock, store, second Store) {
		a, b := keeper(clock, store, "a"), keeper(clock, second, "b")
		a.round(t.Context())
		for range 20 {
			b.round(t.Context())
			clock.Advance(a.pause())
			a.round(t.Context())
		}
		want(t, a, vigia.Shards, "a lives")
		want(t, b, 0, "a lives")
	})
}

func TestADeadHoldersShardsMoveAfterATerm(t *testing.T) {
	onBoth(t, func(t *testing.T, clock *vigia.ManualClock, store, second Store) {
		a, b := keeper(clock, store, "a"), keeper(clock, second, "b")
		a.round(t.Context())
		fence, _ := a.Held(3)
		b.round(t.Context()) // b sees the beat; a dies
		for passed := b.pause(); passed <= term; passed += b.pause() {
			clock.Advance(b.pause())
			want(t, b, 0, fmt.Sprintf("%s after the last beat", passed))
			b.round(t.Context())
		}
		want(t, b, vigia.Shards, "a term after the last beat")
		want(t, a, 0, "a term after the last beat")
		if taken, _ := b.Held(3); taken.Epoch != fence.Epoch+1 {
			t.Errorf("got epoch %d, want %d: the next", taken.Epoch, fence.Epoch+1)
		}
		a.round(t.Context())
		want(t, a, 0, "a wakes")
	})
}

func TestWhatIsReleasedIsTakenAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, clock *vigia.ManualClock, store, second Store) {
		a, b := keeper(clock, store, "a"), keeper(clock, second, "b")
		a.round(t.Context())
		a.release(t.Context())
		want(t, a, 0, "released")
		b.round(t.Context())
		want(t, b, vigia.Shards, "released")
	})
}

func TestAloneTakesFromTheDeadWithoutWaiting(t *testing.T) {
	onBoth(t, func(t *testing.T, clock *vigia.ManualClock, store, second Store) {
		keeper(clock, store, "killed").round(t.Context())
		restarted := keeper(clock, second, "restarted", func(o *Options) { o.Alone = true })
		restarted.round(t.Context())
		want(t, restarted, vigia.Shards, "the first look")
		mistake := keeper(clock, store, "on the same file by mistake")
		mistake.round(t.Context())
		clock.Advance(restarted.pause())
		restarted.round(t.Context())
		want(t, restarted, vigia.Shards, "somebody else looks")
		want(t, mistake, 0, "somebody else looks")
	})
}

func TestALeaseIsTrustedForLessThanItsTerm(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(recordtest.Start)
	k := keeper(clock, newShelf(), "a")
	k.round(t.Context())
	clock.Advance(term - term/rounds - 1)
	want(t, k, vigia.Shards, "within trust")
	clock.Advance(1)
	want(t, k, 0, "not renewed in time")
}

// sleeper is a clock whose wall runs on while its monotonic part stands, as on a
// machine that was suspended.
type sleeper struct{ now time.Time }

func (s *sleeper) Now() time.Time                       { return s.now }
func (s *sleeper) NewTimer(d time.Duration) vigia.Timer { return vigia.WallClock{}.NewTimer(d) }

func TestAMachineThatSleptTrustsNothing(t *testing.T) {
	t.Parallel()
	clock := &sleeper{vigia.WallClock{}.Now()}
	k := keeper(clock, newShelf(), "a", func(o *Options) { o.Term = time.Hour })
	k.round(t.Context())
	want(t, k, vigia.Shards, "before")
	clock.now = clock.now.Round(0).Add(time.Hour) // no monotonic reading: the wall decides
	want(t, k, 0, "after an hour's sleep")
}

func TestATakerThatWasFrozenLooksAgainFirst(t *testing.T) {
	t.Parallel()
	clock, store := vigia.NewManualClock(recordtest.Start), newShelf()
	a, b := keeper(clock, store, "a"), keeper(clock, store, "b")
	a.round(t.Context())
	b.round(t.Context())
	clock.Advance(time.Hour) // both frozen
	b.round(t.Context())
	want(t, b, 0, "one look after an hour")
}

func TestASilentStoreEndsTrustAndIsSaidOnce(t *testing.T) {
	t.Parallel()
	clock, store := vigia.NewManualClock(recordtest.Start), newShelf()
	var failures []error
	var changes []bool
	k := keeper(clock, store, "a", func(o *Options) {
		o.Failed = func(err error) { failures = append(failures, err) }
		o.Changed = func(f vigia.Fence, held bool) {
			if f.Shard == 0 {
				changes = append(changes, held)
			}
		}
	})
	k.round(t.Context())
	store.setDown(true)
	for range rounds {
		clock.Advance(k.pause())
		k.round(t.Context())
	}
	want(t, k, 0, "a term without the store")
	if !errors.Is(failures[0], errDown) {
		t.Errorf("got failures %v, want the store's", failures)
	}
	store.setDown(false)
	k.round(t.Context())
	want(t, k, vigia.Shards, "the store is back, nobody else came")
	if last := failures[len(failures)-1]; last != nil {
		t.Errorf("got %v last, want nil: it works again", last)
	}
	if fmt.Sprint(changes) != "[true false true]" {
		t.Errorf("got changes %v, want held, lost, held", changes)
	}
}

// Whatever happens in whatever order, two processes never trust one lease.
func TestTwoNeverTrustOneLease(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock, store := vigia.NewManualClock(recordtest.Start), newShelf()
		ctx, names := t.Context(), 0
		keepers := make([]*Keeper, 3)
		start := func(i int) {
			names++
			keepers[i] = keeper(clock, store, fmt.Sprint("run ", names))
		}
		for i := range keepers {
			start(i)
		}
		one := rapid.IntRange(0, len(keepers)-1)
		t.Repeat(map[string]func(*rapid.T){
			"round":   func(t *rapid.T) { keepers[one.Draw(t, "keeper")].round(ctx) },
			"release": func(t *rapid.T) { keepers[one.Draw(t, "keeper")].release(ctx) },
			"die":     func(t *rapid.T) { start(one.Draw(t, "keeper")) },
			"pass":    func(t *rapid.T) { clock.Advance(time.Duration(rapid.Int64Range(1, int64(term)).Draw(t, "ns"))) },
			"store":   func(t *rapid.T) { store.setDown(rapid.Bool().Draw(t, "down")) },
			"": func(t *rapid.T) {
				for shard := range vigia.Shards {
					trusting := 0
					for _, k := range keepers {
						if _, ok := k.Held(shard); ok {
							trusting++
						}
					}
					if trusting > 1 {
						t.Fatalf("%d processes trust shard %d", trusting, shard)
					}
				}
			},
		})
	})
}

func TestRunHoldsUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	store := newShelf()
	all := make(chan struct{})
	n := 0
	k := keeper(vigia.WallClock{}, store, "a", func(o *Options) {
		o.Changed = func(_ vigia.Fence, held bool) {
			if held {
				if n++; n == vigia.Shards {
					close(all)
				}
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	<-all
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	want(t, k, 0, "stopped")
	leases, err := store.Leases(t.Context())
	if err != nil || leases[0].Holder != "" {
		t.Errorf("got %+v, %v, want it released", leases[0], err)
	}
}
