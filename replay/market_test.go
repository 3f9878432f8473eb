package replay_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vigiaguard/vigia/paper"
)

// market is a course of prices that can be walked again and again.
type market struct {
	start   time.Time
	candles []paper.Candle
	// points are the candles' own, four each, the path by colour.
	points []paper.Point
}

// realMinutes are eleven days that are not ours to ship; a test of them is skipped
// by name where they are not beside the clone.
func realMinutes(t *testing.T) *market {
	t.Helper()
	return readMarket(t, func() (*paper.CandleSource, error) {
		source, err := paper.OpenCandles(filepath.FromSlash(elevenDays), paper.CandleOptions{Strict: true})
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the eleven days of real minutes are not beside this clone")
		}
		return source, err
	})
}

func readMarket(t *testing.T, open func() (*paper.CandleSource, error)) *market {
	t.Helper()
	rows, err := open()
	if err != nil {
		t.Fatal(err)
	}
	path, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(rows.Close(), path.Close()); err != nil {
			t.Error(err)
		}
	})
	m := &market{}
	m.candles = readAll(t, rows.Candle)
	m.points = readAll(t, path.Next)
	m.start = m.candles[0].Time
	return m
}

func readAll[T any](t *testing.T, next func() (T, error)) []T {
	t.Helper()
	var out []T
	for {
		item, err := next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, item)
	}
}

// at is the candle of a moment.
func (m *market) at(when time.Time) paper.Candle {
	return m.candles[int(when.Sub(m.start)/time.Minute)]
}

// walk goes through the candles by every half dollar, each time from the start.
func (m *market) walk() paper.Source {
	if underRace {
		return m.steps()
	}
	return paper.HalfDollars(m.steps())
}

// steps goes from corner to corner.
func (m *market) steps() paper.Source { return &listed{m.points} }

// listed gives points one after the other.
type listed struct{ points []paper.Point }

func (l *listed) Next() (paper.Point, error) {
	if len(l.points) == 0 {
		return paper.Point{}, io.EOF
	}
	p := l.points[0]
	l.points = l.points[1:]
	return p, nil
}
