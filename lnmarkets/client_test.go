package lnmarkets_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// Every call sends what the reference says, and nothing else.
func TestCallsAsTheReferenceHasThem(t *testing.T) {
	t.Parallel()
	day := lnmarkets.Window{From: testStart, To: testStart.Add(24*time.Hour + 1500*time.Microsecond), Limit: 25}
	id := `{"id":"` + string(tradeID) + `"`
	for _, c := range []struct {
		want   string
		answer string
		call   func(context.Context, *lnmarkets.Client) error
	}{
		{"GET /v3/account", "account.json", func(ctx context.Context, c *lnmarkets.Client) error { return third(c.Account(ctx)) }},
		{"GET /v3/futures/isolated/trades/running", "trades.json", func(ctx context.Context, c *lnmarkets.Client) error { return third(c.Running(ctx)) }},
		{"GET /v3/futures/isolated/trades/open", "trades.json", func(ctx context.Context, c *lnmarkets.Client) error { return third(c.Open(ctx)) }},
		{"GET /v3/futures/isolated/trades/closed?from=2026-01-01T00%3A00%3A00.000Z&limit=25&to=2026-01-02T00%3A00%3A00.001Z", "page.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return last(c.Closed(ctx, day)) }},
		{"GET /v3/futures/isolated/trades/canceled?cursor=2026-01-01T00%3A00%3A00.000Z", "page.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return last(c.Canceled(ctx, lnmarkets.Window{Cursor: "2026-01-01T00:00:00.000Z"}))
			}},
		{"GET /v3/futures/isolated/funding-fees?tradeId=" + string(tradeID), "funding-fees.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return last(c.FundingFees(ctx, tradeID, lnmarkets.Window{}))
			}},
		{"GET /v3/futures/cross/position", "cross-position.json", func(ctx context.Context, c *lnmarkets.Client) error { return third(c.CrossPosition(ctx)) }},
		{`POST /v3/futures/isolated/trade {"type":"limit","side":"sell","leverage":12.5,"quantity":100,"price":54545.5,"stoploss":60000,"takeprofit":50000,"clientId":"vigia&1"}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.NewTrade(ctx, lnmarkets.NewTrade{Type: lnmarkets.Limit, Side: lnmarkets.Sell, Leverage: 12.5, Quantity: 100,
					Price: 109_091, Stoploss: 120_000, Takeprofit: 100_000, ClientID: "vigia&1"}))
			}},
		{`POST /v3/futures/isolated/trade {"type":"market","side":"buy","leverage":10,"margin":700,"clientId":"vigia-2"}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.NewTrade(ctx, lnmarkets.NewTrade{Type: lnmarkets.Market, Side: lnmarkets.Buy, Leverage: 10, Margin: 700, ClientID: "vigia-2"}))
			}},
		{"POST /v3/futures/isolated/trade/add-margin " + id + `,"amount":107408}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.AddMargin(ctx, tradeID, 107_408))
			}},
		{"POST /v3/futures/isolated/trade/cash-in " + id + `,"amount":5}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return second(c.CashIn(ctx, tradeID, 5)) }},
		{"POST /v3/futures/isolated/trade/close " + id + `}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return second(c.Close(ctx, tradeID)) }},
		{"POST /v3/futures/isolated/trade/cancel " + id + `}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return second(c.Cancel(ctx, tradeID)) }},
		{"POST /v3/futures/isolated/trades/cancel-all", "trades.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return second(c.CancelAll(ctx)) }},
		{"PUT /v3/futures/isolated/trade/stoploss " + id + `,"value":95238.5,"mode":"fixed"}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.SetStopLoss(ctx, tradeID, vigia.Dollars(95_238)+1))
			}},
		{"PUT /v3/futures/isolated/trade/stoploss " + id + `,"value":0.015,"mode":"trailing"}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.SetTrailingStop(ctx, tradeID, 1_500))
			}},
		{"DELETE /v3/futures/isolated/trade/stoploss?id=" + string(tradeID), "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return second(c.RemoveStopLoss(ctx, tradeID)) }},
		{"PUT /v3/futures/isolated/trade/takeprofit " + id + `,"value":120000}`, "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.SetTakeProfit(ctx, tradeID, vigia.Dollars(120_000)))
			}},
		{"DELETE /v3/futures/isolated/trade/takeprofit?id=" + string(tradeID), "trade-running.json",
			func(ctx context.Context, c *lnmarkets.Client) error { return second(c.RemoveTakeProfit(ctx, tradeID)) }},
	} {
		t.Run(strings.Fields(c.want)[0]+strings.Fields(c.want)[1], func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, answering(http.StatusOK, string(fixture(t, c.answer))))
			if err := c.call(safety(t), newClient(t, newSteeredClock(), x.URL)); err != nil {
				t.Fatal(err)
			}
			came := x.requests()
			if len(came) != 1 || came[0].String() != c.want {
				t.Fatalf("sent %v, want %s", came, c.want)
			}
			if came[0].header.Get("lnm-access-signature") == "" {
				t.Error("the call was not signed")
			}
		})
	}
}

