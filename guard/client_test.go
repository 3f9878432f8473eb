package guard_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/guard"
	"github.com/vigiaguard/vigia/paper"
)

// fault is what the exchange does to one call.
type fault struct {
	kind faultKind
	// after is how late it is executed, or answered.
	after time.Duration
}

type faultKind int

const (
	fine        faultKind = iota
	lost                  // executed, no answer
	dropped               // not executed, no answer
	late                  // no answer, executed after a while if the signature still counts
	refused               // answered that it was not executed
	unsent                // nothing left
	slow                  // executed at once, answered after a while
	slowRefused           // not executed, answered so after a while
)

// sent is a call as the exchange received it.
type sent struct {
	vigia.PreparedCall
	at       time.Time
	executed bool
}

// client is an account: the paper exchange as the guard sees it, with switches.
type client struct {
	vigia.Account
	*world
	readsFail, keyRefused, noKey, noToken atomic.Bool
	// ahead is how far the exchange's clock is from ours.
	ahead time.Duration
	// takes is how long a call is under way.
	takes time.Duration
	// stale, when set, is what every read of the running trades answers.
	stale atomic.Pointer[[]vigia.Trade]

	mu        sync.Mutex
	faults    []fault
	calls     []sent
	reads     int
	executing sync.WaitGroup
}

// trader makes an account with a wallet, and a key that can write.
func (w *world) trader(free vigia.Sats) *client {
	w.Helper()
	key, err := w.engine.NewAccount(free)
	if err != nil {
		w.Fatal(err)
	}
	c := &client{world: w, takes: 20 * time.Millisecond, Account: vigia.Account{ID: key.ID, Owner: vigia.LocalOwner,
		Label: "account " + fmt.Sprint(len(w.clients)+1), Network: vigia.Paper, Status: vigia.AccountActive,
		Scopes: []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite}, ProvedAt: w.clock.Now()}}
	if err := w.store.AddAccount(w.Context(), c.Account, vigia.SealedCredentials{}); err != nil {
		w.Fatal(err)
	}
	w.clients[c.ID] = c
	return c
}

// next says what happens to the next calls, one each.
func (c *client) next(faults ...fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, faults...)
}

func (c *client) Prepare(ctx context.Context, order vigia.Order) (vigia.PreparedCall, error) {
	if c.noToken.Load() {
		return vigia.PreparedCall{}, fmt.Errorf("%w: no token", guard.ErrNotPrepared)
	}
	now := c.clock.Now()
	return vigia.PreparedCall{Order: order, Signature: vigia.NewID(now), SignedAt: now.Add(c.ahead).Round(0)}, ctx.Err()
}

// Send receives a call: its intent must be committed already.
func (c *client) Send(ctx context.Context, call vigia.PreparedCall) vigia.CallResult {
	c.checkIntent(ctx, &call)
	c.mu.Lock()
	f := fault{}
	if len(c.faults) > 0 {
		f, c.faults = c.faults[0], c.faults[1:]
	}
	c.calls = append(c.calls, sent{PreparedCall: call, at: c.clock.Now()})
	i := len(c.calls) - 1
	c.mu.Unlock()
	result := vigia.CallResult{SentAt: c.clock.Now()}
	switch f.kind {
	case lost:
		_, _ = c.execute(i) // refused when the trade has ended
		c.pass(3 * time.Second)
	case dropped:
		c.pass(3 * time.Second)
	case late:
		c.executing.Go(func() {
			c.pass(f.after)
			if c.clock.Now().Add(c.ahead).Before(call.SignedAt.Add(window.Clock)) {
				_, _ = c.execute(i) // refused when the trade has ended
			}
		})
		c.pass(3 * time.Second)
	case unsent:
		result.Outcome, result.Err = vigia.CallUnsent, errors.New("connection refused")
	case refused, slowRefused:
		c.pass(c.takes + f.after)
		result.Outcome, result.Code, result.Message = vigia.CallRefused, "BAD_REQUEST", "no"
		result.AnsweredAt = c.clock.Now()
	default:
		trade, err := c.execute(i)
		c.pass(c.takes + f.after)
		result.AnsweredAt = c.clock.Now()
		result.Outcome, result.Trade = vigia.CallDone, trade
		if no := (*paper.Refusal)(nil); errors.As(err, &no) {
			result.Outcome, result.Code, result.Message = vigia.CallRefused, no.Code, no.Message
		}
	}
	return result
}

