package lease

import (
	"testing"

	"github.com/vigiaguard/vigia"
)

// The shard of an account never changes: these were computed once.
func TestShardsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	for account, want := range map[vigia.AccountID]int{
		"":                                     1,
		"01900000-0000-7000-8000-000000000001": 52,
		"018f2c5e-7b1a-7c3d-9e4f-5a6b7c8d9e0f": 30,
	} {
		if got := ShardOf(account); got != want {
			t.Errorf("shard of %q: got %d, want %d", account, got, want)
		}
	}
}

func TestShardsAreFilledEvenly(t *testing.T) {
	t.Parallel()
	const accounts = 64_000
	var counts [vigia.Shards]int
	for i := range accounts {
		at := vigia.NewManualClock(start.AddDate(0, 0, i%500))
		counts[ShardOf(vigia.AccountID(vigia.NewID(at.Now())))]++
	}
	for shard, n := range counts {
		if n < accounts/vigia.Shards*8/10 || n > accounts/vigia.Shards*12/10 {
			t.Errorf("shard %d has %d of %d accounts, want about %d", shard, n, accounts, accounts/vigia.Shards)
		}
	}
}
