package paper

import "github.com/vigiaguard/vigia"

// The scopes of the exchange that package vigia has no use for (reference 3.4).
const (
	ScopeDepositsRead       = "account:deposits:read"
	ScopeDepositsWrite      = "account:deposits:write"
	ScopeWithdrawalsRead    = "account:withdrawals:read"
	ScopeNotificationsRead  = "account:notifications:read"
	ScopeNotificationsWrite = "account:notifications:write"
	ScopeCrossWrite         = "futures:cross:write"
	ScopeSwapRead           = "synthetic-usd:read"
	ScopeSwapWrite          = "synthetic-usd:write" //nolint:gosec // the name of a scope opens nothing
)

// TradingScopes are what a key has when nothing else was said: everything but
// the right to withdraw.
func TradingScopes() []string {
	return []string{
		vigia.ScopeAccountRead, ScopeDepositsRead, ScopeDepositsWrite, ScopeWithdrawalsRead,
		ScopeNotificationsRead, ScopeNotificationsWrite,
		vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite, vigia.ScopeCrossRead, ScopeCrossWrite,
		ScopeSwapRead, ScopeSwapWrite,
	}
}

// Scopes are all there are.
func Scopes() []string { return append(TradingScopes(), vigia.ScopeWithdrawalWrite) }

func scopesOf(chosen []string) []string {
	if len(chosen) == 0 {
		return TradingScopes()
	}
	return chosen
}
