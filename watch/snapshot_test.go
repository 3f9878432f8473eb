package watch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

const me = vigia.AccountID("account")

// at is a second of the test's day.
func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// trade is a long of 1,000 USD at 100,000 that holds so much margin.
func trade(id string, margin vigia.Sats, with ...func(*vigia.Trade)) vigia.Trade {
	t := vigia.Trade{ID: vigia.TradeID(id), State: vigia.TradeRunning, Side: vigia.Long, Quantity: 1000,
		EntryMargin: 50_000, Price: vigia.Dollars(100_000), EntryPrice: vigia.Dollars(100_000), CreatedAt: start}
	t = t.WithMargin(margin)
	for _, change := range with {
		change(&t)
	}
	return t
}

func funded(paid vigia.Sats) func(*vigia.Trade) { return func(t *vigia.Trade) { t.Funding = paid } }
func cashed(pl, margin vigia.Sats) func(*vigia.Trade) {
	return func(t *vigia.Trade) { t.CashInPL, t.CashInMargin = pl, margin }
}
func stopped(usd int64) func(*vigia.Trade) {
	return func(t *vigia.Trade) { t.StopLoss = vigia.Dollars(usd) }
}
func profit(pl vigia.Sats) func(*vigia.Trade) { return func(t *vigia.Trade) { t.PL = pl } }
func closed(t *vigia.Trade)                   { t.State = vigia.TradeClosed }

func list(trades ...vigia.Trade) []vigia.Trade { return trades }

// tell says a change in one line.
func tell(c Change) string {
	var words []string
	if !c.Taken {
		words = append(words, "nothing")
	}
	name := func(what string, subjects []vigia.Subject) {
		for _, s := range subjects {
			words = append(words, what+" "+strings.TrimPrefix(s.String(), "trade:"))
		}
	}
	name("added", c.Added)
	name("changed", c.Changed)
	for _, gone := range c.Vanished {
		words = append(words, strings.TrimSpace(fmt.Sprintf("vanished %s %s", gone.ID, gone.By)))
	}
	name("stale", c.Stale)
	name("doubted", c.Doubted)
	for _, w := range c.Wanted {
		words = append(words, "wants "+w.What.String())
	}
	return strings.Join(words, ", ")
}

