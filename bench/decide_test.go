package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// guardedAccount are the facts of an account with a standard guard over n equal
// 20× longs, each armed and seen a second ago.
func guardedAccount(b *testing.B, n int, price vigia.Price) *decide.Facts {
	b.Helper()
	config, err := vigia.PresetStandard.Config()
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	seen, armed := now.Add(-time.Second), now.Add(-time.Hour)
	f := &decide.Facts{
		Now: now,
		Account: vigia.Account{ID: "account", Status: vigia.AccountActive, ProvedAt: armed,
			Scopes: []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite}},
		Market:   vigia.Market{Last: price, ConfirmedAt: now},
		Snapshot: &vigia.Snapshot{Account: "account", TradesBegun: seen, FreeBegun: seen, Free: 10_000_000},
		Automations: []vigia.Automation{{ID: "guard", Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive, ArmedAt: armed,
			Guard: &config, Limits: config.Limits.Resolve(10_000_000)}},
	}
	entry := vigia.Dollars(100_000)
	for i := range n {
		margin := vigia.MarginFor(1000, entry, 20*vigia.OneX)
		t := vigia.Trade{ID: vigia.TradeID(fmt.Sprintf("00000000-0000-7000-8000-%012d", i)), State: vigia.TradeRunning,
			Side: vigia.Long, Quantity: 1000, Price: entry, EntryPrice: entry, EntryMargin: margin, FilledAt: armed}.WithMargin(margin)
		f.Snapshot.Trades = append(f.Snapshot.Trades, vigia.Seen{Trade: t, Begun: seen})
		subject := vigia.TradeSubject(t.ID)
		f.States = append(f.States, vigia.AutomationState{Automation: "guard", Subject: subject, Armed: armed})
		f.Reserves = append(f.Reserves, vigia.Reserve{Account: "account", Subject: subject, State: vigia.ReserveSpent,
			Cost: 10_000, Counts: true, At: armed, SettledAt: armed})
	}
	return f
}

// Deciding an account, its next due prices with it: idle, and with every trade of
// it within its trigger.
func BenchmarkDecide(b *testing.B) {
	idle, triggered := vigia.Dollars(99_000), vigia.Dollars(97_000)
	for _, bc := range []struct {
		name   string
		trades int
		price  vigia.Price
		alert  bool
	}{
		{"idle/trades=1", 1, idle, false},
		{"idle/trades=10", 10, idle, false},
		{"idle/trades=10/alert", 10, idle, true},
		{"acting/trades=1", 1, triggered, false},
		{"acting/trades=10", 10, triggered, false},
	} {
		b.Run(bc.name, func(b *testing.B) {
			facts := guardedAccount(b, bc.trades, bc.price)
			if bc.alert {
				facts.Automations = append(facts.Automations, vigia.Automation{ID: "alert", Kind: vigia.KindAlert, Mode: vigia.ModeLive,
					ArmedAt: facts.Automations[0].ArmedAt, Alert: &vigia.AlertConfig{When: vigia.AlertUnprotected}})
			}
			var d decide.Decider
			result := d.Decide(facts)
			if _, acts := result.Acting(); acts != (bc.price == triggered) {
				b.Fatalf("acting is %t, want %t", acts, !acts)
			}
			b.ReportAllocs()
			for b.Loop() {
				d.Decide(facts)
			}
		})
	}
}

// The largest number on the screen: the rules run down a straight path.
func BenchmarkHeld(b *testing.B) {
	for _, trades := range []int{1, 10} {
		b.Run(fmt.Sprintf("trades=%d", trades), func(b *testing.B) {
			facts := guardedAccount(b, trades, vigia.Dollars(99_000))
			b.ReportAllocs()
			for b.Loop() {
				decide.Held(facts)
			}
		})
	}
}
