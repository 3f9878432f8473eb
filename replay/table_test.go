package replay_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/replay"
)

func exampleTable() *replay.Table {
	opened := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	long := vigia.Trade{State: vigia.TradeRunning, Side: vigia.Long, Quantity: 1000, EntryMargin: 50_000,
		EntryPrice: vigia.Dollars(100_000), FilledAt: opened}
	short := vigia.Trade{State: vigia.TradeClosed, Side: vigia.Short, Quantity: 1000, EntryMargin: 20_000,
		EntryPrice: vigia.Dollars(100_000), FilledAt: opened.AddDate(0, 0, 1),
		ExitPrice: 203_333, ClosedAt: opened.AddDate(0, 0, 2).Add(90 * time.Minute)}
	return &replay.Table{Title: "two trades", Rows: []replay.Row{
		{Outcome: replay.Outcome{Trade: long, Saves: 2, Added: 48_000, StillIn: 48_000, Net: 12_345}, WithoutRule: -52_000, Compared: true},
		{Outcome: replay.Outcome{Trade: short, EndedBy: vigia.EndedStopped, Net: -17_100}, WithoutRule: 1_000, Compared: true},
	}}
}

func TestTableSaysWhatBecameOfEachTrade(t *testing.T) {
	t.Parallel()
	want := strings.TrimPrefix(`
two trades
trade      opened        entry     end                                   saved  added   still in  P&L      of margin  against no rule
long 20×   02 Mar 00:00  $100,000  runs                                  2×     48,000  48,000    +12,345  +0.24      +64,345
short 50×  03 Mar 00:00  $100,000  stopped at $101,666.50, 04 Mar 01:30  0×     0       0         -17,100  -0.85      -18,100 (loses more)
all                                                                      2×     48,000  48,000    -4,755   -0.06      +46,245
`, "\n")
	if got := exampleTable().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTableHandsOnWhatItsWriterSays(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	if _, err := exampleTable().WriteTo(failing{full}); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
