// Package paper is an exchange on paper: LN Markets' isolated trades with the
// exchange's own arithmetic, a wallet, funding, a double-entry ledger and the
// sources its price comes from. Paper accounts and drills run on it, and every
// test of the guard trades against it.
//
// # The engine
//
// [Engine] is one value behind one lock. Calls of any goroutine are taken one
// at a time, in an order; each either changes nothing and answers a [*Refusal]
// with the exchange's code, text and HTTP status, or happens wholly. Nothing in
// it waits, but for the disk when the engine has a file. Reads share the lock
// among themselves and copy what they answer.
//
// The market moves when it is told to: [Engine.Tick] gives it the last price
// and the market time, which is the only time the engine knows: funding is
// settled, candles are kept and trades are stamped by it. Wall time (signatures,
// rate limits) is the business of whoever serves the engine.
//
// Within a tick, limits fill first in the order of their making, then trailing
// stops follow the price, then stop-losses, take-profits and liquidations
// happen, the nearest to the old price first; a stop at the price of the
// liquidation comes before it. Prices that nothing waits for cost a comparison.
//
// # Money
//
// The arithmetic is the root package's; this package has no formula of its own.
// Every operation is posted to the [Ledger] and must balance; wallets and
// margins are never negative. An operation that breaks this is a fault of the
// program: it answers an [*InvariantError] with both sides, and from then on
// the engine refuses everything.
//
// # What was answered is kept
//
// An engine made with [Load] writes each change to its file and has it on the
// disk before it answers; a kill at any moment loses nothing that was answered.
// See [Load] for the file.
//
// # Being told
//
// What the exchange's stream reports is handed to the functions given to
// [Engine.Listen], in order, after it is on the disk and before the call that
// caused it returns.
//
// # The surface
//
// [Server] speaks LN Markets REST v3 and Stream v1 for an engine: the calls are
// lines of one table, and are answered by the goroutines of whoever serves it
// ([Serve]). It goes by the wall clock it is given and never blocks the engine:
// what a socket does not read in time ends the socket. Its faults make it
// misbehave, repeatably; its request log says of each write what became of it.
// [NewAdmin] is the operator's side of it, [Runner] moves the price at the speed
// of the wall clock and lets drills take it over. docs/paper.md has the routes.
package paper
