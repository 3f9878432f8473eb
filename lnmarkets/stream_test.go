package lnmarkets_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

func TestStreamGreetsAuthenticatesSubscribesAndIsProvedByData(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t), private, func(o *lnmarkets.StreamOptions) { o.ClientName, o.ClientVersion = "vigia", "1" })
	s := f.socket()
	connected := await[lnmarkets.Connected](f)
	if connected.Version != "1.0.0" || !slices.Equal(connected.Permissions, []string{"futures:isolated:write"}) || !connected.At.Equal(testStart) {
		t.Errorf("connected: %+v", connected)
	}
	hello, authenticate, subscribe := <-s.frames, <-s.frames, <-s.frames
	if hello.Method != "hello" || string(hello.Params) != `{"clientName":"vigia","clientVersion":"1"}` || authenticate.Method != "authenticate" {
		t.Errorf("said %s %s, %s", hello.Method, hello.Params, authenticate.Method)
	}
	if want := `{"topics":["futures/inverse/btc_usd/lastPrice","futures/inverse/btc_usd/isolated/trades","futures/inverse/btc_usd/cross/orders","futures/inverse/btc_usd/cross/position","wallet/deposit","wallet/withdrawal"]}`; string(subscribe.Params) != want {
		t.Errorf("subscribed to %s", subscribe.Params)
	}
	f.clock.Advance(time.Second)
	s.price(96_000)
	price := await[lnmarkets.Update[lnmarkets.StreamLastPrice]](f)
	if tick, ok := lnmarkets.TickOf(price); !ok || tick.Last != vigia.Dollars(96_000) || !tick.At.Equal(testStart.Add(time.Second)) {
		t.Errorf("tick %+v", tick)
	}
	if proved := await[lnmarkets.Proved](f); !proved.At.Equal(testStart.Add(time.Second)) {
		t.Errorf("proved: %+v", proved)
	}
	s.closedTrade("t1")
	trade := await[lnmarkets.Update[lnmarkets.StreamTrade]](f)
	if trade.Data.Event != lnmarkets.TradeClosed || trade.Data.Trade.ID != "t1" || *trade.Data.Trade.PL != -5 || trade.Data.Trade.ExitPrice.String() != "95000.5" {
		t.Errorf("trade: %+v", trade)
	}
}

// An answer to subscribe proves nothing: a socket that stays without data is
// replaced.
func TestASubscriptionWithoutDataIsReplaced(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t), private)
	s := f.socket()
	s.closedTrade("t1") // data, but not of the topic that proves
	await[lnmarkets.Update[lnmarkets.StreamTrade]](f)
	f.clock.await(f.ctx, t, exactly(proveWithin))
	f.clock.Advance(pingEvery) // heartbeats are answered meanwhile
	f.clock.await(f.ctx, t, exactly(pingEvery))
	f.clock.await(f.ctx, t, exactly(pingEvery))
	f.clock.Advance(proveWithin - pingEvery)
	closed := await[lnmarkets.Closed](f)
	if !errors.Is(closed.Cause, lnmarkets.ErrUnproved) || closed.Attempt != 1 {
		t.Fatalf("closed: %+v", closed)
	}
	f.passBackoff(closed)
	f.proved(96_000)
}

func TestStreamComesBackAndTellsTheGap(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t), private)
	s := f.proved(96_000)
	f.clock.Advance(time.Second)
	s.closedTrade("t1")
	await[lnmarkets.Update[lnmarkets.StreamTrade]](f)
	f.clock.Advance(time.Second)
	_ = s.conn.Close(websocket.StatusGoingAway, "restart")
	closed := await[lnmarkets.Closed](f)
	if websocket.CloseStatus(closed.Cause) != websocket.StatusGoingAway || closed.RetryIn < time.Second || closed.RetryIn > 2*time.Second {
		t.Fatalf("closed: %+v", closed)
	}
	f.passBackoff(closed)
	next := f.socket()
	if got := next.methods(); !slices.Equal(got, []string{"hello", "authenticate", "subscribe"}) {
		t.Errorf("said %v", got)
	}
	back := f.clock.Now()
	f.clock.Advance(time.Second)
	next.price(95_000)
	await[lnmarkets.Proved](f)
	gap := await[lnmarkets.Gap](f)
	if !gap.From.Equal(testStart.Add(time.Second)) || gap.To.Before(back) || gap.To.After(back.Add(time.Second)) {
		t.Errorf("gap: %+v, back at %s", gap, back)
	}
}

