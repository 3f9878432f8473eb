package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/decide"
	"github.com/vigiaguard/vigia/watch"
)

// mostRounds bounds one turn: each round commits one intent, and no rule acts
// twice on a trade before its call is settled.
const mostRounds = 4 * vigia.MaxTradesPerAccount

// work takes due accounts one after the other until ctx ends. Each worker has its
// own decider.
func (g *Guard) work(ctx context.Context) {
	var d decide.Decider
	for {
		w, ok := g.queue.take(ctx)
		if !ok {
			return
		}
		g.turn(ctx, w, &d)
	}
}

// turn decides an account from fresh facts, and commits what is to be done one
// intent at a time, deciding again before each.
func (g *Guard) turn(ctx context.Context, w *ward, d *decide.Decider) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tick := w.takeTick()
	if !tick.IsZero() {
		g.actor.Due()
	}
	defer g.reckonRisk(w)
	fence, held := g.o.Leases.Held(w.shard)
	if !held || !w.loaded || w.exchange == nil {
		return
	}
	for range mostRounds {
		facts, ok := g.facts(w)
		if !ok {
			return
		}
		result := d.Decide(&facts)
		for _, s := range result.States {
			w.remember(s)
		}
		decision, acting := result.Acting()
		if acting && !g.begin(ctx, w, fence, &facts, decision, tick) {
			acting = false
		}
		g.note(w, fence, &facts, &result)
		w.ended = w.ended[:0]
		if !acting {
			g.arm(w, d.NextDue())
			return
		}
	}
	g.log.Error("an account decides without end; it waits for the next change", "account", w.id)
}

// facts are what is known of an account now; false while there is nothing to
// decide from.
func (g *Guard) facts(w *ward) (decide.Facts, bool) {
	snapshot, market := g.snapshots.Of(w.id), g.o.Market()
	if snapshot == nil || market.Last == 0 {
		return decide.Facts{}, false
	}
	stops := *g.stops.Load()
	stops.HaltFile = *g.halted.Load()
	w.unsettled = w.unsettled[:0]
	for _, s := range w.suspects {
		w.unsettled = append(w.unsettled, s.Execution)
	}
	return decide.Facts{Now: g.clock.Now(), Account: w.account, Stops: stops, Market: market, Snapshot: snapshot,
		Automations: w.automations, States: w.states, Reserves: w.reserves, Unsettled: w.unsettled,
		Requested: w.requested, Ended: w.ended}, true
}

// begin commits the intent of a decision and lets its call go. It says whether the
// account may be decided again at once.
func (g *Guard) begin(ctx context.Context, w *ward, fence vigia.Fence, f *decide.Facts, d vigia.Decision, tick time.Time) bool {
	g.actor.Decided()
	intent := g.intent(w, fence, f, &d, tick)
	e, call, err := g.actor.Begin(ctx, w.exchange, intent)
	if err != nil {
		g.notBegun(w, &e, err)
		return false
	}
	g.storeWorks()
	w.begun(&e, intent.Counts)
	g.calls.Add(1)
	g.flying.Store(e.ID, true)
	go g.finish(context.WithoutCancel(ctx), w, w.exchange, e, call)
	return true
}

// intent is a decision as it is committed.
func (g *Guard) intent(w *ward, fence vigia.Fence, f *decide.Facts, d *vigia.Decision, tick time.Time) vigia.Intent {
	e := vigia.Execution{ID: d.Command, Owner: w.account.Owner, Account: w.id, Automation: d.Automation,
		Subject: d.Subject, Action: d.Action, Reason: d.Reason, Step: d.Step, Amount: d.Amount, Cost: max(0, d.Cost),
		Stop: d.Stop, Last: d.Last, Partial: d.Partial, Command: d.Command, Replaces: d.Replaces,
		TickAt: tick, CreatedAt: f.Now, Fence: fence}
	if e.ID == "" {
		e.ID = vigia.ExecutionID(vigia.NewID(f.Now))
	}
	seen, running := f.Snapshot.Trade(d.Subject.Trade)
	if running {
		e.Before = seen.Trade
	}
	intent := vigia.Intent{Execution: e}
	if auto := w.automation(d.Automation); auto != nil && d.Command == "" {
		intent.Counts = d.Action == vigia.ActionAddMargin
		if intent.Counts && running {
			intent.Ceiling = &vigia.Ceiling{PerTrade: auto.Limits.ForTrade(&seen.Trade), PerDay: auto.Limits.PerDay}
		}
		intent.States = []vigia.AutomationState{w.state(d.Automation, d.Subject)}
	}
	return intent
}

