package lnmarkets

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Int is a JSON integer: sats, dollars of quantity, counts. It is written without
// a decimal point and read from whatever is a whole number: 1000, 1000.0, 1e3. A
// fraction is refused. Null is 0.
type Int int64

// MarshalJSON writes the plain integer.
func (n Int) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, int64(n), 10), nil }

// UnmarshalJSON reads a JSON number that is whole.
func (n *Int) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = 0
		return nil
	}
	whole, err := scaled(string(data), 0)
	if err != nil {
		return fmt.Errorf("%s is not a whole number: %w", data, err)
	}
	*n = Int(whole)
	return nil
}

// Price is in half dollars, the exchange's grid; on the wire it is a JSON number
// of dollars from 1 to 100,000,000. 0 stands for "not set". Null is 0.
type Price int64

// The ends of the grid, in half dollars.
const (
	minPrice Price = 2
	maxPrice Price = 200_000_000
)

// String prints dollars without trailing zeros: what goes on the wire.
func (p Price) String() string {
	text := strconv.FormatInt(int64(p/2), 10)
	if p%2 != 0 {
		text += ".5"
	}
	return text
}

// MarshalJSON writes dollars; a price off the grid is refused.
func (p Price) MarshalJSON() ([]byte, error) {
	if p != 0 && (p < minPrice || p > maxPrice) {
		return nil, fmt.Errorf("%d half dollars is not a price: $1 to $100,000,000", int64(p))
	}
	return []byte(p.String()), nil
}

// UnmarshalJSON reads dollars that lie on the grid; nothing is rounded.
func (p *Price) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*p = 0
		return nil
	}
	read, err := parsePrice(string(data))
	if err != nil {
		return err
	}
	*p = read
	return nil
}

func parsePrice(text string) (Price, error) {
	tenths, err := scaled(text, 1)
	if err != nil || tenths%5 != 0 {
		return 0, fmt.Errorf("%s is not a price in steps of half a dollar", text)
	}
	p := Price(tenths / 5)
	if p != 0 && (p < minPrice || p > maxPrice) {
		return 0, fmt.Errorf("%s is not a price between 1 and 100000000 dollars", text)
	}
	return p, nil
}

// scaled reads a JSON number as an exact count of 10^-places. What has more
// decimals than that, or does not fit, is refused.
func scaled(text string, places int) (int64, error) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil {
			return 0, fmt.Errorf("exponent of %q: %w", text, err)
		}
		mantissa, exponent = text[:i], e
	}
	unsigned := strings.TrimPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	significant := strings.TrimLeft(digits, "0")
	if significant == "" {
		return 0, nil
	}
	// How many of the significant digits stand before the point, once scaled.
	before := len(whole) - (len(digits) - len(significant)) + exponent + places
	significant = strings.TrimRight(significant, "0")
	if exponent < -400 || before < len(significant) {
		return 0, fmt.Errorf("%q has more than %d decimals", text, places)
	}
	if exponent > 400 || before > 19 {
		return 0, fmt.Errorf("%q is too large", text)
	}
	n, err := strconv.ParseInt(mantissa[:len(mantissa)-len(unsigned)]+significant+strings.Repeat("0", before-len(significant)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("number: %w", err)
	}
	return n, nil
}

// Time is a point in time as REST writes it: ISO 8601, UTC, milliseconds.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000Z"

// At makes a wire time of t, cut to the millisecond.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// String prints what goes on the wire.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON writes ISO 8601 with milliseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return nil, fmt.Errorf("year %d cannot be written as ISO 8601", year)
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads RFC 3339 text; null leaves the zero time.
func (t *Time) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*t = Time{}
		return nil
	}
	var plain string
	if err := json.Unmarshal(data, &plain); err != nil {
		return fmt.Errorf("%s is not a time in ISO 8601: %w", text, err)
	}
	read, err := time.Parse(time.RFC3339Nano, plain)
	if err != nil {
		return fmt.Errorf("%s is not a time in ISO 8601: %w", text, err)
	}
	*t = At(read)
	return nil
}

// Millis is a point in time as the stream writes it: whole milliseconds since
// the Unix epoch. Null is 0.
type Millis int64

// MillisOf cuts t to the millisecond.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time is the point in time, UTC; zero for 0.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// MarshalJSON writes the plain integer.
func (m Millis) MarshalJSON() ([]byte, error) { return Int(m).MarshalJSON() }

// UnmarshalJSON reads a whole number, and the ISO 8601 text of REST as well.
func (m *Millis) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var t Time
		if err := t.UnmarshalJSON(data); err != nil {
			return err
		}
		*m = MillisOf(t.Time)
		return nil
	}
	return (*Int)(m).UnmarshalJSON(data)
}

// scale turns a fraction of the wire into an integer number of parts, rounded;
// what does not fit is refused.
func scale(x, parts float64) (int64, error) {
	n := math.Round(x * parts)
	if math.IsNaN(n) || math.Abs(n) >= math.MaxInt64 {
		return 0, fmt.Errorf("%v does not fit", x)
	}
	return int64(n), nil
}
