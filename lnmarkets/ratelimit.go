package lnmarkets

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Allowance is what the exchange says is left of a rate: so many calls until
// Reset has passed.
type Allowance struct {
	Remaining int
	Reset     time.Duration
}

// ReadAllowance reads the RateLimit headers in the three spellings that their
// drafts have had. The exact one of the exchange is not known (reference 4.4), so
// what cannot be read is no allowance rather than an error.
func ReadAllowance(header http.Header) (Allowance, bool) {
	if a, ok := parseRateLimit(header.Get("RateLimit")); ok {
		return a, true
	}
	remaining, errRemaining := parseCount(header.Get("RateLimit-Remaining"))
	reset, errReset := parseCount(header.Get("RateLimit-Reset"))
	if errRemaining != nil || errReset != nil {
		return Allowance{}, false
	}
	return Allowance{Remaining: remaining, Reset: time.Duration(reset) * time.Second}, true
}

// parseRateLimit reads `limit=10, remaining=4, reset=1` and `"name";r=4;t=1`. Of
// several policies in one header the one with the least left counts.
func parseRateLimit(text string) (Allowance, bool) {
	if strings.Contains(text, "remaining=") {
		return parseParameters(strings.Split(text, ","), "remaining", "reset")
	}
	var least Allowance
	found := false
	for policy := range strings.SplitSeq(text, ",") {
		a, ok := parseParameters(strings.Split(policy, ";"), "r", "t")
		if ok && (!found || a.Remaining < least.Remaining) {
			least, found = a, true
		}
	}
	return least, found
}

func parseParameters(parameters []string, remaining, reset string) (Allowance, bool) {
	var a Allowance
	found := false
	for _, parameter := range parameters {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if name != remaining && name != reset {
			continue
		}
		n, err := parseCount(value)
		if err != nil {
			return Allowance{}, false
		}
		if name == remaining {
			a.Remaining, found = n, true
		} else {
			a.Reset = time.Duration(n) * time.Second
		}
	}
	return a, found
}

// parseCount reads a count of calls or seconds: at most 31 bits, not negative.
func parseCount(text string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	return int(n), err
}
