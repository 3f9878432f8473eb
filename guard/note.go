package guard

import (
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
	"github.com/vigiaguard/vigia/watch"
)

// note hands what a turn decided to the keeper: decisions whose action or reason
// changed, states, what dry runs would have done, what is to be told. The ward is
// locked.
func (g *Guard) note(w *ward, fence vigia.Fence, f *decide.Facts, result *decide.Result) {
	kept := vigia.Kept{Fence: fence, States: result.States}
	for i := range result.Decisions {
		d := &result.Decisions[i]
		if d.Command != "" {
			g.noteCommand(w, d)
			continue
		}
		if d.Reason == vigia.ReasonStaleSnapshot {
			g.wantFresh(w, f)
		}
		if d.Action == vigia.ActionNotify {
			kept.Events = append(kept.Events, g.notifyEvent(w, f, d))
		}
		if !w.changed(d) {
			continue
		}
		kept.Decisions = append(kept.Decisions, vigia.KeptDecision{ID: vigia.NewID(f.Now), Owner: w.account.Owner,
			Account: w.id, At: f.Now, Decision: *d})
		kept.Events = append(kept.Events, g.decisionEvents(w, f, d)...)
		if d.DryRun && d.Acts() {
			kept.Executions = append(kept.Executions, dryExecution(w, f, d))
		}
	}
	kept.Events = append(kept.Events, g.sightEvents(w, f, result)...)
	g.keeper.keep(w, kept)
}

// wantFresh asks for the reads that a decision misses. A read of the wallet that is
// wanted goes first.
func (g *Guard) wantFresh(w *ward, f *decide.Facts) {
	g.want(w, watch.ReadRunning, f.Now.Add(time.Millisecond))
	if vigia.Age(f.Now, f.Snapshot.FreeBegun) > vigia.FreshFor {
		g.want(w, watch.ReadAccount, f.Now)
	}
}

// changed says whether a decision differs from the last one kept for the same
// rule and subject. A dry run that acts again did something again.
func (w *ward) changed(d *vigia.Decision) bool {
	key, now := keptKey{d.Automation, d.Subject}, keptDecision{d.Action, d.Reason, d.DryRun}
	if w.kept[key] == now && (!d.DryRun || !d.Acts()) {
		return false
	}
	w.kept[key] = now
	return true
}

func dryExecution(w *ward, f *decide.Facts, d *vigia.Decision) vigia.Execution {
	e := vigia.Execution{ID: vigia.ExecutionID(vigia.NewID(f.Now)), Owner: w.account.Owner, Account: w.id,
		Automation: d.Automation, Subject: d.Subject, Action: d.Action, State: vigia.ExecutionDryRun, Reason: d.Reason,
		Step: d.Step, Amount: d.Amount, Cost: max(0, d.Cost), Stop: d.Stop, Last: d.Last, Partial: d.Partial,
		CreatedAt: f.Now, SettledAt: f.Now}
	if seen, ok := f.Snapshot.Trade(d.Subject.Trade); ok {
		e.Before = seen.Trade
	}
	return e
}

// noteCommand ends a command that will not be begun. One that waits for a read, a
// price or a lane waits until it lapses.
func (g *Guard) noteCommand(w *ward, d *vigia.Decision) {
	if d.Action != vigia.ActionNone {
		return
	}
	to := vigia.ExecutionSkipped
	switch d.Reason {
	case vigia.ReasonStaleSnapshot:
		g.want(w, watch.ReadRunning, g.clock.Now())
		return
	case vigia.ReasonInFlight, vigia.ReasonAwaitingUnknown, vigia.ReasonBlind:
		return
	case vigia.ReasonGone:
		to = vigia.ExecutionGone
	}
	detail := d.Reason.Sentence()
	if d.Reason == vigia.ReasonHalted {
		detail = "The halt file exists: " + *g.halted.Load()
	}
	s := vigia.Settlement{Execution: d.Command, From: []vigia.ExecutionState{vigia.ExecutionRequested},
		To: to, Reason: d.Reason, Class: vigia.AppError, Detail: detail}
	w.dropRequest(d.Command)
	g.calls.Add(1)
	go func() {
		defer g.calls.Done()
		if _, err := g.settleAgain(s); err != nil {
			g.log.Error("a command that was not begun could not be written down", "execution", s.Execution, "error", err)
		}
	}()
}
