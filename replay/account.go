package replay

import (
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// Account is one account of the engine and the rules over it.
type Account struct {
	id          vigia.AccountID
	automations []vigia.Automation
	states      []vigia.AutomationState
	reserves    []vigia.Reserve
	// snapshot is the account as it was last read; stale says that it changed.
	snapshot vigia.Snapshot
	stale    bool
	// Acts are what was done, in order; Dry what dry runs would have.
	Acts []Act
	Dry  []Act
	// Refusals are the stops the exchange did not take.
	Refusals []Refusal
	// Shadows are the dry runs whose real trade has ended, in that order.
	Shadows []Shadow
	// closedByUs are the trades the rules closed.
	closedByUs map[vigia.TradeID]bool
	// below, above and at are the nearest price either way and the first time
	// at which a decision can change; 0 and zero are never.
	below, above vigia.Price
	at           time.Time
}

// Act is one decision that was carried out, and when.
type Act struct {
	vigia.Decision
	At time.Time
	// Before is the trade it was decided on, in dry run with the shadow's margin
	// and stop. After is the exchange's answer; a dry run has none.
	Before, After vigia.Trade
	// Free is the wallet before it, in sats.
	Free vigia.Sats
}

// Refusal is a decision the exchange did not take, in its words.
type Refusal struct {
	Act
	Why string
}

// Changed says that an account's trades or wallet were changed by hand: it is
// decided again at the next price.
func (a *Account) Changed() { a.stale = true }

// State is what an automation remembers of a trade.
func (a *Account) State(id vigia.AutomationID, trade vigia.TradeID) (vigia.AutomationState, bool) {
	for _, s := range a.states {
		if s.Automation == id && s.Subject == vigia.TradeSubject(trade) {
			return s, true
		}
	}
	return vigia.AutomationState{}, false
}

// Automation is a rule as it stands: with the limits it was resolved to when it
// last went live.
func (a *Account) Automation(id vigia.AutomationID) (vigia.Automation, bool) {
	for _, auto := range a.automations {
		if auto.ID == id {
			return auto, true
		}
	}
	return vigia.Automation{}, false
}

// GoLive is the user's confirmation of a guard's preview, now: its limits are
// fixed in sats against the free balance, shadows are dropped, and what is true
// already is answered, for the trades that run now. It acts at the next price.
func (p *Player) GoLive(a *Account, id vigia.AutomationID) error {
	for i := range a.automations {
		auto := &a.automations[i]
		if auto.ID != id || auto.Guard == nil {
			continue
		}
		confirmed := *auto.Guard
		confirmed.TrueConfirmed = true
		auto.Guard, auto.Mode, auto.ArmedAt = &confirmed, vigia.ModeLive, p.now
		auto.Limits = confirmed.Limits.Resolve(p.engine.Wallet(a.id))
		a.stale = true
		return nil
	}
	return fmt.Errorf("account %s has no guard %q", a.id, id)
}

// EndedBy is how a closed trade of the account ended.
func (a *Account) EndedBy(t *vigia.Trade) vigia.EndedBy { return vigia.Ended(t, a.closedByUs[t.ID]) }

func (a *Account) isDue(price vigia.Price, at time.Time) bool {
	return a.stale || price <= a.below || a.above != 0 && price >= a.above ||
		!a.at.IsZero() && !at.Before(a.at)
}

// arm waits for the first of what may change a decision.
func (a *Account) arm(dues []decide.Due) {
	a.below, a.above, a.at = 0, 0, time.Time{}
	for i := range dues {
		d := &dues[i]
		a.below = max(a.below, d.Below)
		if d.Above != 0 && (a.above == 0 || d.Above < a.above) {
			a.above = d.Above
		}
		if !d.At.IsZero() && (a.at.IsZero() || d.At.Before(a.at)) {
			a.at = d.At
		}
	}
}

// trade is a running trade as it was last read.
func (a *Account) trade(subject vigia.Subject) vigia.Trade {
	if seen, ok := a.snapshot.Trade(subject.Trade); ok {
		return seen.Trade
	}
	return vigia.Trade{}
}

// keep takes over the states and notes what dry runs would have done.
func (a *Account) keep(facts *decide.Facts, result *decide.Result) {
	for _, d := range result.Decisions {
		switch {
		case !d.DryRun:
			continue
		case d.Action == vigia.ActionNotify && d.Reason == vigia.ReasonGone:
			a.wouldHaveHeld(&d)
			continue
		case !d.Acts():
			continue
		}
		before := a.trade(d.Subject)
		if s, ok := a.State(d.Automation, d.Subject.Trade); ok {
			before = shadowed(before, &s)
		}
		a.Dry = append(a.Dry, Act{Decision: d, At: facts.Now, Before: before, Free: facts.Snapshot.Free})
	}
	for _, s := range result.States {
		a.remember(s)
	}
}

func (a *Account) remember(s vigia.AutomationState) {
	for i := range a.states {
		if a.states[i].Automation == s.Automation && a.states[i].Subject == s.Subject {
			a.states[i] = s
			return
		}
	}
	a.states = append(a.states, s)
}

// done notes what was carried out, and what the rule remembers of it.
func (a *Account) done(act *Act, state vigia.AutomationState) {
	switch act.Action {
	case vigia.ActionAddMargin:
		a.spend(act)
	case vigia.ActionClose:
		a.closedByUs[act.Subject.Trade] = true
	}
	a.remember(state)
	a.Acts = append(a.Acts, *act)
}

// spend notes a reserve as spent: calls answer at once here.
func (a *Account) spend(act *Act) {
	kept := a.reserves[:0]
	for _, r := range a.reserves {
		_, running := a.snapshot.Trade(r.Subject.Trade)
		if running || act.At.Sub(r.SettledAt) < 24*time.Hour {
			kept = append(kept, r)
		}
	}
	// The wallet read that follows begins at the same moment and has it already.
	a.reserves = append(kept, vigia.Reserve{Account: a.id, Subject: act.Subject, State: vigia.ReserveSpent,
		Cost: max(0, act.Cost), Counts: true, At: act.At, SettledAt: act.At.Add(-time.Nanosecond)})
}
