package decide

import (
	"fmt"

	"github.com/vigiaguard/vigia"
)

// Preview is what a guard would do with the positions there are now: shown before
// it is saved or goes live.
type Preview struct {
	Limits vigia.Limits   `json:"limits"`
	Trades []PreviewTrade `json:"trades"`
	// TrueNow counts the trades whose condition holds already: going live acts on
	// them at once, after a yes.
	TrueNow int `json:"true_now"`
	// Net is the exposure of the covered trades, longs positive; Hedged says that
	// both legs would be guarded.
	Net    vigia.USD `json:"net_exposure_usd"`
	Hedged bool      `json:"hedged"`
	// LosesDown and LosesUp are the worst cases when the price goes one way.
	LosesDown vigia.Sats `json:"loses_down_sats"`
	LosesUp   vigia.Sats `json:"loses_up_sats"`
	Warnings  []string   `json:"warnings,omitempty"`
}

// PreviewTrade is one trade of a preview.
type PreviewTrade struct {
	Subject     vigia.Subject `json:"subject"`
	Side        vigia.Side    `json:"side"`
	Quantity    vigia.USD     `json:"quantity_usd"`
	Liquidation vigia.Price   `json:"liquidation_usd"`
	// AfterFunding is the liquidation after the next settlement at the announced
	// rate.
	AfterFunding vigia.Price   `json:"liquidation_after_funding_usd"`
	TrueNow      bool          `json:"true_now"`
	Steps        []PreviewStep `json:"steps"`
	// HeldTo and By are from the straight path; Adds, Costs and Saves what the
	// rules do on it.
	HeldTo vigia.Price   `json:"held_to_usd"`
	By     vigia.EndedBy `json:"by"`
	Adds   vigia.Sats    `json:"adds_sats"`
	Costs  vigia.Sats    `json:"costs_sats"`
	Saves  int           `json:"saves"`
	// LosesNow is gone if it dies without the rule, LosesWorst after all steps
	// and limits are used.
	LosesNow   vigia.Sats `json:"loses_now_sats"`
	LosesWorst vigia.Sats `json:"loses_worst_sats"`
}

// PreviewStep is what one step does when it fires from here.
type PreviewStep struct {
	FiresAt vigia.Price       `json:"fires_at_usd"`
	Action  vigia.GuardAction `json:"action"`
	// Adds reaches the target at that price; Costs has the fee reserve's change
	// in it.
	Adds             vigia.Sats  `json:"adds_sats,omitempty"`
	Costs            vigia.Sats  `json:"costs_sats,omitempty"`
	ReserveChange    vigia.Sats  `json:"reserve_change_sats,omitempty"`
	LiquidationAfter vigia.Price `json:"liquidation_after_usd,omitempty"`
	// Loses is gone if the trade is liquidated after this step.
	Loses   vigia.Sats `json:"loses_if_it_still_dies_sats"`
	Covered bool       `json:"covered"`
}

// PreviewGuard previews an automation as if it were live and its preview
// confirmed, among the other automations there are. It has a Guard.
func PreviewGuard(f *Facts, a vigia.Automation) Preview {
	now := *f
	a.Mode, a.ArmedAt = vigia.ModeLive, f.Now
	now.Automations = replaceAutomation(f.Automations, a)
	now.States = confirmed(f, &a)
	out := Preview{Limits: a.Limits}
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
		out.add(&row, &longs, &shorts)
	}
	out.Hedged = longs && shorts
	out.warn(a.Guard)
	return out
}

func replaceAutomation(all []vigia.Automation, a vigia.Automation) []vigia.Automation {
	out := make([]vigia.Automation, 0, len(all)+1)
	for _, other := range all {
		if other.ID != a.ID {
			out = append(out, other)
		}
	}
	return append(out, a)
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

func (d *Decider) previewTrade(a *vigia.Automation, seen *vigia.Seen, held []Holding) PreviewTrade {
	t, last := &seen.Trade, d.f.Market.Last
	row := PreviewTrade{Subject: vigia.TradeSubject(t.ID), Side: t.Side, Quantity: t.Quantity,
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

func (d *Decider) previewStep(g *guarded, step *vigia.GuardStep) PreviewStep {
	at, last := step.FiresAt(&g.trade), d.f.Market.Last
	if last != 0 && step.Holds(&g.trade, last) {
		at = last
	}
	row := PreviewStep{FiresAt: at, Action: step.Action, Loses: g.trade.Margin}
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

func (p *Preview) add(row *PreviewTrade, longs, shorts *bool) {
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

func (p *Preview) warn(c *vigia.GuardConfig) {
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
