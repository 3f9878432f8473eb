package lnmarkets_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// The retry matrix of the reference, row by row, for a read, a write that may be
// repeated and one that may not.
func TestRetryMatrix(t *testing.T) {
	t.Parallel()
	trade := string(fixture(t, "trade-running.json"))
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		// How often each is sent when every answer is the same.
		read, again, once int
		outcome           vigia.CallOutcome
	}{
		{"429", answering(429, "", "Retry-After", "1"), 3, 3, 3, vigia.CallUnsent},
		{"the known 503", answering(503, errorBody("SERVICE_UNAVAILABLE", "Trading engine is temporarily unavailable")), 3, 3, 3, vigia.CallUnsent},
		{"503 of a gateway", answering(503, ""), 3, 3, 1, vigia.CallUnknown},
		{"500", answering(500, errorBody("INTERNAL_SERVER_ERROR", "Internal error")), 3, 3, 1, vigia.CallUnknown},
		{"502", answering(502, ""), 3, 3, 1, vigia.CallUnknown},
		{"504", answering(504, ""), 3, 3, 1, vigia.CallUnknown},
		{"reset", reset, 3, 3, 1, vigia.CallUnknown},
		{"cut short", cutShort(trade), 3, 3, 1, vigia.CallUnknown},
		{"no JSON", answering(200, "<html>"), 3, 3, 1, vigia.CallUnknown},
		{"400", answering(400, errorBody("BAD_REQUEST", "no")), 1, 1, 1, vigia.CallRefused},
		{"401", answering(401, errorBody("UNAUTHORIZED", "no")), 1, 1, 1, vigia.CallRefused},
		{"403", answering(403, errorBody("FORBIDDEN", "no")), 1, 1, 1, vigia.CallRefused},
	} {
		for _, call := range []struct {
			name string
			want int
			make func(context.Context, *lnmarkets.Client) error
		}{
			{"read", c.read, func(ctx context.Context, c *lnmarkets.Client) error { return third(c.Running(ctx)) }},
			{"close", c.again, func(ctx context.Context, c *lnmarkets.Client) error { return second(c.Close(ctx, tradeID)) }},
			{"set stop", c.again, func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.SetStopLoss(ctx, tradeID, vigia.Dollars(1)))
			}},
			{"cancel all", c.again, func(ctx context.Context, c *lnmarkets.Client) error { return second(c.CancelAll(ctx)) }},
			{"add margin", c.once, func(ctx context.Context, c *lnmarkets.Client) error { return second(c.AddMargin(ctx, tradeID, 1)) }},
			{"cash in", c.once, func(ctx context.Context, c *lnmarkets.Client) error { return second(c.CashIn(ctx, tradeID, 1)) }},
			{"open", c.once, func(ctx context.Context, c *lnmarkets.Client) error {
				return second(c.NewTrade(ctx, lnmarkets.NewTrade{Type: lnmarkets.Market, Side: lnmarkets.Buy, Leverage: 1, Quantity: 1, ClientID: "c"}))
			}},
		} {
			t.Run(c.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				x := newExchange(t, c.answer)
				clock := newSteeredClock()
				clock.hurry(t, 6*time.Second)
				err := call.make(safety(t), newClient(t, clock, x.URL))
				var failure *lnmarkets.Error
				if !errors.As(err, &failure) || failure.Outcome != c.outcome {
					t.Errorf("got %v", err)
				}
				if came := x.requests(); len(came) != call.want {
					t.Errorf("sent %d times, want %d", len(came), call.want)
				}
			})
		}
	}
}

func TestARetrySucceedsWithASignatureOfItsOwn(t *testing.T) {
	t.Parallel()
	x := newExchange(t, inTurn(answering(502, ""), answering(200, "[]")))
	clock := newSteeredClock()
	clock.hurry(t, 6*time.Second)
	trades, begun, err := newClient(t, clock, x.URL).Running(safety(t))
	if err != nil || len(trades) != 0 {
		t.Fatalf("got %v, %v", trades, err)
	}
	came := x.requests()
	if len(came) != 2 || came[0].header.Get("lnm-access-timestamp") == came[1].header.Get("lnm-access-timestamp") {
		t.Errorf("sent %v", came)
	}
	if !begun.After(testStart) {
		t.Errorf("begun at %s, which is the start of the attempt that failed", begun)
	}
}

