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
	order  []*guarded
	// taken are the subjects a command acts on in this call.
	taken []vigia.Subject
	// promised is what the commands and the live rules of this call will cost:
	// those decided after them do not count on it.
	promised vigia.Sats
	dues     []Due
}

// Decide says what the automations of one account want now.
func (d *Decider) Decide(f *Facts) Result {
	d.f, d.promised = f, 0
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
	d.purse.free -= d.promised
	d.guards = d.guards[:0]
	for i := range d.f.Automations {
		if a := &d.f.Automations[i]; a.Mode == vigia.ModeLive && a.Guard != nil {
			d.gather(a)
		}
	}
	d.settle()
	for _, g := range d.wants {
		if g.granted > 0 {
			d.promised += max(0, g.decision.Cost)
		}
	}
}

// settle decides what was gathered, against the purse.
func (d *Decider) settle() {
	d.wants, d.order = d.wants[:0], d.order[:0]
	for i := range d.guards {
		g := &d.guards[i]
		d.order = append(d.order, g)
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
		if g.dry {
			d.cast(g)
		}
	}
	slices.SortStableFunc(d.order, urgency)
	for _, g := range d.order {
		d.out.Decisions = append(d.out.Decisions, g.decision)
		if g.changed {
			d.out.States = append(d.out.States, g.state)
		}
	}
}

// urgency puts what saves a trade before what moves a stop, each in the order in
// which the purse was given out: callers carry out the first that acts.
func urgency(a, b *guarded) int {
	return cmp.Or(cmp.Compare(a.haste(), b.haste()), rescueOrder(a, b))
}

func (g *guarded) haste() int {
	switch g.decision.Action.Lane() {
	case vigia.LaneMargin, vigia.LaneClose:
		return 0
	case vigia.LaneStop:
		return 1
	}
	return 2
}

// rescueOrder is the user's, else worst first.
func rescueOrder(a, b *guarded) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.distance, b.distance))
}

// allocate gives out the purse: first everybody's least, in order, then what is
// left to those who only got to survival.
func (d *Decider) allocate() {
	slices.SortStableFunc(d.wants, rescueOrder)
	for _, g := range d.wants {
		d.grantLeast(g)
	}
	for _, g := range d.wants {
		if g.granted > 0 && g.granted < g.need {
			d.grantMore(g)
		}
	}
	scarce := slices.ContainsFunc(d.wants, func(g *guarded) bool { return g.granted > 0 && g.granted < g.need })
	for _, g := range d.wants {
		d.conclude(g, scarce)
	}
}

// grantLeast takes the least that helps a trade out of the purse: its survival
// where the rule adds what there is, its whole target otherwise.
func (d *Decider) grantLeast(g *guarded) {
	if d.rescued(g.subject) {
		g.short = vigia.ReasonInFlight
		return
	}
	least := g.need
	if g.auto.Guard.IfShort == vigia.ShortAdd {
		least = min(g.need, max(1, g.survive))
	}
	tally := d.purse.trade(g.subject)
	ok, why := affords(&g.trade, least, d.purse.room(&g.auto.Limits, &g.trade, tally, false))
	if !ok {
		g.short = why
		if there, _ := affords(&g.trade, least, d.purse.room(&g.auto.Limits, &g.trade, tally, true)); there {
			g.short = vigia.ReasonAwaitingUnknown
		}
		return
	}
	g.granted = least
	d.purse.take(tally, g.trade.AddCost(least), 1)
}

// rescued says whether another rule adds to the same trade already: two rules over
// one trade act one after the other, each on what the other left.
func (d *Decider) rescued(subject vigia.Subject) bool {
	return slices.ContainsFunc(d.wants, func(g *guarded) bool { return g.subject == subject && g.granted > 0 })
}

// grantMore brings a trade that survives nearer to its target.
func (d *Decider) grantMore(g *guarded) {
	tally := d.purse.trade(g.subject)
	d.purse.take(tally, -g.trade.AddCost(g.granted), -1)
	most := amountWithin(&g.trade, d.purse.room(&g.auto.Limits, &g.trade, tally, false))
	g.toppedUp = true
	g.granted = max(g.granted, min(g.need, most))
	d.purse.take(tally, g.trade.AddCost(g.granted), 1)
}

// conclude turns what a trade was granted into its decision. Scarce says that
// somebody else got to survival only.
func (d *Decider) conclude(g *guarded, scarce bool) {
	switch {
	case g.granted > 0:
		d.add(g, scarce)
	case g.short == vigia.ReasonInFlight, d.rescued(g.subject):
		g.nothing(vigia.ReasonInFlight)
	case g.short == vigia.ReasonAwaitingUnknown, g.auto.Guard.IfShort != vigia.ShortClose:
		g.nothing(g.short)
	case d.f.stale(d.f.Snapshot.FreeBegun):
		// A balance read long ago is no proof of being short.
		g.nothing(vigia.ReasonStaleSnapshot)
	default:
		d.closeNow(g, vigia.ReasonShortClose)
	}
}

func (d *Decider) add(g *guarded, scarce bool) {
	t := &g.trade
	g.act(vigia.ActionAddMargin, vigia.ReasonTrigger)
	g.decision.Amount, g.decision.Cost = g.granted, t.AddCost(g.granted)
	g.decision.LiquidationAfter = vigia.Liquidation(t.Side, t.Quantity, t.Price, t.Margin+g.granted)
	switch {
	case g.granted < g.need:
		g.decision.Partial = true
		g.decision.Reason = vigia.ReasonShortAdd
	case g.toppedUp && scarce:
		g.decision.Reason = vigia.ReasonTopUp
	}
}

// closeNow closes a trade from here, which needs a fresh look at it. Where our own
// stop rests at the price, the exchange closes it.
func (d *Decider) closeNow(g *guarded, why vigia.Reason) {
	g.decision.Replaces = ""
	if busy := d.busyLane(g, vigia.LaneClose); busy != nil {
		if busy.State == vigia.ExecutionIntent {
			g.nothing(vigia.ReasonInFlight)
			return
		}
		// A close may be sent again once the trade was seen running after it.
		if !g.begun.After(calledAt(busy)) {
			g.nothing(vigia.ReasonStaleSnapshot)
			return
		}
		g.decision.Replaces = busy.ID
	}
	switch {
	case g.stopReached(d.f.Market.Last):
		g.nothing(vigia.ReasonStopRests)
	case d.f.stale(g.begun), g.outdated():
		g.nothing(vigia.ReasonStaleSnapshot)
	default:
		g.act(vigia.ActionClose, why)
	}
}
