package paper_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("PAPER_TEST_CRASHER"); path != "" {
		if err := crasher(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// crasher adds a sat of margin again and again and prints the margin once it
// has been answered, until it is killed.
func crasher(path string) error {
	e, err := paper.Load(path, paper.Rules{NoFees: true})
	if err != nil {
		return err
	}
	e.CompactAt(20_000)
	acc := e.Accounts()[0].ID
	trade := e.Running(acc)[0]
	for {
		after, err := e.AddMargin(acc, trade.ID, 1)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(os.Stdout, after.Margin); err != nil {
			return err
		}
	}
}

func TestKilledAtAnyMomentWhatWasAnsweredIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paper.state")
	e := load(t, path)
	x := onEngine(t, e, 100_000)
	margin := x.market(vigia.Long, 10_000, 20).Margin
	shut(t, e)
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "PAPER_TEST_CRASHER="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 40+17*round && lines.Scan(); n++ {
			margin = answered(t, lines.Text())
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // answered before the kill arrived
			margin = answered(t, lines.Text())
		}
		if err := child.Wait(); err == nil {
			t.Fatal("it was not killed")
		}
		e := load(t, path)
		got := e.Running(x.acc)[0].Margin
		if got != margin && got != margin+1 { // one more may have been written and not answered
			t.Errorf("margin %d, the last answer was %d", got, margin)
		}
		margin = got
		if err := e.CheckLedger(); err != nil {
			t.Error(err)
		}
		shut(t, e)
	}
}

func answered(t *testing.T, line string) vigia.Sats {
	t.Helper()
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return vigia.Sats(n)
}

// Many hands at once: every answer counts once, and reads see whole trades.
func TestManyHandsAtOnce(t *testing.T) {
	t.Parallel()
	e := load(t, filepath.Join(t.TempDir(), "paper.state"))
	defer shut(t, e)
	x := onEngine(t, e, 100_000)
	var told []vigia.TradeID
	e.Listen(func(ev paper.Event) { told = append(told, ev.Trade.ID) }) // told one at a time
	const hands, each = 8, 20
	trade := x.market(vigia.Long, 10_000, 20)
	var done sync.WaitGroup
	for range hands {
		done.Go(func() {
			for range each {
				if _, err := e.AddMargin(x.acc, trade.ID, 10); err != nil {
					t.Error(err)
				}
				other, err := e.Open(x.acc, paper.NewTrade{Side: vigia.Short, Quantity: 1, Leverage: vigia.OneX})
				if err != nil {
					t.Error(err)
				}
				if _, err := e.Close(x.acc, other.ID); err != nil {
					t.Error(err)
				}
				for _, seen := range e.Running(x.acc) {
					if seen.ID == trade.ID && seen.Liquidation != vigia.Liquidation(vigia.Long, 10_000, seen.Price, seen.Margin) && seen.Margin != trade.Margin {
						t.Errorf("half a trade: %+v", seen)
					}
				}
			}
		})
	}
	done.Go(func() {
		for i := range 200 {
			if err := e.Tick(vigia.Dollars(100_000)+vigia.Price(i%9), x.at.Add(time.Duration(i)*time.Millisecond)); err != nil {
				t.Error(err)
			}
		}
	})
	done.Wait()
	x.sound()
	equal(t, "margin", x.now(trade.ID).Margin, trade.Margin+hands*each*10)
	equal(t, "events", len(told), 1+2*hands*each)
}

func TestWhatWaitsForTheDiskTogetherIsSyncedOnce(t *testing.T) {
	t.Parallel()
	e := load(t, filepath.Join(t.TempDir(), "paper.state"))
	defer shut(t, e)
	x := onEngine(t, e, 100_000)
	trade := x.market(vigia.Long, 10_000, 20)
	var syncs atomic.Int64
	begun, release := make(chan struct{}), make(chan struct{})
	e.OnSync(func(*os.File) error {
		if syncs.Add(1) == 1 {
			close(begun)
			<-release
		}
		return nil
	})
	var done sync.WaitGroup
	add := func() {
		if _, err := e.AddMargin(x.acc, trade.ID, 1); err != nil {
			t.Error(err)
		}
	}
	done.Go(add)
	<-begun
	const others = 9
	for range others {
		done.Go(add)
	}
	for e.Running(x.acc)[0].Margin < trade.Margin+1+others { // all are written
		runtime.Gosched()
	}
	close(release)
	done.Wait()
	equal(t, "syncs", syncs.Load(), 2)
}
