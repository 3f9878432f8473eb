package decide

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// guarded is one margin guard over one trade, while it is decided.
type guarded struct {
	auto    *vigia.Automation
	subject vigia.Subject
	// trade is the one on the exchange, in dry run with its shadow margin.
	trade    vigia.Trade
	begun    time.Time
	state    vigia.AutomationState
	changed  bool
	dry      bool
	decision vigia.Decision
	// step is the one that acts, -1 for none.
	step     int
	rank     int
	distance vigia.Percent
	// wants says that it asks the purse: for need to reach the target, for
	// survive to clear trigger + hysteresis.
	wants                  bool
	need, survive, granted vigia.Sats
	// toppedUp says that it went through the second round.
	toppedUp bool
	short    vigia.Reason
}

func (g *guarded) nothing(why vigia.Reason) {
	g.decision.Action, g.decision.Reason = vigia.ActionNone, why
	g.decision.Replaces = ""
}

func (g *guarded) act(action vigia.Action, why vigia.Reason) {
	g.decision.Action, g.decision.Reason = action, why
}

// gather lists the trades an automation is about, with their state.
func (d *Decider) gather(a *vigia.Automation) {
	for i := range d.f.Snapshot.Trades {
		seen := &d.f.Snapshot.Trades[i]
		if !seen.Running() || !a.Scope.Covers(&seen.Trade) {
			continue
		}
		d.guards = append(d.guards, guarded{auto: a, subject: vigia.TradeSubject(seen.ID), trade: seen.Trade,
			begun: seen.Begun, step: -1, rank: a.Scope.Rank(seen.ID), dry: a.Mode == vigia.ModeDryRun})
		g := &d.guards[len(d.guards)-1]
		g.decision = vigia.Decision{Automation: a.ID, Subject: g.subject, Last: d.f.Market.Last, DryRun: g.dry}
	}
}

// judge finds the step that acts, and what holds it back.
func (d *Decider) judge(g *guarded) {
	if g.dry {
		if d.overlay(g); d.shadowEnds(g) {
			return
		}
	}
	why := d.f.heldBack(g.dry)
	if d.f.Market.Blind(d.f.Now) {
		d.remember(g)
		g.nothing(why)
		return
	}
	// What is true already is judged when the rule is saved, also while something
	// holds it back: it would be another price later.
	d.arm(g)
	last := d.f.Market.Last
	g.distance = vigia.Distance(g.trade.Side, last, g.trade.Liquidation)
	if why == "" || why == vigia.ReasonKeyRefused || why == vigia.ReasonReadOnlyKey {
		d.tell(g)
	}
	if why != "" {
		g.nothing(why)
		return
	}
	g.step = deepest(g, last)
	switch {
	case g.step < 0:
		g.nothing(vigia.ReasonNotReached)
	case g.state.TrueWhenArmed&(1<<g.step) != 0:
		g.nothing(vigia.ReasonTrueWhenArmed)
	case g.auto.Guard.Steps[g.step].Action == vigia.GuardClose:
		d.judgeClose(g)
	default:
		d.judgeAdd(g)
	}
	g.decision.Step = max(0, g.step)
}

// endless says that nothing can liquidate a trade: a short whose margin covers any
// price. There is nothing to guard it from.
func endless(t *vigia.Trade) bool { return t.Side == vigia.Short && t.Liquidation >= vigia.NeverPrice }

// deepest is the deepest step that does something and whose condition holds.
func deepest(g *guarded, last vigia.Price) int {
	steps := g.auto.Guard.Steps
	if endless(&g.trade) {
		return -1
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].Action != vigia.GuardNotify && steps[i].Holds(&g.trade, last) {
			return i
		}
	}
	return -1
}

// heldBack is what keeps everything of the account from acting. A dry run needs
// no right to write.
func (f *Facts) heldBack(dry bool) vigia.Reason {
	switch {
	case f.Stops.HaltFile != "":
		return vigia.ReasonHalted
	case f.Stops.Automations:
		return vigia.ReasonStopped
	case f.Account.Status == vigia.AccountRefused:
		return vigia.ReasonKeyRefused
	case !dry && !f.Account.CanWrite():
		return vigia.ReasonReadOnlyKey
	case f.Market.Blind(f.Now):
		return vigia.ReasonBlind
	}
	return ""
}

// stale says whether a sighting is too old to close on.
func (f *Facts) stale(begun time.Time) bool { return vigia.Age(f.Now, begun) > vigia.FreshFor }

// outdated says that a trade was not seen since the last action on it was settled.
// A shadow changes at once, without being seen.
func (g *guarded) outdated() bool { return !g.dry && g.begun.Before(g.state.LastAt) }

// judgeAdd asks the purse for margin, unless something holds it back.
func (d *Decider) judgeAdd(g *guarded) {
	f := d.f
	if own := d.busyLane(g, vigia.LaneClose); own != nil && own.Automation == g.auto.ID &&
		own.State == vigia.ExecutionUnknown && g.auto.Guard.IfShort == vigia.ShortClose && !d.commanded(g.subject) {
		d.closeNow(g, vigia.ReasonShortClose)
		return
	}
	if why := d.laneFree(g); why != "" {
		g.nothing(why)
		return
	}
	switch {
	case vigia.Age(f.Now, g.begun) > vigia.SeenRunningFor, g.outdated(), f.Snapshot.FreeBegun.IsZero():
		g.nothing(vigia.ReasonStaleSnapshot)
		return
	case stopComesFirst(f, g):
		g.nothing(vigia.ReasonStopComesFirst)
		return
	case coolingDown(f, g):
		g.nothing(vigia.ReasonCoolingDown)
		return
	}
	g.need, g.survive = needs(g, &g.auto.Guard.Steps[g.step], f.Market.Last)
	if g.need <= 0 {
		g.nothing(vigia.ReasonNoLongerTrue)
		return
	}
	g.wants = true
}