func second[A any](_ A, err error) error      { return err }
func third[A, B any](_ A, _ B, e error) error { return e }

func last[T any](rows func(func(T, error) bool)) error {
	for _, err := range rows {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestPublicCallsCarryNoKey(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"/v3/ping": `"pong"`, "/v3/time": `{"time":"2026-01-01T00:00:01.250Z"}`,
		"/v3/futures/ticker":              string(fixture(t, "ticker.json")),
		"/v3/futures/candles":             string(fixture(t, "candles.json")),
		"/v3/futures/funding-settlements": string(fixture(t, "funding-settlements.json")),
	}
	x := newExchange(t, func(w http.ResponseWriter, r *http.Request) {
		answering(http.StatusOK, bodies[r.URL.Path])(w, r)
	})
	clock := newSteeredClock()
	clock.hurry(t, 5*time.Second)
	ctx, public := safety(t), newPublic(t, clock, x.URL)

	if err := public.Ping(ctx); err != nil {
		t.Error(err)
	}
	if got, err := public.Time(ctx); err != nil || !got.Equal(testStart.Add(1250*time.Millisecond)) {
		t.Errorf("time: %s, %v", got, err)
	}
	before := clock.Now()
	market, err := public.Market(ctx)
	if err != nil || market.Last != vigia.Dollars(96_000)+1 || market.FundingRate != 1_000_000 || market.ConfirmedAt.Before(before) {
		t.Errorf("market: %+v, %v", market, err)
	}
	var candles []lnmarkets.Candle
	for candle, err := range public.Candles(ctx, "5m", lnmarkets.Window{From: testStart}) {
		if err != nil {
			t.Fatal(err)
		}
		candles = append(candles, candle)
	}
	if len(candles) != 2 || candles[0].High.String() != "96100.5" || candles[1].Volume != 12_000 {
		t.Errorf("candles: %+v", candles)
	}
	for settlement, err := range public.FundingSettlements(ctx, lnmarkets.Window{}) {
		if err != nil || settlement.Rate() != -123_456 || settlement.FixingPrice != 95_999.123 {
			t.Errorf("settlement: %+v, %v", settlement, err)
		}
	}
	var targets []string
	for _, r := range x.requests() {
		targets = append(targets, r.target)
		for name := range r.header {
			if strings.HasPrefix(strings.ToLower(name), "lnm-access") || name == "Content-Type" {
				t.Errorf("%s carries %s", r, name)
			}
		}
	}
	if !slices.Contains(targets, "/v3/futures/candles?from=2026-01-01T00%3A00%3A00.000Z&range=5m") {
		t.Errorf("asked for %v", targets)
	}
}

func TestWhatIsReadIsWhatTheExchangeSaid(t *testing.T) {
	t.Parallel()
	x := newExchange(t, func(w http.ResponseWriter, r *http.Request) {
		files := map[string]string{"/v3/account": "account.json", "/v3/futures/cross/position": "cross-position.json",
			"/v3/futures/isolated/trades/running": "trades.json", "/v3/futures/isolated/funding-fees": "funding-fees.json"}
		answering(http.StatusOK, string(fixture(t, files[r.URL.Path])))(w, r)
	})
	clock := newSteeredClock()
	clock.hurry(t, 5*time.Second) // three reads, and the tokens of reads are used up
	ctx, client := safety(t), newClient(t, clock, x.URL)
	account, begun, err := client.Account(ctx)
	if err != nil || account.Free() != 1_234_567 || account.FeeTier != 2 || !begun.Equal(testStart) {
		t.Errorf("account: %+v at %s, %v", account, begun, err)
	}
	cross, _, err := client.CrossPosition(ctx)
	if err != nil || cross.Side() != vigia.Short || cross.Margin != 499_000 || cross.Leverage != 10*vigia.OneX || cross.Liquidation != vigia.Dollars(199_402) {
		t.Errorf("cross position: %+v, %v", cross, err)
	}
	trades, _, err := client.Running(ctx)
	if err != nil || len(trades) != 2 || trades[0].ID != tradeID || trades[1].Side != vigia.Short || trades[1].FeeReserve != -3 {
		t.Errorf("running: %+v, %v", trades, err)
	}
	for fee, err := range client.FundingFees(ctx, "", lnmarkets.Window{}) {
		if err != nil || fee.Amount() != 1_667 || fee.Trade() != tradeID {
			t.Errorf("funding fee: %+v, %v", fee, err)
		}
	}
}

func TestBadOrdersAreRefusedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	x := newExchange(t, answering(http.StatusOK, "{}"))
	ctx, client := safety(t), newClient(t, newSteeredClock(), x.URL)
	good := lnmarkets.NewTrade{Type: lnmarkets.Market, Side: lnmarkets.Buy, Leverage: 10, Quantity: 1, ClientID: "c"}
	with := func(change func(*lnmarkets.NewTrade)) error {
		order := good
		change(&order)
		return second(client.NewTrade(ctx, order))
	}
	for _, c := range []struct {
		field string
		err   error
	}{
		{"clientId", with(func(o *lnmarkets.NewTrade) { o.ClientID = "" })},
		{"clientId", with(func(o *lnmarkets.NewTrade) { o.ClientID = strings.Repeat("x", 65) })},
		{"clientId", with(func(o *lnmarkets.NewTrade) { o.ClientID = "naïve" })},
		{"side", with(func(o *lnmarkets.NewTrade) { o.Side = "b" })},
		{"type", with(func(o *lnmarkets.NewTrade) { o.Type = "m" })},
		{"price", with(func(o *lnmarkets.NewTrade) { o.Price = 200_000 })},
		{"price", with(func(o *lnmarkets.NewTrade) { o.Type = lnmarkets.Limit })},
		{"quantity", with(func(o *lnmarkets.NewTrade) { o.Quantity = 0 })},
		{"quantity", with(func(o *lnmarkets.NewTrade) { o.Margin = 5 })},
		{"quantity", with(func(o *lnmarkets.NewTrade) { o.Quantity, o.Margin = 5, -5 })},
		{"leverage", with(func(o *lnmarkets.NewTrade) { o.Leverage = 101 })},
		{"leverage", with(func(o *lnmarkets.NewTrade) { o.Leverage = 0.5 })},
		{"amount", second(client.AddMargin(ctx, tradeID, 0))},
		{"amount", second(client.CashIn(ctx, tradeID, -1))},
		{"trade", second(client.Close(ctx, ""))},
		{"trade", second(client.Cancel(ctx, "a b"))},
		{"trade", second(client.RemoveTakeProfit(ctx, vigia.TradeID(strings.Repeat("9", 65))))},
		{"stop", second(client.SetStopLoss(ctx, tradeID, 0))},
		{"take_profit", second(client.SetTakeProfit(ctx, tradeID, vigia.MaxPrice+1))},
		{"distance", second(client.SetTrailingStop(ctx, tradeID, 99))},
	} {
		if c.err == nil || !strings.HasPrefix(c.err.Error(), c.field) {
			t.Errorf("%s: got %v", c.field, c.err)
		}
	}
	if came := x.requests(); len(came) != 0 {
		t.Errorf("sent %v", came)
	}
}

func TestClientsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	for _, o := range []lnmarkets.Options{
		{Clock: clock, BaseURL: lnmarkets.Mainnet().REST},
		{Credentials: credentials(), BaseURL: lnmarkets.Mainnet().REST},
		{Credentials: credentials(), Clock: clock},
		{Credentials: credentials(), Clock: clock, BaseURL: "ftp://api.lnmarkets.com/v3"},
		{Credentials: credentials(), Clock: clock, BaseURL: "https://api.lnmarkets.com/v3?x"},
		{Credentials: credentials(), Clock: clock, BaseURL: "https://a:b@api.lnmarkets.com/v3"},
		{Credentials: credentials(), Clock: clock, BaseURL: "https://api.lnmarkets.com\x00"},
	} {
		if _, err := lnmarkets.New(o); err == nil {
			t.Errorf("%q was accepted", o.BaseURL)
		}
	}
	for _, network := range []vigia.Network{vigia.Mainnet, vigia.Signet} {
		hosts, ok := lnmarkets.HostsOf(network)
		if _, err := lnmarkets.NewPublic(lnmarkets.Options{Clock: clock, BaseURL: hosts.REST + "/"}); err != nil || !ok {
			t.Errorf("%s: %v", network, err)
		}
	}
	if _, ok := lnmarkets.HostsOf(vigia.Paper); ok {
		t.Error("there is a preset for paper")
	}
}

