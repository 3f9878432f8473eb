package decide

import "github.com/vigiaguard/vigia"

// remember takes a trade's state as it is, without judging anything.
func (d *Decider) remember(g *guarded) {
	if state, ok := d.f.state(g.auto.ID, g.subject); ok {
		g.state = state
		return
	}
	g.state = vigia.AutomationState{Automation: g.auto.ID, Subject: g.subject}
}

// arm takes a trade's state, or makes it: what is true already when a rule is
// saved, or when a trade comes into its scope, never acts by itself. A trade
// opened since is judged at its entry price and entry margin.
func (d *Decider) arm(g *guarded) {
	d.remember(g)
	last := d.f.Market.Last
	if !g.state.Armed.Equal(g.auto.ArmedAt) || g.state.Armed.IsZero() {
		d.armAnew(g, last)
	}
	for i := range g.auto.Guard.Steps {
		bit := uint32(1) << i
		if (g.state.TrueWhenArmed|g.state.Told)&bit == 0 || !cleared(g, &g.auto.Guard.Steps[i], last) {
			continue
		}
		g.state.TrueWhenArmed &^= bit
		g.state.Told &^= bit
		g.changed = true
	}
}

func (d *Decider) armAnew(g *guarded, last vigia.Price) {
	g.state.Armed = g.auto.ArmedAt
	g.state.TrueWhenArmed, g.state.Told = 0, 0
	g.state.LastOutcome = ""
	g.state.Shadow = vigia.Shadow{}
	g.changed = true
	judged, at := g.trade, last
	if g.trade.FilledAt.After(g.auto.ArmedAt) {
		judged.Price, at = g.trade.EntryPrice, g.trade.EntryPrice
		judged = judged.WithMargin(g.trade.EntryMargin)
	} else if g.auto.Guard.TrueConfirmed {
		return
	}
	for i := range g.auto.Guard.Steps {
		if g.auto.Guard.Steps[i].Holds(&judged, at) {
			g.state.TrueWhenArmed |= 1 << i
		}
	}
}

// cleared says whether a step's condition was left by more than the hysteresis.
func cleared(g *guarded, step *vigia.GuardStep, last vigia.Price) bool {
	wider := *step
	if step.Trigger == vigia.TriggerPathUsed {
		wider.At -= g.auto.Guard.Hysteresis
	} else {
		wider.At += g.auto.Guard.Hysteresis
	}
	return !wider.Holds(&g.trade, last)
}

// tell lets the notify steps speak: once, until the hysteresis clears them.
func (d *Decider) tell(g *guarded) {
	for i := range g.auto.Guard.Steps {
		step, bit := &g.auto.Guard.Steps[i], uint32(1)<<i
		if step.Action != vigia.GuardNotify || (g.state.Told|g.state.TrueWhenArmed)&bit != 0 ||
			!step.Holds(&g.trade, d.f.Market.Last) {
			continue
		}
		g.state.Told |= bit
		g.changed = true
		d.out.Decisions = append(d.out.Decisions, vigia.Decision{Automation: g.auto.ID, Subject: g.subject,
			Action: vigia.ActionNotify, Reason: vigia.ReasonAlert, Step: i, Last: d.f.Market.Last, DryRun: g.dry})
	}
}