func TestAnAnsweredPingConfirmsThePrice(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t))
	s := f.proved(96_000)
	f.clock.await(f.ctx, t, exactly(pingEvery))
	f.clock.Advance(pingEvery)
	confirmed := await[lnmarkets.Confirmed](f)
	if !confirmed.At.Equal(testStart.Add(pingEvery)) || confirmed.RoundTrip != 0 {
		t.Errorf("confirmed: %+v", confirmed)
	}
	if got := s.methods(); !slices.Equal(got, []string{"hello", "subscribe", "ping"}) {
		t.Errorf("said %v", got)
	}
}

func TestASilentSocketIsDead(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(*venue){
		"no answer to ping": func(v *venue) { v.mute = func(method string) bool { return method == lnmarkets.MethodPing } },
		"no pong":           func(v *venue) { v.noPong = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := follow(t, newVenue(t, silence))
			f.proved(96_000)
			f.clock.await(f.ctx, t, exactly(pingEvery))
			f.clock.Advance(pingEvery)
			f.clock.await(f.ctx, t, exactly(answerWithin))
			f.clock.Advance(answerWithin)
			closed := await[lnmarkets.Closed](f)
			if !errors.Is(closed.Cause, lnmarkets.ErrSilent) || !errors.Is(closed.Cause, lnmarkets.ErrNoAnswer) {
				t.Errorf("closed: %+v", closed)
			}
		})
	}
}

func TestAHandshakeNobodyAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, muted := range []string{lnmarkets.MethodHello, lnmarkets.MethodAuthenticate, lnmarkets.MethodSubscribe} {
		asked := make(chan struct{}, 1)
		f := follow(t, newVenue(t, func(v *venue) {
			v.mute = func(method string) bool {
				if method == muted {
					asked <- struct{}{}
				}
				return method == muted
			}
		}), private)
		<-asked
		f.clock.Advance(answerWithin)
		if closed := await[lnmarkets.Closed](f); !errors.Is(closed.Cause, lnmarkets.ErrNoAnswer) || !strings.Contains(closed.Cause.Error(), muted) {
			t.Errorf("%s: %+v", muted, closed)
		}
	}
}

func TestAServerWithoutHelloWillDo(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t, func(v *venue) {
		v.refuse = func(method string) *lnmarkets.FrameError {
			if method == lnmarkets.MethodHello {
				return &lnmarkets.FrameError{Code: -32601, Message: "no such method"}
			}
			return nil
		}
	}))
	f.proved(96_000)
}

func TestARefusedKeyIsTriedSlowly(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t, func(v *venue) {
		v.refuse = func(method string) *lnmarkets.FrameError {
			if method == lnmarkets.MethodAuthenticate {
				return &lnmarkets.FrameError{Code: -32001, Message: "bad signature", Data: &lnmarkets.FrameErrorData{Code: "UNAUTHORIZED"}}
			}
			return nil
		}
	}), private)
	closed := await[lnmarkets.Closed](f)
	var refused *lnmarkets.StreamError
	if !errors.Is(closed.Cause, lnmarkets.ErrKeyRefused) || !errors.As(closed.Cause, &refused) || refused.App != "UNAUTHORIZED" || closed.RetryIn != backoffMost {
		t.Errorf("closed: %+v", closed)
	}
}

func TestAKeyThatDoesNotAuthenticateIsRefused(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t), private, func(o *lnmarkets.StreamOptions) { o.Credentials.Secret = vigia.NewSecret("another") })
	if closed := await[lnmarkets.Closed](f); !errors.Is(closed.Cause, lnmarkets.ErrKeyRefused) || closed.RetryIn != backoffMost {
		t.Errorf("closed: %+v", closed)
	}
}

func TestATopicLeftOutIsNotSubscribed(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t, func(v *venue) {
		v.subscribed = func(topics []lnmarkets.Topic) []lnmarkets.Topic { return topics[:1] }
	}), private)
	if closed := await[lnmarkets.Closed](f); !errors.Is(closed.Cause, lnmarkets.ErrNotSubscribed) || !strings.Contains(closed.Cause.Error(), "wallet/deposit") {
		t.Errorf("closed: %+v", closed)
	}
}

func TestBackoffGrowsToItsMost(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // nobody listens there
	f := follow(t, &venue{t: t, url: "ws://" + listener.Addr().String()})
	for attempt := 1; attempt <= 8; attempt++ {
		closed := await[lnmarkets.Closed](f)
		most := min(backoffMost, 2*time.Second<<(attempt-1))
		if closed.Attempt != attempt || closed.RetryIn < most/2 || closed.RetryIn > most || closed.Cause == nil {
			t.Fatalf("attempt %d: %+v", attempt, closed)
		}
		f.passBackoff(closed)
	}
}

