package vigia

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sats is an amount of satoshis. It may be negative where a change or a result
// is meant.
type Sats int64

// SatsPerBTC is K in the formulas of the exchange: sats in one bitcoin.
const SatsPerBTC = 100_000_000

// String prints the plain integer, as scripts and JSON want it.
func (s Sats) String() string { return strconv.FormatInt(int64(s), 10) }

// Grouped prints the amount with thousands separators, for people: 1,234,567.
func (s Sats) Grouped() string { return group(int64(s)) }

// ParseSats reads a whole number of sats. Thousands separators (comma or
// underscore) are accepted between groups of three, fractions are not.
func ParseSats(text string) (Sats, error) {
	n, err := parseWhole(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number of sats", text)
	}
	return Sats(n), nil
}

// USD is a quantity of contracts: one contract is one US dollar. Negative only
// for the net quantity of a short cross position.
type USD int64

// String prints the plain integer.
func (q USD) String() string { return strconv.FormatInt(int64(q), 10) }

// ParseUSD reads a whole number of dollars, with or without a leading $.
func ParseUSD(text string) (USD, error) {
	n, err := parseWhole(strings.TrimPrefix(strings.TrimSpace(text), "$"))
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number of dollars", text)
	}
	return USD(n), nil
}

// Percent is a share in thousandths of a percent: 2 % is 2,000. It carries
// distances, triggers, targets and paths, which are compared exactly.
type Percent int64

// Percent units.
const (
	OnePercent     Percent = 1_000
	HundredPercent Percent = 100_000
)

// String prints the shortest decimal without the sign of percent: "2", "0.5".
func (p Percent) String() string { return formatDecimal(int64(p), 3) }

// ParsePercent reads a decimal with at most three places, with or without a
// trailing %. Not-a-number, infinities and exponents are refused.
func ParsePercent(text string) (Percent, error) {
	n, err := parseDecimal(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%")), 3)
	if err != nil {
		return 0, fmt.Errorf("%q is not a percentage with at most three decimals", text)
	}
	return Percent(n), nil
}

// MarshalJSON writes a JSON number in percent.
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a JSON number in percent with at most three decimals.
func (p *Percent) UnmarshalJSON(data []byte) error {
	v, err := ParsePercent(string(data))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// Leverage is in millionths: 10× is 10,000,000. It is what a trader asked for,
// or what the exchange shows; no formula of a running trade depends on it.
type Leverage int64

// OneX is a leverage of 1.
const OneX Leverage = 1_000_000

// String prints the shortest decimal without the ×.
func (l Leverage) String() string { return formatDecimal(int64(l), 6) }

// ParseLeverage reads a decimal with at most six places, with or without a
// trailing x.
func ParseLeverage(text string) (Leverage, error) {
	plain := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(text), "x"), "×")
	n, err := parseDecimal(plain, 6)
	if err != nil {
		return 0, fmt.Errorf("%q is not a leverage with at most six decimals", text)
	}
	return Leverage(n), nil
}

// LeverageFromFloat takes what the wire shows, rounded to the millionth.
func LeverageFromFloat(x float64) Leverage { return Leverage(rounded(x * float64(OneX))) }

// Float is for the wire and for display only.
func (l Leverage) Float() float64 { return float64(l) / float64(OneX) }

// MarshalJSON writes a JSON number.
func (l Leverage) MarshalJSON() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalJSON reads a JSON number with at most six decimals.
func (l *Leverage) UnmarshalJSON(data []byte) error {
	v, err := ParseLeverage(string(data))
	if err != nil {
		return err
	}
	*l = v
	return nil
}

// FundingRate is a fraction per settlement in units of 1e-10: 0.01 % (0.0001)
// is 1,000,000.
type FundingRate int64

// FundingRateFromFloat takes what the wire shows, rounded to 1e-10.
func FundingRateFromFloat(x float64) FundingRate { return FundingRate(rounded(x * 1e10)) }

// Float is for the wire and for display only.
func (r FundingRate) Float() float64 { return float64(r) / 1e10 }

// String prints the fraction.
func (r FundingRate) String() string { return formatDecimal(int64(r), 10) }

func group(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// rounded is the nearest integer, held inside int64; not-a-number is 0. A plain
// conversion of such floats differs from one processor to the next.
func rounded(x float64) int64 {
	switch n := math.Round(x); {
	case math.IsNaN(n):
		return 0
	case n >= math.MaxInt64:
		return math.MaxInt64
	case n <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(n)
	}
}

func parseWhole(text string) (int64, error) {
	plain, err := ungroup(strings.ReplaceAll(strings.TrimSpace(text), "_", ","))
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(plain, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("whole number: %w", err)
	}
	return n, nil
}

// ungroup takes out the thousands commas before the decimal point. They must
// stand between groups of three: many a reader writes "95000,5" for a half, and
// that is not 950,005.
func ungroup(text string) (string, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	groups := strings.Split(whole, ",")
	for i, digits := range groups {
		if first := strings.TrimPrefix(digits, "-"); i == 0 && len(groups) > 1 && (first == "" || len(first) > 3) {
			return "", fmt.Errorf("%q has separators out of place", text)
		}
		if i > 0 && len(digits) != 3 {
			return "", fmt.Errorf("%q has separators out of place", text)
		}
	}
	plain := strings.Join(groups, "")
	if dotted {
		plain += "." + fraction
	}
	return plain, nil
}

// formatDecimal prints n / 10^places without trailing zeros.
func formatDecimal(n int64, places int) string {
	sign := ""
	magnitude := uint64(n)
	if n < 0 {
		sign, magnitude = "-", -magnitude
	}
	digits := strconv.FormatUint(magnitude, 10)
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, fraction := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

// parseDecimal reads a plain decimal as an integer number of 10^-places. It
// refuses exponents, more places than asked for, and what does not fit.
func parseDecimal(text string, places int) (int64, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	if dotted && strings.HasSuffix(text, ".") || len(fraction) > places {
		return 0, fmt.Errorf("%q has more than %d decimals", text, places)
	}
	digits := strings.TrimPrefix(whole, "-")
	if digits == "" || strings.Trim(digits+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a decimal number", text)
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("decimal number: %w", err)
	}
	return n, nil
}
