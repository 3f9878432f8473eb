package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func statusServer(t *testing.T) *fakeServer {
	t.Helper()
	f := newFakeServer(t)
	f.guards, f.accounts = []vigia.GuardStatus{aGuard()}, []vigia.Account{tradingAccount()}
	return f
}

func TestStatusShowsWhatIsHeldToWhere(t *testing.T) {
	t.Parallel()
	sameAsGolden(t, "status", statusServer(t).run("", "status").ok(t).out.String())
}

func TestStatusFitsInEightyColumns(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(statusServer(t).run("", "status").ok(t).out.String()) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > screenWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestStatusSaysWhatIsWrongLoudly(t *testing.T) {
	t.Parallel()
	f := statusServer(t)
	g := &f.guards[0]
	g.Feed.Blind, g.StoreError, g.At = true, "disk full", noon.Add(-30*time.Second)
	g.Stops = vigia.Stops{Automations: true, HaltFile: "/data/halt"}
	g.Accounts[0].Status, g.Accounts[0].Detail = vigia.AccountRefused, "Invalid API key"
	f.accounts = append(f.accounts, vigia.Account{ID: "01980000-0000-7000-8000-00000000000b", Label: "nobody's", Network: vigia.Signet})
	sameAsGolden(t, "status_wrong", f.run("", "status").ok(t).out.String())
}

func TestStatusOfAnEmptyServerSaysWhatToDo(t *testing.T) {
	t.Parallel()
	sameAsGolden(t, "status_empty", newFakeServer(t).run("", "status").ok(t).out.String())
}

// The names that scripts rely on.
func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Armed    *int
		Accounts []struct {
			PriceAge    *int64   `json:"price_age_ms"`
			SnapshotAge *int64   `json:"snapshot_age_ms"`
			Worst       *float64 `json:"worst_distance_pct"`
			HeldTo      *float64 `json:"held_to_usd"`
			Protection  string
			Reasons     []string `json:"protection_reasons"`
		}
	}
	if err := json.Unmarshal(statusServer(t).run("", "status", "--json").ok(t).out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Armed == nil || *got.Armed != 2 || len(got.Accounts) != 1 {
		t.Fatalf("got %+v", got)
	}
	a := got.Accounts[0]
	if *a.PriceAge != 120 || *a.SnapshotAge != 800 || *a.Worst != 3.809 || *a.HeldTo != 95_238 || a.Protection != "not_protected" ||
		len(a.Reasons) != 1 || a.Reasons[0] != "dry_run_only" {
		t.Errorf("got %+v", a)
	}
}

// An account that was never read is not protected, whatever its list of trades
// says.
func TestWhatWasNeverReadIsNotProtected(t *testing.T) {
	t.Parallel()
	guard := aGuard()
	guard.Accounts[0].SnapshotBegun, guard.Accounts[0].Trades = time.Time{}, nil
	unknown := vigia.Account{ID: "01980000-0000-7000-8000-00000000000c", Label: "new"}
	report := makeReport([]vigia.GuardStatus{guard}, []vigia.Account{tradingAccount(), unknown}, noon)
	if len(report.Accounts) != 2 {
		t.Fatalf("got %d accounts", len(report.Accounts))
	}
	for _, a := range report.Accounts {
		if a.Protection != vigia.Unprotected || a.SnapshotAgeMS != nil || a.Worst != nil || a.HeldTo != nil {
			t.Errorf("%s: got %s, %v", a.Label, a.Protection, a.SnapshotAgeMS)
		}
	}
}

// When a lease moves, two guards speak of one account for a moment: the later
// look counts.
func TestTheLaterLookCounts(t *testing.T) {
	t.Parallel()
	older, newer := aGuard(), aGuard()
	newer.Holder, newer.Accounts[0].Free, newer.Accounts[0].SnapshotBegun = "other", 7, noon
	for _, guards := range [][]vigia.GuardStatus{{older, newer}, {newer, older}} {
		report := makeReport(guards, nil, noon)
		if len(report.Accounts) != 1 || report.Accounts[0].Free != 7 || report.Armed != 4 || report.processes() != 2 {
			t.Errorf("got %d accounts, %v", len(report.Accounts), report.Accounts[0].Free)
		}
	}
}

func TestTheFirstToEndStandsFirst(t *testing.T) {
	t.Parallel()
	report := makeReport([]vigia.GuardStatus{aGuard()}, nil, noon)
	_, first := report.first()
	if first.ID != "3f2a9c1b-0000-4000-8000-000000000002" || report.Accounts[0].Trades[0].ID != first.ID {
		t.Errorf("got %s", first.ID)
	}
}

func TestAShortIsHeldUpTo(t *testing.T) {
	t.Parallel()
	guard := aGuard()
	guard.Accounts[0].Trades = guard.Accounts[0].Trades[2:]
	f := newFakeServer(t)
	f.guards, f.accounts = []vigia.GuardStatus{guard}, []vigia.Account{tradingAccount()}
	if got := f.run("", "status").ok(t).out.String(); !strings.HasPrefix(got, "HELD UP TO\n") {
		t.Errorf("got %s", got)
	}
	never := vigia.WatchedTrade{Trade: vigia.Trade{Side: vigia.Short}, HeldTo: vigia.NeverPrice}
	if got := heldTo(&never); got != "never" {
		t.Errorf("got %s", got)
	}
}
