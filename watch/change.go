package watch

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// What is one of the reads an account is known by.
type What uint8

// The reads.
const (
	// ReadRunning is the whole list of running isolated trades.
	ReadRunning What = iota
	// ReadAccount is the free balance and the fee tier.
	ReadAccount
	// ReadCross is the cross position.
	ReadCross

	reads = 3
)

// String names the read.
func (w What) String() string {
	switch w {
	case ReadRunning:
		return "running"
	case ReadAccount:
		return "account"
	case ReadCross:
		return "cross"
	}
	return "what?"
}

// Change is what a sighting changed.
type Change struct {
	Account vigia.AccountID
	// Snapshot is what stands now; nil while nothing was ever seen.
	Snapshot *vigia.Snapshot
	// Taken says that something of the sighting is in the snapshot now, be it
	// only that things still are as they were.
	Taken bool
	// Added and Changed are the subjects that are new, and those that differ in
	// more than their profit.
	Added, Changed []vigia.Subject
	// Vanished were running before and are no longer.
	Vanished []Gone
	// Stale are subjects whose sighting was older than what is known, Doubted
	// those that showed what no event of the exchange explains.
	Stale, Doubted []vigia.Subject
	// Wanted are the reads that would settle what this one left open.
	Wanted []Wanted
}

// Gone is a trade that is no longer running.
type Gone struct {
	// Seen is how it was last seen running.
	vigia.Seen
	// By is how it ended, where that was said; a list only lacks it.
	By vigia.EndedBy
}

// Wanted is a read asked for, not before At; zero is at once.
type Wanted struct {
	What What
	At   time.Time
}

// Event is what a private stream tells. It carries no snapshot: it says what
// ended, and what to read again.
type Event struct {
	Kind EventKind
	// Trade is empty for events of the cross position and the wallet.
	Trade vigia.TradeID
	// At is when it reached this machine.
	At time.Time
}

// EventKind is what happened.
type EventKind uint8

// The kinds of events (reference 6.1).
const (
	EventOpened EventKind = iota + 1
	EventFilled
	EventClosed
	EventStopped
	EventTookProfit
	EventLiquidated
	EventCanceled
	EventFunded
	EventCross
	EventWallet
)

// endings are the kinds after which a trade never runs again. Who closed an
// EventClosed is not said.
var endings = map[EventKind]vigia.EndedBy{
	EventClosed: "", EventCanceled: "",
	EventStopped:    vigia.EndedStopped,
	EventTookProfit: vigia.EndedTookProfit,
	EventLiquidated: vigia.EndedLiquidated,
}

// asks are the reads an event calls for.
func (k EventKind) asks() []Wanted {
	switch k {
	case EventOpened, EventCanceled, EventWallet:
		return []Wanted{{What: ReadAccount}}
	case EventCross:
		return []Wanted{{What: ReadCross}, {What: ReadAccount}}
	}
	return []Wanted{{What: ReadRunning}, {What: ReadAccount}}
}

// Answer is the success of an action: it carries the trade as the action left
// it.
type Answer struct {
	// Begun is when the request was sent, At when it was answered. At is the
	// version of what it shows, because the action happened in between: a read
	// begun earlier may not know of it, a read begun later does.
	Begun, At time.Time
	Lane      vigia.Lane
	Trade     vigia.Trade
}

// differs compares what rules look at: a profit that moves with the price is no
// change, and an instant is the same however it is written.
func differs(a, b *vigia.Trade) bool {
	x, y := *a, *b
	x.PL, y.PL = 0, 0
	x.CreatedAt, y.CreatedAt = time.Time{}, time.Time{}
	x.FilledAt, y.FilledAt = time.Time{}, time.Time{}
	return x != y
}

// crossDiffers is differs for the cross position.
func crossDiffers(a, b vigia.CrossPosition) bool {
	a.TotalPL, b.TotalPL, a.DeltaPL, b.DeltaPL = 0, 0, 0, 0
	return a != b
}