// A call's descriptor is unique and says what it is; a write that is not listed
// as repeatable is none.
func TestCallsSayWhetherTheyMayBeRepeated(t *testing.T) {
	t.Parallel()
	never := []string{"new-trade", "add-margin", "cash-in"}
	seen := map[string]bool{}
	for _, call := range lnmarkets.Calls() {
		name := call.Method + call.Path
		if seen[name] || call.Name == "" || !strings.HasPrefix(call.Path, "/") {
			t.Errorf("%+v is there twice or is incomplete", call)
		}
		seen[name] = true
		if want := !slices.Contains(never, call.Name); call.Repeatable != want {
			t.Errorf("%s: repeatable is %t", call.Name, call.Repeatable)
		}
		if write := strings.HasSuffix(call.Scope, ":write"); write == call.Read() {
			t.Errorf("%s: %s wants %q", call.Name, call.Method, call.Scope)
		}
	}
}

// A redirect would carry the key to wherever it points.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := newExchange(t, answering(http.StatusOK, "[]"))
	x := newExchange(t, answering(http.StatusFound, "", "Location", elsewhere.URL+"/v3/futures/isolated/trades/running"))
	clock := newSteeredClock()
	clock.hurry(t, 6*time.Second)
	err := third(newClient(t, clock, x.URL).Running(safety(t)))
	var failure *lnmarkets.Error
	if !errors.As(err, &failure) || failure.Status != http.StatusFound {
		t.Errorf("got %v", err)
	}
	if came := elsewhere.requests(); len(came) != 0 {
		t.Errorf("the key went elsewhere: %v", came)
	}
}

func TestPublicAnswersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	clock.hurry(t, 6*time.Second)
	ctx := safety(t)
	if err := newPublic(t, clock, newExchange(t, answering(200, `"ping"`)).URL).Ping(ctx); !errors.Is(err, lnmarkets.ErrUnreadable) {
		t.Errorf("ping: %v", err)
	}
	for _, body := range []string{`{"lastPrice":null}`, `{"lastPrice":95000.25}`, `[]`} {
		if market, err := newPublic(t, clock, newExchange(t, answering(200, body)).URL).Market(ctx); err == nil {
			t.Errorf("%s: got %+v", body, market)
		}
	}
	if trades, _, err := newClient(t, clock, newExchange(t, answering(200, `[{"id":"a"}]`)).URL).Running(ctx); !errors.Is(err, lnmarkets.ErrUnreadable) {
		t.Errorf("running: got %+v, %v", trades, err)
	}
	if trade, err := newClient(t, clock, newExchange(t, answering(200, `{"id":"a"}`)).URL).AddMargin(ctx, tradeID, 1); !errors.Is(err, lnmarkets.ErrUnreadable) {
		t.Errorf("add margin: got %+v, %v", trade, err)
	}
}

// What a simulator reads from the body of PUT stoploss.
func TestStopLossBodies(t *testing.T) {
	t.Parallel()
	fixed := decoded[lnmarkets.StopLoss](t, []byte(`{"id":"a","value":95238.5,"mode":"fixed"}`))
	if price, err := fixed.Price(); err != nil || price.String() != "95238.5" {
		t.Errorf("fixed: %s, %v", price, err)
	}
	trailing := decoded[lnmarkets.StopLoss](t, []byte(`{"id":"a","value":0.015,"mode":"trailing"}`))
	if distance, err := trailing.Distance(); err != nil || distance != 0.015 {
		t.Errorf("trailing: %v, %v", distance, err)
	}
	if price, err := trailing.Price(); err == nil {
		t.Errorf("0.015 was taken for a price: %s", price)
	}
	none := decoded[lnmarkets.StopLoss](t, []byte(`{"id":"a"}`))
	if distance, err := none.Distance(); err == nil {
		t.Errorf("nothing was taken for a distance: %v", distance)
	}
}
