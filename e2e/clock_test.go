package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// TestAClockThatIsAMinuteOff corrects signatures by the difference that is measured,
// warns of it, and judges an unknown call by one clock.
func TestAClockThatIsAMinuteOff(t *testing.T) {
	t.Parallel()
	for name, shift := range map[string]time.Duration{"the exchange is ahead": time.Minute, "the exchange is behind": -time.Minute} {
		for _, lost := range []paper.FaultKind{"", paper.FaultLost, paper.FaultLate, paper.FaultReset} {
			t.Run(strings.TrimSuffix(name+", "+string(lost), ", "), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, worldOptions{store: "sqlite", balance: 10_000_000})
				w.generous = true
				trade := w.long(1_000, 20)
				w.fault(paper.Fault{Kind: paper.FaultClockOff, Shift: shift})
				p := w.start("data")
				w.join(p)
				w.protect(p, guardConfig(vigia.ShortClose))
				says(t, p, patience, "clock is off")
				if lost != "" {
					w.fault(paper.Fault{Kind: lost, Call: "add-margin", Count: 1, Hang: lost == paper.FaultLate, Delay: w.terms.window * 3 / 4})
				}
				w.tick(w.firesAt(&trade))
				if err := holdsWithin(w.terms.grace(), func() bool { return w.clear(trade.ID) }); !err {
					t.Error("the trade was not saved in time")
				}
				eventually(t, w.terms.grace(), "nothing is open", func() bool { return w.unrest(p) == "" })
				w.check(p)
			})
		}
	}
}
