package vigia_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// printed is a value that prints as text its parser reads.
type printed interface {
	comparable
	String() string
}

func roundTrip[T printed](t reporter, value T, parse func(string) (T, error)) {
	t.Helper()
	got, err := parse(value.String())
	same(t, "error of "+value.String(), err, nil)
	same(t, "read back", got, value)
}

func jsonRoundTrip[T comparable](t reporter, value T) {
	t.Helper()
	data, err := json.Marshal(value)
	same(t, "error of writing", err, nil)
	var got T
	same(t, "error of reading "+string(data), json.Unmarshal(data, &got), nil)
	same(t, "read back from JSON", got, value)
}

func TestTextOfAnAmountIsItsValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		roundTrip(t, vigia.Sats(n), vigia.ParseSats)
		roundTrip(t, vigia.USD(n), vigia.ParseUSD)
		roundTrip(t, vigia.Percent(n), vigia.ParsePercent)
		roundTrip(t, vigia.Leverage(n), vigia.ParseLeverage)
		jsonRoundTrip(t, vigia.Sats(n))
		jsonRoundTrip(t, vigia.USD(n))
		jsonRoundTrip(t, vigia.Percent(n))
		jsonRoundTrip(t, vigia.Leverage(n))

		price := anyPrice.Draw(t, "price")
		roundTrip(t, price, vigia.ParsePrice)
		jsonRoundTrip(t, price)
		same(t, "price through a float", vigia.PriceFromFloat(price.Float()), price)

		side := anySide.Draw(t, "side")
		roundTrip(t, side, vigia.ParseSide)
		jsonRoundTrip(t, side)
	})
}

func TestTextForPeopleIsReadBackToo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		sats, err := vigia.ParseSats(vigia.Sats(n).Grouped())
		same(t, "error", err, nil)
		same(t, "sats", sats, vigia.Sats(n))

		price := anyPrice.Draw(t, "price")
		read, err := vigia.ParsePrice(price.Grouped())
		same(t, "error", err, nil)
		same(t, "price", read, price)

		percent, err := vigia.ParsePercent(" " + vigia.Percent(n).String() + " % ")
		same(t, "error", err, nil)
		same(t, "percent", percent, vigia.Percent(n))

		for _, sign := range []string{"x", "×"} {
			leverage, err := vigia.ParseLeverage(vigia.Leverage(n).String() + sign)
			same(t, "error", err, nil)
			same(t, "leverage", leverage, vigia.Leverage(n))
		}
		usd, err := vigia.ParseUSD("$" + vigia.Sats(n).Grouped())
		same(t, "error", err, nil)
		same(t, "usd", usd, vigia.USD(n))
	})
}

func TestAmountsPrintTheShortestText(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]interface{ String() string }{
		"0":                     vigia.Percent(0),
		"2":                     2 * vigia.OnePercent,
		"0.5":                   vigia.OnePercent / 2,
		"-0.001":                vigia.Percent(-1),
		"-9223372036854775.808": vigia.Percent(math.MinInt64),
		"16.666667":             vigia.Leverage(16_666_667),
		"0.0001":                vigia.FundingRate(1_000_000),
		"54545.5":               vigia.Price(109_091),
		"95238":                 vigia.Dollars(95_238),
		"long":                  vigia.Long,
		"short":                 vigia.Short,
		"side(3)":               vigia.Side(3),
		"-1234567":              vigia.Sats(-1_234_567),
		"1000":                  vigia.USD(1_000),
	} {
		same(t, "text", value.String(), want)
	}
	same(t, "grouped", vigia.Sats(-1_234_567).Grouped(), "-1,234,567")
	same(t, "grouped", vigia.Sats(-123).Grouped(), "-123")
	same(t, "grouped", vigia.Dollars(95_238).Grouped(), "$95,238")
	same(t, "grouped", vigia.Price(109_091).Grouped(), "$54,545.50")
}

