package act_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

var (
	errTwice   = errors.New("this execution has its intent already")
	errClaimed = errors.New("the lane is claimed")
	errMoved   = errors.New("the execution is not in that state")
)

// memory is a store in memory by the record's rules: an intent per id once, one
// claim per subject and lane, settlements by compare-and-swap.
type memory struct {
	mu      sync.Mutex
	rows    map[vigia.ExecutionID]vigia.Execution
	claims  map[vigia.Claim]vigia.ExecutionID
	groups  []int
	entered chan struct{} // where set, told of each commit
	gate    chan struct{} // where set, waited for in each commit
	down    error
}

func newMemory() *memory {
	return &memory{rows: map[vigia.ExecutionID]vigia.Execution{}, claims: map[vigia.Claim]vigia.ExecutionID{}}
}

func claimOf(e *vigia.Execution) vigia.Claim {
	return vigia.Claim{Account: e.Account, Subject: e.Subject, Lane: e.Action.Lane()}
}

func (l *memory) wait() {
	if l.gate != nil {
		l.entered <- struct{}{}
		<-l.gate
	}
}

func (l *memory) Intend(_ context.Context, intents []vigia.Intent) ([]error, error) {
	l.wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.groups = append(l.groups, len(intents))
	if l.down != nil {
		return nil, l.down
	}
	errs := make([]error, len(intents))
	for i := range intents {
		e := intents[i].Execution
		_, begun := l.rows[e.ID]
		_, claimed := l.claims[claimOf(&e)]
		switch {
		case begun:
			errs[i] = errTwice
		case claimed:
			errs[i] = errClaimed
		default:
			l.rows[e.ID], l.claims[claimOf(&e)] = e, e.ID
		}
	}
	return errs, nil
}

func (l *memory) Settle(_ context.Context, settlements []vigia.Settlement) ([]vigia.Settled, []error, error) {
	l.wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down != nil {
		return nil, nil, l.down
	}
	out, errs := make([]vigia.Settled, len(settlements)), make([]error, len(settlements))
	for i, s := range settlements {
		e, ok := l.rows[s.Execution]
		switch {
		case ok && e.State.Settled():
			out[i] = vigia.Settled{Execution: e, Replayed: true}
		case !ok || !slices.Contains(s.From, e.State):
			errs[i] = errMoved
		default:
			e.State, e.Cost = s.To, s.Cost
			l.rows[e.ID] = e
			if e.State.Settled() {
				delete(l.claims, claimOf(&e))
			}
			out[i] = vigia.Settled{Execution: e}
		}
	}
	return out, errs, nil
}

func (l *memory) row(id vigia.ExecutionID) (vigia.Execution, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.rows[id]
	return e, ok
}

// venue is an exchange that holds one trade per id, with switches.
type venue struct {
	ledger  *memory
	mu      sync.Mutex
	trades  map[vigia.TradeID]vigia.Trade
	sent    map[string]int
	bare    []string // sent without a committed intent
	refuse  error    // of Prepare
	outcome vigia.CallOutcome
	cut     bool // whether a call came with a context that had ended
}

func newVenue(l *memory) *venue {
	return &venue{ledger: l, trades: map[vigia.TradeID]vigia.Trade{}, sent: map[string]int{}, outcome: vigia.CallDone}
}

func (v *venue) Prepare(_ context.Context, order vigia.Order) (vigia.PreparedCall, error) {
	return vigia.PreparedCall{Order: order, SignedAt: noon,
		Signature: fmt.Sprintf("%s %s %d", order.Action, order.Trade, order.Amount)}, v.refuse
}

func (v *venue) Send(ctx context.Context, call vigia.PreparedCall) vigia.CallResult {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut = v.cut || ctx.Err() != nil
	v.sent[call.Signature]++
	if e, ok := v.ledger.row(vigia.ExecutionID(call.Order.Trade)); !ok || e.State != vigia.ExecutionIntent || e.Signature != call.Signature {
		v.bare = append(v.bare, call.Signature)
	}
	if v.outcome != vigia.CallDone {
		return vigia.CallResult{Outcome: v.outcome}
	}
	trade, ok := v.trades[call.Order.Trade]
	if !ok {
		trade = tenfold()
	}
	trade = trade.WithMargin(trade.Margin + call.Order.Amount)
	v.trades[call.Order.Trade] = trade
	return vigia.CallResult{Outcome: vigia.CallDone, Trade: trade}
}

