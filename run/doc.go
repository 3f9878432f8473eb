// Package run starts, stops and drains whatever works in the background. It
// knows no business word: cmd wraps what the other packages do in a [Worker],
// puts the workers in a [Group] in the order in which they need one another,
// and starts and stops the group.
//
// # One lifecycle
//
//	           Start                    Stop, the parent's end, or the work's own
//	idle ────────────────► running ─────────────────► stopping
//	 ▲                      │  ▲                          │
//	 │                      └──┘ failed and Restarting:   │ in-flight work done,
//	 │                           wait, then again         │ or cut off after the patience
//	 └────────────────────────────────────────────────────┘
//	               Ended is closed, Err says why
//
// Every [Service] may be started and stopped twice, in any order, from any
// goroutine; package runtest holds the test that every service passes.
//
//   - Start of a running service does nothing. Start of a stopping one waits for
//     the end and starts anew. Start under a context that is done refuses.
//   - Stop of an idle service does nothing. Otherwise it returns when the
//     service has ended, however long that takes: the limit is the worker's own
//     patience, and work that ignores both of its contexts is a bug that
//     [Group.Waiting] names. A service must not call its own Stop: it returns.
//   - The end of the context given to Start is a stop like any other, in the
//     same order.
//
// # Two contexts
//
// What takes work in and what works are stopped apart. [Draining] hands its
// function both: the first ends when the service is told to stop, with
// [ErrStopped] or the parent's cause, and means "take nothing new"; the second
// goes on, so that what is in flight can finish, and is cut off with
// [ErrUnfinished] once the patience has passed. Whatever the parent does, the
// second context is never cut off before.
//
// # Failure
//
// To be told to stop is not a failure: an error that is nothing but the cause of
// the stop, or [context.Canceled], counts as nil once the service was told.
// Everything else is one: an error, a panic ([PanicError], with its stack), a
// call of runtime.Goexit, and also the return of nil by a worker that nobody
// told ([ErrEnded]), because a guard that ends in silence is the worst of them.
// Only a worker made with [MayEnd] may do that. A failure reaches its service's
// Err as a [*Failure] with the service's name and the cause in its chain.
//
// A worker made with [Restarting] begins again after a failure, with back-off,
// and says each one; any other failure brings the group down: the rest is
// stopped in reverse order, and the group's Err leads with the failure that
// began it, followed by what went wrong in stopping.
//
// # Order
//
// A group starts its services one after the other and stops them one after the
// other in reverse, each wholly ended before the next is told. Put first what
// the others need to finish their work: the recorder before the guard, the guard
// before the feed, the feed before the listeners. A group is a service, so that
// groups nest. When one service cannot start, those before it are stopped, and
// Start returns why.
package run
