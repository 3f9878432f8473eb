package decide

import (
	"fmt"
	"slices"

	"github.com/vigiaguard/vigia"
)

// PreviewGuard previews an automation as if it were live and its preview
// confirmed, among the other automations there are. It has a Guard.
func PreviewGuard(f *Facts, a vigia.Automation) vigia.Preview {
	now := *f
	a.Mode, a.ArmedAt = vigia.ModeLive, f.Now
	now.Automations = replaceAutomation(f.Automations, a)
	now.States = confirmed(f, &a)
	out := vigia.Preview{Limits: a.Limits}
	held := Held(&now)
	var d Decider
	d.f = &now
	d.purse.fill(&now)
	longs, shorts := false, false
	for i := range f.Snapshot.Trades {
		seen := &f.Snapshot.Trades[i]
		if !seen.Running() || !a.Scope.Covers(&seen.Trade) {
			continue
		}
		row := d.previewTrade(&a, seen, held)
		addRow(&out, &row, &longs, &shorts)
	}
	out.Hedged = longs && shorts
	warn(&out, a.Guard)
	return out
}

// replaceAutomation puts a in the place of the one saved under its id, or last.
func replaceAutomation(all []vigia.Automation, a vigia.Automation) []vigia.Automation {
	out := slices.Clone(all)
	i := slices.IndexFunc(out, func(other vigia.Automation) bool { return other.ID == a.ID })
	if i < 0 {
		return append(out, a)
	}
	out[i] = a
	return out
}

// confirmed is the state as it is after the user answered the preview: nothing
// counts as true when armed, and a shadow is dropped.
func confirmed(f *Facts, a *vigia.Automation) []vigia.AutomationState {
	var out []vigia.AutomationState
	for _, s := range f.States {
		if s.Automation != a.ID {
			out = append(out, s)
		}
	}
	for i := range f.Snapshot.Trades {
		subject := vigia.TradeSubject(f.Snapshot.Trades[i].ID)
		state, _ := f.state(a.ID, subject)
		out = append(out, vigia.AutomationState{Automation: a.ID, Subject: subject, Armed: a.ArmedAt, OurStop: state.OurStop})
	}
	return out
}

func (d *Decider) previewTrade(a *vigia.Automation, seen *vigia.Seen, held []Holding) vigia.PreviewTrade {
	t, last := &seen.Trade, d.f.Market.Last
	row := vigia.PreviewTrade{Subject: vigia.TradeSubject(t.ID), Side: t.Side, Quantity: t.Quantity,
		Liquidation: t.Liquidation, AfterFunding: afterFunding(t, &d.f.Market), LosesNow: t.Margin}
	for _, h := range held {
		if h.Subject == row.Subject {
			row.HeldTo, row.By, row.Adds, row.Costs, row.Saves = h.Price, h.By, h.Added, h.Cost, h.Saves
			row.LosesWorst = h.Loses
		}
	}
	g := guarded{auto: a, subject: row.Subject, trade: *t}
	for i := range a.Guard.Steps {
		step := &a.Guard.Steps[i]
		row.TrueNow = row.TrueNow || last != 0 && step.Holds(t, last)
		row.Steps = append(row.Steps, d.previewStep(&g, step))
	}
	return row
}

func (d *Decider) previewStep(g *guarded, step *vigia.GuardStep) vigia.PreviewStep {
	at, last := step.FiresAt(&g.trade), d.f.Market.Last
	if last != 0 && step.Holds(&g.trade, last) {
		at = last
	}
	row := vigia.PreviewStep{FiresAt: at, Action: step.Action, Loses: g.trade.Margin}
	if step.Action != vigia.GuardAddMargin {
		row.Covered = true
		if step.Action == vigia.GuardClose {
			row.Loses = -min(0, vigia.PL(g.trade.Side, g.trade.Quantity, g.trade.Price, at))
		}
		return row
	}
	row.Adds, _ = needs(g, step, at)
	row.Adds = max(0, row.Adds)
	row.Costs = g.trade.AddCost(row.Adds)
	row.ReserveChange = row.Costs - row.Adds
	row.LiquidationAfter = vigia.Liquidation(g.trade.Side, g.trade.Quantity, g.trade.Price, g.trade.Margin+row.Adds)
	row.Loses = g.trade.Margin + row.Adds
	row.Covered, _ = affords(&g.trade, row.Adds, d.purse.room(&g.auto.Limits, &g.trade, d.purse.trade(g.subject), false))
	return row
}