// addTo is an intent to add to a trade of its own, which bears the execution's id.
func addTo(id vigia.ExecutionID) vigia.Intent {
	e := signedAtNoon(id, vigia.ActionAddMargin, 20_000)
	e.Account, e.Subject, e.State = "account", vigia.TradeSubject(vigia.TradeID(id)), ""
	return vigia.Intent{Execution: e}
}

// employ runs an actor until the test ends, or until stop is called.
func employ(t *testing.T, o act.Options) (a *act.Actor, stop func()) {
	t.Helper()
	o.Clock = vigia.NewManualClock(noon)
	a = act.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("running: %v", err)
		}
	})
	t.Cleanup(stop)
	return a, stop
}

func TestACallGoesThroughItsStepsInOrder(t *testing.T) {
	t.Parallel()
	l := newMemory()
	v := newVenue(l)
	var steps []act.Step
	a, _ := employ(t, act.Options{Store: l, Step: func(s act.Step) {
		if _, committed := l.row("e"); committed != (len(steps) >= 3) {
			t.Errorf("at %s the intent is committed: %t", s, committed)
		}
		steps = append(steps, s)
	}})
	a.Due()
	a.Decided()
	e, call, err := a.Begin(t.Context(), v, addTo("e"))
	if err != nil {
		t.Fatal(err)
	}
	if e.State != vigia.ExecutionIntent || e.Signature != call.Signature || !e.SignedAt.Equal(noon) {
		t.Errorf("begun as %+v, want an intent that carries the signature", e)
	}
	if len(v.sent) != 0 {
		t.Error("it was sent before it was called")
	}
	a.Sending()
	result := a.Call(t.Context(), v, call)
	settlement := act.Answered(&e, &result)
	settled, err := a.Settle(t.Context(), settlement)
	if err != nil || settled.Execution.State != vigia.ExecutionDone || settled.Replayed {
		t.Errorf("settled as %+v, %v, want it done", settled, err)
	}
	a.Reconciling()
	want := []act.Step{act.StepDue, act.StepDecided, act.StepPrepared, act.StepIntended, act.StepSent,
		act.StepAnswered, act.StepSettled, act.StepReconcile}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	if again, err := a.Settle(t.Context(), settlement); err != nil || !again.Replayed {
		t.Errorf("settled again: %+v, %v, want what stands", again, err)
	}
	if !a.Now().Equal(noon) {
		t.Errorf("now is %s, want the clock's", a.Now())
	}
}

func TestNothingIsCommittedThatMayNotBeSent(t *testing.T) {
	t.Parallel()
	tired := errors.New("no token left")
	full := errors.New("disk full")
	for name, c := range map[string]struct {
		set  func(*act.Options, *memory, *venue)
		want error
	}{
		"the halt file": {func(o *act.Options, _ *memory, _ *venue) { o.Halted = func() string { return "/data/halt" } }, act.ErrHalted},
		"the signing":   {func(_ *act.Options, _ *memory, v *venue) { v.refuse = tired }, tired},
		"the store":     {func(_ *act.Options, l *memory, _ *venue) { l.down = full }, full},
		"the claim": {func(_ *act.Options, l *memory, _ *venue) {
			e := addTo("e").Execution
			l.claims[claimOf(&e)] = "another"
		}, errClaimed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newMemory()
			v := newVenue(l)
			var o act.Options
			c.set(&o, l, v)
			o.Store = l
			a, _ := employ(t, o)
			if _, _, err := a.Begin(t.Context(), v, addTo("e")); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, ok := l.row("e"); ok || len(v.sent) != 0 {
				t.Errorf("committed: %t, sent: %v, want neither", ok, v.sent)
			}
			if name == "the halt file" && len(l.groups) != 0 {
				t.Error("the store was asked all the same")
			}
		})
	}
}

func TestAStoreThatIsGoneIsTheSettlersToKnow(t *testing.T) {
	t.Parallel()
	l := newMemory()
	l.down = errors.New("server down")
	a, _ := employ(t, act.Options{Store: l})
	if _, err := a.Settle(t.Context(), vigia.Settlement{Execution: "e", To: vigia.ExecutionDone}); !errors.Is(err, l.down) {
		t.Errorf("got %v, want %v", err, l.down)
	}
}

