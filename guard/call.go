package guard

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/watch"
)

// finish sends a committed call, once, and settles it by what came back. It is not
// cut off by the guard's stop: a call on its way is waited for.
func (g *Guard) finish(ctx context.Context, w *ward, exchange Exchange, e vigia.Execution, call vigia.PreparedCall) {
	defer g.calls.Done()
	defer g.flying.Delete(e.ID)
	g.actor.Sending()
	r := g.actor.Call(ctx, exchange, call)
	if r.AnsweredAt.IsZero() && r.Outcome != vigia.CallUnknown {
		r.AnsweredAt = g.clock.Now()
	}
	if r.SentAt.IsZero() {
		r.SentAt = e.CreatedAt
	}
	s := act.Answered(&e, &r)
	if r.Outcome == vigia.CallRefused && e.Action.SafeToRepeat() {
		g.lookAtGoal(ctx, exchange, &e, &s)
	}
	var change watch.Change
	if s.To == vigia.ExecutionDone {
		change = g.snapshots.SawAnswer(w.id, watch.Answer{Begun: r.SentAt, At: r.AnsweredAt,
			Lane: e.Action.Lane(), Trade: r.Trade})
		g.took(w, change)
	}
	at := r.AnsweredAt
	if at.IsZero() {
		at = g.clock.Now()
	}
	if err := g.settle(w, &e, s, at, g.settleAgain); err != nil {
		g.log.Error("a settlement could not be written; the account is read again from the record", "execution", e.ID, "error", err)
		w.under.Store(nil)
	}
	for i := range change.Vanished {
		w.endedNow(&r.Trade, cmp.Or(change.Vanished[i].By, vigia.EndedByUs))
	}
	g.wantAfter(w, &e, &s)
	g.queue.put(w)
}

// lookAtGoal looks whether the goal of a refused call stands all the same: a
// refusal of what is safe to repeat may mean that it is done, or that the trade is
// gone. Where that cannot be seen it stays refused.
func (g *Guard) lookAtGoal(ctx context.Context, exchange Exchange, e *vigia.Execution, s *vigia.Settlement) {
	trades, _, err := exchange.Running(ctx)
	if err != nil {
		g.log.Warn("whether the goal of a refused call stands could not be read", "execution", e.ID, "error", err)
		return
	}
	now := e.Before
	now.State = vigia.TradeClosed
	for i := range trades {
		if trades[i].ID == e.Subject.Trade {
			now = trades[i]
		}
	}
	if to := act.Goal(e, &now); to != "" {
		s.To, s.Class, s.After = to, "", now
	}
}

// settle takes a settlement into memory, where deciding sees at once what is a
// fact, books it in the record, and then in memory as settled. at is the version
// of what showed it.
func (g *Guard) settle(w *ward, e *vigia.Execution, s vigia.Settlement, at time.Time, commit func(vigia.Settlement) (vigia.Settled, error)) error {
	w.mu.Lock()
	if e.Automation != "" && s.To != vigia.ExecutionUnknown && g.stillRuns(w, e.Subject) {
		state := act.Remember(w.state(e.Automation, e.Subject), e, &s, at)
		w.remember(state)
		s.States = []vigia.AutomationState{state}
	}
	s.Events = append(s.Events, g.eventsOf(w, e, &s)...)
	w.settling++
	w.mu.Unlock()
	settled, err := commit(s)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settling--
	if len(s.States) > 0 && (w.settling > 0 || g.keeper.touches(w)) {
		// Another write of the same state may have passed this one.
		g.keeper.keep(w, vigia.Kept{Fence: w.fence, States: s.States})
	}
	if err != nil {
		return err
	}
	g.booked(w, &settled.Execution, at)
	if s.Proved && !settled.Replayed {
		w.account.ProvedAt = g.clock.Now()
	}
	return nil
}

// stillRuns says whether a subject is there for a rule to remember anything of.
func (g *Guard) stillRuns(w *ward, subject vigia.Subject) bool {
	snapshot := g.snapshots.Of(w.id)
	if snapshot == nil || subject.Kind != vigia.SubjectTrade {
		return true
	}
	_, running := snapshot.Trade(subject.Trade)
	return running
}

// settleOnce commits a settlement; whoever found it finds it again.
func (g *Guard) settleOnce(s vigia.Settlement) (vigia.Settled, error) {
	settled, err := g.actor.Settle(g.settling, s)
	switch {
	case err == nil:
		g.storeWorks()
	case !isFinal(err):
		g.storeFailed(err)
	}
	return settled, err
}

