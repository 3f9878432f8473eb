package lnmarkets_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decoded[T any](t testing.TB, raw []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return v
}

func TestTradeOfTheReference(t *testing.T) {
	t.Parallel()
	wire := decoded[lnmarkets.Trade](t, fixture(t, "trade-running.json"))
	got, err := wire.Vigia()
	if err != nil {
		t.Fatal(err)
	}
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := vigia.Trade{
		ID: "7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11", State: vigia.TradeRunning, Side: vigia.Long, Quantity: 1_000,
		Margin: 100_000, EntryMargin: 100_000, Leverage: 10 * vigia.OneX, Price: vigia.Dollars(100_000),
		EntryPrice: vigia.Dollars(100_000), Liquidation: vigia.Dollars(90_909), StopLoss: vigia.Dollars(95_000),
		PL: 4_762, OpeningFee: 1_000, FeeReserve: 1_100, CreatedAt: created, FilledAt: created,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	again, err := json.Marshal(lnmarkets.TradeOf(&got, lnmarkets.Market))
	if err != nil {
		t.Fatal(err)
	}
	if same := strings.Join(strings.Fields(string(fixture(t, "trade-running.json"))), ""); string(again) != same {
		t.Errorf("written again\n%s\nwant\n%s", again, same)
	}
}

// One percent is 0.01 on the wire and 1,000 thousandths of a percent here.
func TestTrailingDistanceIsAFraction(t *testing.T) {
	t.Parallel()
	wire := decoded[lnmarkets.Trade](t, fixture(t, "trade-running.json"))
	wire.StoplossTrailingDistance = 0.01
	got, err := wire.Vigia()
	if err != nil || got.Trailing != vigia.OnePercent {
		t.Errorf("got %s, %v, want 1 percent", got.Trailing, err)
	}
	if back := lnmarkets.TradeOf(&got, lnmarkets.Limit); back.StoplossTrailingDistance != 0.01 || back.Type != lnmarkets.Limit {
		t.Errorf("back: %v %s", back.StoplossTrailingDistance, back.Type)
	}
}

func TestTradeThatCannotBeRightIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field string
		spoil func(*lnmarkets.Trade)
	}{
		{"side", func(w *lnmarkets.Trade) { w.Side = "b" }},
		{"state", func(w *lnmarkets.Trade) { w.Open = true }},
		{"state", func(w *lnmarkets.Trade) { w.Running = false }},
		{"id", func(w *lnmarkets.Trade) { w.ID = "" }},
		{"quantity", func(w *lnmarkets.Trade) { w.Quantity = 0 }},
		{"quantity", func(w *lnmarkets.Trade) { w.Quantity = -1 }},
		{"quantity", func(w *lnmarkets.Trade) { w.Quantity = math.MaxInt64 }},
		{"margin", func(w *lnmarkets.Trade) { w.Margin = -1 }},
		{"margin", func(w *lnmarkets.Trade) { w.Margin = math.MaxInt64 }},
		{"pl", func(w *lnmarkets.Trade) { w.PL = math.MinInt64 }},
		{"price", func(w *lnmarkets.Trade) { w.Price = 0 }},
		{"price", func(w *lnmarkets.Trade) { w.Liquidation = 0 }},
		{"leverage", func(w *lnmarkets.Trade) { w.Leverage = math.NaN() }},
		{"leverage", func(w *lnmarkets.Trade) { w.Leverage = -1 }},
		{"stoplossTrailingDistance", func(w *lnmarkets.Trade) { w.StoplossTrailingDistance = 1e300 }},
		{"stoplossTrailingDistance", func(w *lnmarkets.Trade) { w.StoplossTrailingDistance = -0.1 }},
	} {
		wire := decoded[lnmarkets.Trade](t, fixture(t, "trade-running.json"))
		c.spoil(&wire)
		if got, err := wire.Vigia(); err == nil || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: got %+v, %v", c.field, got, err)
		}
	}
}

