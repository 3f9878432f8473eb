package decide

import "github.com/vigiaguard/vigia"

// Protect says how far a running trade is protected, and what is missing.
func Protect(f *Facts, t *vigia.Trade) vigia.Protection {
	var d Decider
	d.f = f
	d.purse.fill(f)
	return d.protect(t)
}

// protect judges a trade by the live guard that protects it best, against a purse
// that is filled.
func (d *Decider) protect(t *vigia.Trade) vigia.Protection {
	var best []vigia.Gap
	live, dry := false, false
	for i := range d.f.Automations {
		a := &d.f.Automations[i]
		if a.Guard == nil || !a.Scope.Covers(t) {
			continue
		}
		dry = dry || a.Mode == vigia.ModeDryRun
		if a.Mode != vigia.ModeLive {
			continue
		}
		if gaps := d.tradeGaps(a, t); !live || len(gaps) < len(best) {
			best = gaps
		}
		live = true
	}
	switch {
	case !live && dry:
		return vigia.Protection{Level: vigia.Unprotected, Reasons: []vigia.Gap{vigia.GapDryRun}}
	case !live:
		return vigia.Protection{Level: vigia.Unprotected, Reasons: []vigia.Gap{vigia.GapNoAutomation}}
	}
	if reasons := append(d.f.accountGaps(t), best...); len(reasons) > 0 {
		return vigia.Protection{Level: vigia.InNameOnly, Reasons: reasons}
	}
	return vigia.Protection{Level: vigia.Protected}
}

// accountGaps are those that come from the account and from the age of what is
// known.
func (f *Facts) accountGaps(t *vigia.Trade) []vigia.Gap {
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
	seen := f.Snapshot.TradesBegun
	if alone, ok := f.Snapshot.Trade(t.ID); ok && alone.Begun.After(seen) {
		seen = alone.Begun
	}
	add(f.stale(seen) || f.Snapshot.FreeBegun.IsZero(), vigia.GapStale)
	add(f.Account.ProvedAt.IsZero() || vigia.Age(f.Now, f.Account.ProvedAt) > vigia.ProofLasts, vigia.GapNotProved)
	return out
}

// tradeGaps are those of one trade under one live guard.
func (d *Decider) tradeGaps(a *vigia.Automation, t *vigia.Trade) []vigia.Gap {
	var out []vigia.Gap
	g := guarded{auto: a, subject: vigia.TradeSubject(t.ID), trade: *t}
	state, armed := d.decided(a.ID, g.subject)
	g.state = state
	acting, first := uint32(0), -1
	for i := range a.Guard.Steps {
		if a.Guard.Steps[i].Action == vigia.GuardNotify {
			continue
		}
		acting |= 1 << i
		if first < 0 {
			first = i
		}
	}
	if first < 0 {
		return []vigia.Gap{vigia.GapNotifyOnly}
	}
	if !armed || !state.Armed.Equal(a.ArmedAt) || state.TrueWhenArmed&acting != 0 {
		out = append(out, vigia.GapTrueWhenArmed)
	}
	if step := &a.Guard.Steps[first]; step.Action == vigia.GuardAddMargin && !endless(t) && !d.covered(&g, step, false) {
		out = append(out, vigia.GapCover)
	}
	if busy := d.f.busy(g.subject, vigia.LaneMargin); busy != nil &&
		busy.State == vigia.ExecutionUnknown && busy.Action != vigia.ActionProve {
		out = append(out, vigia.GapUnknown)
	}
	return out
}

// decided is the state of a rule after this call, or as it was handed in.
func (d *Decider) decided(id vigia.AutomationID, subject vigia.Subject) (vigia.AutomationState, bool) {
	for _, s := range d.out.States {
		if s.Automation == id && s.Subject == subject {
			return s, true
		}
	}
	return d.f.state(id, subject)
}
