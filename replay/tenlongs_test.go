package replay_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/replay"
)

// elevenDays are real minutes that are not ours to ship.
const elevenDays = "../../shared/data/btcusd-1m-2023-03-01_11.csv.gz"

func openElevenDays(t *testing.T, path paper.Path) *paper.CandleSource {
	t.Helper()
	candles, err := paper.OpenCandles(filepath.FromSlash(elevenDays), paper.CandleOptions{Path: path})
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the eleven days of real minutes are not beside this clone")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = candles.Close() })
	return candles
}

// Ten 20× longs, one a day at the first open of each of the first ten days, 1,000
// USD, no fees, low first, walking every half dollar, trigger 2 %, target 4 %, at
// most 1× the entry margin: what no rule, adding without a close, and closing when
// short come to.
func TestTenLongsOnTheElevenDays(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("its figures are of the walk, which is not played under the race detector")
	}
	for _, tc := range []struct {
		name       string
		ifShort    vigia.IfShort
		average    string
		liquidated int
	}{
		{"no rule", "", "-0.88", 9},
		{"partial adds without a close", vigia.ShortAdd, "-1.78", 9},
		{"closed when short", vigia.ShortClose, "-1.28", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			average, liquidated := playTenLongs(t, tc.ifShort)
			if got := fmt.Sprintf("%.2f", average); got != tc.average || liquidated != tc.liquidated {
				t.Errorf("end at %s of the entry margin on average with %d liquidated, want %s with %d",
					got, liquidated, tc.average, tc.liquidated)
			}
		})
	}
}

func playTenLongs(t *testing.T, ifShort vigia.IfShort) (average float64, liquidated int) {
	t.Helper()
	points := paper.HalfDollars(openElevenDays(t, paper.PathLowFirst))
	engine := paper.New(paper.Frictionless())
	player := replay.NewPlayer(engine)
	var longs []*long
	for point, err := points.Next(); !errors.Is(err, io.EOF); point, err = points.Next() {
		if err != nil {
			t.Fatal(err)
		}
		if err := player.Tick(point.Price, point.At); err != nil {
			t.Fatal(err)
		}
		if midnight := point.At.Truncate(24 * time.Hour); len(longs) < 10 && (len(longs) == 0 || midnight.After(longs[len(longs)-1].day)) {
			longs = append(longs, openLong(t, engine, player, ifShort, midnight))
		}
	}
	for _, l := range longs {
		trade, _, ok := engine.Trade(l.account.ID, l.id)
		if !ok {
			t.Fatalf("trade %s is lost", l.id)
		}
		average += float64(trade.PL) / float64(trade.EntryMargin) / float64(len(longs))
		if trade.State == vigia.TradeClosed && l.guard.EndedBy(&trade) == vigia.EndedLiquidated {
			liquidated++
		}
	}
	return average, liquidated
}

type long struct {
	day     time.Time
	account paper.AccountKey
	guard   *replay.Account
	id      vigia.TradeID
}

func openLong(t *testing.T, engine *paper.Engine, player *replay.Player, ifShort vigia.IfShort, day time.Time) *long {
	t.Helper()
	account, err := engine.NewAccount(10_000_000)
	if err != nil {
		t.Fatal(err)
	}
	trade, err := engine.Open(account.ID, paper.NewTrade{Side: vigia.Long, Leverage: 20 * vigia.OneX, Quantity: 1000})
	if err != nil {
		t.Fatal(err)
	}
	l := &long{day: day, account: account, id: trade.ID}
	var rules []vigia.Automation
	if ifShort != "" {
		rules = append(rules, guardOf(t, vigia.PresetStandard, ifShort, day))
	}
	l.guard = player.Guard(account.ID, rules...)
	return l
}

// guardOf is a preset, live since a moment, with no limit but 1× the entry margin.
func guardOf(t *testing.T, preset vigia.GuardPreset, ifShort vigia.IfShort, since time.Time) vigia.Automation {
	t.Helper()
	config, err := preset.Config()
	if err != nil {
		t.Fatal(err)
	}
	config.IfShort = ifShort
	config.Limits = vigia.GuardLimits{PerTradeMargin: vigia.HundredPercent}
	if err := config.Validate(); err != nil {
		t.Fatal(err)
	}
	return vigia.Automation{ID: "guard", Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive, Guard: &config,
		Limits: config.Limits.Resolve(0), ArmedAt: since}
}