func TestAStopDoesNotCutACallOff(t *testing.T) {
	t.Parallel()
	l := newMemory()
	v := newVenue(l)
	a, _ := employ(t, act.Options{Store: l})
	_, call, err := a.Begin(t.Context(), v, addTo("e"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := a.Call(ctx, v, call); got.Outcome != vigia.CallDone || v.cut {
		t.Errorf("outcome %d, cut off: %t, want it done", got.Outcome, v.cut)
	}
}

// crowd begins n intents while the first one's commit is held, so that the others
// share what follows; the id refused has an intent already.
func crowd(t *testing.T, n int, refused vigia.ExecutionID) (l *memory, v *venue, stop func(), errs func() map[vigia.ExecutionID]error) {
	t.Helper()
	l = newMemory()
	l.entered, l.gate = make(chan struct{}), make(chan struct{})
	if refused != "" {
		l.rows[refused] = vigia.Execution{ID: refused, State: vigia.ExecutionDone}
	}
	v = newVenue(l)
	prepared := make(chan struct{}, n+1)
	a, stop := employ(t, act.Options{Store: l, Step: func(s act.Step) {
		if s == act.StepPrepared {
			prepared <- struct{}{}
		}
	}})
	got := map[vigia.ExecutionID]error{}
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := func(id vigia.ExecutionID) {
		_, call, err := a.Begin(t.Context(), v, addTo(id))
		if err == nil {
			a.Call(t.Context(), v, call)
		}
		mu.Lock()
		defer mu.Unlock()
		got[id] = err
	}
	for i := range n {
		all.Go(func() { begin(vigia.ExecutionID(fmt.Sprintf("e%03d", i))) })
		<-prepared
		if i == 0 {
			<-l.entered
		}
	}
	return l, v, stop, func() map[vigia.ExecutionID]error { all.Wait(); return got }
}

// release lets every commit through from now on.
func (l *memory) release() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case l.gate <- struct{}{}:
			case <-l.entered:
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func TestACrowdSharesFewCommitsAfterTheFirst(t *testing.T) {
	t.Parallel()
	const n = 200
	l, v, _, wait := crowd(t, n, "e150")
	rest := l.release()
	defer rest()
	for id, err := range wait() {
		if refused := id == "e150"; refused != errors.Is(err, errTwice) || !refused && err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	total := 0
	for i, group := range l.groups {
		total += group
		if i == 0 && group != 1 || group > 64 {
			t.Errorf("groups %v, want the first alone and none over 64", l.groups)
		}
	}
	if total != n || len(l.groups) > n/4 {
		t.Errorf("%d intents in %d commits, want %d in few", total, len(l.groups), n)
	}
	if len(v.sent) != n-1 || len(v.bare) != 0 {
		t.Errorf("%d sent, without an intent %v, want %d and none", len(v.sent), v.bare, n-1)
	}
	for signature, times := range v.sent {
		if times != 1 {
			t.Errorf("%s was sent %d times", signature, times)
		}
	}
}

func TestEveryQueuedCallerIsToldTheTruthAtAStop(t *testing.T) {
	t.Parallel()
	const n = 40
	l, v, stop, wait := crowd(t, n, "")
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	rest := l.release()
	defer rest()
	told := wait()
	<-stopped
	for id, err := range told {
		_, committed := l.row(id)
		if committed != (err == nil) {
			t.Errorf("%s is committed: %t, but its caller was told %v", id, committed, err)
		}
		if err != nil && !errors.Is(err, act.ErrStopped) {
			t.Errorf("%s: %v, want %v", id, err, act.ErrStopped)
		}
	}
	if _, ok := l.row("e000"); !ok || len(told) != n || len(v.bare) != 0 {
		t.Errorf("%d callers were answered, the first committed: %t, sent without an intent: %v", len(told), ok, v.bare)
	}
}

func TestAnActorThatStoppedTakesNothing(t *testing.T) {
	t.Parallel()
	l := newMemory()
	v := newVenue(l)
	a, stop := employ(t, act.Options{Store: l})
	stop()
	if _, _, err := a.Begin(t.Context(), v, addTo("e")); !errors.Is(err, act.ErrStopped) {
		t.Errorf("got %v, want %v", err, act.ErrStopped)
	}
	if _, err := a.Settle(t.Context(), vigia.Settlement{Execution: "e"}); !errors.Is(err, act.ErrStopped) {
		t.Errorf("got %v, want %v", err, act.ErrStopped)
	}
}
