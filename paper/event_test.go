package paper_test

import (
	"slices"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

func TestEachEventComesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	var got []paper.EventKind
	x.Listen(func(e paper.Event) {
		got = append(got, e.Kind)
		if e.Account != x.acc || e.At.IsZero() {
			t.Errorf("event %s: account %q at %s", e.Kind, e.Account, e.At)
		}
		if now, _, _ := x.Trade(e.Account, e.Trade.ID); now.ID != e.Trade.ID { // a sink may read
			t.Errorf("event %s of a trade that cannot be read", e.Kind)
		}
	})
	market := x.market(vigia.Long, 10, 10)
	x.must(x.AddMargin(x.acc, market.ID, 10)) // no event, as on the exchange
	limit := x.limit(vigia.Long, 10, 50, 99_000)
	gone := x.limit(vigia.Long, 10, 50, 50_000)
	x.must(x.Cancel(x.acc, gone.ID))
	x.price(99_000)
	x.must(x.SetStop(x.acc, market.ID, vigia.Dollars(98_000)))
	x.price(98_000)
	x.price(97_000)
	equal(t, "the limit", x.now(limit.ID).State, vigia.TradeClosed)
	other := x.market(vigia.Short, 10, 10)
	x.must(x.Close(x.acc, other.ID))
	want := []paper.EventKind{
		paper.EventFilled, paper.EventOpen, paper.EventOpen, paper.EventCanceled, paper.EventFilled,
		paper.EventStopLoss, paper.EventLiquidation, paper.EventFilled, paper.EventClosed,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestEventsOfATickComeNearestToTheOldPriceFirst(t *testing.T) {
	t.Parallel()
	x := newExchange(t, fees, 100_000)
	var exits []vigia.Price
	x.Listen(func(e paper.Event) {
		if !e.Trade.ClosedAt.IsZero() {
			exits = append(exits, e.Trade.ExitPrice)
		}
	})
	x.market(vigia.Long, 10, 10)
	x.market(vigia.Long, 10, 50)
	stopped := x.market(vigia.Long, 10, 2)
	x.must(x.SetStop(x.acc, stopped.ID, vigia.Dollars(95_000)))
	target := x.market(vigia.Short, 10, 2)
	x.must(x.SetTakeProfit(x.acc, target.ID, vigia.Dollars(97_000)))
	x.price(80_000)
	want := []vigia.Price{196_078, vigia.Dollars(97_000), vigia.Dollars(95_000), vigia.Dollars(90_909)}
	if !slices.Equal(exits, want) {
		t.Errorf("got  %v\nwant %v", exits, want)
	}
	times := map[int64]bool{}
	for _, c := range x.Closed(x.acc) {
		times[c.ClosedAt.UnixMilli()] = true
	}
	equal(t, "times of their own", len(times), 4)
}
