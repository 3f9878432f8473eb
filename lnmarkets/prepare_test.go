package lnmarkets_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

var addMargin = vigia.Order{Action: vigia.ActionAddMargin, Trade: tradeID, Amount: 107_408}

func prepared(t testing.TB, client *lnmarkets.Client, o vigia.Order) vigia.PreparedCall {
	t.Helper()
	call, err := client.Prepare(safety(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func TestPreparedCallsOfEveryAction(t *testing.T) {
	t.Parallel()
	id := `{"id":"` + string(tradeID) + `"`
	for _, c := range []struct {
		order vigia.Order
		want  string
	}{
		{vigia.Order{Action: vigia.ActionAddMargin, Amount: 107_408}, "POST /v3/futures/isolated/trade/add-margin " + id + `,"amount":107408}`},
		{vigia.Order{Action: vigia.ActionProve, Amount: 99}, "POST /v3/futures/isolated/trade/add-margin " + id + `,"amount":1}`},
		{vigia.Order{Action: vigia.ActionCashIn, Amount: 7}, "POST /v3/futures/isolated/trade/cash-in " + id + `,"amount":7}`},
		{vigia.Order{Action: vigia.ActionClose}, "POST /v3/futures/isolated/trade/close " + id + `}`},
		{vigia.Order{Action: vigia.ActionSetStop, Stop: vigia.Dollars(95_238) + 1}, "PUT /v3/futures/isolated/trade/stoploss " + id + `,"value":95238.5,"mode":"fixed"}`},
		{vigia.Order{Action: vigia.ActionRemoveStop}, "DELETE /v3/futures/isolated/trade/stoploss?id=" + string(tradeID)},
	} {
		x := newExchange(t, answering(http.StatusOK, string(fixture(t, "trade-running.json"))))
		client := newClient(t, newSteeredClock(), x.URL)
		c.order.Trade = tradeID
		call := prepared(t, client, c.order)
		result := client.Send(safety(t), call)
		if result.Outcome != vigia.CallDone || result.Trade.ID != tradeID || result.Trade.Margin != 100_000 || result.Err != nil {
			t.Errorf("%s: %+v", c.order.Action, result)
		}
		came := x.requests()
		if len(came) != 1 || came[0].String() != c.want {
			t.Errorf("%s: sent %v, want %s", c.order.Action, came, c.want)
			continue
		}
		if got := came[0]; got.body != string(call.Body) || got.target != call.Path || got.header.Get("lnm-access-signature") != call.Signature {
			t.Errorf("%s: what was sent is not what was prepared: %v, %+v", c.order.Action, got, call)
		}
	}
}

// The signing time is the exchange's, to the millisecond that is in the header.
func TestSignedAtIsTheExchangesTime(t *testing.T) {
	t.Parallel()
	x := newExchange(t, answering(http.StatusOK, string(fixture(t, "trade-running.json"))))
	clock := newSteeredClock()
	clock.Advance(1234 * time.Microsecond)
	offset := lnmarkets.NewOffset(clock)
	offset.Set(lnmarkets.Measured{Ahead: -42 * time.Second})
	client := newClient(t, clock, x.URL, func(o *lnmarkets.Options) { o.Offset = offset })
	call := prepared(t, client, addMargin)
	if want := testStart.Add(-42*time.Second + time.Millisecond); !call.SignedAt.Equal(want) {
		t.Errorf("signed at %s, want %s", call.SignedAt, want)
	}
	if got := call.Header["Lnm-Access-Timestamp"]; len(got) != 1 || got[0] != fmt.Sprint(call.SignedAt.UnixMilli()) {
		t.Errorf("the header says %v", got)
	}
	clock.Advance(time.Second)
	result := client.Send(safety(t), call)
	if result.Outcome != vigia.CallDone || !result.SentAt.Equal(clock.Now()) || !result.AnsweredAt.Equal(clock.Now()) {
		t.Errorf("%+v", result)
	}
}

// What is kept with an intent must not hold what the key is protected by.
func TestPreparedCallsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	client := newClient(t, newSteeredClock(), "http://127.0.0.1:1")
	for _, text := range []string{fmt.Sprintf("%+v", prepared(t, client, addMargin)), fmt.Sprintf("%+v", client)} {
		for _, secret := range []string{testKey, testSecret, testPassphrase} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
			}
		}
	}
}

