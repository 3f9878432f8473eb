package paper_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

func TestEveryCallOfTheSDKIsServedWithItsScope(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	reader, err := d.NewAccount(0, "account:notifications:read")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range lnmarkets.Calls() {
		a := ask{method: c.Method, path: c.Path, plain: c.Public(), key: reader}
		if c.Public() {
			if r := d.get(a); r.status != http.StatusOK {
				t.Errorf("%s: got %d %s, want 200", c.Name, r.status, r.body)
			}
			continue
		}
		r := d.refusedWith(a, http.StatusForbidden, paper.CodeForbidden)
		if !strings.Contains(r.body, c.Scope) {
			t.Errorf("%s: %s does not name the scope %s", c.Name, r.body, c.Scope)
		}
		a.plain = true
		d.refusedWith(a, http.StatusUnauthorized, paper.CodeUnauthorized)
	}
}

func TestTheSDKTradesOnIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, ctx := d.client(d.key), t.Context()
	opened := d.must(c.NewTrade(ctx, lnmarkets.NewTrade{
		Type: lnmarkets.Market, Side: lnmarkets.Buy, Leverage: 10, Quantity: 1000, ClientID: "one",
	}))
	equal(t, "margin", opened.Margin, 100_000)
	equal(t, "client id", opened.ClientID, "one")
	added := d.must(c.AddMargin(ctx, opened.ID, 50_000))
	equal(t, "margin after the add", added.Margin, 150_000)
	running, _, err := c.Running(ctx)
	if err != nil || len(running) != 1 {
		t.Fatalf("running: got %v, %v", running, err)
	}
	equal(t, "the running trade", running[0], added)
	equal(t, "cashed in", d.must(c.CashIn(ctx, opened.ID, 20_000)).CashInMargin, 20_000)
	equal(t, "stop", d.must(c.SetStopLoss(ctx, opened.ID, vigia.Dollars(95_000))).StopLoss, vigia.Dollars(95_000))
	equal(t, "no stop", d.must(c.RemoveStopLoss(ctx, opened.ID)).StopLoss, 0)
	equal(t, "trailing", d.must(c.SetTrailingStop(ctx, opened.ID, 2*vigia.OnePercent)).Trailing, 2*vigia.OnePercent)
	equal(t, "target", d.must(c.SetTakeProfit(ctx, opened.ID, vigia.Dollars(120_000))).TakeProfit, vigia.Dollars(120_000))
	equal(t, "no target", d.must(c.RemoveTakeProfit(ctx, opened.ID)).TakeProfit, 0)

	order := lnmarkets.NewTrade{
		Type: lnmarkets.Limit, Side: lnmarkets.Sell, Leverage: 5, Margin: 50_000, Price: lnmarkets.Price(vigia.Dollars(90_000)), ClientID: "two",
	}
	resting := d.must(c.NewTrade(ctx, order))
	equal(t, "state", resting.State, vigia.TradeOpen)
	open, _, err := c.Open(ctx)
	if err != nil || len(open) != 1 || open[0].ID != resting.ID {
		t.Fatalf("open: got %v, %v", open, err)
	}
	equal(t, "canceled", d.must(c.Cancel(ctx, resting.ID)).State, vigia.TradeCanceled)
	d.must(c.NewTrade(ctx, order))
	canceled, err := c.CancelAll(ctx)
	if err != nil || len(canceled) != 1 {
		t.Fatalf("cancel-all: got %v, %v", canceled, err)
	}
	equal(t, "closed", d.must(c.Close(ctx, opened.ID)).State, vigia.TradeClosed)

	account, _, err := c.Account(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "balance", account.Free(), d.Wallet(d.acc))
	cross, _, err := c.CrossPosition(ctx)
	if err != nil || cross.Quantity != 0 {
		t.Fatalf("cross: got %+v, %v", cross, err)
	}
	market, err := d.public().Market(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "last", market.Last, vigia.Dollars(100_000))
}

func TestPingIsSixBytes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	equal(t, "body", d.get(ask{method: "GET", path: "/ping"}).body, `"pong"`)
	equal(t, "with the empty query of some clients", d.get(ask{method: "GET", path: "/ping?"}).body, `"pong"`)
}

