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

// history is what an exchange did to one trade: its states in order. Times are
// tenths of a second.
type history struct {
	at     []int
	states []vigia.Trade
}

func (h *history) then(tenth int, change func(*vigia.Trade)) {
	t := h.states[len(h.states)-1]
	change(&t)
	h.at, h.states = append(h.at, tenth), append(h.states, t)
}

func (h *history) state(tenth int) vigia.Trade {
	i := len(h.at) - 1
	for h.at[i] > tenth {
		i--
	}
	return h.states[i]
}

// since says whether a sighting is a state the trade had at or after a time.
func (h *history) since(tenth int, t vigia.Trade) bool {
	for i := len(h.states) - 1; i >= 0; i-- {
		if h.states[i] == t {
			return true
		}
		if h.at[i] <= tenth {
			break
		}
	}
	return false
}

type arrival struct {
	tenth   int
	deliver func(*Snapshots)
	// executed is when the action that it settles was executed; 0 for a read.
	executed int
}

func tenth(n int) time.Time { return start.Add(time.Duration(n) * 100 * time.Millisecond) }

// Whatever is read and answered while margin is added, by us and by hand, and
// funding is paid: in whatever order it arrives, what is shown was true after
// the last settled action.
func TestSnapshotNeverForgetsAnAction(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{at: []int{0}, states: []vigia.Trade{trade("a", 50_000)}}
		arrivals := drawReads(t, h, drawEvents(t, h))
		var snapshots Snapshots
		settled, version := 0, time.Time{}
		for _, arrived := range arrivals {
			arrived.deliver(&snapshots)
			settled = max(settled, arrived.executed)
			if len(snapshots.Of(me).Trades) == 0 {
				continue
			}
			seen := snapshots.Of(me).Trades[0]
			if !h.since(settled, seen.Trade) {
				t.Fatalf("at %d: shows margin %d, funding %d, which was no more after %d (%v)",
					arrived.tenth, seen.Margin, seen.Funding, settled, h.at)
			}
			if seen.Begun.Before(version) {
				t.Fatalf("at %d: the version went back from %v to %v", arrived.tenth, version, seen.Begun)
			}
			version = seen.Begun
		}
	})
}

// drawEvents makes a history, and the answers of our own actions in it.
func drawEvents(t *rapid.T, h *history) []arrival {
	var answers []arrival
	now := 10
	for i := range rapid.IntRange(1, 8).Draw(t, "events") {
		amount := vigia.Sats(1000 << i) // no sum of them is another one
		now += rapid.IntRange(1, 40).Draw(t, "pause")
		switch rapid.SampledFrom([]string{"add", "add", "hand", "funding"}).Draw(t, "event") {
		case "add":
			begun, executed := now, now+rapid.IntRange(0, 20).Draw(t, "under way")
			answered := executed + rapid.IntRange(0, 20).Draw(t, "back")
			h.then(executed, func(t *vigia.Trade) { *t = t.WithMargin(t.Margin + amount) })
			a := Answer{Begun: tenth(begun), At: tenth(answered), Lane: vigia.LaneMargin, Trade: h.state(executed)}
			answers = append(answers, arrival{answered, func(s *Snapshots) { s.SawAnswer(me, a) }, executed})
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
	return answers
}

// drawReads adds reads of the history and puts everything in order of arrival.
func drawReads(t *rapid.T, h *history, arrivals []arrival) []arrival {
	for range rapid.IntRange(0, 12).Draw(t, "reads") {
		begun := rapid.IntRange(0, h.at[len(h.at)-1]+10).Draw(t, "read")
		executed := begun + rapid.IntRange(0, 30).Draw(t, "read under way")
		answered := executed + rapid.IntRange(0, 30).Draw(t, "read back")
		content := list(h.state(executed))
		arrivals = append(arrivals, arrival{answered, func(s *Snapshots) { s.SawRunning(me, tenth(begun), content) }, 0})
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return a.tenth - b.tenth })
	return arrivals
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
