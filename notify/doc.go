// Package notify tells people what the guard did, and tells an outsider that the
// guard is alive. It stands beside the guard and never in its way: it reads what
// was committed, in goroutines of its own, with time-outs of its own.
//
//	outbox ──► Drain ──┐
//	                   ├──► Channel ──► ntfy, Telegram, Discord, mail, a webhook …
//	guard ───► Direct ─┘
//	guard ◄─── Heartbeat ──► a URL that misses us when we are gone
//
// # Channels
//
// A [Channel] is one address to send to, given as a URL in the words of
// shoutrrr. The URL holds tokens: it is a [vigia.Secret], and no error, log line
// or printed Channel shows any of it. The libraries underneath put URLs into
// their errors, so that those errors end here: what travels on is a [SendError]
// with one of a few named kinds and the server's status.
//
// [Channel.Send] returns when the message was taken, was refused, or its time is
// over. Some services cannot be interrupted: such a send is left behind, and may
// still succeed later; when several hang, the channel says [ErrStuck] at once
// until one of them ends. They use http.DefaultClient, which waits for ever as Go
// comes: the program gives it a time-out before it opens channels.
//
// # From the outbox
//
// A [Drain] reads the committed events behind its consumer's cursor and sends
// them in their order, each at least once: the cursor moves on only behind what
// was said, so that a crash repeats a message rather than losing it. A failed
// send is tried again with back-off, for ever, and nothing but the channel's own
// messages waits for it. One incident is one message: what repeats within
// [Policy].Quiet is gathered and said once more at its end, with "and 12 more
// like it"; what goes beyond [Policy].Most is gathered by its kind. A worse level
// breaks through both. What is older than [Policy].Old when it is first read is
// counted, not recited.
//
// # Without a database
//
// [Direct] says what the outbox cannot carry, that the store is down above all:
// each cause once, and once when it is over. Its methods never block and keep one
// entry per cause.
//
// # Proof of life
//
// A [Heartbeat] asks for a URL at every period in which the guard really is
// alive, and only then. The silence of the process is the alarm; whoever watches
// the URL raises it.
//
// Nothing in here returns an error for a dead channel: it is logged once when it
// begins and once when it is over, counted, and shown by Health.
package notify
