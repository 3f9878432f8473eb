package decide

import (
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
	short                  vigia.Reason
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
	if why := d.f.heldBack(g.dry); why != "" {
		d.remember(g)
		g.nothing(why)
		return
	}
	d.arm(g)
	last := d.f.Market.Last
	g.distance = vigia.Distance(g.trade.Side, last, g.trade.Liquidation)
	d.tell(g)
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

// deepest is the deepest step that does something and whose condition holds.
func deepest(g *guarded, last vigia.Price) int {
	steps := g.auto.Guard.Steps
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

// judgeAdd asks the purse for margin, unless something holds it back.
func (d *Decider) judgeAdd(g *guarded) {
	f := d.f
	if !g.dry {
		if why := d.laneFree(g); why != "" {
			g.nothing(why)
			return
		}
	}
	switch {
	case vigia.Age(f.Now, g.begun) > vigia.SeenRunningFor, g.begun.Before(g.state.LastAt):
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

// laneFree says what unsettled call keeps a trade from another one.
func (d *Decider) laneFree(g *guarded) vigia.Reason {
	for _, taken := range d.taken {
		if taken == g.subject {
			return vigia.ReasonInFlight
		}
	}
	if busy := d.f.busy(g.subject, vigia.LaneClose); busy != nil {
		return vigia.ReasonInFlight
	}
	busy := d.f.busy(g.subject, vigia.LaneMargin)
	switch {
	case busy == nil:
		return ""
	case busy.State == vigia.ExecutionIntent:
		return vigia.ReasonInFlight
	case !busy.MayRepeat:
		return vigia.ReasonAwaitingUnknown
	}
	g.decision.Replaces = busy.ID
	return ""
}

// needs is the margin to be added to reach a step's target, and to survive it:
// to clear its trigger by the hysteresis.
func needs(g *guarded, step *vigia.GuardStep, last vigia.Price) (target, survival vigia.Sats) {
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
	stop := g.trade.StopLoss
	return stop != 0 && (stop == g.state.OurStop || g.dry && stop == g.state.Shadow.Stop)
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
// the exchange does it; only when it did not, we do.
func (d *Decider) judgeClose(g *guarded) {
	for _, taken := range d.taken {
		if taken == g.subject {
			g.nothing(vigia.ReasonInFlight)
			return
		}
	}
	if g.ourStop() && !overrun(g.trade.StopLoss, d.f.Market.Last) {
		g.nothing(vigia.ReasonStopRests)
		return
	}
	d.closeNow(g, vigia.ReasonTrigger)
}

// overrun says that the price went past a stop by more than a quarter percent
// and the trade was still seen running: the exchange did not close it.
func overrun(stop, last vigia.Price) bool {
	gap := stop - last
	if gap < 0 {
		gap = -gap
	}
	return gap*400 > last
}
