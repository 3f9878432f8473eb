// Package decide says what an account's rules want now, and when that changes.
//
// It is pure: facts in, decisions and new state out. There is no clock, no
// context, no I/O and no memory between calls; the same facts give the same
// decisions, which is why the guard, dry runs, the paper exchange and replay
// cannot differ.
//
// # One call, one account
//
// [Decide] looks at all automations and trades of one account together, because
// they share one wallet. The order on one subject is fixed: what holds everything
// back (halt file, stop mode, the key), a person's commands, then the margin
// guards, then alerts. Live automations are decided first, together; each dry run
// alone, on the real trade plus its own shadow margin.
//
// Every automation and subject gets exactly one decision: an action, or one of a
// closed list of reasons for doing nothing; a notify step that speaks adds one of
// its own, and a dry run says at a liquidation how far it would have held. Those
// that act come first, rescues before stops, in the order the money was given out.
// An action is a wish: the caller commits its intent, and decides again from facts
// that include the reserve it took. Decisions made together are consistent under
// that: carrying out the first leaves the others as they were, or better.
//
// # Money
//
// What a rule may spend is the least of its limits and of the free balance, which
// is the last read less every reserve held or spent since that read began. A
// balance never read is not an empty one: nothing is decided by it, and nothing is
// closed for being short by one that is not fresh. A rescue takes the whole target
// or what if_short says. Among trades with
// add_what_there_is all come up to survival (trigger + hysteresis) before one is
// brought to its target.
//
// # When
//
// [NextDue] gives, per subject, the nearest prices below and above and the first
// time at which a decision can change, all else equal. It may be early, never
// late. The freshness of the price is not in it: the feed says when it goes blind.
//
// [Held] runs the same rules along a straight path and says where each trade
// first ends: the largest number on the screen.
package decide
