package vigia

import (
	"fmt"
	"math"
	"strings"
)

// Price is a USD price of one bitcoin in half-dollar ticks: $100,000.50 is
// 200,001. On the wire it is a decimal number of dollars.
type Price int64

// The grid of the exchange (reference 7.10): one half dollar, from $1 to
// $100,000,000.
const (
	TicksPerDollar       = 2
	MinPrice       Price = 1 * TicksPerDollar
	MaxPrice       Price = 100_000_000 * TicksPerDollar
	// NeverPrice is the liquidation the exchange shows for a short that
	// cannot be liquidated.
	NeverPrice = MaxPrice
)

// Dollars makes a price of whole dollars.
func Dollars(usd int64) Price { return Price(usd * TicksPerDollar) }

// Valid says whether the price is one the exchange can quote.
func (p Price) Valid() bool { return p >= MinPrice && p <= MaxPrice }

// String prints dollars without trailing zeros: "95238", "54545.5".
func (p Price) String() string { return formatDecimal(int64(p)*5, 1) }

// Grouped prints dollars for people: "$95,238", "$54,545.50".
func (p Price) Grouped() string {
	cents := ""
	if p%TicksPerDollar != 0 {
		cents = ".50"
	}
	return "$" + group(int64(p/TicksPerDollar)) + cents
}

// Float is in dollars, for the wire and for display only.
func (p Price) Float() float64 { return float64(p) / TicksPerDollar }

// PriceFromFloat takes dollars and puts them on the nearest tick, clamped to
// the grid (the tick() of reference 7). Not-a-number is no price: 0.
func PriceFromFloat(usd float64) Price {
	if math.IsNaN(usd) {
		return 0
	}
	return clampPrice(rounded(usd * TicksPerDollar))
}

// ParsePrice reads dollars that lie on the grid. A leading $ and thousands
// commas are accepted; a price between two ticks is refused.
func ParsePrice(text string) (Price, error) {
	plain, err := ungroup(strings.TrimPrefix(strings.TrimSpace(text), "$"))
	if err != nil {
		return 0, fmt.Errorf("%q is not a price in dollars: its commas are out of place", text)
	}
	tenths, err := parseDecimal(plain, 1)
	if err != nil || tenths%5 != 0 {
		return 0, fmt.Errorf("%q is not a price in steps of half a dollar", text)
	}
	if p := Price(tenths / 5); p.Valid() {
		return p, nil
	}
	return 0, fmt.Errorf("%q is not between $1 and $100,000,000", text)
}

// MarshalJSON writes a JSON number of dollars.
func (p Price) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a JSON number of dollars on the grid; 0 and null mean
// "no price".
func (p *Price) UnmarshalJSON(data []byte) error {
	if text := string(data); text == "0" || text == "null" {
		*p = 0
		return nil
	}
	v, err := ParsePrice(string(data))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// Side is +1 for a long, −1 for a short: the s of the formulas.
type Side int8

// The two sides.
const (
	Long  Side = +1
	Short Side = -1
)

// String prints "long" or "short".
func (s Side) String() string {
	switch s {
	case Long:
		return "long"
	case Short:
		return "short"
	}
	return fmt.Sprintf("side(%d)", int8(s))
}

// ParseSide reads "long" or "short".
func ParseSide(text string) (Side, error) {
	switch text {
	case "long":
		return Long, nil
	case "short":
		return Short, nil
	}
	return 0, fmt.Errorf("%q is not a side: long or short", text)
}

// MarshalText writes "long" or "short", and nothing for no side.
func (s Side) MarshalText() ([]byte, error) {
	switch s {
	case Long, Short:
		return []byte(s.String()), nil
	case 0:
		return nil, nil
	}
	return nil, fmt.Errorf("%d is not a side", int8(s))
}

// UnmarshalText reads "long" or "short"; empty means no side.
func (s *Side) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	v, err := ParseSide(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// Worse says whether price a is worse for this side than b: lower for a long,
// higher for a short.
func (s Side) Worse(a, b Price) bool { return Price(s)*(a-b) < 0 }
