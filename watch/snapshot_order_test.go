package watch

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// history is what an exchange did to one trade: its states in order.
type history struct {
	at     []float64
	states []vigia.Trade
}

func (h *history) then(second float64, change func(*vigia.Trade)) {
	t := h.states[len(h.states)-1]
	change(&t)
	h.at, h.states = append(h.at, second), append(h.states, t)
}

func (h *history) state(second float64) vigia.Trade {
	i, found := slices.BinarySearch(h.at, second)
	if !found {
		i--
	}
	return h.states[i]
}

// since says whether a sighting is a state the trade had at or after a second.
func (h *history) since(second float64, t vigia.Trade) bool {
	for i := len(h.states) - 1; i >= 0; i-- {
		if h.states[i] == t {
			return true
		}
		if h.at[i] <= second {
			break
		}
	}
	return false
}

type arrival struct {
	second  float64
	deliver func(*Snapshots)
	// executed is when the action that it settles was executed; 0 for a read.
	executed float64
}

// Whatever is read and answered while margin is added, by us and by hand, and
// funding is paid: in whatever order it arrives, what is shown was true after
// the last settled action.
func TestSnapshotNeverForgetsAnAction(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{at: []float64{0}, states: []vigia.Trade{trade("a", 50_000)}}
		var arrivals []arrival
		seconds := func(name string, from, to int) float64 {
			return float64(rapid.IntRange(from*10, to*10).Draw(t, name)) / 10
		}
		now := 1.0
		for i := range rapid.IntRange(1, 8).Draw(t, "events") {
			amount := vigia.Sats(1000 << i) // no sum of them is another one
			now += 0.1 + seconds("pause", 0, 4)
			switch rapid.SampledFrom([]string{"add", "add", "hand", "funding"}).Draw(t, "event") {
			case "add":
				begun, executed := now, now+seconds("under way", 0, 2)
				answered := executed + seconds("back", 0, 2)
				h.then(executed, func(t *vigia.Trade) { *t = t.WithMargin(t.Margin + amount) })
				a := Answer{Begun: at(begun), At: at(answered), Lane: vigia.LaneMargin, Trade: h.state(executed)}
				arrivals = append(arrivals, arrival{answered, func(s *Snapshots) { s.SawAnswer(me, a) }, executed})
				now = answered // one unsettled call of a lane
			case "hand":
				h.then(now, func(t *vigia.Trade) { *t = t.WithMargin(t.Margin + amount) })
			case "funding":
				h.then(now, func(t *vigia.Trade) {
					*t = t.WithMargin(t.Margin - amount/100)
					t.Funding += amount / 100
				})
			}
		}
		for range rapid.IntRange(0, 12).Draw(t, "reads") {
			begun := seconds("read", 0, 1+int(now))
			executed := begun + seconds("read under way", 0, 3)
			answered := executed + seconds("read back", 0, 3)
			content := list(h.state(executed))
			arrivals = append(arrivals, arrival{answered, func(s *Snapshots) { s.SawRunning(me, at(begun), content) }, 0})
		}
		slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(10*a.second) - int(10*b.second) })

		var snapshots Snapshots
		settled := 0.0
		version := time.Time{}
		for _, arrived := range arrivals {
			arrived.deliver(&snapshots)
			settled = max(settled, arrived.executed)
			if len(snapshots.Of(me).Trades) == 0 {
				continue
			}
			seen := snapshots.Of(me).Trades[0]
			if !h.since(settled, seen.Trade) {
				t.Fatalf("at %v: shows margin %d, funding %d, which was no more after %v (%v)",
					arrived.second, seen.Margin, seen.Funding, settled, h.at)
			}
			if seen.Begun.Before(version) {
				t.Fatalf("at %v: the version went back from %v to %v", arrived.second, version, seen.Begun)
			}
			version = seen.Begun
		}
	})
}

// Readers take no lock and see whole snapshots, each newer than the one before.
func TestSnapshotReadersBesideWriters(t *testing.T) {
	t.Parallel()
	var snapshots Snapshots
	const writers, each = 3, 200
	stop := make(chan struct{})
	var readers, writing sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			var last time.Time
			for {
				if s := snapshots.Of(me); s != nil {
					if s.TradesBegun.Before(last) {
						t.Errorf("went back from %v to %v", last, s.TradesBegun)
					}
					last = s.TradesBegun
					for _, seen := range s.Trades {
						if seen.Begun.IsZero() || seen.ID == "" {
							t.Errorf("half a trade: %+v", seen)
						}
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				second := float64(i*writers + w)
				snapshots.SawRunning(me, at(second), list(trade("a", 5), trade(fmt.Sprint("t", i%7), 7)))
				snapshots.SawAccount(me, at(second), vigia.Sats(i), 0)
				snapshots.SawAnswer(me, Answer{Begun: at(second), At: at(second + 0.1), Lane: vigia.LaneStop, Trade: trade("a", 5, stopped(96_000))})
				snapshots.Heard(me, Event{Kind: EventClosed, Trade: vigia.TradeID(fmt.Sprint("x", i)), At: at(second)})
			}
		})
	}
	writing.Wait()
	close(stop)
	readers.Wait()
}
