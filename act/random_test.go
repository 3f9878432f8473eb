package act_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

// affair is one trade on an exchange that may lose answers, an actor on a ledger,
// and what a guard keeps in mind between them.
type affair struct {
	*rapid.T
	actor    *act.Actor
	ledger   *ledger
	now      time.Time
	trade    vigia.Trade
	suspects []*act.Suspect
	known    []act.Add
	// late are calls that are executed later, executed those that were.
	late     map[vigia.ExecutionID]time.Time
	executed map[vigia.ExecutionID]vigia.Sats
	sent     map[string]int
	amounts  map[vigia.ExecutionID]vigia.Sats
	made     int
	hands    int
}

// Whatever is lost, comes late or is done by hand: what left is never more than
// what is held and spent for it, nothing is sent twice, and in the end everything
// is known, rightly where no hand has added.
func TestRandomAffairs(t *testing.T) {
	t.Parallel()
	l := func() (*act.Actor, *ledger, func()) {
		l := newLedger()
		a := act.New(act.Options{Store: l, Clock: vigia.NewManualClock(noon)})
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = a.Run(ctx)
		}()
		return a, l, func() { stop(); <-ended }
	}
	rapid.Check(t, func(t *rapid.T) {
		actor, ledger, stop := l()
		defer stop()
		a := &affair{T: t, actor: actor, ledger: ledger, now: noon, trade: tenfold(), late: map[vigia.ExecutionID]time.Time{},
			executed: map[vigia.ExecutionID]vigia.Sats{}, sent: map[string]int{}, amounts: map[vigia.ExecutionID]vigia.Sats{}}
		t.Repeat(map[string]func(*rapid.T){
			"":        func(t *rapid.T) { a.T = t; a.check() },
			"time":    a.step(func() { a.pass(time.Duration(rapid.IntRange(100, 4_000).Draw(a.T, "ms")) * time.Millisecond) }),
			"add":     a.step(a.add),
			"read":    a.step(a.read),
			"reads":   a.step(func() { a.read(); a.pass(time.Second); a.read() }),
			"hand":    a.step(a.hand),
			"funding": a.step(a.fund),
		})
		a.T = t
		a.end()
	})
}

func (a *affair) step(f func()) func(*rapid.T) {
	return func(t *rapid.T) {
		a.T = t
		f()
	}
}

