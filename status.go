package vigia

import "time"

// GuardStatus is what a guard says of itself every two seconds: the proof of
// life that every process serves.
type GuardStatus struct {
	// Holder names the process, Version the program.
	Holder    string    `json:"holder"`
	Version   string    `json:"version"`
	Network   Network   `json:"network"`
	At        time.Time `json:"at"`
	StartedAt time.Time `json:"started_at"`
	// Shards is the number of leases held.
	Shards int `json:"shards"`
	// Armed is the number of subjects waiting for a price or a time.
	Armed int        `json:"armed"`
	Feed  FeedStatus `json:"feed"`
	Stops Stops      `json:"stops"`
	// ClockOffset is how far this machine's clock is from the exchange's.
	ClockOffset time.Duration `json:"clock_offset_ns"`
	// StoreError says why nothing can be committed; empty when all is well.
	StoreError string           `json:"store_error,omitempty"`
	Accounts   []WatchedAccount `json:"accounts"`
	// Last is the last execution that was sent.
	Last *LastExecution `json:"last_execution,omitempty"`
}

// FeedStatus is the one price and how it is known.
type FeedStatus struct {
	Last        Price     `json:"last_usd"`
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	Blind       bool      `json:"blind"`
	// Source is "stream" or "rest".
	Source string `json:"source"`
}

// WatchedAccount is one account, as far as a person must know it at one look.
type WatchedAccount struct {
	Account AccountID     `json:"account"`
	Owner   UserID        `json:"owner"`
	Label   string        `json:"label"`
	Network Network       `json:"network"`
	Status  AccountStatus `json:"status"`
	Detail  string        `json:"detail,omitempty"`
	// SnapshotBegun is the start of the last look at the positions, CalledAt
	// the last signed call that succeeded, ProvedAt the last proof of writing.
	SnapshotBegun time.Time `json:"snapshot_begun,omitzero"`
	CalledAt      time.Time `json:"called_at,omitzero"`
	ProvedAt      time.Time `json:"proved_at,omitzero"`
	// NextRead and NextProof are when the next ones are due.
	NextRead    time.Time `json:"next_read,omitzero"`
	NextProof   time.Time `json:"next_proof,omitzero"`
	Provisional bool      `json:"provisional,omitempty"`
	Free        Sats      `json:"free_sats"`
	// FreeBegun is the start of the read that showed the balance; zero while it
	// was never read, and Free says nothing.
	FreeBegun time.Time      `json:"free_begun,omitzero"`
	Trades    []WatchedTrade `json:"trades"`
	Cross     CrossPosition  `json:"cross,omitzero"`
	// Unsettled counts calls that are not known to be done or not.
	Unsettled int `json:"unsettled"`
}

// WatchedTrade is one running trade with the numbers of the screen.
type WatchedTrade struct {
	Trade
	Distance Percent `json:"distance_pct"`
	PathUsed Percent `json:"path_used_pct"`
	// HeldTo is the price at which it first ends when the rules are run along a
	// straight path; HeldBy how.
	HeldTo     Price      `json:"held_to_usd"`
	HeldBy     EndedBy    `json:"held_by,omitempty"`
	Protection Protection `json:"protection"`
	// ActsAt is the next price at which a rule acts, Act what it does there.
	ActsAt Price `json:"acts_at_usd,omitempty"`
	Act    Act   `json:"act,omitzero"`
	// Automation names the rule that covers it, Mode how far it goes.
	Automation string `json:"automation,omitempty"`
	Mode       Mode   `json:"mode,omitempty"`
	// Reason is the last decision's.
	Reason Reason `json:"reason,omitempty"`
	// ShadowMargin is what a dry run would have added, ShadowClosed where it
	// would have closed.
	ShadowMargin Sats  `json:"shadow_margin_sats,omitempty"`
	ShadowClosed Price `json:"shadow_closed_usd,omitempty"`
}

// Act is what a rule will do at a price, as the preview has it.
type Act struct {
	Action GuardAction `json:"action,omitempty"`
	Adds   Sats        `json:"adds_sats,omitempty"`
}

// LastExecution is the last call that went out.
type LastExecution struct {
	ID         ExecutionID    `json:"id"`
	Account    AccountID      `json:"account"`
	Subject    Subject        `json:"subject"`
	Action     Action         `json:"action"`
	State      ExecutionState `json:"state"`
	Amount     Sats           `json:"amount_sats"`
	SentAt     time.Time      `json:"sent_at"`
	TickToWire time.Duration  `json:"tick_to_wire_ns"`
	// TickToAnswer is the whole way, zero while there is none.
	TickToAnswer time.Duration `json:"tick_to_answer_ns,omitempty"`
}

// Worst is the running trade nearest to liquidation.
func (w *WatchedAccount) Worst() (*WatchedTrade, bool) {
	var worst *WatchedTrade
	for i := range w.Trades {
		if worst == nil || w.Trades[i].Distance < worst.Distance {
			worst = &w.Trades[i]
		}
	}
	return worst, worst != nil
}

// Protection is the account's: that of its least protected running trade. An
// account without trades has nothing to protect.
func (w *WatchedAccount) Protection() Protection {
	rank := map[ProtectionLevel]int{Protected: 0, InNameOnly: 1, Unprotected: 2}
	out := Protection{Level: Protected}
	for i := range w.Trades {
		if p := w.Trades[i].Protection; rank[p.Level] > rank[out.Level] {
			out = p
		}
	}
	return out
}
