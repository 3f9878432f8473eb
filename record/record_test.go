package record_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
)

func TestMain(m *testing.M) { os.Exit(recordtest.Main(m)) }

// bench is a store with one account on a shard that is held.
type bench struct {
	*record.Store
	clock   *vigia.ManualClock
	fence   vigia.Fence
	account vigia.AccountID
	rule    vigia.AutomationID
	made    int
}

// each runs a case on both engines with an account, a rule and a lease at hand.
func each(t *testing.T, f func(ctx context.Context, t *testing.T, b *bench)) {
	t.Helper()
	t.Parallel()
	recordtest.Each(t, func(t *testing.T, db recordtest.Database) { f(t.Context(), t, newBench(t, db)) })
}

func newBench(t *testing.T, db recordtest.Database, with ...func(*record.Config)) *bench {
	t.Helper()
	clock := vigia.NewManualClock(recordtest.Start)
	b := &bench{clock: clock}
	b.Store = db.Open(t, append([]func(*record.Config){recordtest.Clock(clock)}, with...)...)
	b.account = b.addAccount(t, "main")
	b.rule = b.addRule(t, b.account)
	b.fence = b.take(t, 7, "this process")
	return b
}

func (b *bench) id() string { return vigia.NewID(b.clock.Now()) }

func (b *bench) addAccount(t *testing.T, label string) vigia.AccountID {
	t.Helper()
	a := vigia.Account{ID: vigia.AccountID(b.id()), Owner: vigia.LocalOwner, Label: label, Network: vigia.Paper,
		Status: vigia.AccountActive, Scopes: []string{vigia.ScopeIsolatedWrite}}
	sealed := vigia.SealedCredentials{Key: []byte("k"), Secret: []byte("s"), Passphrase: []byte("p")}
	if err := b.AddAccount(t.Context(), a, sealed); err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func (b *bench) addRule(t *testing.T, account vigia.AccountID) vigia.AutomationID {
	t.Helper()
	config, err := vigia.PresetStandard.Config()
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.AddAutomation(t.Context(), vigia.Automation{ID: vigia.AutomationID(b.id()), Owner: vigia.LocalOwner,
		Account: account, Name: "standard", Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive, ConfigVersion: 1, Guard: &config})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// take takes a shard whatever its epoch is.
func (b *bench) take(t *testing.T, shard int, holder string) vigia.Fence {
	t.Helper()
	leases, err := b.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fence, err := b.Take(t.Context(), holder, leases[shard].Fence)
	if err != nil {
		t.Fatal(err)
	}
	return fence
}

// add is an intent that adds margin to a trade.
func (b *bench) add(trade vigia.TradeID, cost vigia.Sats) vigia.Intent {
	b.made++
	before := vigia.Trade{ID: trade, State: vigia.TradeRunning, Side: vigia.Long, Quantity: 1000, Margin: 50_000,
		Price: vigia.Dollars(100_000), Liquidation: vigia.Dollars(95_238)}
	return vigia.Intent{Counts: true, Execution: vigia.Execution{ID: vigia.ExecutionID(b.id()), Owner: vigia.LocalOwner,
		Account: b.account, Automation: b.rule, Subject: vigia.TradeSubject(trade), Action: vigia.ActionAddMargin,
		Reason: vigia.ReasonTrigger, Amount: cost, Cost: cost, Before: before, Signature: fmt.Sprintf("signature %d", b.made),
		TickAt: b.clock.Now(), SignedAt: b.clock.Now(), Fence: b.fence}}
}

// intend commits one intent and wants it committed.
func (b *bench) intend(t *testing.T, intent vigia.Intent) vigia.ExecutionID {
	t.Helper()
	if err := b.tryIntend(t, intent); err != nil {
		t.Fatalf("intent refused: %v", err)
	}
	return intent.Execution.ID
}

// tryIntend commits one intent and gives its refusal.
func (b *bench) tryIntend(t *testing.T, intent vigia.Intent) error {
	t.Helper()
	refused, err := b.Intend(t.Context(), []vigia.Intent{intent})
	if err != nil {
		t.Fatal(err)
	}
	return refused[0]
}

func (b *bench) settle(t *testing.T, s vigia.Settlement) vigia.Settled {
	t.Helper()
	settled, refused, err := b.Settle(t.Context(), []vigia.Settlement{s})
	if err = errors.Join(err, errors.Join(refused...)); err != nil {
		t.Fatal(err)
	}
	return settled[0]
}

// held is the sum of what is held and of what was spent in a day.
func (b *bench) held(t *testing.T) (held, spent vigia.Sats) {
	t.Helper()
	reserves, err := b.Reserves(t.Context(), b.account, b.clock.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reserves {
		switch r.State {
		case vigia.ReserveHeld:
			held += r.Cost
		case vigia.ReserveSpent:
			spent += r.Cost
		}
	}
	return held, spent
}

// code is the stable code of an error, empty where it has none.
func code(err error) vigia.Code {
	var public *vigia.Error
	if errors.As(err, &public) {
		return public.Code
	}
	return ""
}
