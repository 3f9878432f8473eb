package vigia

import (
	"encoding/json"
	"time"
)

// Decided is what one pass over an account leaves to be kept, in one
// transaction: its decisions, what the rules remember, what a dry run would have
// done, and what is told.
type Decided struct {
	Fence     Fence
	Owner     UserID
	Account   AccountID
	Decisions []Decision
	States    []AutomationState
	// Executions are of state skipped or dry_run: no call follows from them.
	Executions []Execution
	Events     []Event
}

// JournalCheck is what verifying the journal found.
type JournalCheck struct {
	// Entries were looked at.
	Entries  int64         `json:"entries"`
	OK       bool          `json:"ok"`
	FirstBad *JournalFault `json:"first_bad,omitempty"`
}

// JournalFault names the first bad entry of a chain.
type JournalFault struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Why   string `json:"why"`
}

// ProcessStatus is what a guard process last wrote about itself.
type ProcessStatus struct {
	Process string          `json:"process"`
	At      time.Time       `json:"at"`
	Status  json.RawMessage `json:"status"`
}
