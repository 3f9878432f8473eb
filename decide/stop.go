package decide

import "github.com/vigiaguard/vigia"

// rest keeps the exchange's own stop where the rule wants it: at the trigger
// price of a close step from arming on; at the trigger price of a rescue only
// while cover for it is missing. It works while we are down. A stop somebody else
// set is never touched.
func (d *Decider) rest(g *guarded) {
	if !d.mayMoveStop(g) {
		return
	}
	have := g.trade.StopLoss
	if have != 0 && !g.ourStop() {
		return
	}
	want, why := d.wantedStop(g)
	switch {
	case want == have, want != 0 && want == g.state.StopRefused:
		return
	case want == 0:
		g.act(vigia.ActionRemoveStop, vigia.ReasonCoverReturned)
	case !betweenPriceAndLiquidation(d.f, &g.trade, want):
		return
	default:
		if have != 0 {
			why = vigia.ReasonStopMoved
		}
		g.act(vigia.ActionSetStop, why)
		g.decision.Stop = want
	}
	if d.f.stale(g.begun) {
		g.decision.Stop = 0
		g.nothing(vigia.ReasonStaleSnapshot)
	}
}

// mayMoveStop says whether nothing holds the stop lane back.
func (d *Decider) mayMoveStop(g *guarded) bool {
	if d.f.heldBack(g.dry) != "" || g.state.Shadow.ClosedAt != 0 {
		return false
	}
	if g.dry {
		return true
	}
	for _, taken := range d.taken {
		if taken == g.subject {
			return false
		}
	}
	for _, lane := range []vigia.Lane{vigia.LaneStop, vigia.LaneClose} {
		if busy := d.f.busy(g.subject, lane); busy != nil {
			return false
		}
	}
	return true
}

// wantedStop is where our stop should rest, 0 for nowhere.
func (d *Decider) wantedStop(g *guarded) (vigia.Price, vigia.Reason) {
	steps := g.auto.Guard.Steps
	for i := range steps {
		if steps[i].Action == vigia.GuardClose && g.state.TrueWhenArmed&(1<<i) == 0 {
			return steps[i].FiresAt(&g.trade), vigia.ReasonStopRests
		}
	}
	if g.auto.Guard.IfShort != vigia.ShortClose {
		return 0, ""
	}
	for i := range steps {
		if steps[i].Action != vigia.GuardAddMargin || g.state.TrueWhenArmed&(1<<i) != 0 {
			continue
		}
		if d.covered(g, &steps[i]) {
			return 0, ""
		}
		return steps[i].FiresAt(&g.trade), vigia.ReasonCoverMissing
	}
	return 0, ""
}

// covered says whether the purse reaches one full rescue at a step's trigger
// price, sats held by unanswered calls counted as if they were there.
func (d *Decider) covered(g *guarded, step *vigia.GuardStep) bool {
	need, _ := needs(g, step, step.FiresAt(&g.trade))
	room := amountWithin(&g.trade, d.purse.room(&g.auto.Limits, &g.trade, d.purse.trade(g.subject), true))
	return need <= room.sats
}

// betweenPriceAndLiquidation says whether the exchange takes a stop there
// (reference 7.9).
func betweenPriceAndLiquidation(f *Facts, t *vigia.Trade, stop vigia.Price) bool {
	return t.Side.Worse(stop, f.Market.Last) && !t.Side.Worse(stop, t.Liquidation)
}