// What looks like a number and is not one that is meant: refused, with the text
// in the message.
func TestTextThatIsNotTheAmountIsRefused(t *testing.T) {
	t.Parallel()
	never := []string{
		"", " ", "-", ".", "x", "NaN", "nan", "Inf", "-inf", "+Inf", "1e3", "1E3", "0x10", "1..2", "1.2.3", "--1", "- 1", "1 2",
		"5.", ".5", "one", "١", "9223372036854775808", "1" + strings.Repeat("0", 400), "1,5", "95000,5", ",100", "1,00", "100,", "1,0000", "1234,567", "-,100", "1.5,000",
	}
	for name, c := range map[string]struct {
		parse func(string) error
		texts []string
	}{
		"sats":     {failure(vigia.ParseSats), []string{"1.0", "0.5", "$5", "1_0"}},
		"usd":      {failure(vigia.ParseUSD), []string{"1.0", "$$5", "€5"}},
		"percent":  {failure(vigia.ParsePercent), []string{"1.2345", "2%%", "1,000", "%", "$2"}},
		"leverage": {failure(vigia.ParseLeverage), []string{"1.2345678", "10xx", "x10", "1,000"}},
		"price":    {failure(vigia.ParsePrice), []string{"100000.25", "0", "0.5", "-5", "100000000.5", "100000001", "95000.05", "5$"}},
		"side":     {failure(vigia.ParseSide), []string{"Long", "buy", "long ", "side(0)"}},
	} {
		for _, text := range append(c.texts, never...) {
			err := c.parse(text)
			if err == nil {
				t.Errorf("%s: %q was taken", name, text)
				continue
			}
			quoted, _, _ := strings.Cut(err.Error()[1:], `"`)
			if len(text) < 50 && quoted != text {
				t.Errorf("%s: the refusal of %q says %v", name, text, err)
			}
		}
	}
}

func failure[T any](parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		_, err := parse(text)
		return err
	}
}

func TestTextInJSONThatIsNotTheAmountIsRefused(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`"2"`, `"x"`, `true`, `[2]`, `{}`, `2e1`, `1.23456789`, `9223372036854775808`} {
		for name, into := range map[string]any{"percent": new(vigia.Percent), "leverage": new(vigia.Leverage), "price": new(vigia.Price)} {
			if err := json.Unmarshal([]byte(data), into); err == nil {
				t.Errorf("%s: %s was taken", name, data)
			}
		}
	}
	if err := json.Unmarshal([]byte(`"buy"`), new(vigia.Side)); err == nil {
		t.Error("side: buy was taken")
	}
	if _, err := json.Marshal(vigia.Side(3)); err == nil {
		t.Error("a side that is none was written")
	}
}

func TestNoPriceAndNoSideHaveATextInJSON(t *testing.T) {
	t.Parallel()
	jsonRoundTrip(t, vigia.Price(0))
	jsonRoundTrip(t, vigia.Side(0))
	price := vigia.Dollars(1)
	same(t, "error", json.Unmarshal([]byte("null"), &price), nil)
	same(t, "price of null", price, 0)
}

func TestFloatsOfTheWireComeOutOnTheGridOrNotAtAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64().Draw(t, "x")
		if p := vigia.PriceFromFloat(x); !p.Valid() {
			t.Fatalf("%v became the price %s", x, p)
		}
		within := rapid.Float64Range(0, 100).Draw(t, "leverage")
		if off := vigia.LeverageFromFloat(within).Float() - within; math.Abs(off) > 0.5e-6*(1+1e-6) {
			t.Fatalf("%v is %v off as a leverage", within, off)
		}
		if off := vigia.FundingRateFromFloat(within/100).Float() - within/100; math.Abs(off) > 0.5e-10*(1+1e-6) {
			t.Fatalf("%v is %v off as a funding rate", within/100, off)
		}
	})
	same(t, "price of not-a-number", vigia.PriceFromFloat(math.NaN()), 0)
	same(t, "price of infinity", vigia.PriceFromFloat(math.Inf(1)), vigia.MaxPrice)
	same(t, "price of minus infinity", vigia.PriceFromFloat(math.Inf(-1)), vigia.MinPrice)
	same(t, "leverage of not-a-number", vigia.LeverageFromFloat(math.NaN()), 0)
	same(t, "leverage that does not fit", vigia.LeverageFromFloat(1e13), math.MaxInt64)
	same(t, "leverage of infinity", vigia.LeverageFromFloat(math.Inf(1)), math.MaxInt64)
	same(t, "rate of minus infinity", vigia.FundingRateFromFloat(math.Inf(-1)), math.MinInt64)
}

func TestWorsePriceIsLowerForALongAndHigherForAShort(t *testing.T) {
	t.Parallel()
	low, high := vigia.Dollars(1), vigia.Dollars(2)
	same(t, "long", vigia.Long.Worse(low, high), true)
	same(t, "long", vigia.Long.Worse(high, low), false)
	same(t, "short", vigia.Short.Worse(high, low), true)
	same(t, "short", vigia.Short.Worse(low, high), false)
	same(t, "equal", vigia.Long.Worse(low, low) || vigia.Short.Worse(low, low), false)
}
