package record_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// pages walks a list to its end, two at a time, and gives the ids in order.
func pages[T any](t *testing.T, list func(after string) ([]T, error), id func(*T) string) []string {
	t.Helper()
	var ids []string
	for after := ""; ; {
		page, err := list(after)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			ids = append(ids, id(&page[i]))
		}
		if len(page) < 2 {
			return ids
		}
		after = ids[len(ids)-1]
	}
}

func TestListsArePagedAndOfTheOwnerOnly(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		accounts, rules := []string{string(b.account)}, []string{string(b.rule)}
		var executions []string
		for i := range 5 {
			b.clock.Advance(time.Millisecond)
			accounts = append(accounts, string(b.addAccount(t, fmt.Sprint("account ", i))))
			rules = append(rules, string(b.addRule(t, b.account)))
			executions = append([]string{string(b.intend(t, b.add(vigia.TradeID(fmt.Sprint(i)), 1)))}, executions...)
			b.keep(t, b.decided(vigia.ActionNone, []vigia.Reason{vigia.ReasonBlind, vigia.ReasonNotReached}[i%2]))
		}
		check := func(name string, got, want []string) {
			t.Helper()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		walk := func(owner vigia.UserID, account vigia.AccountID) map[string][]string {
			return map[string][]string{
				"accounts": pages(t, func(after string) ([]vigia.Account, error) {
					return b.ListAccounts(ctx, owner, vigia.AccountID(after), 2)
				}, func(a *vigia.Account) string { return string(a.ID) }),
				"automations": pages(t, func(after string) ([]vigia.Automation, error) {
					return b.ListAutomations(ctx, owner, vigia.AutomationID(after), 2)
				}, func(a *vigia.Automation) string { return string(a.ID) }),
				"executions": pages(t, func(after string) ([]vigia.Execution, error) {
					return b.ListExecutions(ctx, owner, account, vigia.ExecutionID(after), 2)
				}, func(e *vigia.Execution) string { return string(e.ID) }),
				"decisions": pages(t, func(after string) ([]vigia.KeptDecision, error) {
					return b.ListDecisions(ctx, owner, account, after, 2)
				}, func(d *vigia.KeptDecision) string { return d.ID }),
			}
		}
		for _, account := range []vigia.AccountID{"", b.account} {
			got := walk(vigia.LocalOwner, account)
			check("accounts", got["accounts"], accounts)
			check("automations", got["automations"], rules)
			check("executions", got["executions"], executions)
			if len(got["decisions"]) != 5 {
				t.Errorf("got %d decisions, want 5", len(got["decisions"]))
			}
		}
		for name, ids := range walk("somebody else", "") {
			if len(ids) != 0 {
				t.Errorf("somebody else sees %s %v", name, ids)
			}
		}
		chain := "account:" + string(b.account)
		if entries, err := b.ListJournal(ctx, "somebody else", chain, 0, 0); err != nil || len(entries) != 0 {
			t.Errorf("somebody else sees the journal: %v, %v", entries, err)
		}
		if entries, err := b.ListJournal(ctx, vigia.LocalOwner, chain, 3, 2); err != nil || len(entries) != 2 || entries[0].Seq != 2 {
			t.Errorf("got %+v, %v, want entries 2 and 1", entries, err)
		}
	})
}

func TestAnAccountComesBackAsItWasKept(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		a, err := b.AccountByLabel(ctx, vigia.LocalOwner, "main")
		if err != nil || a.ID != b.account || !a.Has(vigia.ScopeIsolatedWrite) {
			t.Fatalf("got %+v, %v, want the account", a, err)
		}
		owner, sealed, err := b.Credentials(ctx, b.account)
		if err != nil || owner != vigia.LocalOwner || string(sealed.Secret) != "s" {
			t.Errorf("got %s, %v, want the sealed columns", owner, err)
		}
		if err := b.SaveCredentials(ctx, vigia.LocalOwner, b.account, vigia.SealedCredentials{Key: []byte("new")}); err != nil {
			t.Fatal(err)
		}
		a.Status, a.Detail, a.Scopes = vigia.AccountRefused, "invalid key", []string{}
		if err := b.SaveAccount(ctx, a); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Account(ctx, vigia.LocalOwner, a.ID); err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("got %+v, %v, want %+v", got, err, a)
		}
		again := a
		again.ID = vigia.AccountID(b.id())
		if err := b.AddAccount(ctx, again, sealed); code(err) != vigia.CodeConflict {
			t.Errorf("same label: got %v, want code conflict", err)
		}
		if _, err := b.Account(ctx, "somebody else", a.ID); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("somebody else's: got %v, want ErrNotFound", err)
		}
		again.Owner = "somebody else"
		if err := b.SaveAccount(ctx, again); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("saved by somebody else: got %v, want ErrNotFound", err)
		}
	})
}

