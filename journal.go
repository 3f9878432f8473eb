package vigia

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// JournalEntry is one link of a chain of the journal.
type JournalEntry struct {
	// Chain is the scope: "account:ID", "user:ID" or "system".
	Chain string    `json:"chain"`
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	// Canonical is the bytes the hash is over: version byte, sequence,
	// microseconds, kind, salted digest of the payload, previous hash.
	Canonical []byte `json:"canonical"`
	Hash      []byte `json:"hash"`
	// Payload and Salt lie beside: deleting them does not break the chain.
	Payload []byte `json:"payload,omitempty"`
	Salt    []byte `json:"salt,omitempty"`
}

// JournalHead is the end of a chain: what is published outside.
type JournalHead struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Hash  []byte `json:"hash"`
}

// Level is how loud an event is.
type Level uint8

// The levels.
const (
	LevelInfo Level = iota + 1
	LevelWarning
	LevelCritical
)

// String prints the level.
func (l Level) String() string {
	switch l {
	case LevelInfo:
		return "info"
	case LevelWarning:
		return "warning"
	case LevelCritical:
		return "critical"
	}
	return "level?"
}

// EventKind names what happened.
type EventKind string

// The kinds of events.
const (
	EventRescued     EventKind = "rescued"
	EventClosed      EventKind = "closed"
	EventFailed      EventKind = "failed"
	EventUnknown     EventKind = "unknown"
	EventSettled     EventKind = "settled_late"
	EventDryRun      EventKind = "dry_run_fired"
	EventDryEnded    EventKind = "dry_run_ended"
	EventStopSet     EventKind = "stop_set"
	EventStopRemoved EventKind = "stop_removed"
	EventLimit       EventKind = "limit_reached"
	EventTrueWhen    EventKind = "true_when_armed"
	EventUnprotected EventKind = "unprotected"
	EventVanished    EventKind = "vanished"
	EventBlind       EventKind = "blind"
	EventSighted     EventKind = "sighted"
	EventKeyRefused  EventKind = "key_refused"
	EventClock       EventKind = "clock_off"
	EventStopped     EventKind = "stopped"
	EventHalted      EventKind = "halted"
	EventProved      EventKind = "proved"
	EventStore       EventKind = "store_down"
	EventSlept       EventKind = "machine_slept"
	EventNotify      EventKind = "step_notified"
)

// Event is one row of the outbox: committed with the fact it tells of.
type Event struct {
	// Cursor is given by the drainer; 0 until then.
	Cursor  int64     `json:"cursor"`
	At      time.Time `json:"at"`
	Owner   UserID    `json:"owner"`
	Account AccountID `json:"account,omitempty"`
	Subject Subject   `json:"subject,omitzero"`
	Kind    EventKind `json:"kind"`
	Level   Level     `json:"level"`
	// Incident groups what has one cause: one message each.
	Incident string    `json:"incident,omitempty"`
	Facts    EventData `json:"facts"`
}

// EventData is what the message is made of; what does not apply is zero.
type EventData struct {
	AccountLabel      string        `json:"account_label,omitempty"`
	Network           Network       `json:"network,omitempty"`
	Automation        string        `json:"automation,omitempty"`
	Execution         ExecutionID   `json:"execution,omitempty"`
	Side              Side          `json:"side,omitempty"`
	Quantity          USD           `json:"quantity_usd,omitempty"`
	Last              Price         `json:"last_usd,omitempty"`
	LiquidationBefore Price         `json:"liquidation_before_usd,omitempty"`
	LiquidationAfter  Price         `json:"liquidation_after_usd,omitempty"`
	Stop              Price         `json:"stop_usd,omitempty"`
	Amount            Sats          `json:"amount_sats,omitempty"`
	Cost              Sats          `json:"cost_sats,omitempty"`
	PL                Sats          `json:"pl_sats,omitempty"`
	Held              Price         `json:"held_to_usd,omitempty"`
	Reason            Reason        `json:"reason,omitempty"`
	Action            Action        `json:"action,omitempty"`
	DryRun            bool          `json:"dry_run,omitempty"`
	TickToWire        time.Duration `json:"tick_to_wire_ns,omitempty"`
	Detail            string        `json:"detail,omitempty"`
}

// String prints a head as CHAIN@SEQ:HASH, the form in which it is published.
func (h JournalHead) String() string {
	return fmt.Sprintf("%s@%d:%x", h.Chain, h.Seq, h.Hash)
}

// ParseJournalHead reads what String prints.
func ParseJournalHead(text string) (JournalHead, error) {
	wrong := fmt.Errorf("%q is not a journal head: CHAIN@SEQ:HASH", text)
	at, colon := strings.LastIndexByte(text, '@'), strings.LastIndexByte(text, ':')
	if at <= 0 || colon < at {
		return JournalHead{}, wrong
	}
	seq, err := strconv.ParseInt(text[at+1:colon], 10, 64)
	if err != nil || seq < 0 {
		return JournalHead{}, wrong
	}
	hash, err := hex.DecodeString(text[colon+1:])
	if err != nil || len(hash) != sha256.Size {
		return JournalHead{}, wrong
	}
	return JournalHead{Chain: text[:at], Seq: seq, Hash: hash}, nil
}
