package vigia

import "time"

// CodeLimit refuses an intent that would go beyond a limit.
const CodeLimit Code = "limit"

// Intent is what one transaction commits before a call is sent: the execution
// in state intent, its claim, its reserve, and the journal's entry of it.
type Intent struct {
	// Execution is the call as signed: ID, Owner, Account, Subject, Action,
	// Signature, SignedAt, Before and Fence are set. Its Cost is what is held.
	// With Command set, ID is the command's own: the requested row becomes the
	// intent. With Replaces set, the claim of that unknown execution is taken.
	Execution Execution
	// Counts takes one of the actions per hour.
	Counts bool
	// Ceiling, where given, is checked again inside the transaction. Nil for
	// what counts against no limit.
	Ceiling *Ceiling
	// States are saved with it: what the rule remembers from now on.
	States []AutomationState
	// Events are told with it.
	Events []Event
}

// Ceiling bounds what automations hold and have spent together, this intent
// included. NoLimit is no bound.
type Ceiling struct {
	// PerTrade bounds the subject in total.
	PerTrade Sats
	// PerDay bounds the account in the 24 hours before the intent.
	PerDay Sats
}

// Settlement is what became known of an execution.
type Settlement struct {
	Execution ExecutionID
	// From are the states it may be in; none means intent or unknown.
	From []ExecutionState
	// To is unknown, done, failed, superseded or gone.
	To ExecutionState
	// Cost is what the wallet really lost by it. Where To is done, or Cost is
	// not 0, the reserve is spent by it; else it is released. Unknown holds it.
	Cost Sats
	// After is the trade as the exchange last showed it.
	After      Trade
	SentAt     time.Time
	AnsweredAt time.Time
	// Reason, where set, takes the place of the execution's own.
	Reason    Reason
	Class     ErrorClass
	Detail    string
	Raw       []byte
	MayRepeat bool
	// States are saved with it, Events told with it.
	States []AutomationState
	Events []Event
	// Proved says that a write of ours succeeded: the account's proof is
	// renewed.
	Proved bool
}

// Settled is how an execution stands after a settlement.
type Settled struct {
	Execution Execution
	// Replayed says that it was settled already: nothing was written, and
	// Execution is what stands.
	Replayed bool
}

// KeptDecision is a decision as it is kept: when action or reason changed.
type KeptDecision struct {
	ID      string    `json:"id"`
	Owner   UserID    `json:"owner"`
	Account AccountID `json:"account"`
	At      time.Time `json:"at"`
	Decision
}

// SealedCredentials are credentials as they lie in the record: each sealed for
// its own column.
type SealedCredentials struct {
	Key        []byte
	Secret     []byte
	Passphrase []byte
}

// ShardLease is one row of the leases: who holds a shard, and its beat.
type ShardLease struct {
	Fence
	// Holder is empty while nobody holds the shard.
	Holder string
	// Beat moves while the holder lives.
	Beat int64
}
