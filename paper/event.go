package paper

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// EventKind is what the exchange's stream calls a private event of an isolated
// trade (reference 6.1). Add-margin, cash-in and edits of stops have none.
type EventKind string

// The events there are.
const (
	EventOpen        EventKind = "open"
	EventFilled      EventKind = "filled"
	EventClosed      EventKind = "closed"
	EventStopLoss    EventKind = "stoploss"
	EventTakeProfit  EventKind = "takeprofit"
	EventLiquidation EventKind = "liquidation"
	EventCanceled    EventKind = "canceled"
	EventFunding     EventKind = "funding"
)

// Event is one thing that happened to a trade.
type Event struct {
	Account vigia.AccountID
	Kind    EventKind
	// Trade is the trade after it, Type the order it began as.
	Trade vigia.Trade
	Type  OrderType
	// Fee is what a funding settlement took, negative when it paid.
	Fee vigia.Sats
	// At is the market time, to the millisecond.
	At time.Time
}

// Listen hands every event from now on to the function, in order, before the
// call that caused it returns and outside the engine's lock: the function may
// read the engine, and must not change it.
func (e *Engine) Listen(sink func(Event)) {
	e.telling.Lock()
	defer e.telling.Unlock()
	e.sinks = append(e.sinks, sink)
}

// said is an event and the record that must be on the disk before it is told.
type said struct {
	record uint64
	event  Event
}

func (e *Engine) say(kind EventKind, t *trade, at time.Time, fee vigia.Sats) {
	if e.replaying {
		return
	}
	e.unsaid = append(e.unsaid, said{record: e.records, event: Event{
		Account: t.owner.ID, Kind: kind, Trade: t.Trade, Type: t.kind, Fee: fee, At: at,
	}})
}

// tell delivers what belongs to records up to the one that is on the disk.
func (e *Engine) tell(record uint64) {
	e.telling.Lock()
	defer e.telling.Unlock()
	e.mu.Lock()
	ready := 0
	for ready < len(e.unsaid) && e.unsaid[ready].record <= record {
		ready++
	}
	events := e.unsaid[:ready:ready]
	e.unsaid = e.unsaid[ready:]
	e.mu.Unlock()
	for _, s := range events {
		for _, sink := range e.sinks {
			sink(s.event)
		}
	}
}
