package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func TestWithoutTheStoreNoCallIsMade(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		g := w.guard()
		g.store.down.Store(true)
		w.price(fires)
		w.pass(10 * time.Second)
		if n := len(c.received()); n != 0 {
			t.Errorf("%d calls were made without an intent", n)
		}
		if said := w.said(); len(said) != 1 || !strings.Contains(said[0], errDisk.Error()) {
			t.Errorf("said %q, want once why", said)
		}
		if s := g.Status(); s.StoreError == "" || g.Alive() == "" {
			t.Error("the status does not say so")
		}
		g.store.down.Store(false)
		w.pass(2500 * time.Millisecond)
		c.wantDid("add_margin done")
		if said := w.said(); len(said) != 2 || said[1] != "store: works again" {
			t.Errorf("said %q, want also that it works again", said)
		}
		if g.Alive() != "" {
			t.Errorf("not alive: %s", g.Alive())
		}
	})
}

// The call was made, and the store goes before it is settled: it stays a fact.
func TestAStoreThatGoesDuringACall(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		g := w.guard()
		c.next(fault{kind: slow, after: time.Second})
		w.price(fires)
		g.store.down.Store(true)
		w.pass(20 * time.Second)
		c.wantDid("add_margin intent")
		again := vigia.PriceAtDistance(vigia.Long, c.trade(id).Liquidation, 2*vigia.OnePercent).Float()
		w.price(again)
		w.pass(time.Second)
		g.store.down.Store(false)
		w.pass(5 * time.Second)
		c.wantDid("add_margin done, add_margin done")
	})
}

func TestAStopEndsWhileTheStoreIsGone(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		g := w.guard()
		c.next(fault{kind: slow, after: time.Second})
		w.price(fires)
		g.store.down.Store(true)
		w.pass(2 * time.Second)
		began := w.clock.Now()
		g.stop()
		if took := w.clock.Now().Sub(began); took > 7*time.Second {
			t.Errorf("the stop took %s", took)
		}
		c.wantDid("add_margin intent")
		w.guard()
		w.pass(5 * time.Second)
		c.wantDid("add_margin done")
	})
}

// A stop with a call on its way waits for the answer, and takes nothing new in.
func TestAStopWaitsForCallsAndTakesNothingNewIn(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		g := w.guard()
		c.next(fault{kind: slow, after: 2 * time.Second})
		w.price(fires)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			g.stop()
		}()
		w.pass(500 * time.Millisecond)
		g.OnTick(vigia.Tick{Last: vigia.PriceFromFloat(fires - 3_500), At: w.clock.Now()})
		<-ended
		c.wantDid("add_margin done")
		if len(w.said()) != 0 {
			t.Errorf("a stop was told as a store that fails: %q", w.said())
		}
		states, err := w.store.StatesOf(w.Context(), c.ID)
		if err != nil || len(states) != 1 || states[0].LastAt.IsZero() {
			t.Errorf("got states %+v, %v; want the last action remembered", states, err)
		}
		if snapshot, err := w.store.Snapshot(w.Context(), c.ID); err != nil || snapshot.Trades[0].Margin != c.trade(id).Margin {
			t.Errorf("got snapshot %+v, %v; want the one with the add", snapshot, err)
		}
	})
}

func TestAStoreThatCannotBeReadIsSaid(t *testing.T) {
	inWorld(t, func(w *world) {
		c, _, fires := endangered(w)
		g := w.guard()
		g.store.unread.Store(true)
		w.pass(5 * time.Second)
		if said := w.said(); len(said) != 1 || !strings.Contains(said[0], "cannot be read") {
			t.Errorf("said %q, want it once", said)
		}
		w.price(fires)
		w.pass(time.Second)
		c.wantDid("add_margin done")
		g.store.unread.Store(false)
		w.pass(time.Second)
		if said := w.said(); len(said) != 2 {
			t.Errorf("said %q, want also that it works again", said)
		}
	})
}

// A turn that decides the same leaves nothing behind.
func TestDecisionsAreKeptOnChangeOnly(t *testing.T) {
	inWorld(t, func(w *world) {
		c, id, fires := endangered(w)
		g := w.guard()
		w.pass(2 * time.Second)
		before := g.store.kept.Load()
		for i := range 200 {
			w.price(99_000 - float64(i%7))
			w.pass(time.Second)
		}
		if n := g.store.kept.Load() - before; n > 0 {
			t.Errorf("%d writes for nothing new", n)
		}
		w.price(fires)
		w.pass(time.Second)
		got := c.decisions(vigia.TradeSubject(id))
		slices.Sort(got) // what is decided at one moment has no order
		want := []string{"add_margin trigger_reached", "none in_flight", "none not_reached", "none not_reached"}
		if !slices.Equal(got, want) {
			t.Errorf("kept %q, want %q", got, want)
		}
		c.wantTold(vigia.EventRescued, 1)
	})
}
