package decide

import "github.com/vigiaguard/vigia"

// commands turns a person's requests into decisions, oldest first. They come
// before every rule, need a look at the positions begun after the request, and
// lapse when they were not begun in time.
func (d *Decider) commands() {
	for i := range d.f.Requested {
		e := &d.f.Requested[i]
		decision := vigia.Decision{Subject: e.Subject, Command: e.ID, Last: d.f.Market.Last, Automation: e.Automation}
		if why := d.command(e, &decision); why != "" {
			decision.Action, decision.Reason = vigia.ActionNone, why
			decision.Amount, decision.Cost, decision.Replaces = 0, 0, ""
		} else {
			d.taken = append(d.taken, decision.Subject)
			d.promised += max(0, decision.Cost)
		}
		d.out.Decisions = append(d.out.Decisions, decision)
	}
}

func (d *Decider) command(e *vigia.Execution, decision *vigia.Decision) vigia.Reason {
	f := d.f
	switch {
	case vigia.Age(f.Now, e.CreatedAt) > vigia.CommandExpires:
		return vigia.ReasonExpired
	case f.Stops.HaltFile != "":
		return vigia.ReasonHalted
	case f.Account.Status == vigia.AccountRefused:
		return vigia.ReasonKeyRefused
	case !f.Account.CanWrite():
		return vigia.ReasonReadOnlyKey
	case f.Snapshot.TradesBegun.Before(e.CreatedAt):
		return vigia.ReasonStaleSnapshot
	}
	decision.Action, decision.Reason = e.Action, vigia.ReasonCommand
	decision.Amount, decision.Stop = e.Amount, e.Stop
	if e.Action == vigia.ActionProve {
		if why := d.prove(decision); why != "" {
			return why
		}
	}
	return d.begin(decision)
}

// begin checks that the trade still runs and the lane is free.
func (d *Decider) begin(decision *vigia.Decision) vigia.Reason {
	if decision.Subject.Kind == vigia.SubjectTrade {
		seen, running := d.f.Snapshot.Trade(decision.Subject.Trade)
		if !running {
			return vigia.ReasonGone
		}
		if decision.Action == vigia.ActionAddMargin || decision.Action == vigia.ActionProve {
			decision.Cost = seen.AddCost(decision.Amount)
		}
	}
	if d.commanded(decision.Subject) {
		return vigia.ReasonInFlight
	}
	busy := d.f.busy(decision.Subject, decision.Action.Lane())
	switch {
	case busy == nil:
		return ""
	case busy.State == vigia.ExecutionUnknown &&
		(busy.MayRepeat || busy.Action == vigia.ActionProve || decision.Action.SafeToRepeat()):
		decision.Replaces = busy.ID
		return ""
	case busy.State == vigia.ExecutionUnknown:
		return vigia.ReasonAwaitingUnknown
	}
	return vigia.ReasonInFlight
}

// prove chooses the trade farthest from liquidation, and only when every trade
// stands beyond trigger + hysteresis of every rule that covers it. A step that
// only tells is no danger.
func (d *Decider) prove(decision *vigia.Decision) vigia.Reason {
	f := d.f
	if f.Market.Blind(f.Now) {
		return vigia.ReasonBlind
	}
	farthest, best := vigia.Percent(-1), -1
	for i := range f.Snapshot.Trades {
		t := &f.Snapshot.Trades[i].Trade
		if f.endangered(t) {
			return vigia.ReasonNotSafeToProve
		}
		away := vigia.Distance(t.Side, f.Market.Last, t.Liquidation)
		if away > farthest && t.MaxAdd() > 0 {
			farthest, best = away, i
		}
	}
	if best < 0 {
		return vigia.ReasonGone
	}
	decision.Subject = vigia.TradeSubject(f.Snapshot.Trades[best].ID)
	decision.Amount = 1
	return ""
}

// endangered says whether a trade stands within trigger + hysteresis of a rule.
func (f *Facts) endangered(t *vigia.Trade) bool {
	for i := range f.Automations {
		a := &f.Automations[i]
		if a.Guard == nil || a.Mode == vigia.ModeOff || !a.Scope.Covers(t) {
			continue
		}
		for j := range a.Guard.Steps {
			step := &a.Guard.Steps[j]
			if step.Action != vigia.GuardNotify && !cleared(&guarded{auto: a, trade: *t}, step, f.Market.Last) {
				return true
			}
		}
	}
	return false
}
