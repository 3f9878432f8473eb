package decide

import (
	"slices"

	"github.com/vigiaguard/vigia"
)

// Holding is where one trade first ends when the rules are run along a straight
// path from now, all trades of the account together.
type Holding struct {
	Subject vigia.Subject `json:"subject"`
	// Price is the number on the screen: held down to it, for a short up to it.
	// It is NeverPrice for a short nothing ends, MinPrice for such a long.
	Price vigia.Price   `json:"held_to_usd"`
	By    vigia.EndedBy `json:"by"`
	// Added is the margin the rules put in on the way, Cost what the wallet
	// lost by it, Saves how often.
	Added vigia.Sats `json:"added_sats"`
	Cost  vigia.Sats `json:"cost_sats"`
	Saves int        `json:"saves"`
	// Loses is what is gone at that end: the margin, and what it took.
	Loses vigia.Sats `json:"loses_sats"`
}

// Held runs the live rules along a straight path, down for the longs and up for
// the shorts, from facts taken as fresh and with no time passing. Calls are taken
// to succeed at the price they are made at.
func Held(f *Facts) []Holding {
	var out []Holding
	for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
		c := newCourse(f, side)
		out = append(out, c.run()...)
	}
	return out
}

// course is a run of the rules along a path, on its own copy of everything that
// changes on the way.
type course struct {
	f        Facts
	snapshot vigia.Snapshot
	side     vigia.Side
	decider  Decider
	holdings []Holding
}

func newCourse(f *Facts, side vigia.Side) *course {
	c := &course{f: *f, snapshot: *f.Snapshot, side: side}
	c.f.Snapshot = &c.snapshot
	c.snapshot.Trades = slices.Clone(f.Snapshot.Trades)
	c.f.States, c.f.Reserves = slices.Clone(f.States), slices.Clone(f.Reserves)
	c.f.Requested, c.f.Ended, c.f.Unsettled = nil, nil, nil
	c.f.Automations = slices.DeleteFunc(slices.Clone(f.Automations), func(a vigia.Automation) bool {
		return a.Mode != vigia.ModeLive || a.Guard == nil
	})
	c.f.Market.ConfirmedAt = f.Now
	c.snapshot.TradesBegun = f.Now
	c.freshen(f)
	for i := range c.snapshot.Trades {
		c.snapshot.Trades[i].Begun = f.Now
		if t := &c.snapshot.Trades[i].Trade; t.Running() && t.Side == side {
			c.holdings = append(c.holdings, Holding{Subject: vigia.TradeSubject(t.ID), Price: end(side)})
		}
	}
	return c
}

// freshen takes the balance as read now: what was spent since it was read is gone
// from it.
func (c *course) freshen(f *Facts) {
	for i := range c.f.Reserves {
		r := &c.f.Reserves[i]
		if r.State != vigia.ReserveSpent || r.SettledAt.Before(f.Snapshot.FreeBegun) {
			continue
		}
		if r.SettledAt.Before(f.Now) {
			c.snapshot.Free -= r.Cost
		}
	}
	if !f.Snapshot.FreeBegun.IsZero() {
		c.snapshot.FreeBegun = f.Now
	}
}

func end(side vigia.Side) vigia.Price {
	if side == vigia.Long {
		return vigia.MinPrice
	}
	return vigia.NeverPrice
}

func (c *course) run() []Holding {
	if c.f.Market.Last == 0 {
		c.unguarded()
		return c.holdings
	}
	for c.left() {
		c.exchange()
		c.act()
		next, ok := c.next()
		if !ok {
			break
		}
		c.f.Market.Last = next
	}
	return c.holdings
}

// unguarded is where the trades end while no price is known: no rule acts.
func (c *course) unguarded() {
	for i := range c.snapshot.Trades {
		if t := &c.snapshot.Trades[i].Trade; t.Running() && t.Side == c.side && !endless(t) {
			c.close(t, t.Liquidation, vigia.EndedLiquidated)
		}
	}
}

func (c *course) left() bool {
	return slices.ContainsFunc(c.snapshot.Trades, func(s vigia.Seen) bool {
		return s.Running() && s.Side == c.side && (s.StopLoss != 0 || !endless(&s.Trade))
	})
}

