// Package lease says who may act for which shard of accounts now.
//
// Accounts hash to [vigia.Shards] shards ([ShardOf]). For each there is a lease in
// the store: a holder, an epoch that moves when the holder changes, and a beat
// that moves while the holder lives. The [Keeper] of a process takes what nobody
// holds, renews what it has, and notices what it lost.
//
//	free ──Take──► held ──renewed──► held
//	  ▲              │ not renewed for less than a term: not trusted
//	  └──Release─────┤
//	                 └ beat stands still for a term: another process takes it
//
// # What holds
//
// A lease is trusted for less than its term, counted from the moment its renewal
// was asked for, by the larger of wall and monotonic time: a machine that slept
// trusts nothing it held. Another holder is judged dead when its beat has not
// moved for a whole term by this process's own clock, the time between two looks
// counted as at most the pause that was meant to be there. So with clocks that
// run equally fast, two processes never trust the same lease. With clocks that
// do not, or a process frozen between asking and writing, the epoch decides: the
// store refuses every write under an old one. A lease is advice about who should
// act; the fence in the store is what holds.
//
// # Blocking and failure
//
// [Keeper.Held] never blocks. A store that does not answer ends trust after the
// term and nothing else; the keeper goes on asking. When its context ends the
// keeper stops trusting, then releases what it had, so that the next process
// need not wait.
//
// # One file, one process
//
// On an SQLite file a second process stands by at a [FileLock], which the
// operating system takes from a dead process at once. Its holder knows that
// nobody else lives and takes every lease without waiting (Options.Alone).
package lease