// show prints the trades of a snapshot with the second they were seen.
func show(s *vigia.Snapshot) string {
	if s == nil {
		return "nothing"
	}
	var words []string
	for _, seen := range s.Trades {
		word := fmt.Sprintf("%s=%d@%v", seen.ID, seen.Margin, seen.Begun.Sub(start).Seconds())
		if seen.StopLoss != 0 {
			word += "/stop" + seen.StopLoss.String()
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// Each case is sightings in the order in which they arrive, what each of them
// changes, and what is known in the end.
func TestSnapshotVersions(t *testing.T) {
	t.Parallel()
	type step struct {
		do   func(*Snapshots) Change
		want string
	}
	running := func(begun float64, trades ...vigia.Trade) func(*Snapshots) Change {
		return func(s *Snapshots) Change { return s.SawRunning(me, at(begun), trades) }
	}
	single := func(begun float64, trade vigia.Trade) func(*Snapshots) Change {
		return func(s *Snapshots) Change { return s.SawTrade(me, at(begun), trade) }
	}
	answer := func(begun, answered float64, lane vigia.Lane, trade vigia.Trade) func(*Snapshots) Change {
		return func(s *Snapshots) Change {
			return s.SawAnswer(me, Answer{Begun: at(begun), At: at(answered), Lane: lane, Trade: trade})
		}
	}
	settled := func(second float64, id vigia.TradeID) func(*Snapshots) Change {
		return func(s *Snapshots) Change {
			s.Settled(me, vigia.TradeSubject(id), at(second))
			return Change{Taken: true}
		}
	}
	heard := func(second float64, kind EventKind, id vigia.TradeID) func(*Snapshots) Change {
		return func(s *Snapshots) Change { return s.Heard(me, Event{Kind: kind, Trade: id, At: at(second)}) }
	}
	load := func(second float64, trades ...vigia.Trade) func(*Snapshots) Change {
		return func(s *Snapshots) Change {
			stored := vigia.Snapshot{Account: me, TradesBegun: at(second), FreeBegun: at(second)}
			for _, t := range trades {
				stored.Trades = append(stored.Trades, vigia.Seen{Trade: t, Begun: at(second)})
			}
			return s.Load(stored)
		}
	}
	margin, stop, closing := vigia.LaneMargin, vigia.LaneStop, vigia.LaneClose
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"the first list adds, in the exchange's order", []step{
			{running(1, trade("b", 5), trade("a", 7)), "added b, added a"},
		}, "b=5@1 a=7@1"},
		{"a later list changes, adds and takes away", []step{
			{running(1, trade("a", 5), trade("b", 7)), "added a, added b"},
			{running(2, trade("c", 1), trade("a", 6)), "added c, changed a, vanished b"},
		}, "c=1@2 a=6@2"},
		{"a profit that moves is no change, and the trade is seen again", []step{
			{running(1, trade("a", 5, profit(1))), "added a"},
			{running(2, trade("a", 5, profit(-9))), ""},
		}, "a=5@2"},
		{"an older list arrives after a newer one", []step{
			{running(2, trade("a", 6)), "added a"},
			{running(1, trade("a", 5), trade("b", 1)), "nothing, stale a, stale b"},
		}, "a=6@2"},
		{"an older empty list takes nothing away", []step{
			{running(2, trade("a", 6)), "added a"},
			{running(1), "nothing"},
		}, "a=6@2"},
		{"the answer of an action is a snapshot", []step{
			{running(1, trade("a", 5), trade("b", 7)), "added a, added b"},
			{answer(2, 3, margin, trade("a", 9)), "changed a"},
		}, "a=9@3 b=7@1"},
		{"a read begun before the action was settled is dropped for its subject only", []step{
			{running(1, trade("a", 5), trade("b", 7)), "added a, added b"},
			{answer(2, 4, margin, trade("a", 9)), "changed a"},
			{running(3, trade("a", 5), trade("b", 8)), "changed b, stale a"},
		}, "a=9@4 b=8@3"},
		{"an action without an answer drops older reads too", []step{
			{running(1, trade("a", 5)), "added a"},
			{settled(4, "a"), ""},
			{running(3, trade("a", 6)), "stale a"},
			{running(4, trade("a", 9)), "changed a"},
		}, "a=9@4"},
		{"a smaller margin that funding explains is newer than the answer", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(2, 4, margin, trade("a", 9000)), "changed a"},
			{running(3, trade("a", 8900, funded(100))), "changed a"},
		}, "a=8900@4"},
		{"a smaller margin that funding explains in part only is not", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(2, 4, margin, trade("a", 9000)), "changed a"},
			{running(3, trade("a", 8800, funded(100))), "stale a"},
		}, "a=9000@4"},
		{"an old answer under a new request is doubted", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(2, 3, margin, trade("a", 9000)), "changed a"},
			{running(4, trade("a", 5000)), "doubted a, wants running"},
			{running(6, trade("a", 9000)), ""},
		}, "a=9000@6"},
		{"and believed when a second one agrees", []step{
			{running(1, trade("a", 9000)), "added a"},
			{running(4, trade("a", 5000)), "doubted a, wants running"},
			{running(4.5, trade("a", 5000)), "doubted a, wants running"},
			{running(5.4, trade("a", 5000)), "doubted a, wants running"},
			{running(6.4, trade("a", 5000)), "changed a"},
		}, "a=5000@6.4"},
		{"not when the second one says something else again", []step{
			{running(1, trade("a", 9000)), "added a"},
			{running(4, trade("a", 5000)), "doubted a, wants running"},
			{running(6, trade("a", 5500)), "doubted a, wants running"},
			{running(8, trade("a", 5500)), "changed a"},
		}, "a=5500@8"},
		{"a margin made smaller by cash-in is no doubt", []step{
			{running(1, trade("a", 9000)), "added a"},
			{running(2, trade("a", 8000, cashed(500, 1000))), "changed a"},
			{running(3, trade("a", 9000)), "doubted a, wants running"},
		}, "a=8000@2"},
		{"funding that was received leaves the margin alone", []step{
			{running(1, trade("a", 9000, funded(50))), "added a"},
			{running(2, trade("a", 9000, funded(20))), "changed a"},
		}, "a=9000@2"},
		{"two lanes overlap: the stop's answer does not know of the margin", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(3, 4, margin, trade("a", 9000)), "changed a"},
			{answer(2, 5, stop, trade("a", 5000, stopped(96_000))), "changed a"},
		}, "a=9000@5/stop96000"},
		{"two lanes overlap: the margin's answer does not know of the stop", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(3, 4, stop, trade("a", 5000, stopped(96_000))), "changed a"},
			{answer(2, 5, margin, trade("a", 9000)), "changed a"},
		}, "a=9000@5/stop96000"},
		{"a late answer of a first add does not undo the second", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(6, 7, margin, trade("a", 9000)), "changed a"},
			{answer(2, 8, margin, trade("a", 7000)), "nothing, stale a, wants running"},
		}, "a=9000@7"},
		{"an answer that was under way while funding was paid", []step{
			{running(1, trade("a", 5000)), "added a"},
			{running(3, trade("a", 8900, funded(100))), "changed a"},
			{answer(2, 4, margin, trade("a", 9000)), "nothing, stale a, wants running"},
		}, "a=8900@3"},
		{"an answer settled after a read begun later", []step{
			{running(1, trade("a", 5000)), "added a"},
			{running(5, trade("a", 9000, stopped(97_000))), "changed a"},
			{answer(2, 3, margin, trade("a", 9000)), "nothing, stale a, wants running"},
		}, "a=9000@5/stop97000"},
		{"an answer after the trade was seen gone", []step{
			{running(1, trade("a", 5000)), "added a"},
			{running(5), "vanished a"},
			{answer(2, 3, margin, trade("a", 9000)), "nothing, stale a"},
		}, ""},
		{"the answer of a close ends the trade for good", []step{
			{running(1, trade("a", 5000)), "added a"},
			{answer(2, 4, closing, trade("a", 5000, closed)), "vanished a closed_by_vigia"},
			{running(3, trade("a", 5000)), "stale a"},
			{running(6, trade("a", 5000)), "stale a"},
			{single(7, trade("a", 5000)), "nothing, stale a"},
		}, ""},
		{"a minute later the exchange is the truth again", []step{
			{running(1, trade("a", 5000)), "added a"},
			{heard(2, EventLiquidated, "a"), "vanished a liquidated, wants running, wants account"},
			{running(63, trade("a", 5000)), "stale a"},
			{running(64, trade("a", 5000)), "added a"},
		}, "a=5000@64"},
		{"an event ends a trade before any read does", []step{
			{running(1, trade("a", 5000), trade("b", 1)), "added a, added b"},
			{heard(2, EventStopped, "a"), "vanished a stopped, wants running, wants account"},
			{running(1.5, trade("a", 5000), trade("b", 1)), "stale a"},
		}, "b=1@1.5"},
		{"an event of a trade nobody knows asks for a read only", []step{
			{heard(1, EventFilled, "a"), "nothing, wants running, wants account"},
			{heard(1, EventClosed, "z"), "nothing, wants running, wants account"},
			{heard(1, EventOpened, "o"), "nothing, wants account"},
			{heard(1, EventCross, ""), "nothing, wants cross, wants account"},
			{heard(1, EventFunded, "a"), "nothing, wants running, wants account"},
		}, "nothing"},
		{"a single read adds, changes and ends", []step{
			{single(1, trade("a", 5)), "added a"},
			{single(2, trade("a", 6)), "changed a"},
			{single(1.5, trade("a", 5)), "nothing, stale a"},
			{single(3, trade("a", 6, closed)), "vanished a"},
		}, ""},
		{"a single read older than the list that lacks it", []step{
			{running(2), ""},
			{single(1, trade("a", 5)), "nothing, stale a"},
			{single(3, trade("a", 5)), "added a"},
		}, "a=5@3"},
		{"a trade seen after the list was begun stays", []step{
			{single(2, trade("a", 5)), "added a"},
			{running(1, trade("b", 1)), "added b"},
			{running(3, trade("b", 1)), "vanished a"},
		}, "b=1@3"},
		{"what was stored gives way, whatever its clock said", []step{
			{load(500, trade("a", 9000), trade("b", 7)), "added a, added b"},
			{running(1, trade("a", 5000)), "changed a, vanished b"},
		}, "a=5000@1"},
		{"an answer on a stored trade", []step{
			{load(500, trade("a", 9000), trade("b", 7)), "added a, added b"},
			{answer(1, 2, margin, trade("a", 8000)), "changed a"},
			{running(1.5, trade("a", 5000), trade("b", 7)), "stale a"},
		}, "a=8000@2 b=7@1.5"},
		{"nothing stored replaces what was read", []step{
			{running(1, trade("a", 5)), "added a"},
			{load(500, trade("b", 7)), "nothing"},
		}, "a=5@1"},
		{"only what runs counts, and once", []step{
			{running(1, trade("a", 5, closed), trade("b", 7), trade("b", 8)), "added b"},
		}, "b=7@1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var snapshots Snapshots
			for i, step := range c.steps {
				before := snapshots.Of(me)
				shown := show(before)
				change := step.do(&snapshots)
				if got := tell(change); got != step.want {
					t.Fatalf("step %d: %q, want %q (known: %s)", i+1, got, step.want, show(snapshots.Of(me)))
				}
				if got := show(before); got != shown {
					t.Fatalf("step %d changed the old snapshot from %q to %q", i+1, shown, got)
				}
			}
			if got := show(snapshots.Of(me)); got != c.want {
				t.Errorf("known: %q, want %q", got, c.want)
			}
		})
	}
}

