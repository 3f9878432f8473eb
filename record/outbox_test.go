package record_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/recordtest"
)

func tell(t *testing.T, b *bench, incident string) {
	t.Helper()
	if err := b.Tell(t.Context(), vigia.Event{Owner: vigia.LocalOwner, Account: b.account, Subject: vigia.AccountSubject(),
		Kind: vigia.EventBlind, Level: vigia.LevelCritical, Incident: incident}); err != nil {
		t.Fatal(err)
	}
}

func TestEventsAreReadInTheOrderTheyWereNumbered(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		for i := range 5 {
			tell(t, b, fmt.Sprint(i))
		}
		if events, err := b.After(ctx, 0, 10); err != nil || len(events) != 0 {
			t.Fatalf("got %v, %v, want nothing before it is numbered", events, err)
		}
		for _, want := range []int{3, 2, 0} {
			if n, err := b.Number(ctx, 3); err != nil || n != want {
				t.Fatalf("got %d numbered, %v, want %d", n, err, want)
			}
		}
		events, err := b.After(ctx, 2, 10)
		if err != nil || len(events) != 3 || events[0].Cursor != 3 || events[2].Cursor != 5 {
			t.Errorf("got %+v, %v, want cursors 3 to 5", events, err)
		}
		newest, err := b.ListEvents(ctx, vigia.LocalOwner, 0, 2)
		if err != nil || len(newest) != 2 || newest[0].Cursor != 5 || newest[0].Kind != vigia.EventBlind {
			t.Errorf("got %+v, %v, want the newest first", newest, err)
		}
		if end, err := b.OutboxEnd(ctx); err != nil || end != 5 {
			t.Errorf("got end %d, %v, want 5", end, err)
		}
		if events, err := b.ListEvents(ctx, "somebody else", 0, 2); err != nil || len(events) != 0 {
			t.Errorf("got %v, %v, want nothing of another owner's", events, err)
		}
	})
}

func TestTwoDrainersNumberEachEventOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b, other := newBench(t, db), db.Open(t)
		const events = 60
		for i := range events {
			tell(t, b, fmt.Sprint(i))
		}
		var wait sync.WaitGroup
		counts := make([]int, 4)
		for i := range counts {
			store := b.Store
			if i%2 == 1 {
				store = other
			}
			wait.Go(func() {
				for {
					n, err := store.Number(t.Context(), 7)
					if err != nil {
						t.Error(err)
						return
					}
					if n == 0 {
						return
					}
					counts[i] += n
				}
			})
		}
		wait.Wait()
		seen, err := b.After(t.Context(), 0, 500)
		if err != nil || len(seen) != events || counts[0]+counts[1]+counts[2]+counts[3] != events {
			t.Fatalf("got %d events, %v, numbered %v; want %d", len(seen), err, counts, events)
		}
		for i := range seen {
			if seen[i].Cursor != int64(i+1) {
				t.Fatalf("got cursor %d at place %d, want no gap", seen[i].Cursor, i+1)
			}
		}
	})
}

func TestWhatWasDeliveredNeverMovesBack(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		for _, c := range []struct{ set, want int64 }{{0, 0}, {5, 5}, {3, 5}, {6, 6}} {
			if c.set > 0 {
				if err := b.SetDelivered(ctx, "notify", c.set); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := b.Delivered(ctx, "notify"); err != nil || got != c.want {
				t.Errorf("after %d: got %d, %v, want %d", c.set, got, err, c.want)
			}
		}
		if got, err := b.Delivered(ctx, "live"); err != nil || got != 0 {
			t.Errorf("another consumer: got %d, %v, want 0", got, err)
		}
	})
}

func TestWhatEverybodyHasIsTrimmed(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		for i := range 70 {
			tell(t, b, fmt.Sprint(i))
		}
		if n, err := b.Number(ctx, 500); err != nil || n != 70 {
			t.Fatalf("got %d numbered, %v, want 70", n, err)
		}
		later := b.clock.Now().Add(time.Hour)
		trim := func(want int64, when string) {
			t.Helper()
			if n, err := b.Trim(ctx, later); err != nil || n != want {
				t.Errorf("%s: got %d trimmed, %v, want %d", when, n, err, want)
			}
		}
		trim(0, "nobody has delivered anything")
		for consumer, cursor := range map[string]int64{"notify": 60, "live": 50} {
			if err := b.SetDelivered(ctx, consumer, cursor); err != nil {
				t.Fatal(err)
			}
		}
		trim(50, "the slower has 50")
		tell(t, b, "not numbered")
		trim(0, "again")
		if events, err := b.After(ctx, 0, 500); err != nil || len(events) != 20 || events[0].Cursor != 51 {
			t.Errorf("got %d events, %v, want 51 to 70", len(events), err)
		}
	})
}
