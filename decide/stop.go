package decide

import "github.com/vigiaguard/vigia"

// rest keeps the exchange's own stop where the rule wants it: at the trigger
// price of a close step from arming on; at the trigger price of a rescue only
// while cover for it is missing. It works while we are down. A stop somebody else
// set is never touched.
func (d *Decider) rest(g *guarded) {
	have := g.trade.StopLoss
	if !d.mayMoveStop(g) || have != 0 && !g.ourStop() {
		return
	}
	want, why := d.wantedStop(g, have)
	last := d.f.Market.Last
	switch {
	case want == have, want != 0 && want == g.state.StopRefused:
		return
	case want == 0 && (g.step >= 0 || g.state.TrueWhenArmed != 0):
		// In danger, or with a question open, a stop that stands is left standing.
		return
	case want != 0 && !vigia.StopLossAllowed(g.trade.Side, last, g.trade.Liquidation, want):
		return
	}
	if !d.stopLaneFree(g) {
		return
	}
	if want == 0 {
		g.act(vigia.ActionRemoveStop, vigia.ReasonCoverReturned)
		return
	}
	if have != 0 {
		why = vigia.ReasonStopMoved
	}
	g.act(vigia.ActionSetStop, why)
	g.decision.Stop = want
}

// mayMoveStop says whether the rule may touch the stop at all now.
func (d *Decider) mayMoveStop(g *guarded) bool {
	return d.f.heldBack(g.dry) == "" && g.state.Shadow.ClosedAt == 0 &&
		(g.dry || !d.commanded(g.subject)) && d.busyLane(g, vigia.LaneClose) == nil
}

// stopLaneFree says whether a call may start, which needs a fresh look at the
// trade: somebody may have set a stop meanwhile. An unanswered call is repeated
// once the trade was seen after it.
func (d *Decider) stopLaneFree(g *guarded) bool {
	busy := d.busyLane(g, vigia.LaneStop)
	fresh := !d.f.stale(g.begun) && !g.outdated()
	switch {
	case busy != nil && busy.State == vigia.ExecutionIntent:
		return false
	case busy != nil && fresh && g.begun.After(calledAt(busy)):
		g.decision.Replaces = busy.ID
		return true
	case busy == nil && fresh:
		return true
	}
	if g.decision.Reason == vigia.ReasonNotReached {
		g.nothing(vigia.ReasonStaleSnapshot)
	}
	return false
}

// wantedStop is where our stop should rest, 0 for nowhere: at the first step on
// the way that closes, or would have to.
func (d *Decider) wantedStop(g *guarded, have vigia.Price) (vigia.Price, vigia.Reason) {
	if endless(&g.trade) {
		return 0, ""
	}
	steps, covered := g.auto.Guard.Steps, false
	for i := range steps {
		step := &steps[i]
		switch {
		case g.state.TrueWhenArmed&(1<<i) != 0:
		case step.Action == vigia.GuardClose:
			return step.FiresAt(&g.trade), vigia.ReasonStopRests
		case step.Action != vigia.GuardAddMargin || covered || g.auto.Guard.IfShort != vigia.ShortClose:
		case d.f.Snapshot.FreeBegun.IsZero():
			return have, ""
		default:
			if covered = d.covered(g, step, true); !covered {
				return step.FiresAt(&g.trade), vigia.ReasonCoverMissing
			}
		}
	}
	return 0, ""
}

// covered says whether the purse reaches one full rescue at a step's trigger
// price. With unknown, sats held by unanswered calls count as if they were there:
// they are not short.
func (d *Decider) covered(g *guarded, step *vigia.GuardStep, unknown bool) bool {
	need, _ := needs(g, step, step.FiresAt(&g.trade))
	ok, _ := affords(&g.trade, need, d.purse.room(&g.auto.Limits, &g.trade, d.purse.trade(g.subject), unknown))
	return ok
}