// A reader who hangs keeps nothing from being read: the server's pings are
// answered, and of all prices the newest is there when the reader comes back.
func TestASlowReaderGetsTheNewestPrice(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	v := newVenue(t)
	f := followWith(t, v, gate)
	s := f.socket()
	for dollars := 90_000; dollars <= 91_000; dollars++ {
		s.price(dollars)
	}
	if err := s.conn.Ping(f.ctx); err != nil {
		t.Fatalf("its ping was not answered: %v", err)
	}
	close(gate)
	await[lnmarkets.Proved](f)
	s.price(92_000)
	var prices []string
	for len(prices) == 0 || prices[len(prices)-1] != "92000" {
		prices = append(prices, await[lnmarkets.Update[lnmarkets.StreamLastPrice]](f).Data.LastPrice.String())
	}
	if len(prices) > 3 {
		t.Errorf("%d prices came: %v", len(prices), prices)
	}
}

// Private events are never dropped silently: what does not fit tears the socket,
// what fitted is told, and so is the gap.
func TestTooManyPrivateEventsTearTheSocket(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{}, 100)
	f := followWith(t, newVenue(t), gate, private, func(o *lnmarkets.StreamOptions) { o.Buffer = 3 })
	s := f.socket()
	gate <- struct{}{} // Connected
	await[lnmarkets.Connected](f)
	s.closedTrade("proves the reader busy")
	s.price(96_000)
	for i := range 10 {
		s.closedTrade(fmt.Sprint("t", i))
	}
	f.clock.await(f.ctx, t, func(d time.Duration) bool { return d >= time.Second && d <= 2*time.Second }) // the back-off
	close(gate)
	var ids []string
	var closed lnmarkets.Closed
	for closed.Cause == nil {
		select {
		case e := <-f.events:
			switch told := e.(type) {
			case lnmarkets.Update[lnmarkets.StreamTrade]:
				ids = append(ids, told.Data.Trade.ID)
			case lnmarkets.Closed:
				closed = told
			}
		case <-f.ctx.Done():
			t.Fatal("the socket was not torn")
		}
	}
	if !errors.Is(closed.Cause, lnmarkets.ErrSlowReader) || len(ids) < 3 || len(ids) > 4 || !slices.Contains(ids, "t1") {
		t.Errorf("told %v, then %+v", ids, closed)
	}
	f.clock.Advance(closed.RetryIn)
	f.proved(95_000)
	if gap := await[lnmarkets.Gap](f); gap.From.After(closed.At) {
		t.Errorf("gap: %+v", gap)
	}
}

func TestWhatCannotBeReadIsToldAndTheSocketStays(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t), private)
	s := f.proved(96_000)
	for _, c := range []struct {
		topic lnmarkets.Topic
		data  string
	}{
		{lnmarkets.TopicIsolatedTrades, `{"trade":{"id":5}}`}, {lnmarkets.TopicIsolatedTrades, `{"event":"closed","trade":{}}`},
		{lnmarkets.TopicLastPrice, `{"lastPrice":95000.25}`}, {lnmarkets.TopicLastPrice, `{"lastPrice":null}`}, {"a/new/topic", `{}`},
	} {
		s.notify(c.topic, c.data)
		told := await[lnmarkets.Malformed](f)
		if told.Topic != c.topic || !strings.Contains(string(told.Raw), c.data) || !errors.Is(told.Cause, lnmarkets.ErrUnreadable) {
			t.Errorf("%s %s: %+v", c.topic, c.data, told)
		}
	}
	s.write(`{"jsonrpc":"2.0","method":"news","params":{}}`)
	if told := await[lnmarkets.Malformed](f); told.Topic != "" || told.Cause == nil {
		t.Errorf("%+v", told)
	}
	s.write(`{"jsonrpc":"2.0","id":"999","result":"of a call nobody waits for"}`)
	s.price(95_500)
	await[lnmarkets.Update[lnmarkets.StreamLastPrice]](f)
}

func TestASocketThatSpeaksSomethingElseIsTorn(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(*socket){
		"no JSON":                func(s *socket) { s.write("hello?") },
		"another version":        func(s *socket) { s.write(`{"jsonrpc":"1.0","method":"subscription"}`) },
		"nothing":                func(s *socket) { s.write(`{"jsonrpc":"2.0"}`) },
		"an error about no call": func(s *socket) { s.write(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse"}}`) },
		"binary":                 func(s *socket) { _ = s.conn.Write(s.ctx, websocket.MessageBinary, []byte{1}) },
	} {
		f := follow(t, newVenue(t))
		say(f.proved(96_000))
		if closed := await[lnmarkets.Closed](f); !errors.Is(closed.Cause, lnmarkets.ErrUnreadable) {
			t.Errorf("%s: %+v", name, closed)
		}
	}
}
