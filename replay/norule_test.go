package replay_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/replay"
)

// death is where and when a trade nobody guards must be liquidated.
type death struct {
	price  vigia.Price
	minute time.Time
}

// mustDie follows the candles after a trade's opening: every eight hours funding is
// paid from the margin at the price of then, and a low (for a short a high) that
// reaches the liquidation is the end.
func mustDie(m *market, o *order, entry vigia.Price) (death, bool) {
	margin := -floor(over(contracts(1000), rat(-int64(entry)*o.leverage)))
	liquidation := freshLiquidation(o.side, 1000, entry, o.leverage)
	opened := o.at(m)
	for i := range m.candles {
		c := &m.candles[i]
		if c.Time.Before(opened) {
			continue
		}
		if c.Time.Hour()%8 == 0 && c.Time.Minute() == 0 && c.Time.After(opened) && o.side == vigia.Long {
			if reached(o.side, c.Open, liquidation) {
				return death{liquidation, c.Time}, true
			}
			// 0.01 % of the contracts at the price of the settlement, to the nearest sat.
			margin -= nearest(over(contracts(1000), rat(10_000*int64(c.Open))))
			liquidation = liquidationAt(o.side, 1000, entry, vigia.Sats(margin))
		}
		if reached(o.side, c.Low, liquidation) || reached(o.side, c.High, liquidation) {
			return death{liquidation, c.Time}, true
		}
	}
	return death{}, false
}

func reached(side vigia.Side, p, liquidation vigia.Price) bool { return !side.Worse(liquidation, p) }

func (e *eleven) checkWithoutRules(t *testing.T) {
	t.Helper()
	dead, alive := 0, 0
	for _, s := range append([]*scene{e.bareOfThree, e.bareOfTen}, e.every...) {
		for i, o := range e.outcomes(t, s) {
			order := &s.orders[i]
			open := e.market.at(order.at(e.market)).Open
			if want := open + vigia.Price(order.side); o.Trade.EntryPrice != want {
				t.Fatalf("%s %d× of day %d entered at %s, want %s", order.side, order.leverage, order.day, o.Trade.EntryPrice, want)
			}
			want, must := mustDie(e.market, order, o.Trade.EntryPrice)
			if !must {
				alive++
				if !o.Trade.Running() {
					t.Errorf("%s %d× of day %d was %s at %s, and nothing reached it", order.side, order.leverage, order.day, o.EndedBy, o.Trade.ExitPrice)
				}
				continue
			}
			dead++
			checkDeath(t, order, &o, want)
		}
		if acts := len(s.guard.Acts) + len(s.guard.Dry); acts != 0 {
			t.Errorf("%d acts without a rule", acts)
		}
		checkConserved(t, e.walk, s)
	}
	if dead < 20 || alive < 20 {
		t.Errorf("%d liquidated and %d not: too few of one to show anything", dead, alive)
	}
	t.Logf("%d trades: %d liquidated, %d not", dead+alive, dead, alive)
}

func checkDeath(t *testing.T, order *order, o *replay.Outcome, want death) {
	t.Helper()
	if o.EndedBy != vigia.EndedLiquidated || o.Trade.ExitPrice != want.price {
		t.Errorf("%s %d× of day %d: %q at %s, must be liquidated at %s", order.side, order.leverage, order.day,
			o.EndedBy, o.Trade.ExitPrice, want.price)
	}
	if got := o.Trade.ClosedAt.Truncate(time.Minute); !got.Equal(want.minute) {
		t.Errorf("%s %d× of day %d: liquidated at %s, must be in the minute of %s", order.side, order.leverage, order.day, got, want.minute)
	}
	if o.Trade.PL > -o.Trade.Margin {
		t.Errorf("%s %d× of day %d: lost %d of a margin of %d", order.side, order.leverage, order.day, -o.Trade.PL, o.Trade.Margin)
	}
}