// settleAgain tries until the store takes a settlement: the call was made, and that
// is a fact. A stop ends it.
func (g *Guard) settleAgain(s vigia.Settlement) (vigia.Settled, error) {
	for {
		settled, err := g.settleOnce(s)
		if err == nil || isFinal(err) {
			return settled, err
		}
		timer := g.clock.NewTimer(vigia.UnsentWait)
		select {
		case <-timer.C():
		case <-g.settling.Done():
			timer.Stop()
			return settled, err
		}
	}
}

// isFinal says that trying a settlement again is of no use.
func isFinal(err error) bool {
	var public *vigia.Error
	return errors.Is(err, act.ErrStopped) || errors.Is(err, errDrained) || errors.Is(err, vigia.ErrChanged) ||
		errors.Is(err, vigia.ErrNotFound) || errors.As(err, &public) && public.Code == vigia.CodeInvalid
}

// booked takes an execution as the record has it now into what deciding sees; the
// ward is locked.
func (g *Guard) booked(w *ward, e *vigia.Execution, at time.Time) {
	if suspect, i := w.suspect(e.ID); suspect != nil {
		if e.State.Settled() {
			w.suspects = append(w.suspects[:i], w.suspects[i+1:]...)
			delete(w.claimless, e.ID)
		} else {
			suspect.State, suspect.SentAt = e.State, e.SentAt
		}
	}
	if e.State == vigia.ExecutionDone {
		w.addSettled(e, at)
	}
	if len(w.suspects) == 0 {
		w.settledAdds = w.settledAdds[:0]
	}
	w.settleReserve(e, at)
	if e.Action == vigia.ActionClose && (e.State == vigia.ExecutionDone || e.State == vigia.ExecutionSuperseded) {
		w.closedByUs[e.Subject.Trade] = true
	}
	g.remark(e)
}

// addSettled keeps an add that was answered with success, once, for as long as
// something of the account is not settled.
func (w *ward) addSettled(e *vigia.Execution, at time.Time) {
	if e.Action.Lane() != vigia.LaneMargin || e.Action == vigia.ActionCashIn || e.AnsweredAt.IsZero() {
		return
	}
	for i := range w.settledAdds {
		if w.settledAdds[i].execution == e.ID {
			return
		}
	}
	w.settledAdds = append(w.settledAdds, settledAdd{e.ID, tradeOf(e), act.Add{Amount: e.Amount, At: at}})
}

// remark keeps the last call for the proof of life.
func (g *Guard) remark(e *vigia.Execution) {
	if e.SentAt.IsZero() {
		return
	}
	last := &vigia.LastExecution{ID: e.ID, Account: e.Account, Subject: e.Subject, Action: e.Action, State: e.State,
		Amount: e.Amount, SentAt: e.SentAt, TickToWire: e.TickToWire()}
	if !e.TickAt.IsZero() && !e.AnsweredAt.IsZero() {
		last.TickToAnswer = e.AnsweredAt.Sub(e.TickAt)
	}
	g.last.Store(last)
}

// wantAfter asks for the reads that a call leaves wanted: the wallet after every
// one, the trade again where the answer did not show it. After a refusal the wallet
// is read first, so that what follows is sized by what there is.
func (g *Guard) wantAfter(w *ward, e *vigia.Execution, s *vigia.Settlement) {
	now := g.clock.Now()
	g.want(w, watch.ReadAccount, now)
	switch s.To {
	case vigia.ExecutionUnknown:
		g.wantWitness(w, e)
	case vigia.ExecutionFailed:
		g.want(w, watch.ReadRunning, now.Add(time.Millisecond))
	default:
		g.want(w, watch.ReadRunning, now)
	}
}

// wantWitness asks for the first read that can say something of an unknown. The
// schedule reads an account with an unsettled call every second from then on.
func (g *Guard) wantWitness(w *ward, e *vigia.Execution) {
	at := g.clock.Now()
	signed := (&act.Suspect{Execution: *e}).Signed(g.window())
	if timedOut := signed.Add(g.o.Window.Timeout); timedOut.After(at) {
		at = timedOut
	}
	g.want(w, watch.ReadRunning, at)
}

// window is how the exchange treats timestamps, by what is known of its clock now.
func (g *Guard) window() act.Window {
	out := g.o.Window
	out.Ahead = time.Duration(g.offset.Load())
	return out
}