// afterFunding is the liquidation after a payer's next settlement; a receiver's
// trade is unchanged (reference 7.7).
func afterFunding(t *vigia.Trade, m *vigia.Market) vigia.Price {
	if m.Last == 0 {
		return t.Liquidation
	}
	fee := vigia.FundingFee(t.Side, t.Quantity, m.Last, m.FundingRate)
	if fee <= 0 || fee >= t.Margin {
		return t.Liquidation
	}
	return vigia.Liquidation(t.Side, t.Quantity, t.Price, t.Margin-fee)
}

func addRow(p *vigia.Preview, row *vigia.PreviewTrade, longs, shorts *bool) {
	p.Trades = append(p.Trades, *row)
	p.Net += vigia.USD(row.Side) * row.Quantity
	if row.TrueNow {
		p.TrueNow++
	}
	if row.Side == vigia.Long {
		*longs = true
		p.LosesDown += row.LosesWorst
	} else {
		*shorts = true
		p.LosesUp += row.LosesWorst
	}
}

func warn(p *vigia.Preview, c *vigia.GuardConfig) {
	say := func(format string, args ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...)) }
	if p.TrueNow > 0 {
		say("The condition holds already for %d of these trades: going live acts on them at once.", p.TrueNow)
	}
	if p.Hedged {
		say("Both legs of a hedge would be guarded: a whipsaw can drain the wallet for a net exposure of %s USD. Worst case down %s sats, up %s sats.",
			p.Net, p.LosesDown.Grouped(), p.LosesUp.Grouped())
	}
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Trigger == vigia.TriggerDistance && s.At < vigia.TightestWithoutYes {
			say("A trigger of %s %% is tighter than the worst minute of eleven real days (−1.6 %%): the price can pass it and the liquidation between two looks.", s.At)
		}
	}
	for i := range p.Trades {
		t := &p.Trades[i]
		for j := range t.Steps {
			if !t.Steps[j].Covered {
				say("The rescue of %s at %s needs %s sats, more than balance and limits allow: cheapest way out is a stop at %s.",
					t.Subject, t.Steps[j].FiresAt.Grouped(), t.Steps[j].Costs.Grouped(), t.Steps[j].FiresAt.Grouped())
				break
			}
		}
	}
	say("A guard buys time, it does not make a wrong position right: what is added can be lost too.")
}

// NextAct is the next price at which a guard does something with a trade, and what
// it does there; 0 where nothing is left to do.
func NextAct(a *vigia.Automation, state *vigia.AutomationState, t *vigia.Trade, last vigia.Price) (vigia.Price, vigia.Act) {
	g := guarded{auto: a, trade: *t, dry: a.Mode == vigia.ModeDryRun}
	if g.dry {
		if state.Shadow.ClosedAt != 0 {
			return 0, vigia.Act{}
		}
		g.trade = t.WithMargin(t.Margin + state.Shadow.Margin)
	}
	for i := range a.Guard.Steps {
		step := &a.Guard.Steps[i]
		if step.Action == vigia.GuardNotify || state.TrueWhenArmed&(1<<i) != 0 || step.Holds(&g.trade, last) {
			continue
		}
		at := step.FiresAt(&g.trade)
		act := vigia.Act{Action: step.Action}
		if step.Action == vigia.GuardAddMargin {
			act.Adds, _ = needs(&g, step, at)
		}
		return at, act
	}
	return 0, vigia.Act{}
}