func drawTrade(t *rapid.T) vigia.Trade {
	sats := func(name string) vigia.Sats {
		return vigia.Sats(rapid.Int64Range(-int64(vigia.MaxWalletSats), int64(vigia.MaxWalletSats)).Draw(t, name))
	}
	price := func(name string) vigia.Price {
		return vigia.Price(rapid.Int64Range(int64(vigia.MinPrice), int64(vigia.MaxPrice)).Draw(t, name))
	}
	maybe := func(p vigia.Price, name string) vigia.Price {
		if rapid.Bool().Draw(t, name) {
			return 0
		}
		return p
	}
	at := func(name string) time.Time { return time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(t, name)).UTC() }
	trade := vigia.Trade{
		ID:       vigia.TradeID(rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}`).Draw(t, "id")),
		State:    rapid.SampledFrom([]vigia.TradeState{vigia.TradeOpen, vigia.TradeRunning, vigia.TradeClosed, vigia.TradeCanceled}).Draw(t, "state"),
		Side:     rapid.SampledFrom([]vigia.Side{vigia.Long, vigia.Short}).Draw(t, "side"),
		Quantity: vigia.USD(rapid.Int64Range(1, int64(vigia.MaxIsolatedQuantity)).Draw(t, "quantity")),
		Margin:   max(0, sats("margin")), EntryMargin: max(0, sats("entryMargin")),
		Leverage: vigia.Leverage(rapid.Int64Range(0, 1e9).Draw(t, "leverage")),
		Price:    price("price"), EntryPrice: maybe(price("entry"), "no entry"), Liquidation: price("liquidation"),
		StopLoss: maybe(price("stop"), "no stop"), TakeProfit: maybe(price("take"), "no take"),
		Trailing:  vigia.Percent(rapid.Int64Range(0, int64(10*vigia.HundredPercent)).Draw(t, "trailing")),
		ExitPrice: maybe(price("exit"), "no exit"), PL: sats("pl"), OpeningFee: sats("opening"), ClosingFee: sats("closing"),
		FeeReserve: sats("reserve"), Funding: sats("funding"), CashInPL: sats("cashInPl"), CashInMargin: sats("cashInMargin"),
		CreatedAt: at("created"), ClientID: rapid.StringMatching(`[a-z]{0,8}`).Draw(t, "client"),
	}
	if rapid.Bool().Draw(t, "filled") {
		trade.FilledAt = at("filledAt")
	}
	if rapid.Bool().Draw(t, "ended") {
		trade.ClosedAt = at("closedAt")
	}
	return trade
}

func TestTradeSurvivesTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawTrade(t)
		raw, err := json.Marshal(lnmarkets.TradeOf(&want, lnmarkets.Market))
		if err != nil {
			t.Fatal(err)
		}
		var wire lnmarkets.Trade
		if err := json.Unmarshal(raw, &wire); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if got, err := wire.Vigia(); err != nil || got != want {
			t.Fatalf("%s\ngot  %+v, %v\nwant %+v", raw, got, err, want)
		}
	})
}

// Simulators must send every key (reference 8.2).
func TestTradeHasEveryKeyOfTheReference(t *testing.T) {
	t.Parallel()
	keys := func(raw []byte) []string {
		var names []string
		for name := range decoded[map[string]json.RawMessage](t, raw) {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	raw, err := json.Marshal(lnmarkets.TradeOf(&vigia.Trade{State: vigia.TradeOpen}, lnmarkets.Limit))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys(raw), keys(fixture(t, "trade-running.json")); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCrossPositionSurvivesTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sats := func(name string) vigia.Sats { return vigia.Sats(rapid.Int64Range(-1e15, 1e15).Draw(t, name)) }
		want := vigia.CrossPosition{
			Quantity: vigia.USD(rapid.Int64Range(-15_000_000, 15_000_000).Draw(t, "quantity")), Margin: sats("margin"),
			Leverage: vigia.OneX * vigia.Leverage(rapid.Int64Range(1, 100).Draw(t, "leverage")),
			Running:  sats("running"), Maintenance: sats("maintenance"), Initial: sats("initial"),
			TotalPL: sats("total"), DeltaPL: sats("delta"), Funding: sats("funding"), Fees: sats("fees"),
		}
		if want.Quantity != 0 {
			want.EntryPrice = vigia.Price(rapid.Int64Range(2, 200_000_000).Draw(t, "entry"))
			want.Liquidation = vigia.Price(rapid.Int64Range(2, 200_000_000).Draw(t, "liquidation"))
		}
		raw, err := json.Marshal(lnmarkets.CrossPositionOf(&want, "id", time.UnixMilli(1)))
		if err != nil {
			t.Fatal(err)
		}
		var wire lnmarkets.CrossPosition
		if err := json.Unmarshal(raw, &wire); err != nil {
			t.Fatal(err)
		}
		if got, err := wire.Vigia(); err != nil || got != want {
			t.Fatalf("%s\ngot  %+v, %v\nwant %+v", raw, got, err, want)
		}
	})
}

func TestCrossPositionThatCannotBeRightIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"quantity":1000,"leverage":10}`, `{"quantity":-1000000000}`, `{"leverage":-1}`,
	} {
		wire := decoded[lnmarkets.CrossPosition](t, []byte(text))
		if got, err := wire.Vigia(); err == nil {
			t.Errorf("%s: got %+v", text, got)
		}
	}
	var wire lnmarkets.CrossPosition
	if err := json.Unmarshal([]byte(`{"leverage":2.5}`), &wire); err == nil {
		t.Error("a leverage of 2.5 was taken for a cross position")
	}
}

func TestMarketSurvivesTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		confirmed := time.UnixMilli(1_767_225_600_000)
		want := vigia.Market{
			Last: vigia.Price(rapid.Int64Range(2, 200_000_000).Draw(t, "last")), ConfirmedAt: confirmed,
			FundingRate: vigia.FundingRate(rapid.Int64Range(-1e9, 1e9).Draw(t, "rate")),
			FundingAt:   time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC(),
		}
		raw, err := json.Marshal(lnmarkets.TickerOf(&want, vigia.Dollars(1), nil))
		if err != nil {
			t.Fatal(err)
		}
		var wire lnmarkets.Ticker
		if err := json.Unmarshal(raw, &wire); err != nil {
			t.Fatal(err)
		}
		if got, err := wire.Vigia(confirmed); err != nil || got != want {
			t.Fatalf("%s\ngot  %+v, %v\nwant %+v", raw, got, err, want)
		}
	})
	var nothing lnmarkets.Ticker
	if _, err := nothing.Vigia(time.UnixMilli(1)); err == nil {
		t.Error("a ticker without a last price became a market")
	}
}

func FuzzTrade(f *testing.F) {
	f.Add(fixture(f, "trade-running.json"))
	f.Add([]byte(`{"id":"a","side":"sell","quantity":1.0,"price":1e5,"open":true,"leverage":1e-7,"clientId":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var wire lnmarkets.Trade
		if json.Unmarshal(raw, &wire) != nil {
			return
		}
		trade, err := wire.Vigia()
		if err != nil {
			return
		}
		// What was believed can be calculated with.
		_ = vigia.Liquidation(trade.Side, trade.Quantity, max(trade.Price, vigia.MinPrice), trade.Margin)
		back := lnmarkets.TradeOf(&trade, wire.Type)
		if again, err := back.Vigia(); err != nil || again != trade {
			t.Fatalf("got %+v, %v, want %+v", again, err, trade)
		}
	})
}
