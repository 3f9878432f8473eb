package vigia

// Kept is what the guard's turns leave behind besides their intents: written in
// one transaction, under one fence.
type Kept struct {
	Fence Fence
	// Decisions are kept where action or reason differ from the last one of the
	// automation and subject. Without ID and At they get them.
	Decisions []KeptDecision
	// States take the place of the old ones, of rules that still exist.
	States []AutomationState
	// Executions are of state skipped or dry_run: no call follows from them.
	Executions []Execution
	Events     []Event
	// Forget are subjects that ended: what rules remember of them goes.
	Forget []Forgotten
}

// Forgotten is a subject of an account that ended.
type Forgotten struct {
	Account AccountID
	Subject Subject
}

// Memory is what the record knows of one account, read at one moment.
type Memory struct {
	Account     Account
	Automations []Automation
	States      []AutomationState
	// Reserves are those held, those spent within 24 hours, and those ever
	// spent on a trade that was running when it was last seen.
	Reserves  []Reserve
	Unsettled []Execution
	// SettledAdds are our adds that were settled as done since the oldest
	// unsettled one was signed.
	SettledAdds []Execution
	// Snapshot is the last one stored, provisional; nil when there was none.
	Snapshot *Snapshot
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