func TestSnapshotAccount(t *testing.T) {
	t.Parallel()
	var snapshots Snapshots
	for _, c := range []struct {
		begun   float64
		free    vigia.Sats
		tier    int
		settled float64
		want    string
	}{
		{2, 100, 0, 0, "changed account"},
		{3, 100, 0, 0, ""},
		{2.5, 90, 0, 0, "nothing, stale account"},
		{4, 100, 1, 6, "changed account"},
		{5, 80, 1, 0, "nothing, stale account"},
		{6, 80, 1, 0, "changed account"},
	} {
		change := snapshots.SawAccount(me, at(c.begun), c.free, c.tier)
		if got := tell(change); got != c.want {
			t.Errorf("read begun at %v: %q, want %q", c.begun, got, c.want)
		}
		snapshots.Settled(me, vigia.AccountSubject(), at(c.settled))
	}
	if got := snapshots.Of(me); got.Free != 80 || got.FeeTier != 1 || !got.FreeBegun.Equal(at(6)) {
		t.Errorf("known: %+v", got)
	}
}

func TestSnapshotCross(t *testing.T) {
	t.Parallel()
	var snapshots Snapshots
	position := vigia.CrossPosition{Quantity: -100, Margin: 5000}
	moved := position
	moved.TotalPL, moved.DeltaPL = 7, 8
	for _, c := range []struct {
		begun    float64
		position vigia.CrossPosition
		want     string
	}{
		{1, vigia.CrossPosition{}, ""},
		{2, position, "changed cross"},
		{3, moved, ""},
		{2, vigia.CrossPosition{}, "nothing, stale cross"},
		{4, vigia.CrossPosition{}, "changed cross"},
	} {
		if got := tell(snapshots.SawCross(me, at(c.begun), c.position)); got != c.want {
			t.Errorf("read begun at %v: %q, want %q", c.begun, got, c.want)
		}
	}
	if got := snapshots.Of(me).CrossBegun; !got.Equal(at(4)) {
		t.Errorf("begun at %v", got)
	}
}

