// Package watch keeps what is seen of the market and of the accounts, and says
// what that makes due. It reads and trades nothing by itself: prices, reads and
// events are handed to it, and so is what was read.
//
//	stream, REST ──► Feed ──Tick──► Book ──due keys──► (guard)
//	polls, answers, events ──► Snapshots ──Change──► (guard)
//	                 ▲
//	Schedule ──what to read next──► (guard)
//
// # The parts
//
// [Book] holds the prices and times at which subjects become due, a million and
// more, under keys that [Handles] gives out. [Snapshots] holds one immutable
// [vigia.Snapshot] per account and merges every sighting into the next one.
// [Feed] holds the one price everything is judged by and knows how old it is.
// [Schedule] says which account to read next.
//
// # Ordering
//
// Due is a hint to look, never a fact: an entry that pops is disarmed, whoever
// owns it decides from fresh facts and arms it again. Popping twice or too early
// costs one look; popping too late cannot happen, because Arm says when the last
// tick stands beyond its prices already. Sightings may arrive in any order: of
// two, the one whose request was begun later counts. A feed gives out its ticks
// and its news one at a time, in the order in which it took them.
//
// # Blocking
//
// Everything may be used from any goroutine. Nothing in here waits for the
// network while it holds a lock. [Snapshots.Of] and [Feed.Market] take no lock
// at all. A callback of a feed runs in the goroutine that brought the price, so
// it must not block and must not call back into the feed, except Market.
//
// # Failure
//
// A read that fails changes nothing: the sighting grows older, and its age is
// for everybody to see. The exchange is the truth; what was stored before the
// program last started is marked provisional and gives way to any read.
//
// # Time
//
// Ages count the larger of wall and monotonic time ([vigia.Age]), so that a
// machine that slept was not fresh, and a clock set back makes nothing young.
package watch
