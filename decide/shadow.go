package decide

import "github.com/vigiaguard/vigia"

// dryRun decides one automation alone, on the real trades plus its own shadow
// margin and the real free balance less its own shadow sats, within its own
// limits. What it decides is done to the shadow at once: there is no call.
func (d *Decider) dryRun(a *vigia.Automation) {
	d.guards = d.guards[:0]
	d.gather(a)
	d.purse.fill(d.f)
	free, unknown := d.purse.free, d.purse.unknown
	d.purse = purse{free: free, unknown: unknown, trades: d.purse.trades[:0]}
	for i := range d.f.States {
		if d.f.States[i].Automation == a.ID {
			d.fillShadow(&d.f.States[i])
		}
	}
	first := len(d.out.Decisions)
	for i := range d.guards {
		d.overlay(&d.guards[i])
	}
	d.settleShadows()
	for i := first; i < len(d.out.Decisions); i++ {
		d.out.Decisions[i].DryRun = true
	}
}

// fillShadow counts what a dry run would have spent.
func (d *Decider) fillShadow(state *vigia.AutomationState) {
	d.purse.free -= state.Shadow.Spent
	tally := d.purse.trade(state.Subject)
	tally.spent += state.Shadow.Spent
	for _, spend := range state.Shadow.Spends {
		if d.f.Now.Sub(spend.At) < day {
			d.purse.day += spend.Cost
		}
		if d.f.Now.Sub(spend.At) < hour {
			tally.acts++
		}
	}
}

// overlay puts a shadow on the real trade.
func (d *Decider) overlay(g *guarded) {
	state, ok := d.f.state(g.auto.ID, g.subject)
	if !ok || !state.Armed.Equal(g.auto.ArmedAt) {
		return
	}
	if state.Shadow.Margin > 0 {
		g.trade = g.trade.WithMargin(g.trade.Margin + state.Shadow.Margin)
	}
	if state.Shadow.Stop != 0 {
		g.trade.StopLoss = state.Shadow.Stop
	}
}

// settleShadows is settle for a dry run: what was decided happens to the shadow.
func (d *Decider) settleShadows() {
	d.wants = d.wants[:0]
	for i := range d.guards {
		g := &d.guards[i]
		if d.judgeShadow(g); g.wants {
			d.wants = append(d.wants, g)
		}
	}
	d.allocate()
	for i := range d.guards {
		g := &d.guards[i]
		if !g.decision.Acts() && g.decision.Reason != vigia.ReasonShadowClosed {
			d.rest(g)
		}
		d.due(g)
		d.cast(g)
		d.out.Decisions = append(d.out.Decisions, g.decision)
		if g.changed {
			d.out.States = append(d.out.States, g.state)
		}
	}
}

// judgeShadow is judge, with the stop that only exists in the shadow.
func (d *Decider) judgeShadow(g *guarded) {
	state, _ := d.f.state(g.auto.ID, g.subject)
	last, shadow := d.f.Market.Last, state.Shadow
	current := state.Armed.Equal(g.auto.ArmedAt) && !state.Armed.IsZero()
	switch {
	case current && shadow.ClosedAt != 0:
		g.state = state
		g.nothing(vigia.ReasonShadowClosed)
	case current && shadow.Stop != 0 && last != 0 && !g.trade.Side.Worse(shadow.Stop, last):
		g.state = state
		g.act(vigia.ActionClose, vigia.ReasonStopRests)
		g.decision.Stop = shadow.Stop
	default:
		d.judge(g)
	}
}

// cast does to the shadow what was decided.
func (d *Decider) cast(g *guarded) {
	shadow := &g.state.Shadow
	switch g.decision.Action {
	case vigia.ActionAddMargin:
		shadow.Margin += g.decision.Amount
		shadow.Spent += g.decision.Cost
		shadow.Saves++
		shadow.Spends = append(recent(shadow.Spends, d.f), vigia.ShadowSpend{At: d.f.Now, Cost: g.decision.Cost})
		g.state.LastAt, g.state.LastPrice = d.f.Now, d.f.Market.Last
		g.state.LastOutcome = vigia.OutcomeDone
		if g.decision.Partial {
			g.state.LastOutcome = vigia.OutcomePartial
		}
	case vigia.ActionClose:
		shadow.ClosedAt = d.f.Market.Last
		if g.decision.Stop != 0 {
			shadow.ClosedAt = g.decision.Stop
		}
	case vigia.ActionSetStop:
		shadow.Stop = g.decision.Stop
	case vigia.ActionRemoveStop:
		shadow.Stop = 0
	default:
		return
	}
	g.changed = true
}

// recent copies the spends that still count, so that the state handed in stays
// as it was.
func recent(spends []vigia.ShadowSpend, f *Facts) []vigia.ShadowSpend {
	var out []vigia.ShadowSpend
	for _, spend := range spends {
		if f.Now.Sub(spend.At) < day {
			out = append(out, spend)
		}
	}
	return out
}
