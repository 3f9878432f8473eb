package record_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/recordtest"
)

func TestABeatMovesAndSaysWhatIsHeld(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		other := b.take(t, 9, "this process")
		b.take(t, 10, "another process")
		before, err := b.Leases(ctx)
		if err != nil {
			t.Fatal(err)
		}
		held, err := b.Beat(ctx, "this process")
		if err != nil || len(held) != 2 || !slices.Contains(held, b.fence) || !slices.Contains(held, other) {
			t.Errorf("got %v, %v, want both fences", held, err)
		}
		after, err := b.Leases(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for shard, moved := range map[int]bool{b.fence.Shard: true, 9: true, 10: false, 11: false} {
			if (before[shard].Beat != after[shard].Beat) != moved {
				t.Errorf("shard %d: got beat %d after %d, want moved %t", shard, after[shard].Beat, before[shard].Beat, moved)
			}
		}
	})
}

func TestWhatWasReleasedIsFencedToo(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		if err := b.Release(ctx, b.fence); err != nil {
			t.Fatal(err)
		}
		if err := b.tryIntend(t, b.add("t1", 1)); !errors.Is(err, vigia.ErrFenced) {
			t.Errorf("got %v, want ErrFenced", err)
		}
		taken := b.take(t, b.fence.Shard, "another process")
		if err := b.Release(ctx, b.fence); err != nil {
			t.Errorf("released again: got %v, want nothing to happen", err)
		}
		if leases, err := b.Leases(ctx); err != nil || leases[taken.Shard].Fence != taken || leases[taken.Shard].Holder != "another process" {
			t.Errorf("got %+v, %v, want the taker's lease untouched", leases[taken.Shard], err)
		}
	})
}

// A holder frozen between its writes and its commit keeps a taker out for a
// second at a time, and for no longer than two in all. When it wakes it finds its
// transaction gone.
func TestAFrozenHolderLosesItsTransaction(t *testing.T) {
	t.Parallel()
	db := recordtest.Postgres(t)
	b, other := newBench(t, db), db.Open(t)
	thaw, err := b.Freeze(t.Context(), b.fence)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for {
		taken, err := other.Take(t.Context(), "another process", b.fence)
		if err == nil {
			if taken.Epoch != b.fence.Epoch+1 {
				t.Errorf("got epoch %d, want %d", taken.Epoch, b.fence.Epoch+1)
			}
			break
		}
		if code(err) != vigia.CodeUnavailable {
			t.Fatalf("got %v, want to be told to try again", err)
		}
		if refused++; refused > 5 {
			t.Fatal("the frozen transaction was never ended")
		}
	}
	if refused == 0 {
		t.Error("the shard was taken while it was held")
	}
	if err := thaw(); err == nil {
		t.Error("the frozen transaction was committed")
	}
	if err := b.tryIntend(t, b.add("t1", 1)); !errors.Is(err, vigia.ErrFenced) {
		t.Errorf("awake: got %v, want ErrFenced", err)
	}
}
