package guard

import (
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
	s := act.Answered(&e, &r)
	g.settle(ctx, w, &e, s)
	if s.To == vigia.ExecutionDone {
		change := g.snapshots.SawAnswer(w.id, watch.Answer{Begun: r.SentAt, At: r.AnsweredAt,
			Lane: e.Action.Lane(), Trade: r.Trade})
		g.took(w, change)
	}
	g.wantAfter(w, &e, &s)
	g.queue.put(w)
}

// settle books a settlement in the record and then in memory. A store that is gone
// is tried again: the call was made, and that is a fact.
func (g *Guard) settle(ctx context.Context, w *ward, e *vigia.Execution, s vigia.Settlement) {
	w.mu.Lock()
	if e.Automation != "" {
		s.States = []vigia.AutomationState{act.Remember(w.state(e.Automation, e.Subject), e, &s, g.clock.Now())}
	}
	s.Events = append(s.Events, g.eventsOf(w, e, &s)...)
	w.mu.Unlock()
	settled, err := g.settleAgain(ctx, s)
	if err != nil {
		g.log.Error("a settlement could not be written; a restart reconciles it", "execution", e.ID, "error", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	g.booked(w, &settled.Execution, &s)
}

func (g *Guard) settleAgain(ctx context.Context, s vigia.Settlement) (vigia.Settled, error) {
	for {
		settled, err := g.actor.Settle(ctx, s)
		if err == nil || errors.Is(err, act.ErrStopped) || errors.Is(err, vigia.ErrChanged) || errors.Is(err, vigia.ErrNotFound) {
			return settled, err
		}
		g.storeFailed(err)
		timer := g.clock.NewTimer(vigia.UnsentWait)
		select {
		case <-timer.C():
		case <-ctx.Done():
			return settled, err
		}
	}
}

// booked takes a settled execution into what deciding sees; the ward is
// locked.
func (g *Guard) booked(w *ward, e *vigia.Execution, s *vigia.Settlement) {
	if suspect, i := w.suspect(e.ID); suspect != nil {
		if e.State.Settled() {
			w.suspects = append(w.suspects[:i], w.suspects[i+1:]...)
		} else {
			suspect.State, suspect.SentAt = e.State, e.SentAt
		}
	}
	if e.State == vigia.ExecutionDone && e.Action.Lane() == vigia.LaneMargin && e.Action != vigia.ActionCashIn {
		w.settledAdds = append(w.settledAdds, settledAdd{e.Subject.Trade, e.Amount, e.SignedAt})
	}
	w.forgetAdds()
	w.settleReserve(e, g.clock.Now())
	for _, state := range s.States {
		w.remember(state)
	}
	if e.Action == vigia.ActionClose && e.State == vigia.ExecutionDone {
		w.closedByUs[e.Subject.Trade] = true
	}
	if s.Proved {
		w.account.ProvedAt = g.clock.Now()
	}
	g.remark(e)
}

// forgetAdds keeps settled adds only while something of the account is unknown.
func (w *ward) forgetAdds() {
	if len(w.suspects) == 0 {
		w.settledAdds = w.settledAdds[:0]
	}
}

// known sums our own adds to a trade that were settled as done since.
func (w *ward) known(trade vigia.TradeID, since time.Time) vigia.Sats {
	var sum vigia.Sats
	for _, add := range w.settledAdds {
		if add.trade == trade && add.signedAt.After(since) {
			sum += add.amount
		}
	}
	return sum
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
// one, the trade again where the answer did not show it.
func (g *Guard) wantAfter(w *ward, e *vigia.Execution, s *vigia.Settlement) {
	now := g.clock.Now()
	g.want(w, watch.ReadAccount, now)
	switch s.To {
	case vigia.ExecutionUnknown:
		g.wantWitness(w, e)
	case vigia.ExecutionFailed, vigia.ExecutionDone:
		g.want(w, watch.ReadRunning, now)
	}
}

// wantWitness asks for the reads that settle an unknown: two that agree, and one
// begun after the exchange must refuse the timestamp.
func (g *Guard) wantWitness(w *ward, e *vigia.Execution) {
	after := g.clock.Now()
	if timedOut := e.SignedAt.Add(g.o.Window.Timeout); timedOut.After(after) {
		after = timedOut
	}
	g.want(w, watch.ReadRunning, after)
	g.want(w, watch.ReadRunning, after.Add(act.Apart))
	g.want(w, watch.ReadRunning, e.SignedAt.Add(g.o.Window.Clock+time.Millisecond))
	g.want(w, watch.ReadAccount, e.SignedAt.Add(g.o.Window.Clock+time.Millisecond))
}
