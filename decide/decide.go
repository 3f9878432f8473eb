package decide

import (
	"cmp"
	"slices"

	"github.com/vigiaguard/vigia"
)

// Decide says what the automations of one account want now.
func Decide(f *Facts) Result {
	var d Decider
	return d.Decide(f)
}

// Decider decides like [Decide] and keeps its buffers for the next call: what the
// guard uses, one per worker. The result is good until then. It is not safe for
// concurrent use.
type Decider struct {
	f      *Facts
	out    Result
	purse  purse
	guards []guarded
	wants  []*guarded
	// taken are the subjects a command acts on in this call.
	taken []vigia.Subject
	dues  []Due
}

// Decide says what the automations of one account want now.
func (d *Decider) Decide(f *Facts) Result {
	d.f = f
	d.out.Decisions, d.out.States, d.dues = d.out.Decisions[:0], d.out.States[:0], d.dues[:0]
	d.taken = d.taken[:0]
	d.commands()
	d.live()
	d.duesOfReserves()
	for i := range f.Automations {
		if a := &f.Automations[i]; a.Mode == vigia.ModeDryRun && a.Guard != nil {
			d.dryRun(a)
		}
	}
	for i := range f.Automations {
		if a := &f.Automations[i]; a.Mode != vigia.ModeOff && a.Alert != nil {
			d.alert(a)
		}
	}
	return d.out
}

// live decides all live guards of the account together.
func (d *Decider) live() {
	d.purse.fill(d.f)
	d.guards = d.guards[:0]
	for i := range d.f.Automations {
		if a := &d.f.Automations[i]; a.Mode == vigia.ModeLive && a.Guard != nil {
			d.gather(a)
		}
	}
	d.settle()
}

// settle decides what was gathered, against the purse.
func (d *Decider) settle() {
	d.wants = d.wants[:0]
	for i := range d.guards {
		g := &d.guards[i]
		if d.judge(g); g.wants {
			d.wants = append(d.wants, g)
		}
	}
	d.allocate()
	for i := range d.guards {
		g := &d.guards[i]
		if !g.decision.Acts() {
			d.rest(g)
		}
		d.due(g)
		d.out.Decisions = append(d.out.Decisions, g.decision)
		if g.changed {
			d.out.States = append(d.out.States, g.state)
		}
	}
}

// allocate gives out the purse: first everybody's least, in order, then what is
// left to those who only got to survival.
func (d *Decider) allocate() {
	slices.SortStableFunc(d.wants, func(a, b *guarded) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.distance, b.distance))
	})
	for _, g := range d.wants {
		d.grantLeast(g)
	}
	for _, g := range d.wants {
		if g.granted > 0 && g.granted < g.need {
			d.grantMore(g)
		}
	}
	for _, g := range d.wants {
		d.conclude(g)
	}
}

// grantLeast takes the least that helps a trade out of the purse: its survival
// where the rule adds what there is, its whole target otherwise.
func (d *Decider) grantLeast(g *guarded) {
	tally := d.purse.trade(g.subject)
	room := amountWithin(&g.trade, d.purse.room(&g.auto.Limits, &g.trade, tally, false))
	least := g.need
	if g.auto.Guard.IfShort == vigia.ShortAdd {
		least = min(g.need, g.survive)
	}
	if least > room.sats {
		g.short = room.reason
		if held := amountWithin(&g.trade, d.purse.room(&g.auto.Limits, &g.trade, tally, true)); least <= held.sats {
			g.short = vigia.ReasonAwaitingUnknown
		}
		return
	}
	g.granted = least
	d.purse.take(tally, g.trade.AddCost(least), 1)
}

// grantMore brings a trade that survives nearer to its target.
func (d *Decider) grantMore(g *guarded) {
	tally := d.purse.trade(g.subject)
	d.purse.take(tally, -g.trade.AddCost(g.granted), -1)
	room := amountWithin(&g.trade, d.purse.room(&g.auto.Limits, &g.trade, tally, false))
	g.granted = max(g.granted, min(g.need, room.sats))
	d.purse.take(tally, g.trade.AddCost(g.granted), 1)
}

// conclude turns what a trade was granted into its decision.
func (d *Decider) conclude(g *guarded) {
	switch {
	case g.granted > 0:
		g.act(vigia.ActionAddMargin, vigia.ReasonTrigger)
		g.decision.Amount = g.granted
		g.decision.Cost = g.trade.AddCost(g.granted)
		g.decision.LiquidationAfter = vigia.Liquidation(g.trade.Side, g.trade.Quantity, g.trade.Price, g.trade.Margin+g.granted)
		if g.granted < g.need {
			g.decision.Partial = true
			g.decision.Reason = vigia.ReasonShortAdd
		}
	case g.short == vigia.ReasonAwaitingUnknown, g.auto.Guard.IfShort != vigia.ShortClose:
		g.nothing(g.short)
	default:
		d.closeNow(g, vigia.ReasonShortClose)
	}
}

// closeNow closes a trade from here, which needs a fresh look at it.
func (d *Decider) closeNow(g *guarded, why vigia.Reason) {
	if busy := d.f.busy(g.subject, vigia.LaneClose); busy != nil && !g.dry {
		if busy.State == vigia.ExecutionIntent {
			g.nothing(vigia.ReasonInFlight)
			return
		}
		g.decision.Replaces = busy.ID
	} else {
		g.decision.Replaces = ""
	}
	if d.f.stale(g.begun) {
		g.nothing(vigia.ReasonStaleSnapshot)
		return
	}
	g.act(vigia.ActionClose, why)
}
