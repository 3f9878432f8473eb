// Package guard is the loop that must never stop: for each due subject, fresh
// facts, a decision, at most one unsettled call per lane, a settlement by goal,
// and a decision again.
//
//	tick ─► watch.Book ─► due ┐
//	reads, stream events ─────┤         one account at a time          side by side
//	commands, settings ───────┼─► turn: facts ─► decide ─► act.Begin ─► act.Call ─► settle
//	a call settled ───────────┘            ▲                                         │
//	                                       └─────────────────────────────────────────┘
//
// It is level-triggered: nothing that makes an account due says what to do, it
// only says to look. Starting, taking over, reconciling, retrying and commands are
// the same path, and losing any one of the signals costs time, never an action.
//
// # Ordering
//
// One account's decisions and intents are made one at a time, each from facts that
// include the reserve of the one before; the calls then run side by side. Of one
// subject and lane at most one call is unsettled, in memory and in the record.
//
// # Blocking
//
// A turn waits for a rate token and for its commit. It waits for no read, no
// answer, no other account, and for nothing that screens, mail or reports use:
// what is to be kept or told about a turn is handed to the keeper, which writes it
// behind.
//
// # Failure
//
// A store that cannot commit means no action: it is said by a way that needs no
// store, and tried again. A lost lease ends acting at the next intent, which the
// fence refuses. A call without an answer is unknown, holds its sats, and is
// reconciled by what later reads show. A panic in a turn is caught by the
// lifecycle that runs it and ends the process, which is safe: a restart finds
// every intent.
package guard
