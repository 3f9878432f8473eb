package paper_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

func TestTheSDKsStreamIsProvedByDataAndToldOfTrades(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	key := d.key.Credentials()
	s, err := lnmarkets.NewStream(lnmarkets.StreamOptions{
		URL: "ws" + strings.TrimPrefix(d.url, "http") + "/v1", Clock: d.clock, Credentials: &key, HTTP: d.http,
		Topics: append(lnmarkets.PrivateTopics(), lnmarkets.TopicTicker, lnmarkets.TopicIndex),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	trade, last := vigia.TradeID(""), vigia.Price(0)
	err = s.Run(ctx, func(event lnmarkets.Event) {
		switch e := event.(type) {
		case lnmarkets.Proved:
			trade = d.market(vigia.Long, 1000, 10).ID
		case lnmarkets.Closed:
			if ctx.Err() == nil {
				t.Errorf("closed: %v", e.Cause)
			}
		case lnmarkets.Update[lnmarkets.StreamTrade]:
			equal(t, "event", e.Data.Event, lnmarkets.TradeFilled)
			equal(t, "trade", e.Data.Trade.ID, string(trade))
			d.price(99_000)
			d.clock.Advance(time.Second)
		case lnmarkets.Update[lnmarkets.StreamLastPrice]:
			if last = vigia.Price(e.Data.LastPrice); last == vigia.Dollars(99_000) {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) || last != vigia.Dollars(99_000) {
		t.Errorf("got %v, last price %s", err, last)
	}
	who, err := lnmarkets.Identify(t.Context(), lnmarkets.StreamOptions{
		URL: "ws" + strings.TrimPrefix(d.url, "http") + "/v1", Clock: d.clock, Credentials: &key, HTTP: d.http,
	})
	if err != nil || who.UserID != string(d.acc) || !slices.Equal(who.Permissions, paper.TradingScopes()) {
		t.Errorf("who: got %+v, %v", who, err)
	}
}

func TestAnswersOfTheStream(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	equal(t, "hello", string(w.ask("hello", `{"clientName":"test","clientVersion":"1"}`).Result), `{"version":"1.0.0"}`)
	equal(t, "ping", string(w.ask("ping", "").Result), `"pong"`)
	equal(t, "time", string(w.ask("time", "{}").Result), fmt.Sprintf(`{"time":%d}`, d.clock.Now().UnixMilli()))
	w.login()
	who := w.ask("whoami", "null")
	equal(t, "whoami", strings.HasPrefix(string(who.Result), `{"apiKey":"`+d.key.Key+`","userId":"`+string(d.acc)+`"`), true)
	equal(t, "microseconds", int64(who.UsIn), d.clock.Now().UnixMicro())
	equal(t, "rate limit", *who.RateLimit, lnmarkets.FrameLimit{Remaining: 5, Limit: 10})
	w.subscribe(lnmarkets.TopicLastPrice, lnmarkets.TopicIndex, lnmarkets.TopicDeposit)
	equal(t, "unsubscribed", string(w.ask("unsubscribe", `{"topics":["`+string(lnmarkets.TopicIndex)+`","announcements"]}`).Result),
		`{"unsubscribed":["futures/inverse/btc_usd/index"]}`)
	equal(t, "the rest", string(w.ask("unsubscribeAll", "").Result),
		`{"unsubscribed":["futures/inverse/btc_usd/lastPrice","wallet/deposit"]}`)
	d.price(99_000)
	d.server.Moved()
	w.waiting = nil
	w.quiet("nothing is subscribed to")
}

func TestRefusalsOfTheStream(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for text, want := range map[string]struct {
		code int
		app  string
	}{
		`{`:  {-32700, "PARSE_ERROR"},
		``:   {-32700, "PARSE_ERROR"},
		`[]`: {-32600, "INVALID_REQUEST"},
		`7`:  {-32600, "INVALID_REQUEST"},
		`{"jsonrpc":"2.0","id":7,"method":"ping"}`:                                                                {-32600, "INVALID_REQUEST"},
		`{"jsonrpc":"2.0","method":"ping"}`:                                                                       {-32600, "INVALID_REQUEST"},
		`{"jsonrpc":"1.0","id":"1","method":"ping"}`:                                                              {-32600, "INVALID_REQUEST"},
		`{"jsonrpc":"2.0","id":"1","method":7}`:                                                                   {-32600, "INVALID_REQUEST"},
		`{"jsonrpc":"2.0","id":"1","method":"dance"}`:                                                             {-32601, "METHOD_NOT_FOUND"},
		`{"jsonrpc":"2.0","id":"1","method":"ping","params":{"a":1}}`:                                             {-32602, "INVALID_PARAMS"},
		`{"jsonrpc":"2.0","id":"1","method":"subscribe"}`:                                                         {-32602, "INVALID_PARAMS"},
		`{"jsonrpc":"2.0","id":"1","method":"subscribe","params":{"topics":"a"}}`:                                 {-32602, "INVALID_PARAMS"},
		`{"jsonrpc":"2.0","id":"1","method":"subscribe","params":{"topics":["weather"]}}`:                         {-32602, "INVALID_PARAMS"},
		`{"jsonrpc":"2.0","id":"1","method":"subscribe","params":{"topics":["futures/inverse/btc_usd/ohlc/7m"]}}`: {-32602, "INVALID_PARAMS"},
		`{"jsonrpc":"2.0","id":"1","method":"subscribe","params":{"topics":["wallet/deposit"]}}`:                  {-32001, "UNAUTHORIZED"},
		`{"jsonrpc":"2.0","id":"1","method":"whoami"}`:                                                            {-32001, "UNAUTHORIZED"},
	} {
		w := d.dial()
		w.write(text)
		f, err := w.read()
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, text, f, want.code, want.app)
	}
}

func TestWhoIsNotAuthenticated(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	now := d.clock.Now()
	good := credentialsOf(&d.key, now, "0123456789")
	for name, change := range map[string]func(*lnmarkets.AuthenticateParams){
		"an unknown key":     func(p *lnmarkets.AuthenticateParams) { p.Key = "nobody" },
		"a wrong passphrase": func(p *lnmarkets.AuthenticateParams) { p.Passphrase = "wrong" },
		"a wrong signature":  func(p *lnmarkets.AuthenticateParams) { p.Signature = "wrong" },
		"another nonce":      func(p *lnmarkets.AuthenticateParams) { p.Nonce = "abcdefghij" },
		"a time long ago": func(p *lnmarkets.AuthenticateParams) {
			*p = credentialsOf(&d.key, now.Add(-31*time.Second), "0123456789")
		},
		"a time of the future": func(p *lnmarkets.AuthenticateParams) {
			*p = credentialsOf(&d.key, now.Add(31*time.Second), "0123456789")
		},
	} {
		params := good
		change(&params)
		wantError(t, name, d.dial().authenticate(params), -32001, "UNAUTHORIZED")
	}
	wantError(t, "a nonce too short", d.dial().authenticate(credentialsOf(&d.key, now, "0123456")), -32602, "INVALID_PARAMS")
	if f := d.dial().authenticate(good); f.Error != nil {
		t.Errorf("got %+v", f.Error)
	}
	wantError(t, "the same again", d.dial().authenticate(good), -32001, "UNAUTHORIZED")
	reader, err := d.NewAccount(0, vigia.ScopeAccountRead)
	if err != nil {
		t.Fatal(err)
	}
	w := d.dial()
	if f := w.authenticate(credentialsOf(&reader, now, "0123456789")); f.Error != nil {
		t.Fatalf("got %+v", f.Error)
	}
	for _, topic := range lnmarkets.PrivateTopics() {
		wantError(t, string(topic), w.ask("subscribe", `{"topics":["`+string(topic)+`"]}`), -32003, "FORBIDDEN")
	}
}

func TestTenMessagesASecond(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	for range 10 {
		equal(t, "ping", string(w.ask("ping", "").Result), `"pong"`)
	}
	wantError(t, "one too many", w.ask("ping", ""), -32029, "TOO_MANY_REQUESTS")
	d.clock.Advance(100 * time.Millisecond)
	equal(t, "a tenth of a second later", string(w.ask("ping", "").Result), `"pong"`)
}

func TestTheCurrentValueComesRightAfterSubscribing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	at := d.Ticker().At.UnixMilli()
	funding := d.Ticker().FundingAt.UnixMilli()
	for topic, want := range map[lnmarkets.Topic]string{
		lnmarkets.TopicLastPrice: fmt.Sprintf(`{"time":%d,"lastPrice":100000}`, at),
		lnmarkets.TopicIndex:     fmt.Sprintf(`{"time":%d,"index":100000}`, at),
		lnmarkets.TopicTicker:    fmt.Sprintf(`{"time":%d,"lastPrice":100000,"index":100000,"funding":{"rate":0,"time":%d}}`, at, funding),
		lnmarkets.TopicFunding:   fmt.Sprintf(`{"pair":"btc_usd","current":{"rate":0,"time":%d}}`, funding),
		lnmarkets.TopicBuckets:   fmt.Sprintf(`{"time":%d,"buckets":[{"minSize":0,"maxSize":500000,"askPrice":100000,"bidPrice":100000}]}`, at),
		lnmarkets.TopicCandles("1h"): fmt.Sprintf(`{"time":%d,"open":100000,"high":100000,"low":100000,"close":100000,"volume":0}`,
			midnight.Add(time.Hour).UnixMilli()),
	} {
		w := d.dial()
		w.subscribe(topic)
		equal(t, string(topic), w.told(topic), want)
	}
}

func TestAPriceTopicSpeaksFourTimesASecondAtMost(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.subscribe(lnmarkets.TopicLastPrice)
	w.told(lnmarkets.TopicLastPrice)
	d.price(99_000)
	d.server.Moved()
	equal(t, "at once", strings.Contains(w.told(lnmarkets.TopicLastPrice), `"lastPrice":99000`), true)
	d.price(98_000)
	d.server.Moved()
	d.price(97_000)
	d.server.Moved()
	w.quiet("before a quarter of a second has passed")
	d.clock.Advance(250 * time.Millisecond)
	equal(t, "then the newest alone", strings.Contains(w.told(lnmarkets.TopicLastPrice), `"lastPrice":97000`), true)
	d.clock.Advance(time.Second)
	d.server.Moved()
	w.quiet("a price that has not moved")
}

func TestPricesAreSeenWithoutBeingTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.subscribe(lnmarkets.TopicLastPrice)
	w.told(lnmarkets.TopicLastPrice)
	d.price(99_000)
	waiting(t, d.clock, 1)
	d.clock.Advance(250 * time.Millisecond)
	equal(t, "told", strings.Contains(w.told(lnmarkets.TopicLastPrice), `"lastPrice":99000`), true)
}

func TestEventsOfTradesHaveTheFieldsOfTheirKind(t *testing.T) {
	t.Parallel()
	x := newExchange(t, paper.Rules{FundingRate: paper.DefaultFundingRate}, 100_000)
	d := newDesk(t, func(o *paper.ServerOptions) { o.Engine = x.Engine })
	d.key = x.Accounts()[0]
	w := d.dial()
	w.login()
	w.subscribe(lnmarkets.TopicIsolatedTrades)
	stranger, err := x.NewAccount(1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	x.must(x.Open(stranger.ID, paper.NewTrade{Side: vigia.Long, Quantity: 10, Leverage: vigia.OneX})) // told to nobody here

	opening := "clientId createdAt id leverage margin openingFee price quantity side type"
	closing := "clientId closedAt closingFee exitPrice id pl"
	next := func(kind lnmarkets.TradeEvent, fields string) {
		t.Helper()
		var e struct {
			Pair  string
			Event lnmarkets.TradeEvent
			Trade map[string]json.RawMessage
		}
		data := w.told(lnmarkets.TopicIsolatedTrades)
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		equal(t, "event", e.Event, kind)
		equal(t, "pair", e.Pair, "btc_usd")
		equal(t, "fields of "+string(kind), strings.Join(slices.Sorted(maps.Keys(e.Trade)), " "), fields)
	}
	resting := x.limit(vigia.Long, 100, 10, 90_000)
	next("open", opening)
	x.must(x.Cancel(x.acc, resting.ID))
	next("canceled", "clientId closedAt id")
	x.limit(vigia.Long, 100, 10, 99_000)
	next("open", opening)
	x.price(99_000)
	next("filled", opening)
	x.must(x.Close(x.acc, x.Running(x.acc)[0].ID))
	next("closed", closing)
	stopped := x.market(vigia.Long, 100, 10)
	next("filled", opening)
	x.must(x.SetStop(x.acc, stopped.ID, vigia.Dollars(98_000)))
	x.price(98_000)
	next("stoploss", closing)
	taken := x.market(vigia.Long, 100, 10)
	next("filled", opening)
	x.must(x.SetTakeProfit(x.acc, taken.ID, vigia.Dollars(99_000)))
	x.price(99_000)
	next("takeprofit", closing)
	x.market(vigia.Long, 1_000, 10)
	next("filled", opening)
	x.at = midnight.Add(8 * time.Hour)
	x.price(99_000)
	next("funding", "clientId fundedAt fundingFee id liquidationPrice margin")
	x.price(50_000)
	next("liquidation", "clientId closedAt closingFee exitPrice id")
}

func TestAnEventIsThereBeforeTheCallIsAnswered(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.login()
	w.subscribe(lnmarkets.TopicIsolatedTrades)
	trade := d.must(d.client(d.key).NewTrade(t.Context(), lnmarkets.NewTrade{
		Type: lnmarkets.Market, Side: lnmarkets.Buy, Leverage: 2, Quantity: 10, ClientID: "mine",
	}))
	w.ask("ping", "") // its answer was queued after the event
	if len(w.waiting) != 1 || !strings.Contains(string(w.waiting[0].Params), string(trade.ID)) {
		t.Errorf("got %v", w.waiting)
	}
}

func TestASlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	h := httptest.NewUnstartedServer(d.server)
	h.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if tcp, ok := c.(*net.TCPConn); ok && state == http.StateNew {
			_ = tcp.SetWriteBuffer(32 << 10)
		}
	}
	h.Start()
	defer h.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	//nolint:bodyclose // the handshake has none
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.URL, "http")+"/v1", &websocket.DialOptions{HTTPClient: d.http})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for err == nil { // nobody reads the answers
		err = conn.Write(ctx, websocket.MessageText, []byte(`{"jsonrpc":"2.0","id":"1","method":"ping"}`))
	}
	if ctx.Err() != nil {
		t.Error("a client that reads nothing was kept")
	}
}

func TestAMessageTooLongEndsTheSocket(t *testing.T) {
	t.Parallel()
	w := newDesk(t, nil).dial()
	w.write(`"` + strings.Repeat("x", 65<<10) + `"`)
	if f, err := w.read(); err == nil {
		t.Errorf("got %+v", f)
	}
}

func TestCloseDropsTheSockets(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.ask("ping", "")
	d.server.Close()
	if f, err := w.read(); err == nil {
		t.Errorf("got %+v", f)
	}
	late, err := d.tryDial()
	if err == nil {
		_, err = late.read()
	}
	if err == nil {
		t.Error("a closed server speaks")
	}
}

func TestPagesOfOthersMayNotListen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	//nolint:bodyclose // it is read already
	conn, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(d.url, "http")+"/v1", &websocket.DialOptions{
		HTTPClient: d.http, HTTPHeader: map[string][]string{"Origin": {"https://evil.example.org"}},
	})
	if err == nil {
		_ = conn.CloseNow()
		t.Fatal("a foreign page was let in")
	}
	equal(t, "status", resp.StatusCode, 403)
}
