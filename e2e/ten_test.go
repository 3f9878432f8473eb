package e2e

import (
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// TestTenEqualTradesAndAWalletForSix lets ten equal trades fall with sats for six
// targets: with close six are rescued and four closed; with add_what_there_is all
// ten get up to survival before any gets more.
func TestTenEqualTradesAndAWalletForSix(t *testing.T) {
	t.Parallel()
	t.Run("close", func(t *testing.T) {
		t.Parallel()
		w, trades, p := tenEqual(t, vigia.ShortClose, 6)
		w.tick(w.firesAt(&trades[0]))
		w.rest(p)
		rescued, closed := 0, 0
		for _, before := range trades {
			switch now := w.now(before.ID); {
			case now.Running() && !w.rule.Guard.Steps[0].Holds(&now, w.engine.Last()):
				rescued++
			case now.State == vigia.TradeClosed && w.engine.Last() == w.firesAt(&before):
				closed++
			}
		}
		if rescued != 6 || closed != 4 {
			t.Errorf("%d were rescued and %d closed, want 6 and 4", rescued, closed)
		}
		w.check(p)
	})
	t.Run("add_what_there_is", func(t *testing.T) {
		t.Parallel()
		w, trades, p := tenEqual(t, vigia.ShortAdd, 6)
		w.tick(w.firesAt(&trades[0]))
		w.rest(p)
		step := w.rule.Guard.Steps[0]
		survival := step
		survival.At += w.rule.Guard.Hysteresis
		for _, before := range trades {
			now := w.now(before.ID)
			if !now.Running() || now.Liquidation >= before.Liquidation {
				t.Errorf("trade %s is %s, liquidated at %s", now.ID, now.State, now.Liquidation)
			}
			if at := w.engine.Last() + 1; survival.Holds(&now, at) {
				t.Errorf("trade %s is not up to survival: liquidated at %s, the price is %s", now.ID, now.Liquidation, at)
			}
		}
		if left := w.engine.Wallet(w.trader.ID); left > 1_000 {
			t.Errorf("%d sats were left in the wallet", left)
		}
		w.check(p)
	})
}

// tenEqual is a world with ten equal trades and sats for so many whole rescues.
func tenEqual(t *testing.T, ifShort vigia.IfShort, rescues int64) (*world, []vigia.Trade, *process) {
	t.Helper()
	w := newWorld(t, worldOptions{store: "sqlite", balance: 10_000_000, rules: paper.Frictionless()})
	var trades []vigia.Trade
	for range 10 {
		trades = append(trades, w.long(1_000, 20))
	}
	fires := vigia.PriceAtDistance(vigia.Long, trades[0].Liquidation, 2_000)
	need := vigia.MarginAtDistance(vigia.Long, 1_000, trades[0].Price, fires, 4_000) - trades[0].Margin
	// The fee reserve is reckoned for by the guard, whatever the exchange takes.
	sats := vigia.Sats(rescues)*trades[0].AddCost(need) + trades[0].AddCost(need)/2
	if err := w.engine.Withdraw(w.trader.ID, w.engine.Wallet(w.trader.ID)-sats); err != nil {
		t.Fatal(err)
	}
	p := w.start("data")
	w.join(p)
	w.protect(p, guardConfig(ifShort))
	return w, trades, p
}