// After an attempt nobody answered, a refusal means done or gone: it is told as
// unknown, and as what it is.
func TestARefusalAfterNoAnswerStaysUnknown(t *testing.T) {
	t.Parallel()
	for _, second := range []http.HandlerFunc{
		answering(400, errorBody("BAD_REQUEST", "the trade is not running")),
		answering(429, ""),
	} {
		x := newExchange(t, inTurn(reset, second))
		clock := newSteeredClock()
		clock.hurry(t, 6*time.Second)
		_, err := newClient(t, clock, x.URL).Close(safety(t), tradeID)
		var failure *lnmarkets.Error
		if !errors.As(err, &failure) || failure.Outcome != vigia.CallUnknown || !failure.AfterUnknown || failure.Status == 0 {
			t.Errorf("got %+v", failure)
		}
	}
}

func TestRetriesEndWithTheContext(t *testing.T) {
	t.Parallel()
	x := newExchange(t, answering(502, ""))
	clock := newSteeredClock()
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, clock, x.URL)
	failed := make(chan error, 1)
	go func() { failed <- third(client.Running(ctx)) }()
	clock.await(safety(t), t, func(d time.Duration) bool { return d <= 250*time.Millisecond }) // the back-off
	cancel()
	var failure *lnmarkets.Error
	if err := <-failed; !errors.As(err, &failure) || failure.Status != 502 {
		t.Errorf("got %v", err)
	}
	if came := x.requests(); len(came) != 1 {
		t.Errorf("sent %d times", len(came))
	}
}

func TestRetryAfterHoldsTheBudgetBack(t *testing.T) {
	t.Parallel()
	x := newExchange(t, inTurn(answering(429, "", "Retry-After", "7"), answering(200, string(fixture(t, "trade-running.json")))))
	clock := newSteeredClock()
	client := newClient(t, clock, x.URL)
	first := prepared(t, client, addMargin)
	if result := client.Send(safety(t), first); result.RetryAfter != 7*time.Second {
		t.Fatalf("%+v", result)
	}
	ready := make(chan error, 1)
	ctx := safety(t)
	go func() { ready <- second(client.Prepare(ctx, addMargin)) }()
	if wait := clock.await(ctx, t, func(d time.Duration) bool { return d > 3*time.Second }); wait != 7*time.Second {
		t.Errorf("waits %s", wait)
	}
	clock.Advance(7 * time.Second)
	if err := <-ready; err != nil {
		t.Error(err)
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	t.Parallel()
	call := lnmarkets.Call{Name: "close"}
	cause := errors.New("connection reset by peer")
	for _, c := range []struct {
		err  lnmarkets.Error
		want string
	}{
		{lnmarkets.Error{Call: call, Cause: cause}, "lnmarkets: close: no answer: connection reset by peer"},
		{lnmarkets.Error{Call: call, Status: 400, Code: "BAD_REQUEST", Message: "no"}, "lnmarkets: close: 400 BAD_REQUEST: no"},
		{lnmarkets.Error{Call: call, Status: 400, Code: "BAD_REQUEST"}, "lnmarkets: close: 400 BAD_REQUEST"},
		{lnmarkets.Error{Call: call, Status: 502}, "lnmarkets: close: 502 Bad Gateway"},
		{lnmarkets.Error{Call: call, Status: 200, Cause: cause}, "lnmarkets: close: 200: connection reset by peer"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if c.err.Cause != nil && !errors.Is(&c.err, cause) {
			t.Errorf("%v lost its cause", &c.err)
		}
	}
	refused := lnmarkets.Error{Status: 401}
	denied := lnmarkets.Error{Status: 403}
	if !refused.KeyRefused() || refused.ScopeMissing() || denied.KeyRefused() || !denied.ScopeMissing() {
		t.Error("a refused key and a missing scope are not told apart")
	}
}
