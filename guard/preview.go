package guard

import (
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