// pass lets time go by, and what comes late come.
func (a *affair) pass(d time.Duration) {
	a.now = a.now.Add(d)
	for _, id := range slices.Sorted(mapKeys(a.late)) {
		if !a.late[id].After(a.now) {
			delete(a.late, id)
			a.execute(id)
		}
	}
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (a *affair) execute(id vigia.ExecutionID) {
	a.executed[id] = a.amounts[id]
	a.trade = a.trade.WithMargin(a.trade.Margin + a.amounts[id])
}

// amount draws one whose sums are told apart: powers of three, each at most twice
// among those that are open.
func (a *affair) amount() vigia.Sats {
	out := vigia.Sats(1_000)
	for range rapid.IntRange(0, 6).Draw(a.T, "power") {
		out *= 3
	}
	same := 0
	for _, s := range a.suspects {
		if s.Amount == out {
			same++
		}
	}
	if same >= 2 {
		return 0
	}
	return out
}

// add makes a further attempt where one may start.
func (a *affair) add() {
	replaces := vigia.ExecutionID("")
	if n := len(a.suspects); n > 0 {
		last := a.suspects[n-1]
		if !last.MayRepeat {
			return
		}
		if a.ledger.claims[lane(&last.Execution)] == last.ID {
			replaces = last.ID
		}
	}
	amount := a.amount()
	if amount == 0 {
		return
	}
	a.made++
	id := vigia.ExecutionID(fmt.Sprintf("e%03d", a.made))
	a.amounts[id] = amount
	e := vigia.Execution{ID: id, Account: "a", Subject: vigia.TradeSubject(longID), Action: vigia.ActionAddMargin, Amount: amount,
		Cost: a.trade.AddCost(amount), Before: a.trade, Replaces: replaces, Fence: vigia.Fence{Epoch: 1}, CreatedAt: a.now}
	e, call, err := a.actor.Begin(context.Background(), a, vigia.Intent{Execution: e})
	if err != nil {
		a.Fatalf("%s: %v", id, err)
	}
	result := a.actor.Call(context.Background(), a, call)
	settled, err := a.actor.Settle(context.Background(), act.Answered(&e, &result))
	if err != nil {
		a.Fatalf("%s: %v", id, err)
	}
	switch settled.Execution.State {
	case vigia.ExecutionUnknown:
		a.suspects = append(a.suspects, &act.Suspect{Execution: settled.Execution})
	case vigia.ExecutionDone:
		a.known = append(a.known, act.Add{Amount: amount, At: result.AnsweredAt})
	}
}

func (a *affair) Prepare(_ context.Context, o vigia.Order) (vigia.PreparedCall, error) {
	return vigia.PreparedCall{Order: o, Signature: fmt.Sprint("signature ", a.made), SignedAt: a.now}, nil
}

// Send is the exchange: it answers, refuses, or loses the answer.
func (a *affair) Send(_ context.Context, call vigia.PreparedCall) vigia.CallResult {
	a.sent[call.Signature]++
	id, r := vigia.ExecutionID(fmt.Sprintf("e%03d", a.made)), vigia.CallResult{SentAt: a.now}
	switch rapid.SampledFrom([]string{"done", "refused", "unsent", "lost", "never", "late", "late"}).Draw(a.T, "outcome") {
	case "done":
		a.execute(id)
		a.pass(20 * time.Millisecond)
		r.Outcome, r.Trade, r.AnsweredAt = vigia.CallDone, a.trade, a.now
	case "refused":
		r.Outcome, r.AnsweredAt = vigia.CallRefused, a.now
	case "unsent":
		r.Outcome = vigia.CallUnsent
	case "lost":
		a.execute(id)
		a.pass(tolerance.Timeout)
	case "late":
		a.late[id] = a.now.Add(time.Duration(rapid.Int64Range(1, int64(tolerance.Clock)).Draw(a.T, "late")))
		a.pass(tolerance.Timeout)
	default:
		a.pass(tolerance.Timeout)
	}
	return r
}

// read looks at the trade and holds what is unknown against it.
func (a *affair) read() {
	a.pass(time.Millisecond)
	for _, s := range act.Reconcile(a.suspects, a.known, act.Sighting{Begun: a.now, Trade: a.trade}, tolerance) {
		settled, err := a.actor.Settle(context.Background(), s)
		if err != nil || settled.Replayed {
			a.Fatalf("%s: replayed %t, %v", s.Execution, settled.Replayed, err)
		}
		a.suspects = slices.DeleteFunc(a.suspects, func(other *act.Suspect) bool { return other.ID == s.Execution })
	}
}

// hand does what a person does by the way: amounts that no sum of ours is.
func (a *affair) hand() {
	amount := vigia.Sats(1_000*rapid.Int64Range(0, 40).Draw(a.T, "thousands") + 7)
	if rapid.Bool().Draw(a.T, "takes out") {
		if a.trade.Margin > amount+50_000 {
			a.trade = a.trade.WithMargin(a.trade.Margin - amount)
			a.trade.CashInMargin += amount
		}
		return
	}
	a.hands++
	a.trade = a.trade.WithMargin(a.trade.Margin + amount)
}

// fund settles funding, once at most while something is unknown: the rates of
// both signs are in TestMoreThanOneFundingSettlement.
func (a *affair) fund() {
	fee := vigia.Sats(rapid.Int64Range(-90, 90).Draw(a.T, "fee"))
	if slices.ContainsFunc(a.suspects, func(s *act.Suspect) bool { return s.Before.Funding != a.trade.Funding }) {
		return
	}
	a.trade.Funding += fee
	a.trade = a.trade.WithMargin(a.trade.Margin - max(0, fee))
}

func (a *affair) left() (sum vigia.Sats) {
	for _, amount := range a.executed {
		sum += amount
	}
	return sum
}

func (a *affair) check() {
	held, spent := a.ledger.counted()
	if left := a.left(); left > held+spent {
		a.Fatalf("%d sats left for calls of which only %d are held and %d spent", left, held, spent)
	}
	for signature, n := range a.sent {
		if e, ok := a.ledger.committed(vigia.ExecutionID(fmt.Sprintf("e%03s", signature[len("signature "):]))); n != 1 || !ok || e.Signature != signature {
			a.Fatalf("%s was sent %d times, of %+v", signature, n, e)
		}
	}
}

// end reads until the windows of all calls have passed.
func (a *affair) end() {
	for range int(tolerance.Clock/time.Second) + 5 {
		a.pass(time.Second)
		a.read()
		a.check()
	}
	if len(a.suspects) > 0 || len(a.ledger.claims) > 0 {
		a.Fatalf("%d calls are still unknown, %d lanes taken", len(a.suspects), len(a.ledger.claims))
	}
	// Which of two equal adds came nobody can tell, and it is no matter.
	came := map[vigia.Sats]int{}
	for id, e := range a.ledger.executions {
		if _, executed := a.executed[id]; executed {
			came[e.Amount]++
		}
		if e.State == vigia.ExecutionDone {
			came[e.Amount]--
		}
	}
	for amount, n := range came {
		if n != 0 && a.hands == 0 {
			a.Errorf("of the adds of %d sats %d more were executed than count as done", amount, n)
		}
	}
}