// begun takes a committed intent into what deciding sees.
func (w *ward) begun(e *vigia.Execution, counts bool) {
	w.suspects = append(w.suspects, &act.Suspect{Execution: *e})
	if e.Action.Lane() == vigia.LaneMargin {
		w.reserves = append(w.reserves, vigia.Reserve{Execution: e.ID, Account: w.id, Subject: e.Subject,
			State: vigia.ReserveHeld, Cost: e.Cost, Counts: counts, ByHand: e.Automation == "", At: e.CreatedAt})
	}
	w.dropRequest(e.Command)
}

func (w *ward) dropRequest(id vigia.ExecutionID) {
	if id == "" {
		return
	}
	kept := w.requested[:0]
	for _, r := range w.requested {
		if r.ID != id {
			kept = append(kept, r)
		}
	}
	w.requested = kept
}

// notBegun handles what kept an intent from being committed. Nothing was sent.
func (g *Guard) notBegun(w *ward, e *vigia.Execution, err error) {
	switch {
	case errors.Is(err, act.ErrHalted):
		path := g.o.Halted()
		g.halted.Store(&path)
	case errors.Is(err, vigia.ErrChanged) && e.Command != "":
		w.dropRequest(e.Command)
	case errors.Is(err, vigia.ErrFenced), errors.Is(err, vigia.ErrClaimed), errors.Is(err, vigia.ErrChanged), isLimit(err):
		g.log.Warn("an intent was refused; the account is read again from the record",
			"account", w.id, "subject", e.Subject.String(), "action", string(e.Action), "error", err)
		w.loaded = false
		signal(g.reload)
	case errors.Is(err, act.ErrStopped), errors.Is(err, context.Canceled):
	case errors.Is(err, ErrNotPrepared):
		g.log.Warn("a call could not be prepared", "account", w.id, "error", err)
		g.retryAt(w, g.clock.Now().Add(vigia.UnsentWait))
	default:
		g.storeFailed(fmt.Errorf("account %s: %w", w.id, err))
		g.retryAt(w, g.clock.Now().Add(vigia.UnsentWait))
	}
}

// ErrNotPrepared wraps what an exchange says when it cannot sign or has no token.
var ErrNotPrepared = errors.New("the call could not be prepared")

func isLimit(err error) bool {
	var public *vigia.Error
	return errors.As(err, &public) && public.Code == vigia.CodeLimit
}

// arm puts an account's next prices and times into the book. What the last tick
// has passed already is due at once.
func (g *Guard) arm(w *ward, dues []decide.Due) {
	for subject := range w.armed {
		w.armed[subject] = false
	}
	passed := false
	for i := range dues {
		due := &dues[i]
		at := due.At
		if !w.wake.IsZero() && (at.IsZero() || w.wake.Before(at)) {
			at = w.wake
		}
		passed = g.book.Arm(g.handles.Handle(w.id, due.Subject), due.Below, due.Above, at) || passed
		w.armed[due.Subject] = true
		if !at.IsZero() {
			signal(g.sooner)
		}
	}
	if len(dues) == 0 && !w.wake.IsZero() {
		g.book.Arm(g.handles.Handle(w.id, vigia.AccountSubject()), 0, 0, w.wake)
		w.armed[vigia.AccountSubject()] = true
		signal(g.sooner)
	}
	w.wake = time.Time{}
	for subject, still := range w.armed {
		if still {
			continue
		}
		if key, ok := g.handles.Find(w.id, subject); ok {
			g.book.Disarm(key)
			g.handles.Release(key)
		}
		delete(w.armed, subject)
	}
	if passed {
		g.queue.put(w)
	}
}

// risk is what decides how often an account is read.
func (g *Guard) risk(w *ward) watch.Risk {
	out := watch.Risk{Unsettled: len(w.suspects) > 0}
	snapshot, last := g.snapshots.Of(w.id), g.o.Market().Last
	if snapshot == nil {
		return out
	}
	out.Cross = snapshot.Cross.Quantity != 0
	for i := range snapshot.Trades {
		t := &snapshot.Trades[i].Trade
		away := vigia.Distance(t.Side, last, t.Liquidation)
		if out.Trades == 0 || away < out.Nearest {
			out.Nearest = away
		}
		out.Trades++
	}
	return out
}

// reckonRisk tells the schedule when an account's risk moved by more than it
// would notice. The ward is locked.
func (g *Guard) reckonRisk(w *ward) {
	risk := g.risk(w)
	moved := max(risk.Nearest-w.risked.Nearest, w.risked.Nearest-risk.Nearest) >= vigia.OnePercent/4
	if risk.Trades != w.risked.Trades || risk.Cross != w.risked.Cross || risk.Unsettled != w.risked.Unsettled || moved {
		w.risked = risk
		g.schedule.SetRisk(w.id, risk)
	}
}

// retryAt makes an account due again at a time, whatever else happens.
func (g *Guard) retryAt(w *ward, at time.Time) {
	if w.wake.IsZero() || at.Before(w.wake) {
		w.wake = at
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
