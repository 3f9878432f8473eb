package paper

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// Path is the way the price takes inside a candle.
type Path int

// The paths. A candle that fell goes open-high-low-close, another
// open-low-high-close; reversed, the other way round.
const (
	PathByColour Path = iota
	PathReversed
	PathLowFirst
	PathHighFirst
)

// CandleOptions say how candles are read.
type CandleOptions struct {
	Path Path
	// Interval is the length of a candle; 0 takes it from the first two rows.
	Interval time.Duration
	// Strict makes a gap an error.
	Strict bool
}

// Gap is a stretch without candles: none opens after From and before To.
type Gap struct {
	From, To time.Time
	// Line is the line of the candle at To, counted from 1.
	Line int
}

const candleHeader = "time,open,high,low,close,volume"

// CandleSource is a [Source] that reads rows of "time,open,high,low,close,volume"
// with RFC 3339 times. Errors name the line. Prices are put on the nearest half
// dollar.
type CandleSource struct {
	options CandleOptions
	lines   *bufio.Scanner
	line    int
	closers []io.Closer

	// ahead holds a candle that was read to learn the interval.
	ahead    *Candle
	rows     int
	last     time.Time
	interval time.Duration
	gaps     []Gap
	points   []Point
}

// NewCandleSource reads candles from a stream. The header line may be missing.
func NewCandleSource(r io.Reader, options CandleOptions) *CandleSource {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 1<<16)
	return &CandleSource{options: options, lines: lines, interval: options.Interval}
}

// OpenCandles reads a file, unpacking it when its name ends in .gz. The caller
// closes it.
func OpenCandles(path string, options CandleOptions) (*CandleSource, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("candle file: %w", err)
	}
	if !strings.HasSuffix(path, ".gz") {
		s := NewCandleSource(f, options)
		s.closers = []io.Closer{f}
		return s, nil
	}
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("candle file %s: %w", path, err), f.Close())
	}
	s := NewCandleSource(unpacked, options)
	s.closers = []io.Closer{unpacked, f}
	return s, nil
}

// Close closes the file behind the source, if there is one.
func (s *CandleSource) Close() error {
	var failed []error
	for _, c := range s.closers {
		failed = append(failed, c.Close())
	}
	s.closers = nil
	return errors.Join(failed...)
}

// Gaps are the stretches without candles met so far.
func (s *CandleSource) Gaps() []Gap { return s.gaps }

// Next is the next point on the path through the candles: four per candle, at
// its opening, after a third and two thirds of it, and a millisecond before its
// end.
func (s *CandleSource) Next() (Point, error) {
	if len(s.points) == 0 {
		c, err := s.Candle()
		if err != nil {
			return Point{}, err
		}
		s.points = s.options.Path.through(c, s.interval)
	}
	p := s.points[0]
	s.points = s.points[1:]
	return p, nil
}

// Candle is the next row, for those who want rows instead of points; io.EOF
// after the last.
func (s *CandleSource) Candle() (Candle, error) {
	if s.ahead != nil {
		c := *s.ahead
		s.ahead = nil
		return c, nil
	}
	first := s.rows == 0
	c, err := s.row()
	if err != nil || !first || s.interval != 0 {
		return c, err
	}
	next, err := s.row()
	switch {
	case errors.Is(err, io.EOF):
		s.interval = time.Minute // nothing to tell it from
	case err != nil:
		return Candle{}, err
	default:
		s.ahead = &next
	}
	return c, nil
}

// row reads one candle and checks it against the one before.
func (s *CandleSource) row() (Candle, error) {
	for s.lines.Scan() {
		s.line++
		text := strings.TrimSpace(s.lines.Text())
		if text == "" || s.line == 1 && strings.EqualFold(text, candleHeader) {
			continue
		}
		c, err := parseCandle(text)
		if err == nil {
			err = s.follow(c.Time)
		}
		if err != nil {
			return Candle{}, fmt.Errorf("line %d: %w", s.line, err)
		}
		return c, nil
	}
	if err := s.lines.Err(); err != nil {
		return Candle{}, fmt.Errorf("line %d: %w", s.line+1, err)
	}
	return Candle{}, io.EOF
}