// exchange ends what ends at this price.
func (c *course) exchange() {
	last := c.f.Market.Last
	for i := range c.snapshot.Trades {
		t := &c.snapshot.Trades[i].Trade
		if !t.Running() || t.Side != c.side {
			continue
		}
		if t.StopLoss != 0 && !t.Side.Worse(t.StopLoss, last) {
			c.close(t, t.StopLoss, vigia.EndedStopped)
		} else if !t.Side.Worse(t.Liquidation, last) {
			c.close(t, t.Liquidation, vigia.EndedLiquidated)
		}
	}
}

func (c *course) close(t *vigia.Trade, at vigia.Price, by vigia.EndedBy) {
	h := c.holding(vigia.TradeSubject(t.ID))
	h.Price, h.By = at, by
	pl := max(-t.Margin, vigia.PL(t.Side, t.Quantity, t.Price, at))
	if by == vigia.EndedLiquidated {
		pl = -t.Margin
	} else {
		c.snapshot.Free += t.Margin + pl
	}
	h.Loses = -pl
	t.State = vigia.TradeClosed
}

func (c *course) holding(subject vigia.Subject) *Holding {
	i := slices.IndexFunc(c.holdings, func(h Holding) bool { return h.Subject == subject })
	return &c.holdings[i]
}

// act carries out what is decided at this price until nothing is left to do.
func (c *course) act() {
	for range 4*len(c.snapshot.Trades) + 4 {
		result := c.decider.Decide(&c.f)
		for _, s := range result.States {
			c.keep(s)
		}
		decision, ok := c.acting(&result)
		if !ok {
			return
		}
		seen, _ := c.snapshot.Trade(decision.Subject.Trade)
		c.carryOut(decision, seen)
	}
}

// acting is the first decision about a trade this course follows; the other
// side's trades move away from their triggers.
func (c *course) acting(result *Result) (vigia.Decision, bool) {
	for _, d := range result.Decisions {
		if d.Acts() {
			if seen, ok := c.snapshot.Trade(d.Subject.Trade); ok && seen.Side == c.side {
				return d, true
			}
		}
	}
	return vigia.Decision{}, false
}

func (c *course) keep(s vigia.AutomationState) {
	for i := range c.f.States {
		if c.f.States[i].Automation == s.Automation && c.f.States[i].Subject == s.Subject {
			c.f.States[i] = s
			return
		}
	}
	c.f.States = append(c.f.States, s)
}

func (c *course) carryOut(d vigia.Decision, seen *vigia.Seen) {
	state, _ := c.f.state(d.Automation, d.Subject)
	h := c.holding(d.Subject)
	switch d.Action {
	case vigia.ActionAddMargin:
		seen.Trade = seen.WithMargin(seen.Margin + d.Amount)
		h.Added += d.Amount
		h.Cost += d.Cost
		h.Saves++
		c.f.Reserves = append(c.f.Reserves, vigia.Reserve{Account: c.f.Account.ID, Subject: d.Subject, Cost: d.Cost,
			State: vigia.ReserveSpent, Counts: true, At: c.f.Now, SettledAt: c.f.Now})
		state.LastAt, state.LastPrice, state.LastOutcome = c.f.Now, c.f.Market.Last, vigia.OutcomeDone
		if d.Partial {
			state.LastOutcome = vigia.OutcomePartial
		}
	case vigia.ActionClose:
		c.close(&seen.Trade, c.f.Market.Last, vigia.EndedByUs)
	case vigia.ActionSetStop:
		seen.StopLoss, state.OurStop = d.Stop, d.Stop
	case vigia.ActionRemoveStop:
		seen.StopLoss, state.OurStop = 0, 0
	}
	c.keep(state)
}

// next is the nearest price ahead at which anything of this side can change.
func (c *course) next() (vigia.Price, bool) {
	last, next := c.f.Market.Last, vigia.Price(0)
	nearer := func(p vigia.Price) {
		if p != 0 && c.side.Worse(p, last) && (next == 0 || c.side.Worse(next, p)) {
			next = p
		}
	}
	for i := range c.snapshot.Trades {
		t := &c.snapshot.Trades[i].Trade
		if t.Running() && t.Side == c.side {
			nearer(t.Liquidation)
			nearer(t.StopLoss)
		}
	}
	for _, due := range c.decider.NextDue() {
		if c.side == vigia.Long {
			nearer(due.Below)
		} else {
			nearer(due.Above)
		}
	}
	return next, next != 0 && next < vigia.NeverPrice
}