// commanded says whether a person's command acts on a subject in this call.
func (d *Decider) commanded(subject vigia.Subject) bool { return slices.Contains(d.taken, subject) }

// busyLane finds what holds a lane of a guarded trade; nothing real does in a dry
// run.
func (d *Decider) busyLane(g *guarded, lane vigia.Lane) *vigia.Execution {
	if g.dry {
		return nil
	}
	return d.f.busy(g.subject, lane)
}

// laneFree says what unsettled call keeps a trade from another add. An unknown
// proof keeps nothing: what it was for is not worth a rescue.
func (d *Decider) laneFree(g *guarded) vigia.Reason {
	if g.dry {
		return ""
	}
	if d.commanded(g.subject) {
		return vigia.ReasonInFlight
	}
	for _, lane := range []vigia.Lane{vigia.LaneClose, vigia.LaneMargin} {
		busy := d.f.busy(g.subject, lane)
		switch {
		case busy == nil:
		case busy.State == vigia.ExecutionIntent:
			return vigia.ReasonInFlight
		case lane == vigia.LaneMargin && (busy.MayRepeat || busy.Action == vigia.ActionProve):
			g.decision.Replaces = busy.ID
		default:
			return vigia.ReasonAwaitingUnknown
		}
	}
	return ""
}

// needs is the margin to be added to reach the target of a step and of those before
// it that hold as well, so that nothing is left to decide after it; and to survive:
// to clear the step's trigger by the hysteresis.
func needs(g *guarded, step *vigia.GuardStep, last vigia.Price) (target, survival vigia.Sats) {
	target, survival = needsOf(g, step, last)
	for i := range g.auto.Guard.Steps {
		before := &g.auto.Guard.Steps[i]
		if before == step {
			break
		}
		if before.Action == vigia.GuardAddMargin && g.state.TrueWhenArmed&(1<<i) == 0 && before.Holds(&g.trade, last) {
			more, _ := needsOf(g, before, last)
			target = max(target, more)
		}
	}
	return target, survival
}

func needsOf(g *guarded, step *vigia.GuardStep, last vigia.Price) (target, survival vigia.Sats) {
	t, hysteresis := &g.trade, g.auto.Guard.Hysteresis
	at := func(y vigia.Percent) vigia.Sats {
		return vigia.MarginAtDistance(t.Side, t.Quantity, t.Price, last, y) - t.Margin
	}
	if step.Trigger == vigia.TriggerDistance {
		return at(step.Target), at(step.At + hysteresis)
	}
	path := func(x vigia.Percent) vigia.Sats {
		return vigia.MarginAtPath(t.Side, t.Quantity, t.Price, last, x) - t.Margin
	}
	return max(at(step.Target), path(step.At-2*hysteresis)), path(step.At - hysteresis)
}

// stopComesFirst says whether somebody else's stop-loss lies between the price
// and the liquidation.
func stopComesFirst(f *Facts, g *guarded) bool {
	t := &g.trade
	return t.StopLoss != 0 && !g.ourStop() && !f.ourStop(t) &&
		t.Side.Worse(t.StopLoss, f.Market.Last) && t.Side.Worse(t.Liquidation, t.StopLoss)
}

// ourStop says whether the stop-loss on the trade is the one this rule set, in
// dry run the one it would have set.
func (g *guarded) ourStop() bool {
	stop, ours := g.trade.StopLoss, g.state.OurStop
	if g.dry {
		ours = g.state.Shadow.Stop
	}
	return stop != 0 && stop == ours && g.trade.Trailing == 0
}

// stopReached says that the price stands at our own stop or a little past it: the
// exchange closes there. Past it by more than a quarter percent, and the trade
// still running, it did not.
func (g *guarded) stopReached(last vigia.Price) bool {
	stop := g.trade.StopLoss
	if !g.ourStop() || g.trade.Side.Worse(stop, last) {
		return false
	}
	past := vigia.Price(g.trade.Side) * (stop - last)
	return past*400 <= last
}

// coolingDown says whether a failed or partial action still waits: not when the
// price came nearer to liquidation since.
func coolingDown(f *Facts, g *guarded) bool {
	return f.Now.Before(g.coolUntil()) && !g.trade.Side.Worse(f.Market.Last, g.state.LastPrice)
}

// coolUntil is when the wait after the last action ends; zero where there is none.
func (g *guarded) coolUntil() time.Time {
	switch g.state.LastOutcome {
	case vigia.OutcomeFailed, vigia.OutcomePartial:
		return g.state.LastAt.Add(g.auto.Guard.CoolDown())
	case vigia.OutcomeUnsent:
		return g.state.LastAt.Add(min(vigia.UnsentWait, g.auto.Guard.CoolDown()))
	}
	return time.Time{}
}

// judgeClose closes a trade whose close step holds. While our stop rests there,
// the exchange does it; only when it did not, we do. A partial add is no reason to
// wait: a deeper step never waits for a shallower one.
func (d *Decider) judgeClose(g *guarded) {
	switch {
	case d.commanded(g.subject) && !g.dry:
		g.nothing(vigia.ReasonInFlight)
	case g.state.LastOutcome != vigia.OutcomePartial && coolingDown(d.f, g):
		g.nothing(vigia.ReasonCoolingDown)
	default:
		d.closeNow(g, vigia.ReasonTrigger)
	}
}
