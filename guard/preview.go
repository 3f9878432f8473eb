package guard

import (
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// Preview is what a rule would do with the positions its account has now. Unseen
// accounts cannot be previewed: they get an error of code unavailable.
func (g *Guard) Preview(a vigia.Automation) (vigia.Preview, error) {
	unseen := &vigia.Error{Code: vigia.CodeUnavailable, Field: "account",
		Message: "the guard has not seen this account's positions yet", Help: "Try again in a few seconds."}
	w := g.ward(a.Account)
	if w == nil || a.Guard == nil {
		return vigia.Preview{}, unseen
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	facts, ok := g.facts(w)
	if !ok {
		return vigia.Preview{}, unseen
	}
	return decide.PreviewGuard(&facts, a), nil
}

// PreviewKept is Preview for an account that another process guards: from what is
// kept of it, at the price that process last said.
func PreviewKept(m vigia.Memory, market vigia.Market, now time.Time, a vigia.Automation) (vigia.Preview, bool) {
	if m.Snapshot == nil || market.Last == 0 || a.Guard == nil {
		return vigia.Preview{}, false
	}
	facts := decide.Facts{Now: now, Account: m.Account, Market: market, Snapshot: m.Snapshot, Automations: m.Automations,
		States: m.States, Reserves: m.Reserves, Unsettled: m.Unsettled}
	return decide.PreviewGuard(&facts, a), true
}
