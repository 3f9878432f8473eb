package lnmarkets_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia/lnmarkets"
)

func TestIntTakesWholeNumbersInAnyWriting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want lnmarkets.Int
	}{
		{"0", 0}, {"-0", 0}, {"0.0", 0}, {"0e400", 0}, {"null", 0},
		{"1000", 1000}, {"1000.0", 1000}, {"1e3", 1000}, {"1.5e1", 15}, {"-12.50E+1", -125}, {"1200e-2", 12},
		{"9223372036854775807", math.MaxInt64}, {"-9223372036854775808", math.MinInt64}, {"9007199254740993", 9007199254740993},
	} {
		var got lnmarkets.Int
		if err := json.Unmarshal([]byte(c.text), &got); err != nil || got != c.want {
			t.Errorf("%s: got %d, %v, want %d", c.text, got, err, c.want)
		}
	}
}

func TestIntRefusesFractions(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0.5", "1000.1", "1e-1", "1e19", "1e999999999999", "9223372036854775808", `"1"`, "true", "{}", "1e-999"} {
		var got lnmarkets.Int
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: got %d, want a refusal", text, got)
		}
	}
}

func TestPriceLiesOnTheGrid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, want string
	}{
		{"0", "0"}, {"0.0", "0"}, {"null", "0"}, {"1", "1"}, {"95238", "95238"}, {"54545.5", "54545.5"},
		{"54545.50", "54545.5"}, {"1e5", "100000"}, {"100000000", "100000000"},
	} {
		var got lnmarkets.Price
		if err := json.Unmarshal([]byte(c.text), &got); err != nil || got.String() != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"0.5", "54545.25", "54545.4", "-1", "100000000.5", "1e40", `"5"`, "[]"} {
		var got lnmarkets.Price
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: got %s, want a refusal", text, got)
		}
	}
	for _, off := range []lnmarkets.Price{-2, 1, 200_000_001} {
		if raw, err := json.Marshal(off); err == nil {
			t.Errorf("%d half dollars was written as %s", int64(off), raw)
		}
	}
}

func TestNumbersSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type all struct {
			Int    lnmarkets.Int
			Price  lnmarkets.Price
			Millis lnmarkets.Millis
			Time   lnmarkets.Time
		}
		want := all{
			Int:    lnmarkets.Int(rapid.Int64().Draw(t, "int")),
			Price:  lnmarkets.Price(rapid.Int64Range(2, 200_000_000).Draw(t, "price")),
			Millis: lnmarkets.Millis(rapid.Int64().Draw(t, "millis")),
			Time:   lnmarkets.At(time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "time"))),
		}
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(string(raw), " ") || strings.Contains(string(raw), ".0,") {
			t.Fatalf("not as the exchange writes it: %s", raw)
		}
		var got all
		if err := json.Unmarshal(raw, &got); err != nil || got != want {
			t.Fatalf("%s: got %+v, %v, want %+v", raw, got, err, want)
		}
	})
}

func TestTimesOfBothSurfaces(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 1, 1, 8, 0, 0, 250e6, time.UTC)
	var rest lnmarkets.Time
	if err := json.Unmarshal([]byte(`"2026-01-01T09:00:00.2509+01:00"`), &rest); err != nil || !rest.Equal(want) || rest.String() != "2026-01-01T08:00:00.250Z" {
		t.Errorf("REST: got %s, %v, want %s", rest, err, want)
	}
	for _, text := range []string{`"2026-01-01T08:00:00.250Z"`, "1767254400250", "1767254400250.0"} {
		var stream lnmarkets.Millis
		if err := json.Unmarshal([]byte(text), &stream); err != nil || !stream.Time().Equal(want) {
			t.Errorf("stream %s: got %s, %v, want %s", text, stream.Time(), err, want)
		}
	}
	if !lnmarkets.Millis(0).Time().IsZero() {
		t.Error("no time is not the zero time")
	}
	for _, text := range []string{`"yesterday"`, "12", `"\u00zz"`, "{}"} {
		if err := json.Unmarshal([]byte(text), &rest); err == nil {
			t.Errorf("%s was read as a time", text)
		}
	}
	if raw, err := json.Marshal(lnmarkets.Time{Time: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Errorf("the year 12026 was written as %s", raw)
	}
}

func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"0", "1000.0", "1e3", "-1.5E-7", "54545.5", "null", `"2026-01-01T00:00:00.000Z"`, "1e-400", "00012"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			t.Skip()
		}
		roundTrip(t, text, new(lnmarkets.Int), new(lnmarkets.Int))
		roundTrip(t, text, new(lnmarkets.Price), new(lnmarkets.Price))
		roundTrip(t, text, new(lnmarkets.Millis), new(lnmarkets.Millis))
		roundTrip(t, text, new(lnmarkets.Time), new(lnmarkets.Time))
	})
}

// roundTrip checks that what was read is written so that it is read again as
// the same.
func roundTrip[T comparable](t *testing.T, text string, first, second *T) {
	t.Helper()
	if json.Unmarshal([]byte(text), first) != nil {
		return
	}
	raw, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("%T read from %s cannot be written: %v", first, text, err)
	}
	if err := json.Unmarshal(raw, second); err != nil || *first != *second {
		t.Fatalf("%T: %s became %s: %v, %v, %v", first, text, raw, *first, *second, err)
	}
}
