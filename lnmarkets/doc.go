// Package lnmarkets is a Go SDK of LN Markets REST v3 and Stream v1, made for
// programs that move money: what was sent, what was answered and what is not
// known are told apart, always.
//
// # Who does what
//
// [Public] makes the calls that need no key, [Client] those of one key, [Stream]
// keeps one socket alive. [Calls] lists every call with its path, its scope and
// whether it is safe to repeat. Words of the wire (wire.go, frame.go, event.go)
// are exported, so that a simulator can speak them; they become words of package
// vigia, and back, in convert.go only.
//
// # What a failed call means
//
// Every failure of a call is an [*Error] with an outcome: CallRefused (the
// exchange answered that it did not execute), CallUnsent (nothing was written to
// any connection, or the exchange said that it executed nothing: 429 and the
// known 503) or CallUnknown, which is everything else. Unknown is never failed: a
// call that is not safe to repeat is then not sent again, and whoever made it
// must look at the exchange.
//
// Reads, and writes that are safe to repeat, are tried up to three times. A
// repeated write that is refused, after an attempt nobody answered, stays
// unknown: it is done or gone.
//
// [Client.Prepare] and [Client.Send] are the way of the guard: a call is signed,
// recorded elsewhere, and then sent exactly once, byte for byte, without any
// retry, redirect or silent second send by net/http.
//
// # Budgets
//
// Every call takes a token of a [Budget] first and blocks until there is one or
// its context ends: per key 5 a second, for the public calls 1 a second for the
// whole process, both adjustable. Actions go ahead of reads, and reads leave the
// last two tokens alone. Retry-After and RateLimit headers are obeyed.
//
// # Time
//
// Nothing here reads the machine's clock: everything waits and stamps with the
// vigia.Clock it was given. Signatures carry that time corrected by an [Offset],
// which is measured with GET /time.
//
// # Concurrency
//
// Public, Client, Budget, Offset and Stream may be used from many goroutines. Only
// [Stream.Run] starts goroutines that outlive a call, and it returns after they
// have ended.
package lnmarkets
