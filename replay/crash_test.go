package replay_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// A crash of our own making: eleven days of minutes in which a price of $24,000
// loses 18 %, falls 1.6 % within one minute, 3.8 % within five and 5.6 % within
// fifteen, and comes back by half of that. Whole numbers only, so that a seed is
// the same course on every machine.

const crashSeed = 20260101

// course is where the price is drawn to at the end of each day, in millionths of
// the start.
func course() []int64 {
	return []int64{1_012_000, 1_004_000, 962_000, 958_000, 952_000, 944_000, 930_000, 906_000, 856_000, 816_000, 900_000}
}

// flash is a fall of some millionths within some minutes, from a minute on.
type flash struct{ from, minutes, fall int64 }

func flashes() []flash {
	const day = 24 * 60
	return []flash{
		{2*day + 85, 15, 56_000},
		{6*day + 900, 5, 38_000},
		{8*day + 1108, 5, 38_000},
		{9*day + 640, 1, 16_000},
	}
}

func ownCrash(t *testing.T, seed uint64) *market {
	t.Helper()
	text := crashCSV(seed)
	return readMarket(t, func() (*paper.CandleSource, error) {
		return paper.NewCandleSource(strings.NewReader(text), paper.CandleOptions{Strict: true}), nil
	})
}

func crashCSV(seed uint64) string {
	var out strings.Builder
	out.WriteString("time,open,high,low,close,volume\n")
	from := rand.New(rand.NewPCG(seed, 11))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first := vigia.Dollars(24_000)
	last := first
	for minute := range int64(11 * 24 * 60) {
		opened := last
		last += vigia.Price(fallOf(minute) * -int64(last) / 1_000_000)
		if fallOf(minute) == 0 {
			noise := from.Int64N(901) + from.Int64N(901) + from.Int64N(901) - 1350
			last += vigia.Price(noise*int64(last)/1_000_000) + (drawnTo(first, minute)-last)/480
		}
		high := max(opened, last) + vigia.Price(from.Int64N(250)*int64(last)/1_000_000)
		low := min(opened, last) - vigia.Price(from.Int64N(250)*int64(last)/1_000_000)
		fmt.Fprintf(&out, "%s,%s,%s,%s,%s,%d\n", start.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339),
			opened, high, low, last, from.Int64N(50))
	}
	return out.String()
}

// fallOf is how far a minute falls in a flash, 0 outside.
func fallOf(minute int64) int64 {
	for _, f := range flashes() {
		if minute >= f.from && minute < f.from+f.minutes {
			return f.fall / f.minutes
		}
	}
	return 0
}

// drawnTo is the course at a minute, in a straight line from day to day.
func drawnTo(first vigia.Price, minute int64) vigia.Price {
	const day = 24 * 60
	before := int64(1_000_000)
	if minute >= day {
		before = course()[minute/day-1]
	}
	level := before + (course()[minute/day]-before)*(minute%day)/day
	return vigia.Price(int64(first) * level / 1_000_000)
}

func TestOwnCrashFallsAsFarAndAsFastAsItSays(t *testing.T) {
	t.Parallel()
	m := ownCrash(t, crashSeed)
	if got, want := len(m.candles), 11*24*60; got != want {
		t.Fatalf("%d minutes, want %d", got, want)
	}
	low := m.candles[0].Open
	for _, c := range m.candles {
		low = min(low, c.Low)
	}
	between(t, "fall from the first open to the low, 1e-6", fell(m.candles[0].Open, low), 175_000, 195_000)
	for _, want := range []struct{ minutes, least, most int64 }{
		{1, 15_500, 16_500}, {5, 37_000, 39_500}, {15, 54_000, 57_500},
	} {
		worst := int64(0)
		for i := int(want.minutes); i < len(m.candles); i++ {
			worst = max(worst, fell(m.candles[i-int(want.minutes)].Close, m.candles[i].Close))
		}
		between(t, fmt.Sprintf("worst %d minutes, 1e-6", want.minutes), worst, want.least, want.most)
	}
	once, again := crashCSV(crashSeed), crashCSV(crashSeed)
	if once != again {
		t.Error("one seed gave two crashes")
	}
	if once == crashCSV(crashSeed+1) {
		t.Error("two seeds gave one crash")
	}
}

func fell(from, to vigia.Price) int64 { return int64(from-to) * 1_000_000 / int64(from) }

func between(t *testing.T, what string, got, least, most int64) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s is %d, want %d to %d", what, got, least, most)
	}
}
