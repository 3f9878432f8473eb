// Package act carries a decision out: the request signed, the reserve and the
// intent committed, the call sent once, what came back settled.
//
//	decision
//	   │ Prepare: rate token taken, request signed
//	   ▼
//	[intent]  one transaction: fence, claim, reserve, execution, journal
//	   │ Send: exactly these bytes, exactly once
//	   ▼
//	answered ──done──► [done]     reserve spent by what really went
//	   │     ──refused─► [failed]  reserve released, exchange_error
//	   │     ──unsent──► [failed]  reserve released, app_error
//	   └─ no answer ──► [unknown]  reserve held
//	                       │ Reconcile: later reads of the trade
//	                       ├─ seen ───────────────► [done]
//	                       ├─ goal stands, safe to repeat ► [superseded]
//	                       ├─ trade ended ────────► [gone]
//	                       ├─ two agreeing reads show nothing ► may be repeated
//	                       └─ and one of them was begun after the exchange must
//	                          refuse the timestamp ► [failed]
//
// # What is promised
//
// Nothing is sent whose intent was not committed, and nothing is sent twice: a
// restart finds the intent and reconciles it, it never sends it. A settlement is
// a fact and is written whoever holds the shard by then; everything else the guard
// writes is fenced.
//
// # Blocking
//
// [Actor.Begin] waits for a rate token and a commit; commits are grouped: the
// first waits for nobody, those that arrive meanwhile share the next one, up to
// 64. [Actor.Call] waits for the exchange, at most its time-out, and is not cut off
// by a stop; [Actor.Settle] waits for a commit as Begin does.
package act
