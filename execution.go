package vigia

import "time"

// ExecutionState is where an execution stands.
type ExecutionState string

// The states of an execution.
const (
	ExecutionSkipped ExecutionState = "skipped"
	ExecutionDryRun  ExecutionState = "dry_run"
	// ExecutionRequested waits for the guard to begin it.
	ExecutionRequested ExecutionState = "requested"
	// ExecutionIntent is committed; the call may be on its way.
	ExecutionIntent ExecutionState = "intent"
	// ExecutionUnknown was not answered; it holds its sats.
	ExecutionUnknown ExecutionState = "unknown"
	ExecutionDone    ExecutionState = "done"
	ExecutionFailed  ExecutionState = "failed"
	// ExecutionSuperseded says that the goal stood already.
	ExecutionSuperseded ExecutionState = "superseded"
	// ExecutionGone says that the subject had ended.
	ExecutionGone ExecutionState = "gone"
)

// Settled says whether nothing more is to come.
func (s ExecutionState) Settled() bool {
	switch s {
	case ExecutionRequested, ExecutionIntent, ExecutionUnknown:
		return false
	}
	return true
}

// ErrorClass says whose failure it was.
type ErrorClass string

// The classes.
const (
	AppError      ErrorClass = "app_error"
	ExchangeError ErrorClass = "exchange_error"
)

// CommandExpires is how long a requested execution may wait to be begun.
const CommandExpires = 30 * time.Second

// Execution is a decision carried out, or a person's request to be.
type Execution struct {
	ID         ExecutionID    `json:"id"`
	Owner      UserID         `json:"owner"`
	Account    AccountID      `json:"account"`
	Automation AutomationID   `json:"automation,omitempty"`
	Subject    Subject        `json:"subject"`
	Action     Action         `json:"action"`
	State      ExecutionState `json:"state"`
	Reason     Reason         `json:"reason"`
	Step       int            `json:"step"`
	// Amount is what goes into the trade; Cost what was held for it and, once
	// settled, what the wallet really lost.
	Amount Sats  `json:"amount_sats"`
	Cost   Sats  `json:"cost_sats"`
	Stop   Price `json:"stop_usd,omitempty"`
	// Last is the price the decision was made at.
	Last    Price `json:"last_usd,omitempty"`
	Partial bool  `json:"partial,omitempty"`
	// Command is the request this execution carries out, Replaces the unknown
	// one whose claim it took.
	Command  ExecutionID `json:"command,omitempty"`
	Replaces ExecutionID `json:"replaces,omitempty"`
	// Before is the trade as it was at the intent: what a later read is
	// compared with.
	Before Trade `json:"before,omitzero"`
	// After is the trade as the exchange last showed it.
	After Trade `json:"after,omitzero"`
	// Signature is of the request that was sent: one request, one execution.
	Signature string `json:"signature,omitempty"`
	// TickAt is the arrival of the price that made it due, SignedAt the time in
	// the request's signature, SentAt the moment the request left.
	TickAt     time.Time `json:"tick_at,omitzero"`
	CreatedAt  time.Time `json:"created_at"`
	SignedAt   time.Time `json:"signed_at,omitzero"`
	SentAt     time.Time `json:"sent_at,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	SettledAt  time.Time `json:"settled_at,omitzero"`
	// Class, Detail and Raw keep a failure: whose it was, what was said, and
	// the exchange's answer as it came.
	Class  ErrorClass `json:"class,omitempty"`
	Detail string     `json:"detail,omitempty"`
	Raw    []byte     `json:"raw,omitempty"`
	// Fence is the lease under which it was begun.
	Fence Fence `json:"fence,omitzero"`
	// MayRepeat says that two agreeing reads saw nothing of an unknown: a
	// further attempt may start with this one counted as spent.
	MayRepeat bool `json:"may_repeat,omitempty"`
}

// TickToWire is the time from the tick that made it due to the request leaving.
func (e *Execution) TickToWire() time.Duration {
	if e.TickAt.IsZero() || e.SentAt.IsZero() {
		return 0
	}
	return e.SentAt.Sub(e.TickAt)
}

// Order is what a call is asked to do: the part of a decision that the exchange
// needs.
type Order struct {
	Account AccountID
	Action  Action
	Trade   TradeID
	Amount  Sats
	Stop    Price
}

// PreparedCall is a request signed and ready: what is committed with the intent
// is exactly what is sent.
type PreparedCall struct {
	Order     Order
	Method    string
	Path      string
	Body      []byte
	SignedAt  time.Time
	Signature string
	// Header is the signed header of the request.
	Header map[string][]string
}

// CallOutcome is what is known of a call after it was sent once.
type CallOutcome uint8

// The outcomes of a call.
const (
	// CallUnknown: no answer that tells. Never treated as failed.
	CallUnknown CallOutcome = iota
	// CallDone: executed; the answer carries the trade.
	CallDone
	// CallRefused: the exchange answered that it did not execute.
	CallRefused
	// CallUnsent: provably not sent, or sent and known not to be executed
	// (429, the known 503).
	CallUnsent
)

// CallResult is the answer to a prepared call.
type CallResult struct {
	Outcome CallOutcome
	// Trade is set when done.
	Trade Trade
	// Code and Message are the exchange's, Raw its answer as it came.
	Code    string
	Message string
	Raw     []byte
	// Err is the cause where there was one.
	Err        error
	SentAt     time.Time
	AnsweredAt time.Time
	// RetryAfter is the wait the exchange asked for.
	RetryAfter time.Duration
}
