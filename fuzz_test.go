package vigia_test

import (
	"encoding/json"
	"testing"

	"github.com/vigiaguard/vigia"
)

// What a parser takes prints back to an equal value; what it does not take it
// refuses without a panic.

func fuzzParser[T printed](f *testing.F, parse func(string) (T, error), seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, "", "0", "-1", "1,000", "1_000", "1.5", " 2 ", "1e9", "NaN", "9223372036854775807", "-9223372036854775808") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := parse(text)
		if err != nil {
			return
		}
		roundTrip(t, value, parse)
	})
}

func FuzzParsePrice(f *testing.F) {
	fuzzParser(f, vigia.ParsePrice, "$100,000.50", "54545.5", "100000000", "0.5", "95000,5")
}

func FuzzParsePercent(f *testing.F) { fuzzParser(f, vigia.ParsePercent, "2 %", "0.001%", "-0", "100") }

func FuzzParseSats(f *testing.F) { fuzzParser(f, vigia.ParseSats, "107,408", "+5") }

func FuzzParseUSD(f *testing.F) { fuzzParser(f, vigia.ParseUSD, "$1,000", "$-5") }

func FuzzParseLeverage(f *testing.F) { fuzzParser(f, vigia.ParseLeverage, "10x", "16.666667×") }

func FuzzParseSide(f *testing.F) { fuzzParser(f, vigia.ParseSide, "long", "short") }

// fuzzJSON reads anything as JSON into the value, alone and as a field.
func fuzzJSON[T printed](f *testing.F, seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, "0", "null", "-1", "1.5", `"2"`, "1e3", "{}", "[", "1.0000") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var value T
		if json.Unmarshal(data, &value) == nil {
			jsonRoundTrip(t, value)
		}
		// As its methods see it when somebody calls them without a decoder.
		if reader, ok := any(&value).(json.Unmarshaler); ok && reader.UnmarshalJSON(data) == nil {
			jsonRoundTrip(t, value)
		}
	})
}

func FuzzPriceJSON(f *testing.F) { fuzzJSON[vigia.Price](f, "95238", "54545.5", "100000000") }

func FuzzPercentJSON(f *testing.F) { fuzzJSON[vigia.Percent](f, "0.001", "100") }

func FuzzLeverageJSON(f *testing.F) { fuzzJSON[vigia.Leverage](f, "10", "16.666667") }

func FuzzSideJSON(f *testing.F) { fuzzJSON[vigia.Side](f, `"long"`, `"short"`, `""`) }