func TestSnapshotProvisional(t *testing.T) {
	t.Parallel()
	var snapshots Snapshots
	stored := vigia.Snapshot{Account: me, Free: 7, FreeBegun: at(900), CrossBegun: at(900), TradesBegun: at(900)}
	snapshots.Load(stored)
	if !snapshots.Of(me).Provisional {
		t.Error("what was stored is not marked provisional")
	}
	if got := tell(snapshots.SawAccount(me, at(1), 8, 0)); got != "changed account" {
		t.Errorf("a balance read under an earlier clock: %q", got)
	}
	if got := tell(snapshots.SawAccount(me, at(0), 9, 0)); got != "nothing, stale account" {
		t.Errorf("a balance read before that: %q", got)
	}
	if got := tell(snapshots.SawCross(me, at(1), vigia.CrossPosition{Quantity: 1})); got != "changed cross" {
		t.Errorf("a position read under an earlier clock: %q", got)
	}
	if !snapshots.Of(me).Provisional {
		t.Error("the trades were not read yet")
	}
	if snapshots.SawRunning(me, at(2), nil); snapshots.Of(me).Provisional {
		t.Error("still provisional after the trades were read")
	}
	if snapshots.Forget(me); snapshots.Of(me) != nil {
		t.Error("a forgotten account is known")
	}
}

// What is asked for after a doubt cannot confirm it sooner than a second later.
func TestSnapshotDoubtIsAskedAgainLater(t *testing.T) {
	t.Parallel()
	var snapshots Snapshots
	snapshots.SawRunning(me, at(1), list(trade("a", 9000)))
	change := snapshots.SawRunning(me, at(2), list(trade("a", 5000)))
	if want := []Wanted{{ReadRunning, at(3)}}; !slices.Equal(change.Wanted, want) {
		t.Errorf("wanted %v, want %v", change.Wanted, want)
	}
}
