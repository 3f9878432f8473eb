package paper

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// Candle is one interval of a price, opening at Time.
type Candle struct {
	Time                   time.Time
	Open, High, Low, Close vigia.Price
	// Volume is in whatever the source counts it in; the engine's own candles
	// count the dollars traded on it.
	Volume float64
}

// keepCandles is how many minutes the engine remembers: thirty days.
const keepCandles = 30 * 24 * 60

// minute is a candle of the engine, small and exact.
type minute struct {
	At                     int64 // Unix minutes
	Open, High, Low, Close vigia.Price
	Volume                 vigia.USD
}

// candles are the minutes of the market, oldest first.
type candles struct{ minutes []minute }

func (c *candles) add(p vigia.Price, at time.Time) {
	now := at.Unix() / 60
	if n := len(c.minutes); n > 0 && c.minutes[n-1].At == now {
		m := &c.minutes[n-1]
		m.High, m.Low, m.Close = max(m.High, p), min(m.Low, p), p
		return
	}
	if len(c.minutes) >= 2*keepCandles {
		c.minutes = slices.Clone(c.minutes[len(c.minutes)-keepCandles:])
	}
	c.minutes = append(c.minutes, minute{At: now, Open: p, High: p, Low: p, Close: p})
}

func (c *candles) traded(q vigia.USD) {
	if n := len(c.minutes); n > 0 {
		c.minutes[n-1].Volume += q
	}
}

// Candles are the minutes of the market from one time to another, both
// included, oldest first; the newest is still forming. Minutes in which the
// price was not told are missing.
func (e *Engine) Candles(from, to time.Time) []Candle {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := e.candles.minutes
	first, _ := slices.BinarySearchFunc(all, from, func(m minute, t time.Time) int {
		return time.Unix(m.At*60, 0).Compare(t)
	})
	var out []Candle
	for _, m := range all[first:] {
		at := time.Unix(m.At*60, 0).UTC()
		if at.After(to) {
			break
		}
		out = append(out, Candle{Time: at, Open: m.Open, High: m.High, Low: m.Low, Close: m.Close, Volume: float64(m.Volume)})
	}
	return out
}