func TestAnAccountWithACallUnderWayIsNotDeleted(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 1))
		if err := b.DeleteAccount(ctx, vigia.LocalOwner, b.account); code(err) != vigia.CodeConflict {
			t.Errorf("got %v, want code conflict", err)
		}
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 1})
		if err := b.DeleteAccount(ctx, "somebody else", b.account); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("by somebody else: got %v, want ErrNotFound", err)
		}
		if err := b.DeleteAccount(ctx, vigia.LocalOwner, b.account); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Memory(ctx, b.account); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("got %v, want it forgotten", err)
		}
		if _, err := b.Execution(ctx, vigia.LocalOwner, id); err != nil {
			t.Errorf("what was done stays: got %v", err)
		}
		if got := verify(t, b.Store, nil); !got.OK {
			t.Errorf("got %+v, want a good journal", got)
		}
	})
}

func TestAnAutomationIsSavedOnTopOfWhatWasRead(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		before, err := b.Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		a, err := b.Automation(ctx, vigia.LocalOwner, b.rule)
		if err != nil || a.Guard == nil || len(a.Guard.Steps) != 1 || a.Version != 1 {
			t.Fatalf("got %+v, %v, want the standard guard", a, err)
		}
		a.Mode, a.Name, a.Scope.Side, a.ArmedAt = vigia.ModeOff, "mine", vigia.Long, b.clock.Now()
		a.Limits = vigia.Limits{PerDay: vigia.NoLimit, PerTrade: 5}
		saved, err := b.SaveAutomation(ctx, a)
		if err != nil || saved.Version != 2 {
			t.Fatalf("got %+v, %v, want version 2", saved, err)
		}
		if got, err := b.Automation(ctx, vigia.LocalOwner, b.rule); err != nil || !reflect.DeepEqual(got, saved) {
			t.Errorf("got %+v, %v, want %+v", got, err, saved)
		}
		if _, err := b.SaveAutomation(ctx, a); !errors.Is(err, vigia.ErrChanged) {
			t.Errorf("on top of version 1 again: got %v, want ErrChanged", err)
		}
		if after, err := b.Revision(ctx); err != nil || after <= before {
			t.Errorf("got revision %d, %v, want more than %d", after, err, before)
		}
		a.Account = "somebody else's"
		a.ID = vigia.AutomationID(b.id())
		if _, err := b.AddAutomation(ctx, a); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("on an account that is not there: got %v, want ErrNotFound", err)
		}
		b.clock.Advance(time.Second)
		alert := vigia.Automation{ID: vigia.AutomationID(b.id()), Owner: vigia.LocalOwner, Account: b.account, Name: "alert",
			Kind: vigia.KindAlert, Alert: &vigia.AlertConfig{When: vigia.AlertBlind}}
		if _, err := b.AddAutomation(ctx, alert); err != nil {
			t.Fatal(err)
		}
		of, err := b.AutomationsOf(ctx, b.account)
		if err != nil || len(of) != 2 || of[1].Alert == nil || of[1].Alert.When != vigia.AlertBlind {
			t.Errorf("got %+v, %v, want guard and alert", of, err)
		}
	})
}

func TestSettingsStopsAndStatus(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		if got, err := b.Stops(ctx); err != nil || got != (vigia.Stops{}) {
			t.Errorf("never set: got %+v, %v, want none", got, err)
		}
		before, err := b.Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.SetStops(ctx, vigia.Stops{Automations: true, HaltFile: "never kept"}); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Stops(ctx); err != nil || got != (vigia.Stops{Automations: true}) {
			t.Errorf("got %+v, %v, want automations stopped", got, err)
		}
		if after, err := b.Revision(ctx); err != nil || after == before {
			t.Errorf("got revision %d, %v, want another than %d", after, err, before)
		}
		var v map[string]int
		if err := b.Setting(ctx, vigia.LocalOwner, "none", &v); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		for n := range 2 {
			if err := b.SetSetting(ctx, vigia.LocalOwner, "n", map[string]int{"n": n}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Setting(ctx, vigia.LocalOwner, "n", &v); err != nil || v["n"] != 1 {
			t.Errorf("got %v, %v, want the second", v, err)
		}
		for _, armed := range []int{1, 2} {
			if err := b.SaveStatus(ctx, vigia.GuardStatus{Holder: "p", Armed: armed, Accounts: []vigia.WatchedAccount{{Label: "main"}}}); err != nil {
				t.Fatal(err)
			}
		}
		all, err := b.Statuses(ctx)
		if err != nil || len(all) != 1 || all[0].Armed != 2 || all[0].Accounts[0].Label != "main" {
			t.Errorf("got %+v, %v, want the last one", all, err)
		}
		if err := b.ForgetStatus(ctx, "p", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if all, err := b.Statuses(ctx); err != nil || len(all) != 0 {
			t.Errorf("got %+v, %v, want none", all, err)
		}
	})
}