// pass lets time go by inside a call: others go on meanwhile.
func (c *client) pass(d time.Duration) {
	timer := c.clock.NewTimer(d)
	<-timer.C()
}

// checkIntent looks that a call was committed, once, before it was sent.
func (c *client) checkIntent(ctx context.Context, call *vigia.PreparedCall) {
	unsettled, err := c.store.Unsettled(ctx, c.ID)
	if err != nil {
		c.Errorf("the intents could not be read: %v", err)
		return
	}
	found := 0
	for i := range unsettled {
		if unsettled[i].Signature == call.Signature {
			found++
		}
	}
	if found != 1 {
		c.Errorf("%s was sent with %d intents committed, want 1", call.Order.Action, found)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.calls {
		if c.calls[i].Signature == call.Signature {
			c.Errorf("%s was sent twice", call.Order.Action)
		}
	}
}

// execute does what a call asks for.
func (c *client) execute(i int) (vigia.Trade, error) {
	c.mu.Lock()
	o := c.calls[i].Order
	c.mu.Unlock()
	trade, err := c.carryOut(o)
	c.mu.Lock()
	c.calls[i].executed = err == nil
	c.mu.Unlock()
	return trade, err
}

func (c *client) carryOut(o vigia.Order) (vigia.Trade, error) {
	switch o.Action {
	case vigia.ActionAddMargin, vigia.ActionProve:
		return c.engine.AddMargin(c.ID, o.Trade, o.Amount)
	case vigia.ActionCashIn:
		return c.engine.CashIn(c.ID, o.Trade, o.Amount)
	case vigia.ActionClose:
		return c.engine.Close(c.ID, o.Trade)
	case vigia.ActionSetStop:
		return c.engine.SetStop(c.ID, o.Trade, o.Stop)
	case vigia.ActionRemoveStop:
		return c.engine.SetStop(c.ID, o.Trade, 0)
	}
	return vigia.Trade{}, fmt.Errorf("%s calls nobody", o.Action)
}

// reading begins a read.
func (c *client) reading() (time.Time, error) {
	begun := c.clock.Now()
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	switch {
	case c.keyRefused.Load():
		return begun, fmt.Errorf("%w: UNAUTHORIZED", guard.ErrKeyRefused)
	case c.readsFail.Load():
		return begun, errors.New("503 service unavailable")
	}
	return begun, nil
}

func (c *client) Running(context.Context) ([]vigia.Trade, time.Time, error) {
	begun, err := c.reading()
	if err != nil {
		return nil, begun, err
	}
	if stale := c.stale.Load(); stale != nil {
		return *stale, begun, nil
	}
	return c.engine.Running(c.ID), begun, nil
}

func (c *client) Balance(context.Context) (guard.Balance, time.Time, error) {
	begun, err := c.reading()
	return guard.Balance{Free: c.engine.Wallet(c.ID)}, begun, err
}

func (c *client) Cross(context.Context) (vigia.CrossPosition, time.Time, error) {
	begun, err := c.reading()
	return vigia.CrossPosition{Leverage: vigia.OneX}, begun, err
}

func (c *client) Ended(_ context.Context, trade vigia.TradeID, _ time.Time) (vigia.Trade, time.Time, bool, error) {
	begun, err := c.reading()
	if err != nil {
		return vigia.Trade{}, begun, false, err
	}
	t, _, ok := c.engine.Trade(c.ID, trade)
	return t, begun, ok && t.State == vigia.TradeClosed, nil
}

// open opens a trade at the market.
func (c *client) open(side vigia.Side, q vigia.USD, leverage int64) vigia.TradeID {
	c.Helper()
	t, err := c.engine.Open(c.ID, paper.NewTrade{Side: side, Quantity: q, Leverage: vigia.Leverage(leverage) * vigia.OneX})
	if err != nil {
		c.Fatal(err)
	}
	return t.ID
}

// trade is a trade as the exchange has it.
func (c *client) trade(id vigia.TradeID) *vigia.Trade {
	c.Helper()
	t, _, ok := c.engine.Trade(c.ID, id)
	if !ok {
		c.Fatalf("there is no trade %s", id)
	}
	return &t
}

// received are the calls the exchange received so far.
func (c *client) received() []sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]sent(nil), c.calls...)
}
