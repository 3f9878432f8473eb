package lease

import (
	"hash/fnv"

	"github.com/vigiaguard/vigia"
)

// ShardOf is the shard of an account: the 64-bit FNV-1a hash of its id, its
// halves folded together, modulo [vigia.Shards]. It must never change: processes
// of different versions share the leases.
func ShardOf(account vigia.AccountID) int {
	sum := fnv.New64a()
	// Writing to a hash never fails.
	_, _ = sum.Write([]byte(account))
	h := sum.Sum64()
	return int((h ^ h>>32) % vigia.Shards)
}
