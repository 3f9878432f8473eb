// Package replay runs the rules over prices that were: the same decide code, the
// paper exchange's engine, no clock and no network.
//
// A [Player] plays in lock-step. Each price first happens on the exchange: what is
// liquidated, stopped or filled there is, and funding is settled. Then every account
// whose next due price or time was passed, or whose trades the exchange touched, is
// decided, and what it decides is done at that very price, until nothing is left to
// do. Dry runs decide on the same facts and touch nothing; one whose real trade ends
// is kept as a [Shadow]. The same prices, rules and trades give the same decisions
// and results, on every machine.
//
// # Prices in between
//
// Walking every half dollar, a rule acts at the first price at which its condition
// holds. Prices at which nothing has to be done can be left out and no decision
// changes. Where they are not known, as between the corners of a candle, a rule acts
// at the end of the step in which it would have acted: later and at a worse price,
// or too late, since what the step passes on the exchange, a liquidation or a stop,
// has happened before. For the first act on a trade that is alone in its wallet that
// is exact; everything after builds on it. A step that the walk would go through
// with several acts gets those that its end still asks for.
//
// # Its limits
//
// Calls succeed at once and at the price they were decided at, less the spread:
// what latency, refusals and outages do is for the guard's own tests. A stop the
// exchange does not take is the one refusal there is ([Refusal]).
//
// It cannot trade anywhere else: the engine in memory is the only exchange it is
// given.
package replay
