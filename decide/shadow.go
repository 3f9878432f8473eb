package decide

import "github.com/vigiaguard/vigia"

// dryRun decides one automation alone, on the real trades plus its own shadow
// margin and the real free balance less its own shadow sats, within its own
// limits. What it decides is done to the shadow at once: there is no call.
func (d *Decider) dryRun(a *vigia.Automation) {
	d.guards = d.guards[:0]
	d.gather(a)
	d.purse.fill(d.f)
	free, unknown := d.purse.free-d.promised, d.purse.unknown
	d.purse = purse{free: free, unknown: unknown, trades: d.purse.trades[:0]}
	for i := range d.f.States {
		if s := &d.f.States[i]; s.Automation == a.ID && s.Armed.Equal(a.ArmedAt) {
			d.fillShadow(s)
		}
	}
	d.settle()
	for i := range d.f.Ended {
		if ended := &d.f.Ended[i]; ended.By == vigia.EndedLiquidated {
			d.shadowOutlived(a, ended)
		}
	}
}

// fillShadow counts what a dry run would have spent. The margin of a shadow that
// closed, or whose trade ended, is back in the wallet.
func (d *Decider) fillShadow(state *vigia.AutomationState) {
	if _, running := d.f.Snapshot.Trade(state.Subject.Trade); running && state.Shadow.ClosedAt == 0 {
		d.purse.free -= state.Shadow.Spent
	}
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

// overlay puts a shadow on the real trade. The stop of a live rule is no part of
// the dry run; one that a person set meanwhile takes the place of the shadow's.
func (d *Decider) overlay(g *guarded) {
	state, ok := d.f.state(g.auto.ID, g.subject)
	if d.f.ourStop(&g.trade) {
		g.trade.StopLoss = 0
	}
	if !ok || !state.Armed.Equal(g.auto.ArmedAt) {
		return
	}
	if state.Shadow.Margin > 0 {
		g.trade = g.trade.WithMargin(g.trade.Margin + state.Shadow.Margin)
	}
	if g.trade.StopLoss == 0 {
		g.trade.StopLoss = state.Shadow.Stop
	}
}

// shadowEnds says whether a shadow has closed, or closes now at the stop that only
// exists in it.
func (d *Decider) shadowEnds(g *guarded) bool {
	state, ok := d.f.state(g.auto.ID, g.subject)
	if !ok || !state.Armed.Equal(g.auto.ArmedAt) || state.Armed.IsZero() {
		return false
	}
	last, shadow := d.f.Market.Last, &state.Shadow
	switch {
	case shadow.ClosedAt != 0:
		g.state = state
		g.nothing(vigia.ReasonShadowClosed)
	case last != 0 && shadow.Stop != 0 && shadow.Stop == g.trade.StopLoss && !g.trade.Side.Worse(shadow.Stop, last):
		g.state = state
		g.act(vigia.ActionClose, vigia.ReasonStopRests)
		g.decision.Stop = shadow.Stop
	default:
		return false
	}
	return true
}

// cast does to the shadow what was decided.
func (d *Decider) cast(g *guarded) {
	shadow := &g.state.Shadow
	if shadow.Stop != 0 && shadow.Stop != g.trade.StopLoss {
		shadow.Stop, g.changed = 0, true
	}
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