func TestOrdersThatCannotBePrepared(t *testing.T) {
	t.Parallel()
	client := newClient(t, newSteeredClock(), "http://127.0.0.1:1")
	for _, o := range []vigia.Order{
		{Action: vigia.ActionNotify, Trade: tradeID}, {Action: vigia.ActionNone, Trade: tradeID}, {Action: vigia.ActionClose},
		{Action: vigia.ActionAddMargin, Trade: tradeID}, {Action: vigia.ActionSetStop, Trade: tradeID},
	} {
		var invalid *vigia.Error
		if _, err := client.Prepare(safety(t), o); !errors.As(err, &invalid) || invalid.Field == "" {
			t.Errorf("%+v: got %v", o, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the guard stops")
	cancel(stop)
	if _, err := client.Prepare(ctx, addMargin); !errors.Is(err, stop) {
		t.Errorf("after its context ended: %v", err)
	}
	if result := client.Send(safety(t), vigia.PreparedCall{Method: http.MethodPost, Path: "/v3/futures/isolated/trade/close"}); result.Outcome != vigia.CallUnsent || result.Err == nil {
		t.Errorf("a call that nobody signed: %+v", result)
	}
}

func TestAnswersAreTold(t *testing.T) {
	t.Parallel()
	trade := string(fixture(t, "trade-running.json"))
	other := strings.ReplaceAll(trade, string(tradeID), "ffffffff-6a52-4a0f-9a5e-0d3b6d0c7b11")
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		outcome vigia.CallOutcome
		code    string
		after   time.Duration
	}{
		{"done", answering(200, trade), vigia.CallDone, "", 0},
		{"done with another 2xx", answering(201, trade), vigia.CallDone, "", 0},
		{"200 without a body", answering(200, ""), vigia.CallUnknown, "", 0},
		{"200 that is no JSON", answering(200, "<html>"), vigia.CallUnknown, "", 0},
		{"200 about another trade", answering(200, other), vigia.CallUnknown, "", 0},
		{"200 with a trade that cannot be", answering(200, `{"id":"`+string(tradeID)+`","side":"buy"}`), vigia.CallUnknown, "", 0},
		{"a refusal", answering(400, errorBody("BAD_REQUEST", "leverage under 1")), vigia.CallRefused, "BAD_REQUEST", 0},
		{"a refusal without a code", answering(400, `{"message":"You do not own this trade"}`), vigia.CallRefused, "", 0},
		{"not found", answering(404, errorBody("NOT_FOUND", "Not found")), vigia.CallRefused, "NOT_FOUND", 0},
		{"a bad key", answering(401, errorBody("UNAUTHORIZED", "Signature is not valid")), vigia.CallRefused, "UNAUTHORIZED", 0},
		{"a missing scope", answering(403, errorBody("FORBIDDEN", "scope")), vigia.CallRefused, "FORBIDDEN", 0},
		{"403 of what stands before the exchange", answering(403, "<html>blocked</html>"), vigia.CallRefused, "", 0},
		{"400 that is not the exchange's", answering(400, "<html>bad gateway, really</html>"), vigia.CallUnknown, "", 0},
		{"400 with an empty object", answering(400, "{}"), vigia.CallUnknown, "", 0},
		{"408", answering(408, errorBody("TIMEOUT", "too slow")), vigia.CallUnknown, "TIMEOUT", 0},
		{"429", answering(429, errorBody("TOO_MANY_REQUESTS", "slow down"), "Retry-After", "7"), vigia.CallUnsent, "TOO_MANY_REQUESTS", 7 * time.Second},
		{"429 without more", answering(429, ""), vigia.CallUnsent, "", time.Second},
		{"429 until a date", answering(429, "", "Retry-After", testStart.Add(3*time.Second).Format(http.TimeFormat)), vigia.CallUnsent, "", 3 * time.Second},
		{"429 for a year", answering(429, "", "Retry-After", "31536000"), vigia.CallUnsent, "", 10 * time.Minute},
		{"the known 503", answering(503, errorBody("SERVICE_UNAVAILABLE", "Trading engine is temporarily unavailable")), vigia.CallUnsent, "SERVICE_UNAVAILABLE", time.Second},
		{"503 with another text", answering(503, errorBody("SERVICE_UNAVAILABLE", "upstream")), vigia.CallUnknown, "SERVICE_UNAVAILABLE", 0},
		{"the text with another code", answering(503, errorBody("OTHER", "Trading engine is temporarily unavailable")), vigia.CallUnknown, "OTHER", 0},
		{"503 of a gateway", answering(503, "<html>"), vigia.CallUnknown, "", 0},
		{"500", answering(500, errorBody("INTERNAL_SERVER_ERROR", "Internal error")), vigia.CallUnknown, "INTERNAL_SERVER_ERROR", 0},
		{"502", answering(502, ""), vigia.CallUnknown, "", 0},
		{"504", answering(504, ""), vigia.CallUnknown, "", 0},
		{"a redirect", answering(307, "", "Location", "/v3/elsewhere"), vigia.CallUnknown, "", 0},
		{"an answer that breaks off", cutShort(trade), vigia.CallUnknown, "", 0},
		{"a refusal that breaks off", cutShort(errorBody("BAD_REQUEST", "x")), vigia.CallUnknown, "", 0},
		{"a reset", reset, vigia.CallUnknown, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, c.answer)
			clock := newSteeredClock()
			client := newClient(t, clock, x.URL)
			result := client.Send(safety(t), prepared(t, client, addMargin))
			if result.Outcome != c.outcome || result.Code != c.code || result.RetryAfter != c.after {
				t.Errorf("got %+v", result)
			}
			if (result.Err == nil) != (c.outcome == vigia.CallDone) || result.SentAt.IsZero() {
				t.Errorf("got %+v", result)
			}
			var failure *lnmarkets.Error
			if result.Err != nil && (!errors.As(result.Err, &failure) || failure.Call.Name != "add-margin" || string(failure.Raw) != string(result.Raw)) {
				t.Errorf("the error is %+v", result.Err)
			}
			if came := x.requests(); len(came) != 1 {
				t.Errorf("it was sent %d times: %v", len(came), came)
			}
		})
	}
}

