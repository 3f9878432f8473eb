package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/decide"
)

// mostRounds bounds one turn: each round commits one intent, and no rule acts
// twice on a trade before its call is settled.
const mostRounds = 4 * vigia.MaxTradesPerAccount

// takeTurns takes due accounts one after the other until ctx ends. Each worker has
// its own decider.
func (g *Guard) takeTurns(ctx context.Context) {
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
	fence, held := g.o.Leases.Held(w.shard)
	if !held || !w.loadedUnder(fence) {
		// What is in memory is of another lease, or of none: it is read again.
		g.arm(w, nil, 0)
		return
	}
	defer g.reckonRisk(w)
	for range mostRounds {
		w.takeCommands()
		facts, ok := g.facts(w)
		if !ok && len(w.requested) == 0 {
			return
		}
		result := d.Decide(&facts)
		for _, s := range result.States {
			w.remember(s)
		}
		decision, acting := result.Acting()
		again := acting && g.begin(ctx, w, fence, &facts, decision, tick)
		g.note(w, fence, &facts, &result)
		g.forgetEnded(w, fence)
		if !again {
			g.arm(w, d.NextDue(), facts.Market.Last)
			return
		}
		if !w.loadedUnder(fence) {
			return
		}
	}
	g.log.Error("an account decides without end; it waits for the next change", "account", w.id)
}

// facts are what is known of an account now; false while nothing was seen of it or
// of the market, when nothing but commands can be answered.
func (g *Guard) facts(w *ward) (decide.Facts, bool) {
	snapshot, market := g.snapshots.Of(w.id), g.o.Market()
	seen := snapshot != nil && market.Last != 0
	if snapshot == nil {
		snapshot = &vigia.Snapshot{Account: w.id}
	}
	stops := *g.stops.Load()
	stops.HaltFile = *g.halted.Load()
	w.unsettled = w.unsettled[:0]
	for _, s := range w.suspects {
		w.unsettled = append(w.unsettled, s.Execution)
	}
	return decide.Facts{Now: g.clock.Now(), Account: w.account, Stops: stops, Market: market, Snapshot: snapshot,
		Automations: w.automations, States: w.states, Reserves: w.countedReserves(snapshot.FreeBegun),
		Unsettled: w.unsettled, Requested: w.requested, Ended: w.ended}, seen
}

// begin commits the intent of a decision and lets its call go. It says whether the
// account may be decided again at once.
func (g *Guard) begin(ctx context.Context, w *ward, fence vigia.Fence, f *decide.Facts, d vigia.Decision, tick time.Time) bool {
	g.actor.Decided()
	intent := g.intent(w, fence, f, &d, tick)
	e, call, err := g.actor.Begin(ctx, w.exchange, intent)
	if err != nil {
		return g.notBegun(ctx, w, &e, d.Replaces, err)
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
	if w.claimless[e.Replaces] {
		e.Replaces = "" // its claim went to a later attempt, which is settled
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
	if e.Replaces != "" {
		w.claimless[e.Replaces] = true
	}
	w.dropRequest(e.Command)
}

// notBegun handles what kept an intent from being committed. Nothing was sent. It
// says whether the account may be decided again at once.
func (g *Guard) notBegun(ctx context.Context, w *ward, e *vigia.Execution, replaces vigia.ExecutionID, err error) bool {
	switch {
	case ctx.Err() != nil, errors.Is(err, act.ErrStopped):
	case errors.Is(err, act.ErrHalted):
		if path := g.o.Halted(); path != "" && g.halt(path) {
			g.AllDue()
			return true // it is decided again, as held back
		}
		g.queue.put(w)
	case errors.Is(err, vigia.ErrChanged) && e.Command != "":
		w.dropRequest(e.Command) // somebody else has begun or ended it
		return true
	case errors.Is(err, vigia.ErrClaimed) && e.Replaces != "":
		w.claimless[e.Replaces] = true
		return true
	case errors.Is(err, vigia.ErrFenced), errors.Is(err, vigia.ErrClaimed), errors.Is(err, vigia.ErrChanged), isLimit(err):
		// It is read again by the next look for changes, so that record and memory
		// that differ for long cost little.
		g.log.Warn("an intent was refused; the account is read again from the record",
			"account", w.id, "subject", e.Subject.String(), "action", string(e.Action), "error", err)
		delete(w.claimless, replaces)
		w.under.Store(nil)
	case errors.Is(err, ErrNotPrepared):
		g.log.Warn("a call could not be prepared", "account", w.id, "error", err)
		w.retryAt(g.clock.Now().Add(vigia.UnsentWait))
	default:
		g.storeFailed(fmt.Errorf("account %s: %w", w.id, err))
		w.retryAt(g.clock.Now().Add(vigia.UnsentWait))
	}
	return false
}

// ErrNotPrepared wraps what an exchange says when it cannot sign or has no token.
var ErrNotPrepared = errors.New("the call could not be prepared")

func isLimit(err error) bool {
	var public *vigia.Error
	return errors.As(err, &public) && public.Code == vigia.CodeLimit
}
