// Package replay runs the rules over prices that were: the same decide code, the
// paper exchange's engine, no clock and no network.
//
// A [Player] plays in lock-step. Each price first happens on the exchange: what is
// liquidated, stopped or filled there is. Then every account whose next due price
// or time was passed is decided, and what it decides is done at that very price,
// until nothing is left to do. Dry runs decide on the same facts and touch nothing.
//
// It cannot trade anywhere else: the engine in memory is the only exchange it is
// given.
package replay
