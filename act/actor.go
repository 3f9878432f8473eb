package act

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
)

// Store is what the actor needs of the record. Both calls are durable when they
// return.
type Store interface {
	// Intend commits a group of intents, each on its own: the error at i is why
	// the intent at i was not committed. The second result is about all of them.
	Intend(ctx context.Context, intents []vigia.Intent) ([]error, error)
	// Settle commits a group of settlements likewise. One that was settled
	// already is answered from what stands.
	Settle(ctx context.Context, settlements []vigia.Settlement) ([]vigia.Settled, []error, error)
}

// Exchange is one account's way to the exchange.
type Exchange interface {
	// Prepare takes a rate token, actions ahead of reads, and signs.
	Prepare(ctx context.Context, order vigia.Order) (vigia.PreparedCall, error)
	// Send sends once and says what is known of it.
	Send(ctx context.Context, call vigia.PreparedCall) vigia.CallResult
}

// Step names a moment between due and settled, for those who want to stop there.
type Step string

// The steps, in order.
const (
	StepDue       Step = "due"
	StepDecided   Step = "decided"
	StepPrepared  Step = "prepared"
	StepIntended  Step = "intended"
	StepSent      Step = "sent"
	StepAnswered  Step = "answered"
	StepSettled   Step = "settled"
	StepReconcile Step = "reconcile"
)

// Options are what an Actor is made of.
type Options struct {
	Store Store
	Clock vigia.Clock
	// Halted, where set, is asked right before each intent is committed; it
	// returns the path of the halt file while there is one.
	Halted func() string
	// Step, where set, is called at every step. It is how tests kill a process
	// exactly there.
	Step func(Step)
}

// Actor carries decisions out. It is safe for concurrent use; Run must be running.
type Actor struct {
	store       Store
	clock       vigia.Clock
	halted      func() string
	step        func(Step)
	intents     *batch[vigia.Intent, struct{}]
	settlements *batch[vigia.Settlement, vigia.Settled]
}

// New makes an actor.
func New(o Options) *Actor {
	a := &Actor{store: o.Store, clock: o.Clock, halted: o.Halted, step: o.Step}
	if a.halted == nil {
		a.halted = func() string { return "" }
	}
	if a.step == nil {
		a.step = func(Step) {}
	}
	a.intents = newBatch(func(ctx context.Context, in []vigia.Intent) ([]struct{}, []error, error) {
		errs, err := a.store.Intend(ctx, in)
		return make([]struct{}, len(in)), errs, err
	})
	a.settlements = newBatch(a.store.Settle)
	return a
}

// Run commits what Begin and Settle hand over until ctx ends. What was handed over
// before that is still committed.
func (a *Actor) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.settlements.run(ctx)
	}()
	a.intents.run(ctx)
	<-done
	return nil
}

// ErrHalted says that the halt file exists: nothing was committed or sent.
var ErrHalted = errors.New("the halt file exists")

// Begin signs the request and commits the intent. When it returns no error nothing
// was sent yet: [Actor.Call] sends it, once, or nobody ever does.
func (a *Actor) Begin(ctx context.Context, exchange Exchange, intent vigia.Intent) (vigia.Execution, vigia.PreparedCall, error) {
	e := &intent.Execution
	call, err := exchange.Prepare(ctx, vigia.Order{Account: e.Account, Action: e.Action,
		Trade: e.Subject.Trade, Amount: e.Amount, Stop: e.Stop})
	if err != nil {
		return *e, call, fmt.Errorf("preparing %s of %s: %w", e.Action, e.Subject, err)
	}
	e.State, e.Signature, e.SignedAt = vigia.ExecutionIntent, call.Signature, call.SignedAt
	a.step(StepPrepared)
	if path := a.halted(); path != "" {
		return *e, call, fmt.Errorf("%w: %s", ErrHalted, path)
	}
	if _, err := a.intents.do(ctx, intent); err != nil {
		return *e, call, fmt.Errorf("committing the intent to %s %s: %w", e.Action, e.Subject, err)
	}
	a.step(StepIntended)
	return *e, call, nil
}

// Call sends what Begin committed, once. The context that stops the guard does
// not cut it off: a call on its way is waited for.
func (a *Actor) Call(ctx context.Context, exchange Exchange, call vigia.PreparedCall) vigia.CallResult {
	result := exchange.Send(context.WithoutCancel(ctx), call)
	a.step(StepAnswered)
	return result
}

// Settle commits what became known of an execution, once: whether a store that is
// gone is tried again is the caller's to say. It is written even while the guard
// stops, as long as Run runs.
func (a *Actor) Settle(ctx context.Context, s vigia.Settlement) (vigia.Settled, error) {
	settled, err := a.settlements.do(ctx, s)
	if err != nil {
		return settled, fmt.Errorf("settling execution %s as %s: %w", s.Execution, s.To, err)
	}
	a.step(StepSettled)
	return settled, nil
}

// Due marks that a price made an account due.
func (a *Actor) Due() { a.step(StepDue) }

// Decided marks the step before an intent is made of a decision.
func (a *Actor) Decided() { a.step(StepDecided) }

// Reconciling marks the step before unknown executions are looked at.
func (a *Actor) Reconciling() { a.step(StepReconcile) }

// Sending marks the moment between the commit and the send.
func (a *Actor) Sending() { a.step(StepSent) }

// Now is the actor's clock.
func (a *Actor) Now() time.Time { return a.clock.Now() }
