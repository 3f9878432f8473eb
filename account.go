package vigia

import "time"

// Network is where an account trades.
type Network string

// The networks.
const (
	Mainnet Network = "mainnet"
	Signet  Network = "signet"
	Paper   Network = "paper"
)

// AccountStatus says whether the key may be used.
type AccountStatus string

// The states of an account.
const (
	// AccountActive can be read and traded with, as far as its scopes go.
	AccountActive AccountStatus = "active"
	// AccountRefused has a key the exchange refuses: said once, retried slowly.
	AccountRefused AccountStatus = "refused"
	// AccountWatchOnly is watched and never traded with: our own switch.
	AccountWatchOnly AccountStatus = "watch_only"
)

// Scope names of the exchange that matter to us (reference 3.4).
const (
	ScopeAccountRead     = "account:read"
	ScopeIsolatedRead    = "futures:isolated:read"
	ScopeIsolatedWrite   = "futures:isolated:write"
	ScopeCrossRead       = "futures:cross:read"
	ScopeWithdrawalWrite = "account:withdrawals:write"
)

// Account is one LN Markets API key of one user. Its sealed secret lies in the
// record and never in here.
type Account struct {
	ID      AccountID     `json:"id"`
	Owner   UserID        `json:"owner"`
	Label   string        `json:"label"`
	Network Network       `json:"network"`
	Scopes  []string      `json:"scopes"`
	Status  AccountStatus `json:"status"`
	// Detail says why the key was refused, in the exchange's words.
	Detail    string    `json:"detail,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// ProvedAt is when a write of ours last succeeded: the write proof, or any
	// add answered with success.
	ProvedAt time.Time `json:"proved_at,omitzero"`
}

// Has says whether the key carries a scope.
func (a *Account) Has(scope string) bool {
	for _, have := range a.Scopes {
		if have == scope {
			return true
		}
	}
	return false
}

// CanWrite says whether the guard may send actions with this key.
func (a *Account) CanWrite() bool {
	return a.Status == AccountActive && a.Has(ScopeIsolatedWrite)
}

// Credentials are what signs requests. They exist in plain in memory only.
type Credentials struct {
	Key        Secret
	Secret     Secret
	Passphrase Secret
}

// ProofLasts is how long a write proof counts.
const ProofLasts = 7 * 24 * time.Hour

// Stops are the modes in which acting is held back. Off, they are zero.
type Stops struct {
	// Automations holds back every automation, the guard too, until released.
	Automations bool `json:"automations"`
	// Entries holds back what opens trades.
	Entries bool `json:"entries"`
	// HaltFile is the path of the halt file while it exists: nothing acts,
	// commands included.
	HaltFile string `json:"halt_file,omitempty"`
}
