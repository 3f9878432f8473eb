package decide_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// trouble is what holds rules back: calls under way, old sightings, stop modes, a
// key that cannot write, a person's commands, alerts beside them.
func (w *world) trouble(f *decide.Facts) {
	for i := range f.Snapshot.Trades {
		if w.once(4, "seen long ago") {
			f.Snapshot.Trades[i].Begun = w.ago(15*time.Minute, "seen")
		}
	}
	if w.once(4, "read long ago") {
		f.Snapshot.FreeBegun = w.ago(time.Minute, "free read")
	}
	if w.once(4, "listed long ago") {
		f.Snapshot.TradesBegun = w.ago(time.Minute, "listed")
	}
	switch w.int(1, 20, "held back") {
	case 1:
		f.Stops.HaltFile = "halt"
	case 2:
		f.Stops.Automations = true
	case 3:
		f.Account.Scopes = nil
	case 4:
		f.Account.Status = vigia.AccountRefused
	case 5:
		f.Snapshot.FreeBegun = time.Time{}
	}
	for i := range w.int(0, 2, "calls") {
		f.Unsettled = append(f.Unsettled, w.call(f, i))
	}
	if w.once(4, "command") {
		f.Requested = append(f.Requested, w.command(f))
	}
	if w.once(3, "alert") {
		f.Automations = append(f.Automations, vigia.Automation{ID: "u", Mode: vigia.ModeLive, ArmedAt: noon.Add(-time.Hour),
			Alert: &vigia.AlertConfig{When: vigia.AlertUnprotected}})
	}
}

func (w *world) call(f *decide.Facts, i int64) vigia.Execution {
	e := vigia.Execution{ID: vigia.ExecutionID(fmt.Sprintf("e%d", i)), Subject: w.subject(f), Automation: f.Automations[0].ID,
		State: vigia.ExecutionUnknown, CreatedAt: w.ago(20*time.Second, "called"), MayRepeat: w.once(2, "may repeat"),
		Action: rapid.SampledFrom([]vigia.Action{vigia.ActionAddMargin, vigia.ActionClose, vigia.ActionSetStop,
			vigia.ActionProve}).Draw(w.t, "call")}
	if w.once(2, "intent") {
		e.State = vigia.ExecutionIntent
	}
	if w.once(2, "by hand") {
		e.Automation = ""
	}
	return e
}

func (w *world) command(f *decide.Facts) vigia.Execution {
	e := vigia.Execution{ID: "c", State: vigia.ExecutionRequested, CreatedAt: w.ago(40*time.Second, "requested"),
		Subject: w.subject(f), Amount: vigia.Sats(w.int(1, 50_000, "amount")),
		Action: rapid.SampledFrom([]vigia.Action{vigia.ActionAddMargin, vigia.ActionClose, vigia.ActionProve}).Draw(w.t, "command")}
	if e.Action == vigia.ActionProve {
		e.Subject = vigia.AccountSubject()
	}
	return e
}
