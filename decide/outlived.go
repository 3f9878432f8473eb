package decide

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// shadowOutlived ends a dry run whose real trade was liquidated: it says to what
// price the rule would have held it, as the decision's LiquidationAfter.
func (d *Decider) shadowOutlived(a *vigia.Automation, ended *Ended) {
	subject := vigia.TradeSubject(ended.Trade.ID)
	state, ok := d.f.state(a.ID, subject)
	if !ok || !state.Armed.Equal(a.ArmedAt) || state.Shadow.ClosedAt != 0 || !a.Scope.Covers(&ended.Trade) {
		return
	}
	facts := d.shadowWorld(a, &ended.Trade)
	for _, h := range Held(&facts) {
		if h.Subject == subject {
			d.out.Decisions = append(d.out.Decisions, vigia.Decision{Automation: a.ID, Subject: subject,
				Action: vigia.ActionNotify, Reason: vigia.ReasonGone, Last: facts.Market.Last,
				LiquidationAfter: h.Price, DryRun: true})
		}
	}
}

// shadowWorld are the facts as a dry run has them, with a trade that died still
// running at the price it died at. The purse holds the dry run's free sats already.
func (d *Decider) shadowWorld(a *vigia.Automation, died *vigia.Trade) Facts {
	f := *d.f
	live := *a
	live.Mode = vigia.ModeLive
	f.Automations, f.States, f.Reserves = []vigia.Automation{live}, nil, nil
	f.Account.Status, f.Account.Scopes = vigia.AccountActive, []string{vigia.ScopeIsolatedWrite}
	f.Market.Last = died.ExitPrice
	if died.ExitPrice == 0 {
		f.Market.Last = died.Liquidation
	}
	snapshot := *d.f.Snapshot
	snapshot.Free, snapshot.FreeBegun = d.purse.free, f.Now
	again := vigia.Seen{Trade: *died, Begun: f.Now}
	again.State = vigia.TradeRunning
	snapshot.Trades = append([]vigia.Seen{again}, snapshot.Trades...)
	for i := range snapshot.Trades {
		d.embody(a, &f, &snapshot, &snapshot.Trades[i].Trade)
	}
	f.Snapshot = &snapshot
	return f
}

// embody makes a shadow real: its margin and stop on the trade, its spends as
// reserves.
func (d *Decider) embody(a *vigia.Automation, f *Facts, snapshot *vigia.Snapshot, t *vigia.Trade) {
	g := guarded{auto: a, subject: vigia.TradeSubject(t.ID), trade: *t, dry: true}
	d.overlay(&g)
	*t = g.trade
	state, ok := d.f.state(a.ID, g.subject)
	if !ok || !state.Armed.Equal(a.ArmedAt) {
		return
	}
	shadow := state.Shadow
	if shadow.ClosedAt != 0 {
		t.State = vigia.TradeClosed
	}
	if _, running := d.f.Snapshot.Trade(t.ID); !running {
		snapshot.Free -= shadow.Spent
	}
	earlier := shadow.Spent
	spent := func(cost vigia.Sats, at time.Time) {
		f.Reserves = append(f.Reserves, vigia.Reserve{Subject: g.subject, State: vigia.ReserveSpent, Counts: true,
			Cost: cost, At: at, SettledAt: at})
		earlier -= cost
	}
	for _, spend := range shadow.Spends {
		spent(spend.Cost, spend.At)
	}
	spent(earlier, time.Time{})
	state.OurStop, state.Shadow = shadow.Stop, vigia.Shadow{}
	f.States = append(f.States, state)
}
