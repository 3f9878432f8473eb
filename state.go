package vigia

import "time"

// AutomationState is what a rule remembers about one subject between decisions.
// It is a value: deciding returns a new one.
type AutomationState struct {
	Automation AutomationID `json:"automation"`
	Subject    Subject      `json:"subject"`
	// Armed is the automation's ArmedAt this state was made under; another one
	// means that trigger, scope or mode changed since.
	Armed time.Time `json:"armed"`
	// TrueWhenArmed has a bit per step whose condition was true already and
	// has neither been answered nor been left by the hysteresis.
	TrueWhenArmed uint32 `json:"true_when_armed,omitempty"`
	// Told has a bit per step that notified and has not cleared since.
	Told uint32 `json:"told,omitempty"`
	// LastAt, LastOutcome and LastPrice are of the last settled action.
	LastAt      time.Time     `json:"last_at,omitzero"`
	LastOutcome ActionOutcome `json:"last_outcome,omitempty"`
	LastPrice   Price         `json:"last_price,omitempty"`
	// OurStop is the level of the stop-loss we set on the trade; a stop-loss
	// with another level is somebody else's.
	OurStop Price `json:"our_stop,omitempty"`
	// StopRefused is the level at which the exchange last refused our stop: at
	// the trigger we close from here.
	StopRefused Price `json:"stop_refused,omitempty"`
	// Shadow is the dry run's own margin.
	Shadow Shadow `json:"shadow,omitzero"`
}

// ActionOutcome is how the last action on a subject ended, as far as deciding
// again needs it.
type ActionOutcome string

// The outcomes.
const (
	OutcomeDone    ActionOutcome = "done"
	OutcomePartial ActionOutcome = "partial"
	OutcomeFailed  ActionOutcome = "failed"
	// OutcomeRefused: the exchange refused the size; it is read again and
	// resized once without waiting.
	OutcomeRefused ActionOutcome = "refused"
	// OutcomeUnsent: nothing reached the exchange; tried again after UnsentWait.
	OutcomeUnsent ActionOutcome = "unsent"
)

// UnsentWait is the pause before what was provably not executed is tried again.
const UnsentWait = time.Second

// Shadow is what a dry run would have done so far with a trade.
type Shadow struct {
	// Margin is what it would have added, Spent what the wallet would have
	// lost by it.
	Margin Sats `json:"margin_sats,omitempty"`
	Spent  Sats `json:"spent_sats,omitempty"`
	// Saves counts the adds.
	Saves int `json:"saves,omitempty"`
	// ClosedAt is the price at which it would have closed; 0 while it runs.
	ClosedAt Price `json:"closed_at_usd,omitempty"`
	// Stop is the level at which its own stop would rest.
	Stop Price `json:"stop_usd,omitempty"`
	// Spends are its adds within 24 hours.
	Spends []ShadowSpend `json:"spends,omitempty"`
}

// ShadowSpend is one add of a dry run.
type ShadowSpend struct {
	At   time.Time `json:"at"`
	Cost Sats      `json:"cost_sats"`
}

// Reserve holds sats, and an action count, for an execution from its intent on.
type Reserve struct {
	Execution ExecutionID  `json:"execution"`
	Account   AccountID    `json:"account"`
	Subject   Subject      `json:"subject"`
	State     ReserveState `json:"state"`
	// Cost is what is held, or what really went.
	Cost Sats `json:"cost_sats"`
	// Counts says whether it takes one of the actions per hour.
	Counts bool `json:"counts"`
	// ByHand says that a person asked for it: it lessens the free sats and
	// counts against no limit.
	ByHand bool      `json:"by_hand,omitempty"`
	At     time.Time `json:"at"`
	// SettledAt is when it was spent or released.
	SettledAt time.Time `json:"settled_at,omitzero"`
	// Unknown says that the execution it belongs to has not been answered.
	Unknown bool `json:"unknown,omitempty"`
}

// ReserveState is where a reserve stands.
type ReserveState string

// The states of a reserve.
const (
	ReserveHeld     ReserveState = "held"
	ReserveSpent    ReserveState = "spent"
	ReserveReleased ReserveState = "released"
)

// Claim is the right to have one unsettled call of a lane on a subject.
type Claim struct {
	Account   AccountID   `json:"account"`
	Subject   Subject     `json:"subject"`
	Lane      Lane        `json:"lane"`
	Execution ExecutionID `json:"execution"`
}

// Fence is the right to write for a shard of accounts: the epoch of its lease.
type Fence struct {
	Shard int   `json:"shard"`
	Epoch int64 `json:"epoch"`
}

// Shards is the number of leases accounts hash to.
const Shards = 64
