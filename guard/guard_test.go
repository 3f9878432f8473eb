package guard_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// A position slides towards its liquidation, and the right margin is added in time,
// once.
func TestAPositionIsRescuedOnceWithTheRightSats(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.trader(1_000_000)
		id := c.open(vigia.Long, 1_000, 20)
		rule := c.rule()
		w.guard()
		before, free := c.trade(id), w.engine.Wallet(c.ID)
		fires := rule.Guard.Steps[0].FiresAt(&before)
		for usd := 100_000.0; usd > fires.Float(); usd -= 250 {
			w.price(usd)
			w.pass(time.Second)
		}
		c.wantDid("")
		w.price(fires.Float())
		w.pass(50 * time.Millisecond)
		want := vigia.MarginAtDistance(vigia.Long, 1_000, before.Price, fires, 4*vigia.OnePercent)
		after := c.trade(id)
		if after.Margin != want {
			t.Errorf("margin: got %d, want %d: 4 %% away again", after.Margin, want)
		}
		c.wantDid("add_margin done")
		w.pass(time.Minute)
		w.price(fires.Float() - 1)
		w.pass(time.Minute)
		c.wantDid("add_margin done")
		e := c.executions()[0]
		if lost := free - w.engine.Wallet(c.ID); e.Cost != lost || e.Amount != after.Margin-before.Margin {
			t.Errorf("got amount %d and cost %d, want %d and %d", e.Amount, e.Cost, after.Margin-before.Margin, lost)
		}
		if e.TickAt.IsZero() || e.TickToWire() < 0 || e.Last != fires {
			t.Errorf("got tick %s, wire after %s, at %s, want all of them, at %s", e.TickAt, e.TickToWire(), e.Last, fires)
		}
		c.wantTold(vigia.EventRescued, 1)
	})
}
