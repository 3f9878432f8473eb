package decide

import "github.com/vigiaguard/vigia"

const told uint32 = 1

// alert says once what is wrong, and is ready again when it no longer is.
func (d *Decider) alert(a *vigia.Automation) {
	switch a.Alert.When {
	case vigia.AlertUnprotected:
		d.purse.fill(d.f)
		for i := range d.f.Snapshot.Trades {
			t := &d.f.Snapshot.Trades[i].Trade
			if t.Running() && a.Scope.Covers(t) {
				d.raise(a, vigia.TradeSubject(t.ID), d.protect(t).Level != vigia.Protected)
			}
		}
	case vigia.AlertVanished:
		for i := range d.f.Ended {
			ended := &d.f.Ended[i]
			byOwnHand := ended.By == vigia.EndedByHand || ended.By == vigia.EndedByUs
			if !byOwnHand && a.Scope.Covers(&ended.Trade) {
				d.speak(a, vigia.TradeSubject(ended.Trade.ID))
			}
		}
	case vigia.AlertBlind:
		open := len(d.f.Snapshot.Trades) > 0 || d.f.Snapshot.Cross.Quantity != 0
		d.raise(a, vigia.AccountSubject(), open && d.f.Market.Blind(d.f.Now))
	}
}

func (d *Decider) raise(a *vigia.Automation, subject vigia.Subject, wrong bool) {
	state, ok := d.f.state(a.ID, subject)
	if !ok {
		state = vigia.AutomationState{Automation: a.ID, Subject: subject}
	}
	if !ok || !state.Armed.Equal(a.ArmedAt) {
		state.Armed, state.Told = a.ArmedAt, 0
	}
	was := state.Told&told != 0
	switch {
	case wrong && !was:
		state.Told |= told
		d.speak(a, subject)
	case !wrong && was:
		state.Told &^= told
		fallthrough
	default:
		why := vigia.ReasonNotReached
		if wrong {
			why = vigia.ReasonAlert
		}
		d.out.Decisions = append(d.out.Decisions, vigia.Decision{Automation: a.ID, Subject: subject,
			Action: vigia.ActionNone, Reason: why, Last: d.f.Market.Last})
	}
	if was != (state.Told&told != 0) || !ok {
		d.out.States = append(d.out.States, state)
	}
}

func (d *Decider) speak(a *vigia.Automation, subject vigia.Subject) {
	d.out.Decisions = append(d.out.Decisions, vigia.Decision{Automation: a.ID, Subject: subject,
		Action: vigia.ActionNotify, Reason: vigia.ReasonAlert, Last: d.f.Market.Last})
}
