// Package record is the only SQL of Vigia and the owner of every transaction.
//
// One set of queries runs on an SQLite file and on PostgreSQL. Rows go in and
// out as types of the root package; nothing of a database is seen outside.
//
// # What a call promises
//
// Every method is one transaction: all of it was written when it returns nil,
// and nothing of it when it returns an error, unless the server died while it
// answered a commit. Times are kept in UTC microseconds; one reading of the
// clock stamps a whole transaction. Methods that take an owner see that owner's
// rows only and answer [vigia.ErrNotFound] for all others.
//
// # The guard's transactions
//
//	requested ──Intend──► intent ──Settle──► done, failed, superseded, gone
//	    │                    └────Settle──► unknown ──Settle──┘
//	    └──Expire, Settle──► skipped, gone
//
// [Store.Intend] commits the fence, the claim, the reserve and the intent before
// anything is sent; [Store.Settle] commits what became of it. A fence that another
// process has moved makes every guard write fail with [vigia.ErrFenced], but
// settlements: a late answer is a fact. A second settlement writes nothing and is
// answered from what stands.
//
// # Order and blocking
//
// On SQLite one connection writes. A gate before it lets intents and settlements
// first, in the order they came, then everything else; what waits leaves when
// its context ends. Readers have connections of their own and never wait for the
// writer. On PostgreSQL the guard and the rest have a pool each, rows are locked
// in one order (shards, then chains, each ascending), and a transaction that
// loses a deadlock is run again.
//
// # Failure
//
// A store that cannot be written (full disk, lost server, file not writable)
// answers with a [vigia.Error] of code unavailable whose message is one sentence
// for people and whose cause is the engine's. A schema newer than the program is
// refused by Open.
//
// # The journal
//
// Whatever is decided to be done or was done appends an entry to the chain of
// its account in the same transaction; see [Store.Verify] and journal.go for the
// bytes. Payloads lie beside the chain and can be deleted without breaking it.
package record
