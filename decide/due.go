package decide

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// Due is when a subject has to be decided again: when the price falls to Below or
// rises to Above (0 is never), or at At (zero is never).
type Due struct {
	Subject      vigia.Subject
	Below, Above vigia.Price
	At           time.Time
}

// NextDue says when decisions can change next, all else equal: one row per
// subject. It may be early, never late.
func NextDue(f *Facts) []Due {
	var d Decider
	d.Decide(f)
	return d.NextDue()
}

// NextDue is what follows from the last Decide; it is good until the next one.
func (d *Decider) NextDue() []Due { return d.dues }

func (d *Decider) dueOf(subject vigia.Subject) *Due {
	for i := range d.dues {
		if d.dues[i].Subject == subject {
			return &d.dues[i]
		}
	}
	d.dues = append(d.dues, Due{Subject: subject})
	return &d.dues[len(d.dues)-1]
}

// price arms the nearer of what is armed and p, on the side of last it lies on.
func (u *Due) price(p, last vigia.Price) {
	switch {
	case p < last && p >= vigia.MinPrice:
		u.Below = max(u.Below, p)
	case p > last && p <= vigia.MaxPrice && (u.Above == 0 || p < u.Above):
		u.Above = p
	}
}

// at arms the earlier of what is armed and t; what has passed is not armed.
func (u *Due) at(t, now time.Time) {
	if t.After(now) && (u.At.IsZero() || t.Before(u.At)) {
		u.At = t
	}
}

// due arms everything at which one guard's decision on one trade can change.
func (d *Decider) due(g *guarded) {
	u, last, now := d.dueOf(g.subject), d.f.Market.Last, d.f.Now
	if last == 0 || g.decision.Reason == vigia.ReasonShadowClosed {
		return
	}
	back, marked := vigia.Price(g.trade.Side), g.state.TrueWhenArmed|g.state.Told
	for i := range g.auto.Guard.Steps {
		step := &g.auto.Guard.Steps[i]
		fires := step.FiresAt(&g.trade)
		if step.Holds(&g.trade, last) {
			fires += back
		}
		u.price(fires, last)
		if marked&(1<<i) != 0 {
			u.price(step.ClearAt(&g.trade, g.auto.Guard.Hysteresis), last)
		}
	}
	if g.step >= 0 {
		d.dueTriggered(g, u)
	}
	if g.step >= 0 || g.decision.Action.Lane() == vigia.LaneStop {
		u.at(g.begun.Add(vigia.FreshFor+time.Nanosecond), now)
		u.at(g.begun.Add(vigia.SeenRunningFor+time.Nanosecond), now)
		u.at(d.f.Snapshot.FreeBegun.Add(vigia.FreshFor+time.Nanosecond), now)
	}
	u.at(g.coolUntil(), now)
	if g.dry {
		d.dueShadow(g, u)
	}
}

// dueShadow arms what only a shadow has. What a dry run decides happens to it at
// once, so it is decided again at once.
func (d *Decider) dueShadow(g *guarded, u *Due) {
	u.price(g.state.Shadow.Stop, d.f.Market.Last)
	for _, spend := range g.state.Shadow.Spends {
		u.at(spend.At.Add(hour), d.f.Now)
		u.at(spend.At.Add(day), d.f.Now)
	}
	if g.decision.Acts() {
		u.at(d.f.Now.Add(time.Nanosecond), d.f.Now)
	}
}

// dueTriggered arms the prices of a trade whose condition holds, beyond those of
// its steps. What asked the purse needs less with every tick away from liquidation
// and more with every tick towards it: what is out of reach stays so there.
func (d *Decider) dueTriggered(g *guarded, u *Due) {
	last, back := d.f.Market.Last, vigia.Price(g.trade.Side)
	worse := g.trade.Side.Worse
	switch stop := g.trade.StopLoss; {
	case stop == 0:
	case worse(stop, last):
		u.price(stop, last)
	default:
		u.price(stop+back, last)
	}
	switch from := g.state.LastPrice; {
	case !d.f.Now.Before(g.coolUntil()):
	case worse(last, from):
		u.price(from, last)
	default:
		u.price(from-back, last)
	}
	switch g.decision.Reason {
	case vigia.ReasonTrueWhenArmed, vigia.ReasonStopComesFirst, vigia.ReasonCoolingDown:
	case vigia.ReasonShortOfSats, vigia.ReasonLimitReached, vigia.ReasonLeverageFloor:
		u.price(last+back, last)
	case vigia.ReasonInFlight, vigia.ReasonAwaitingUnknown:
		if g.wants {
			u.price(last-1, last)
			u.price(last+1, last)
		}
	default:
		u.price(last-1, last)
		u.price(last+1, last)
	}
}

// duesOfReserves arms the times at which what was spent stops counting.
func (d *Decider) duesOfReserves() {
	for i := range d.f.Reserves {
		r := &d.f.Reserves[i]
		if r.State != vigia.ReserveSpent {
			continue
		}
		for j := range d.dues {
			u := &d.dues[j]
			u.at(r.SettledAt.Add(day), d.f.Now)
			if r.Counts && u.Subject == r.Subject {
				u.at(r.At.Add(hour), d.f.Now)
			}
		}
	}
	for i := range d.f.Requested {
		e := &d.f.Requested[i]
		u := d.dueOf(e.Subject)
		u.at(e.CreatedAt.Add(vigia.CommandExpires+time.Nanosecond), d.f.Now)
		if e.Action == vigia.ActionProve {
			u.price(d.f.Market.Last-1, d.f.Market.Last)
			u.price(d.f.Market.Last+1, d.f.Market.Last)
		}
	}
	d.dueOfAlerts()
}

// dueOfAlerts arms the times at which protection lapses by itself, for those who
// asked to be told.
func (d *Decider) dueOfAlerts() {
	for i := range d.f.Automations {
		a := &d.f.Automations[i]
		if a.Alert == nil || a.Alert.When != vigia.AlertUnprotected || a.Mode == vigia.ModeOff {
			continue
		}
		u := d.dueOf(vigia.AccountSubject())
		u.at(d.f.Snapshot.TradesBegun.Add(vigia.FreshFor+time.Nanosecond), d.f.Now)
		for j := range d.f.Snapshot.Trades {
			u.at(d.f.Snapshot.Trades[j].Begun.Add(vigia.FreshFor+time.Nanosecond), d.f.Now)
		}
		u.at(d.f.Account.ProvedAt.Add(vigia.ProofLasts+time.Nanosecond), d.f.Now)
	}
}