// follow checks that a candle comes after the last, and notes what is missing
// between them.
func (s *CandleSource) follow(at time.Time) error {
	last := s.last
	s.last = at
	s.rows++
	if s.rows == 1 {
		return nil
	}
	after := at.Sub(last)
	if s.interval == 0 && after > 0 {
		s.interval = after
	}
	switch {
	case after <= 0:
		return fmt.Errorf("time goes back: %s after %s", at.Format(time.RFC3339), last.Format(time.RFC3339))
	case after < s.interval:
		return fmt.Errorf("%s comes %s after the candle before, and candles are %s long", at.Format(time.RFC3339), after, s.interval)
	case after == s.interval:
		return nil
	case s.options.Strict:
		return fmt.Errorf("gap of %s before %s", after-s.interval, at.Format(time.RFC3339))
	}
	s.gaps = append(s.gaps, Gap{From: last, To: at, Line: s.line})
	return nil
}

func parseCandle(text string) (Candle, error) {
	fields := strings.Split(text, ",")
	if len(fields) != 6 {
		return Candle{}, fmt.Errorf("%d fields, want the 6 of %q", len(fields), candleHeader)
	}
	at, err := time.Parse(time.RFC3339, fields[0])
	if err != nil {
		return Candle{}, fmt.Errorf("time %q is not an RFC 3339 time: %w", fields[0], err)
	}
	var usd [4]float64
	for i, name := range []string{"open", "high", "low", "close"} {
		if usd[i], err = parsePrice(name, fields[i+1]); err != nil {
			return Candle{}, err
		}
	}
	volume, err := parseNumber("volume", fields[5])
	if err != nil {
		return Candle{}, err
	}
	if volume < 0 {
		return Candle{}, fmt.Errorf("volume %s is negative", fields[5])
	}
	switch opened, high, low, closed := usd[0], usd[1], usd[2], usd[3]; {
	case high < low:
		return Candle{}, fmt.Errorf("high %s is below low %s", fields[2], fields[3])
	case opened > high || opened < low:
		return Candle{}, fmt.Errorf("open %s is not between low %s and high %s", fields[1], fields[3], fields[2])
	case closed > high || closed < low:
		return Candle{}, fmt.Errorf("close %s is not between low %s and high %s", fields[4], fields[3], fields[2])
	}
	return Candle{
		Time: at.UTC(), Open: vigia.PriceFromFloat(usd[0]), High: vigia.PriceFromFloat(usd[1]),
		Low: vigia.PriceFromFloat(usd[2]), Close: vigia.PriceFromFloat(usd[3]), Volume: volume,
	}, nil
}

// parsePrice reads dollars; the exchange's bounds hold for them.
func parsePrice(name, text string) (float64, error) {
	usd, err := parseNumber(name, text)
	if err != nil {
		return 0, err
	}
	if usd < vigia.MinPrice.Float() || usd > vigia.MaxPrice.Float() {
		return 0, fmt.Errorf("%s %s is not between %s and %s dollars", name, text, vigia.MinPrice, vigia.MaxPrice)
	}
	return usd, nil
}

func parseNumber(name, text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%s %q is not a number", name, text)
	}
	return n, nil
}

// through is the path inside a candle.
func (p Path) through(c Candle, interval time.Duration) []Point {
	second, third := c.Low, c.High
	if p.highFirst(c) {
		second, third = c.High, c.Low
	}
	return []Point{
		{Price: c.Open, At: c.Time},
		{Price: second, At: c.Time.Add(interval / 3)},
		{Price: third, At: c.Time.Add(interval / 3 * 2)},
		{Price: c.Close, At: c.Time.Add(interval - time.Millisecond)},
	}
}

func (p Path) highFirst(c Candle) bool {
	fell := c.Close < c.Open
	switch p {
	case PathReversed:
		return !fell
	case PathLowFirst:
		return false
	case PathHighFirst:
		return true
	}
	return fell
}