func TestEveryKeyOfATradeIsAnswered(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.market(vigia.Long, 1000, 10)
	var trades []map[string]json.RawMessage
	r := d.get(ask{method: "GET", path: "/futures/isolated/trades/running"})
	if err := json.Unmarshal([]byte(r.body), &trades); err != nil || len(trades) != 1 {
		t.Fatalf("got %s, %v", r.body, err)
	}
	for name, want := range map[string]string{
		"type": `"market"`, "side": `"buy"`, "quantity": "1000", "margin": "100000", "leverage": "10", "price": "100000",
		"liquidation": "90909", "stoploss": "0", "takeprofit": "0", "stoplossTrailingDistance": "0", "entryPrice": "100000",
		"entryMargin": "100000", "exitPrice": "null", "pl": "0", "openingFee": "0", "closingFee": "0", "maintenanceMargin": "0",
		"sumFundingFees": "0", "sumCashInPl": "0", "sumCashInMargin": "0", "closedAt": "null", "clientId": "null",
		"open": "false", "running": "true", "closed": "false", "canceled": "false", "createdAt": `"2026-03-01T01:00:01.000Z"`,
	} {
		if got := string(trades[0][name]); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	trade := d.market(vigia.Long, 1000, 10)
	id := `"id":"` + string(trade.ID) + `"`
	const market = `{"type":"market","side":"buy","leverage":10,"quantity":100`
	post, put := http.MethodPost, http.MethodPut
	const open, addMargin, stop = "/futures/isolated/trade", "/futures/isolated/trade/add-margin", "/futures/isolated/trade/stoploss"
	for name, a := range map[string]ask{
		"unknown field":                {method: post, path: open, body: market + `,"qty":1}`},
		"a field in another case":      {method: post, path: open, body: market + `,"ClientID":"x"}`},
		"a field twice":                {method: post, path: open, body: market + `,"quantity":100}`},
		"null":                         {method: post, path: open, body: market + `,"price":null}`},
		"text for a number":            {method: post, path: open, body: `{"type":"market","side":"buy","leverage":"10","quantity":1}`},
		"a number for a text":          {method: post, path: open, body: market + `,"clientId":7}`},
		"a broken quantity":            {method: post, path: open, body: `{"type":"market","side":"buy","leverage":10,"quantity":1.5}`},
		"not JSON":                     {method: post, path: open, body: `{"type":`},
		"an array":                     {method: post, path: open, body: `[]`},
		"two documents":                {method: post, path: open, body: market + `}{}`},
		"no body":                      {method: post, path: open},
		"no type":                      {method: post, path: open, body: `{"side":"buy","leverage":10,"quantity":1}`},
		"no side":                      {method: post, path: open, body: `{"type":"market","leverage":10,"quantity":1}`},
		"leverage 101":                 {method: post, path: open, body: `{"type":"market","side":"buy","leverage":101,"quantity":1}`},
		"quantity and margin":          {method: post, path: open, body: market + `,"margin":100}`},
		"a limit without a price":      {method: post, path: open, body: `{"type":"limit","side":"buy","leverage":10,"quantity":1}`},
		"a price off the grid":         {method: post, path: open, body: `{"type":"limit","side":"buy","leverage":10,"quantity":1,"price":0.25}`},
		"a client id that is too long": {method: post, path: open, body: market + `,"clientId":"` + strings.Repeat("x", 65) + `"}`},
		"a body that is too long":      {method: post, path: open, body: market + `,"clientId":"` + strings.Repeat("x", 9000) + `"}`},
		"a form":                       {method: post, path: open, body: market + `}`, headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"no content type":              {method: post, path: open, body: market + `}`, headers: map[string]string{"Content-Type": ""}},
		"a query beside the body":      {method: post, path: open, query: "id=1", body: market + `}`},
		"somebody else's trade":        {method: post, path: addMargin, body: `{"id":"7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11","amount":1}`},
		"no id":                        {method: post, path: addMargin, body: `{"amount":1}`},
		"an amount of nothing":         {method: post, path: addMargin, body: `{` + id + `,"amount":0}`},
		"a negative amount":            {method: post, path: addMargin, body: `{` + id + `,"amount":-5}`},
		"more than the wallet":         {method: post, path: addMargin, body: `{` + id + `,"amount":99000000}`},
		"a stop without a value":       {method: put, path: stop, body: `{` + id + `}`},
		"a stop beyond liquidation":    {method: put, path: stop, body: `{` + id + `,"value":90000}`},
		"an unknown mode":              {method: put, path: stop, body: `{` + id + `,"value":95000,"mode":"loose"}`},
		"a trailing stop too far":      {method: put, path: stop, body: `{` + id + `,"value":11,"mode":"trailing"}`},
		"a number as text":             {method: put, path: stop, body: `{` + id + `,"value":"95000"}`},
		"a text as value":              {method: put, path: stop, body: `{` + id + `,"value":"much"}`},
		"a stop removed twice":         {method: http.MethodDelete, path: stop, query: "id=" + string(trade.ID)},
		"no id to remove a stop of":    {method: http.MethodDelete, path: stop},
		"a GET with a body":            {method: http.MethodGet, path: "/account", body: `{}`},
		"an unknown parameter":         {method: http.MethodGet, path: "/account", query: "all=true"},
		"a parameter twice":            {method: http.MethodGet, path: "/futures/isolated/trades/closed", query: "limit=1&limit=2"},
		"limit 0":                      {method: http.MethodGet, path: "/futures/isolated/trades/closed", query: "limit=0"},
		"limit 1001":                   {method: http.MethodGet, path: "/futures/isolated/trades/closed", query: "limit=1001"},
		"a cursor that is no time":     {method: http.MethodGet, path: "/futures/isolated/trades/closed", query: "cursor=7"},
		"to before from":               {method: http.MethodGet, path: "/futures/candles", query: "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"},
		"an unknown range":             {method: http.MethodGet, path: "/futures/candles", query: "range=7m"},
		"a broken query":               {method: http.MethodGet, path: "/futures/candles", query: "range=%zz"},
		"cancel-all with arguments":    {method: post, path: "/futures/isolated/trades/cancel-all", body: `{"id":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			wallet := d.Wallet(d.acc)
			d.refusedWith(a, http.StatusBadRequest, paper.CodeBadRequest)
			equal(t, "wallet", d.Wallet(d.acc), wallet)
		})
	}
	for _, path := range []string{"/nothing", "/futures/isolated/trades/running/", "/account/deposits/internal"} {
		d.refusedWith(ask{method: "GET", path: path}, http.StatusNotFound, paper.CodeNotFound)
	}
	d.refusedWith(ask{method: "PATCH", path: "/account"}, http.StatusNotFound, paper.CodeNotFound)
}

func TestAnExchangeWithoutAPriceIsUnavailable(t *testing.T) {
	t.Parallel()
	e := paper.New(paper.Rules{Seed: 1})
	key, err := e.NewAccount(1000)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, func(o *paper.ServerOptions) { o.Engine = e })
	d.key = key
	d.refusedWith(ask{method: "GET", path: "/futures/ticker"}, 503, paper.CodeUnavailable)
	a := ask{method: "POST", path: "/futures/isolated/trade", body: `{"type":"market","side":"buy","leverage":1,"quantity":1}`}
	d.refusedWith(a, 503, paper.CodeUnavailable)
}

func TestAnEngineThatStoppedAnswersFiveHundred(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	if err := d.Shut(); err != nil {
		t.Fatal(err)
	}
	d.refusedWith(ask{method: "POST", path: "/futures/isolated/trades/cancel-all"}, 500, paper.CodeInternal)
	equal(t, "outcome", d.server.Requests(0)[0].Outcome, paper.OutcomeFailed)
}

func TestRatesPerKeyAndPerAddress(t *testing.T) {
	t.Parallel()
	strict := paper.StrictRates()
	d := newDesk(t, func(o *paper.ServerOptions) { o.Rates = &strict })
	other, err := d.NewAccount(1)
	if err != nil {
		t.Fatal(err)
	}
	account := ask{method: "GET", path: "/account"}
	for range 5 {
		equal(t, "status", d.get(account).status, 200)
	}
	r := d.refusedWith(account, 429, paper.CodeTooMany)
	equal(t, "Retry-After", r.header.Get("Retry-After"), "1")
	equal(t, "of another key", d.get(ask{method: "GET", path: "/account", key: other}).status, 200)
	d.clock.Advance(200 * time.Millisecond)
	equal(t, "after a fifth of a second", d.get(account).status, 200)
	d.refusedWith(account, 429, paper.CodeTooMany)

	ping := ask{method: "GET", path: "/ping", plain: true}
	equal(t, "ping", d.get(ping).status, 200)
	d.refusedWith(ping, 429, paper.CodeTooMany)
	d.clock.Advance(time.Second)
	equal(t, "a key that is not known", d.get(ask{method: "GET", path: "/account", plain: true}).status, 401)
	d.refusedWith(ask{method: "GET", path: "/account", plain: true}, 429, paper.CodeTooMany)
}

func TestPagesOfClosedTrades(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, ctx := d.client(d.key), t.Context()
	var want []vigia.TradeID
	for range 5 {
		id := d.market(vigia.Long, 10, 1).ID
		d.must(d.Close(d.acc, id))
		want = append([]vigia.TradeID{id}, want...)
	}
	d.must(d.Cancel(d.acc, d.limit(vigia.Long, 10, 1, 50_000).ID))
	var got []vigia.TradeID
	var at []time.Time
	for trade, err := range c.Closed(ctx, lnmarkets.Window{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got, at = append(got, trade.ID), append(at, trade.ClosedAt)
	}
	if len(got) != 5 {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		equal(t, "trade, newest first", got[i], want[i])
	}
	count := func(w lnmarkets.Window) int {
		n := 0
		for _, err := range c.Closed(ctx, w) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	equal(t, "to is included", count(lnmarkets.Window{To: at[3]}), 2)
	equal(t, "from is included", count(lnmarkets.Window{From: at[3]}), 4)
	equal(t, "from and to alike hold nothing", count(lnmarkets.Window{From: at[3], To: at[3]}), 0)
	var page lnmarkets.Page[lnmarkets.Trade]
	r := d.get(ask{method: "GET", path: "/futures/isolated/trades/closed", query: "limit=5"})
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || page.NextCursor != nil {
		t.Errorf("the last page: got %v, %v", r.body, err)
	}
	if !strings.HasSuffix(r.body, `"nextCursor":null}`) {
		t.Errorf("the last page ends with %q", r.body[len(r.body)-40:])
	}
	for trade, err := range c.Canceled(ctx, lnmarkets.Window{}) {
		if err != nil || trade.State != vigia.TradeCanceled {
			t.Errorf("canceled: got %v, %v", trade, err)
		}
	}
}

func TestFundingIsListed(t *testing.T) {
	t.Parallel()
	x := newExchange(t, paper.Rules{NoFees: true, FundingRate: paper.DefaultFundingRate}, 100_000)
	d := newDesk(t, func(o *paper.ServerOptions) { o.Engine = x.Engine })
	d.key, x.at = x.Accounts()[0], midnight.Add(16*time.Hour)
	long, short := x.market(vigia.Long, 10_000, 5), x.market(vigia.Short, 5_000, 5)
	x.price(100_000)
	c, ctx := d.client(d.key), t.Context()
	fees := map[vigia.TradeID]vigia.Sats{}
	for fee, err := range c.FundingFees(ctx, "", lnmarkets.Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		fees[fee.Trade()] += fee.Amount()
	}
	equal(t, "the long paid", fees[long.ID], 2000)
	equal(t, "the short received", fees[short.ID], -1000)
	for fee, err := range c.FundingFees(ctx, short.ID, lnmarkets.Window{}) {
		if err != nil || fee.Trade() != short.ID {
			t.Errorf("of one trade: got %+v, %v", fee, err)
		}
	}
	n := 0
	for settlement, err := range d.public().FundingSettlements(ctx, lnmarkets.Window{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "rate", settlement.Rate(), paper.DefaultFundingRate)
		n++
	}
	equal(t, "settlements", n, 2)
}

func TestCandlesOfEveryRange(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for i := range 300 { // five hours
		d.at = midnight.Add(2*time.Hour + time.Duration(i)*time.Minute)
		d.price(100_000 + int64(i))
	}
	for length, want := range map[lnmarkets.CandleRange]int{"": 301, "1m": 301, "3m": 101, "1h": 6, "4h": 2, "1d": 1, "1w": 1, "1month": 1, "3months": 1} {
		n, last := 0, time.Time{}
		for c, err := range d.public().Candles(t.Context(), length, lnmarkets.Window{Limit: 7}) {
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 && !c.Time.Before(last) {
				t.Errorf("%s: %s does not come before %s", length, c.Time, last)
			}
			if c.Low > c.Open || c.Low > c.Close || c.High < c.Open || c.High < c.Close {
				t.Errorf("%s: got %+v", length, c)
			}
			n, last = n+1, c.Time.Time
		}
		equal(t, "candles of "+string(length), n, want)
	}
	hour := lnmarkets.Window{From: midnight.Add(3 * time.Hour), To: midnight.Add(3 * time.Hour).Add(time.Minute)}
	for c, err := range d.public().Candles(t.Context(), "1h", hour) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "open", c.Open, lnmarkets.Price(vigia.Dollars(100_060)))
		equal(t, "close", c.Close, lnmarkets.Price(vigia.Dollars(100_119)))
	}
	week := lnmarkets.Window{}
	for c, err := range d.public().Candles(t.Context(), "1w", week) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "weeks begin on Monday", c.Time.Weekday(), time.Monday)
	}
}

func TestARefusalOfTheEngineKeepsItsWords(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	_, err := d.client(d.key).Close(t.Context(), "7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11")
	var refused *lnmarkets.Error
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	equal(t, "message", refused.Message, "You do not own this trade")
	equal(t, "outcome", refused.Outcome, vigia.CallRefused)
}
