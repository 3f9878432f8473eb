package decide

import (
	"slices"

	"github.com/vigiaguard/vigia"
)

// Protect says how far a running trade is protected, and what is missing.
func Protect(f *Facts, t *vigia.Trade) vigia.Protection {
	var d Decider
	d.f = f
	return d.protect(t)
}

func (d *Decider) protect(t *vigia.Trade) vigia.Protection {
	live, dry := d.f.covering(t)
	if live == nil {
		why := vigia.GapNoAutomation
		if dry {
			why = vigia.GapDryRun
		}
		return vigia.Protection{Level: vigia.Unprotected, Reasons: []vigia.Gap{why}}
	}
	reasons := append(d.f.accountGaps(), d.tradeGaps(live, t)...)
	if len(reasons) > 0 {
		return vigia.Protection{Level: vigia.InNameOnly, Reasons: reasons}
	}
	return vigia.Protection{Level: vigia.Protected}
}

// covering finds the first live guard over a trade, and whether a dry one is.
func (f *Facts) covering(t *vigia.Trade) (live *vigia.Automation, dry bool) {
	for i := range f.Automations {
		a := &f.Automations[i]
		if a.Guard == nil || !a.Scope.Covers(t) {
			continue
		}
		if a.Mode == vigia.ModeLive && live == nil {
			live = a
		}
		dry = dry || a.Mode == vigia.ModeDryRun
	}
	return live, dry
}

// accountGaps are those that all trades of the account share.
func (f *Facts) accountGaps() []vigia.Gap {
	var out []vigia.Gap
	add := func(missing bool, why vigia.Gap) {
		if missing {
			out = append(out, why)
		}
	}
	add(f.Stops.HaltFile != "", vigia.GapHalted)
	add(f.Stops.Automations, vigia.GapStopped)
	refused := f.Account.Status == vigia.AccountRefused
	add(refused, vigia.GapKeyRefused)
	add(!refused && !f.Account.CanWrite(), vigia.GapReadOnlyKey)
	add(f.Market.Blind(f.Now), vigia.GapBlind)
	add(f.stale(f.Snapshot.TradesBegun), vigia.GapStale)
	add(f.Account.ProvedAt.IsZero() || vigia.Age(f.Now, f.Account.ProvedAt) > vigia.ProofLasts, vigia.GapNotProved)
	return out
}

// tradeGaps are those of one trade under one live guard.
func (d *Decider) tradeGaps(a *vigia.Automation, t *vigia.Trade) []vigia.Gap {
	var out []vigia.Gap
	g := guarded{auto: a, subject: vigia.TradeSubject(t.ID), trade: *t}
	state, armed := d.f.state(a.ID, g.subject)
	g.state = state
	if !armed || !state.Armed.Equal(a.ArmedAt) || state.TrueWhenArmed != 0 {
		out = append(out, vigia.GapTrueWhenArmed)
	}
	acting := slices.ContainsFunc(a.Guard.Steps, func(s vigia.GuardStep) bool { return s.Action != vigia.GuardNotify })
	if !acting {
		return append(out, vigia.GapNotifyOnly)
	}
	if busy := d.f.busy(g.subject, vigia.LaneMargin); busy != nil && busy.State == vigia.ExecutionUnknown {
		out = append(out, vigia.GapUnknown)
	}
	d.purse.fill(d.f)
	for i := range a.Guard.Steps {
		step := &a.Guard.Steps[i]
		if step.Action == vigia.GuardAddMargin && !d.covered(&g, step) {
			return append(out, vigia.GapCover)
		}
		if step.Action != vigia.GuardNotify {
			break
		}
	}
	return out
}