// cutShort promises more than it sends.
func cutShort(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+1))
		_, _ = io.WriteString(w, body)
	}
}

// reset ends the connection hard, after the request was read.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func TestNobodyThereIsUnsent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // now its port refuses
	for name, base := range map[string]string{
		"connection refused": "http://" + listener.Addr().String(),
		"no such host":       "http://exchange.invalid:1",
	} {
		client := newClient(t, newSteeredClock(), base)
		result := client.Send(safety(t), prepared(t, client, addMargin))
		if result.Outcome != vigia.CallUnsent || result.Err == nil || !result.SentAt.IsZero() || !result.AnsweredAt.IsZero() {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// The same with an HTTP client that is not ours: no connection is still proof.
func TestForeignHTTPClientsProveLess(t *testing.T) {
	t.Parallel()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	foreign := func(o *lnmarkets.Options) { o.HTTP = &http.Client{Transport: transport} }
	client := newClient(t, newSteeredClock(), "http://127.0.0.1:1", foreign)
	if result := client.Send(safety(t), prepared(t, client, addMargin)); result.Outcome != vigia.CallUnsent {
		t.Errorf("connection refused: %+v", result)
	}
	x := newExchange(t, reset)
	client = newClient(t, newSteeredClock(), x.URL, foreign)
	if result := client.Send(safety(t), prepared(t, client, addMargin)); result.Outcome != vigia.CallUnknown || result.SentAt.IsZero() {
		t.Errorf("reset: %+v", result)
	}
}

func TestFailedHandshakeIsUnsent(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(answering(200, "{}"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	client := newClient(t, newSteeredClock(), server.URL) // the certificate is nobody's
	result := client.Send(safety(t), prepared(t, client, addMargin))
	if result.Outcome != vigia.CallUnsent || result.Err == nil || !strings.Contains(result.Err.Error(), "certificate") {
		t.Errorf("%+v", result)
	}
}

func TestTLSWorks(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answering(200, string(fixture(t, "trade-running.json"))))
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client := newClient(t, newSteeredClock(), server.URL, func(o *lnmarkets.Options) {
		o.HTTP = newHTTP(t, lnmarkets.HTTPOptions{TLS: config})
	})
	for range 2 {
		if result := client.Send(safety(t), prepared(t, client, addMargin)); result.Outcome != vigia.CallDone {
			t.Errorf("%+v", result)
		}
	}
}

func TestNoAnswerIsUnknownAfterThreeSeconds(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	arrived := make(chan struct{}, 1)
	x := newExchange(t, func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release })
	t.Cleanup(func() { close(release) })
	clock := newSteeredClock()
	client := newClient(t, clock, x.URL)
	call := prepared(t, client, addMargin)
	results := make(chan vigia.CallResult, 1)
	go func() { results <- client.Send(safety(t), call) }()
	<-arrived
	clock.await(safety(t), t, exactly(3*time.Second))
	clock.Advance(3*time.Second - 1)
	select {
	case result := <-results:
		t.Fatalf("gave up early: %+v", result)
	default:
	}
	clock.Advance(1)
	result := <-results
	if result.Outcome != vigia.CallUnknown || !errors.Is(result.Err, lnmarkets.ErrNoAnswer) || !result.SentAt.Equal(testStart) || !result.AnsweredAt.IsZero() {
		t.Errorf("%+v", result)
	}
}

func TestAContextThatEndsLeavesItUnknown(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the guard stops")
	x := newExchange(t, func(http.ResponseWriter, *http.Request) { cancel(stop); <-release })
	t.Cleanup(func() { close(release) })
	client := newClient(t, newSteeredClock(), x.URL)
	call := prepared(t, client, addMargin)
	if result := client.Send(ctx, call); result.Outcome != vigia.CallUnknown || !errors.Is(result.Err, stop) {
		t.Errorf("while it was on its way: %+v", result)
	}
	if result := client.Send(ctx, call); result.Outcome != vigia.CallUnsent || !errors.Is(result.Err, stop) {
		t.Errorf("before it left: %+v", result)
	}
}
