package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// rule puts a live guard of the standard preset on all trades of an account.
func (c *client) rule(change ...func(*vigia.Automation)) vigia.Automation {
	c.Helper()
	config, err := vigia.PresetStandard.Config()
	if err != nil {
		c.Fatal(err)
	}
	config.Limits = vigia.GuardLimits{}
	config.TrueConfirmed = true
	a := vigia.Automation{ID: vigia.AutomationID(vigia.NewID(c.clock.Now())), Owner: c.Owner, Account: c.ID, Name: "guard",
		Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive, ConfigVersion: vigia.GuardConfigVersion, Guard: &config,
		ArmedAt: c.clock.Now()}
	for _, f := range change {
		f(&a)
	}
	a.Limits = a.Guard.Limits.Resolve(c.engine.Wallet(c.ID))
	saved, err := c.store.AddAutomation(c.Context(), a)
	if err != nil {
		c.Fatal(err)
	}
	return saved
}

// alert puts an alert on an account.
func (c *client) alert(when vigia.AlertWhen) {
	c.Helper()
	if _, err := c.store.AddAutomation(c.Context(), vigia.Automation{ID: vigia.AutomationID(vigia.NewID(c.clock.Now())),
		Owner: c.Owner, Account: c.ID, Name: "alert", Kind: vigia.KindAlert, Mode: vigia.ModeLive, ConfigVersion: 1,
		Alert: &vigia.AlertConfig{When: when}, ArmedAt: c.clock.Now()}); err != nil {
		c.Fatal(err)
	}
}

func ifShort(what vigia.IfShort) func(*vigia.Automation) {
	return func(a *vigia.Automation) { a.Guard.IfShort = what }
}

func dryRun(a *vigia.Automation) { a.Mode = vigia.ModeDryRun }

// ask requests a command as a person does.
func (c *client) ask(action vigia.Action, subject vigia.Subject, amount vigia.Sats) vigia.ExecutionID {
	c.Helper()
	e, err := c.store.Request(c.Context(), vigia.Execution{ID: vigia.ExecutionID(vigia.NewID(c.clock.Now())), Owner: c.Owner,
		Account: c.ID, Subject: subject, Action: action, Amount: amount, Reason: vigia.ReasonCommand})
	if err != nil {
		c.Fatal(err)
	}
	return e.ID
}

// executions are the account's, oldest first.
func (c *client) executions() []vigia.Execution {
	c.Helper()
	all, err := c.store.ListExecutions(c.Context(), c.Owner, c.ID, "", 500)
	if err != nil {
		c.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

func (c *client) execution(id vigia.ExecutionID) vigia.Execution {
	c.Helper()
	e, err := c.store.Execution(c.Context(), c.Owner, id)
	if err != nil {
		c.Fatal(err)
	}
	return e
}

// did are the executions in short, oldest first: "add_margin done".
func (c *client) did() string {
	c.Helper()
	var out []string
	for _, e := range c.executions() {
		out = append(out, fmt.Sprintf("%s %s", e.Action, e.State))
	}
	return strings.Join(out, ", ")
}

// wantDid fails the test when the executions are others.
func (c *client) wantDid(want string) {
	c.Helper()
	if got := c.did(); got != want {
		c.Errorf("executions: got %q, want %q", got, want)
	}
}

// decisions are those kept about a subject, oldest first: "none not_reached".
func (c *client) decisions(subject vigia.Subject) []string {
	c.Helper()
	all, err := c.store.ListDecisions(c.Context(), c.Owner, c.ID, "", 500)
	if err != nil {
		c.Fatal(err)
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b vigia.KeptDecision) int { return a.At.Compare(b.At) })
	var out []string
	for _, d := range all {
		if d.Subject == subject {
			out = append(out, fmt.Sprintf("%s %s", d.Action, d.Reason))
		}
	}
	return out
}

// events are what was told about an account, in order.
func (c *client) events() []vigia.Event {
	c.Helper()
	c.world.pass(200 * time.Millisecond) // the keeper writes behind
	for {
		n, err := c.store.Number(c.Context(), 500)
		if err != nil {
			c.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	all, err := c.store.After(c.Context(), 0, 500)
	if err != nil {
		c.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e vigia.Event) bool { return e.Account != c.ID })
}

// told counts the events of a kind.
func (c *client) told(kind vigia.EventKind) int {
	c.Helper()
	return len(slices.DeleteFunc(c.events(), func(e vigia.Event) bool { return e.Kind != kind }))
}

// wantTold fails the test when a kind was told more or less often.
func (c *client) wantTold(kind vigia.EventKind, want int) {
	c.Helper()
	if got := c.told(kind); got != want {
		c.Errorf("%s was told %d times, want %d", kind, got, want)
	}
}

// reserves are what the record holds or counts as spent for an account.
func (c *client) reserves() (held, spent vigia.Sats) {
	c.Helper()
	all, err := c.store.Reserves(c.Context(), c.ID, c.clock.Now().Add(-24*time.Hour))
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range all {
		switch r.State {
		case vigia.ReserveHeld:
			held += r.Cost
		case vigia.ReserveSpent:
			spent += r.Cost
		}
	}
	return held, spent
}

// audit looks at the end of every test that journal, executions and exchange
// agree.
func (w *world) audit() {
	if w.Failed() {
		return
	}
	check, err := w.store.Verify(w.lasting(), nil)
	if err != nil || !check.OK {
		w.Errorf("the journal does not verify: %+v, %v", check, err)
	}
	for _, c := range w.clients {
		c.executing.Wait()
		c.audit()
	}
}

func (c *client) audit() {
	ctx := c.lasting()
	all, err := c.store.ListExecutions(ctx, c.Owner, c.ID, "", 500)
	if err != nil {
		c.Error(err)
		return
	}
	bySignature := map[string]vigia.Execution{}
	for _, e := range all {
		if e.Signature != "" {
			bySignature[e.Signature] = e
		}
	}
	for _, call := range c.received() {
		e, ok := bySignature[call.Signature]
		if !ok {
			c.Errorf("the exchange received a %s of no execution", call.Order.Action)
			continue
		}
		if e.State == vigia.ExecutionFailed && call.executed {
			c.Errorf("%s %s was executed and counts as failed", e.Action, e.ID)
		}
		if e.State == vigia.ExecutionDone && !call.executed {
			c.Errorf("%s %s was not executed and counts as done", e.Action, e.ID)
		}
	}
}
