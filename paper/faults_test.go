package paper_test

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
	"github.com/vigiaguard/vigia/paper"
)

// fault switches one on.
func (d *desk) fault(f paper.Fault) int {
	d.Helper()
	id, err := d.server.SetFault(f)
	if err != nil {
		d.Fatal(err)
	}
	return id
}

// adding is a write of one sat to a trade.
func adding(id vigia.TradeID) ask {
	return ask{method: "POST", path: "/futures/isolated/trade/add-margin", body: `{"id":"` + string(id) + `","amount":1}`}
}

// margin is what a trade has now.
func (d *desk) margin(id vigia.TradeID) vigia.Sats { d.Helper(); return d.now(id).Margin }

// last is the newest row of the request log.
func (d *desk) last() paper.Request {
	d.Helper()
	rows := d.server.Requests(0)
	if len(rows) == 0 {
		d.Fatal("the request log is empty")
	}
	return rows[len(rows)-1]
}

// unanswered sends and wants the connection to end without an answer.
func (d *desk) unanswered(a ask) {
	d.Helper()
	if r, err := d.send(a); err == nil {
		d.Errorf("got the answer %d %s", r.status, r.body)
	}
}

func TestAnExchangeThatIsBusyOrDownExecutesNothing(t *testing.T) {
	t.Parallel()
	for kind, want := range map[paper.FaultKind]paper.Outcome{
		paper.FaultTooMany: paper.OutcomeTooMany, paper.FaultUnavailable: paper.OutcomeUnavailable,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			id := d.market(vigia.Long, 1000, 10).ID
			d.fault(paper.Fault{Kind: kind, Call: "add-margin", Count: 1})
			c := d.client(d.key)
			call, err := c.Prepare(t.Context(), vigia.Order{Action: vigia.ActionAddMargin, Trade: id, Amount: 5})
			if err != nil {
				t.Fatal(err)
			}
			result := c.Send(t.Context(), call)
			equal(t, "outcome", result.Outcome, vigia.CallUnsent)
			equal(t, "margin", d.margin(id), 100_000)
			row := d.last()
			equal(t, "the log's outcome", row.Outcome, want)
			equal(t, "the log's signature", row.Signature, call.Signature)
			equal(t, "the log's amount", row.Amount, 5)
			equal(t, "the log's fault", row.Fault, kind)
			equal(t, "the second time", c.Send(t.Context(), call).Outcome, vigia.CallDone)
		})
	}
}

func TestReadsFailWhileWritesWork(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	fault := d.fault(paper.Fault{Kind: paper.FaultReadsFail})
	for _, path := range []string{"/account", "/futures/isolated/trades/running", "/futures/cross/position"} {
		d.refusedWith(ask{method: "GET", path: path}, 503, paper.CodeUnavailable)
	}
	equal(t, "public reads", d.get(ask{method: "GET", path: "/futures/ticker"}).status, 200)
	equal(t, "a write", d.get(adding(id)).status, 200)
	equal(t, "margin", d.margin(id), 100_001)
	if !d.server.ClearFault(fault) || d.server.ClearFault(fault) {
		t.Error("a fault is cleared once")
	}
	equal(t, "afterwards", d.get(ask{method: "GET", path: "/account"}).status, 200)
}

func TestASlowExchangeExecutesAtOnceAndAnswersLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	d.fault(paper.Fault{Kind: paper.FaultSlow, Delay: 2 * time.Second, Call: paper.AllWrites})
	d.fault(paper.Fault{Kind: paper.FaultSlow, Delay: time.Second, Count: 1})
	answered := make(chan *reply, 1)
	go func() {
		r, _ := d.send(adding(id))
		answered <- r
	}()
	waiting(t, d.clock, 1)
	equal(t, "executed", d.margin(id), 100_001)
	d.clock.Advance(2999 * time.Millisecond)
	select {
	case r := <-answered:
		t.Errorf("answered early: %+v", r)
	default:
	}
	d.clock.Advance(time.Millisecond)
	if r := <-answered; r == nil || r.status != 200 {
		t.Errorf("got %+v", r)
	}
	equal(t, "a read is as fast as ever", d.get(ask{method: "GET", path: "/account"}).status, 200)
}

func TestAConnectionResetBeforeExecution(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	d.fault(paper.Fault{Kind: paper.FaultReset, Call: "add-margin", Count: 1})
	d.unanswered(adding(id))
	equal(t, "margin", d.margin(id), 100_000)
	equal(t, "outcome", d.last().Outcome, paper.OutcomeCut)
}

func TestAnAnswerLostAfterExecution(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	d.fault(paper.Fault{Kind: paper.FaultLost, Call: "add-margin", Count: 1})
	c := d.client(d.key)
	call, err := c.Prepare(t.Context(), vigia.Order{Action: vigia.ActionAddMargin, Trade: id, Amount: 7})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "what the SDK knows", c.Send(t.Context(), call).Outcome, vigia.CallUnknown)
	equal(t, "margin", d.margin(id), 100_007)
	row := d.last()
	equal(t, "outcome", row.Outcome, paper.OutcomeExecuted)
	equal(t, "amount", row.Amount, 7)
	equal(t, "trade", row.Trade, id)
	equal(t, "signature", row.Signature, call.Signature)
	equal(t, "signed at", row.SignedAt, call.SignedAt)
}

func TestAnAnswerLostAndExecutedLater(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delay  time.Duration
		beyond bool
		want   paper.Outcome
		margin vigia.Sats
	}{
		"while the signature counts":     {30 * time.Second, false, paper.OutcomeExecuted, 100_001},
		"when it does no longer":         {30*time.Second + time.Millisecond, false, paper.OutcomeExpired, 100_000},
		"beyond the window all the same": {time.Minute, true, paper.OutcomeExecuted, 100_001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			id := d.market(vigia.Long, 1000, 10).ID
			d.fault(paper.Fault{Kind: paper.FaultLate, Delay: c.delay, BeyondWindow: c.beyond, Call: "add-margin"})
			received := d.clock.Now()
			d.unanswered(adding(id))
			waiting(t, d.clock, 1)
			equal(t, "before", d.last().Outcome, paper.OutcomeWaiting)
			equal(t, "margin before", d.margin(id), 100_000)
			d.clock.Advance(c.delay)
			until(t, "it ends", func() bool { return d.last().Outcome != paper.OutcomeWaiting })
			row := d.last()
			equal(t, "outcome", row.Outcome, c.want)
			equal(t, "received", row.ReceivedAt, received)
			equal(t, "ended", row.EndedAt, received.Add(c.delay))
			equal(t, "margin", d.margin(id), c.margin)
		})
	}
}

func TestWhatIsToBeExecutedLaterDiesWithTheServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	d.fault(paper.Fault{Kind: paper.FaultLate, Delay: time.Second})
	d.unanswered(adding(id))
	d.server.Close()
	equal(t, "outcome", d.last().Outcome, paper.OutcomeAbandoned)
	d.unanswered(adding(id))
	equal(t, "of a closed server", d.last().Outcome, paper.OutcomeAbandoned)
	equal(t, "margin", d.margin(id), 100_000)
}

func TestAClientThatIsLeftHangingGivesUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	d.fault(paper.Fault{Kind: paper.FaultLost, Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		resp, err := d.http.Do(d.build(adding(id)).WithContext(ctx))
		if err == nil {
			_ = resp.Body.Close()
		}
		ended <- err
	}()
	until(t, "it is executed", func() bool { return d.margin(id) == 100_001 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnOlderAnswerAfterANewerOne(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.market(vigia.Long, 1000, 10).ID
	d.fault(paper.Fault{Kind: paper.FaultStaleRead, Call: "running-trades", Count: 1})
	running := ask{method: "GET", path: "/futures/isolated/trades/running"}
	first := d.get(running)
	equal(t, "the same again", d.get(running).body, first.body)
	d.get(adding(id))
	second := d.get(running)
	if second.body == first.body {
		t.Fatal("the margin was not added")
	}
	equal(t, "the older one", d.get(running).body, first.body)
	equal(t, "and the newer again", d.get(running).body, second.body)
	equal(t, "struck", d.server.Faults()[0].Struck, 1)
}

func TestAClockThatIsOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.fault(paper.Fault{Kind: paper.FaultClockOff, Shift: time.Minute})
	at, err := d.public().Time(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "time", at, d.clock.Now().Add(time.Minute))
	account := ask{method: "GET", path: "/account"}
	d.refusedWith(account, 401, paper.CodeUnauthorized)
	account.at = d.clock.Now().Add(time.Minute)
	equal(t, "by the server's clock", d.get(account).status, 200)
	wantError(t, "the stream's too", d.dial().authenticate(credentialsOf(&d.key, d.clock.Now(), "0123456789")), -32001, "UNAUTHORIZED")

	offset := lnmarkets.NewOffset(d.clock)
	if _, err := d.public().MeasureOffset(t.Context(), offset, 1); err != nil {
		t.Fatal(err)
	}
	equal(t, "measured", offset.Last().Ahead, time.Minute)
	d.server.ClearFaults()
	equal(t, "afterwards", d.get(ask{method: "GET", path: "/account"}).status, 200)
}

func TestFaultsStrikeWhomTheyAreFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	other, err := d.NewAccount(1)
	if err != nil {
		t.Fatal(err)
	}
	d.fault(paper.Fault{Kind: paper.FaultUnavailable, Account: d.acc, Call: "account"})
	d.refusedWith(ask{method: "GET", path: "/account"}, 503, paper.CodeUnavailable)
	equal(t, "another account", d.get(ask{method: "GET", path: "/account", key: other}).status, 200)
	equal(t, "another call", d.get(ask{method: "GET", path: "/futures/cross/position"}).status, 200)
	d.server.ClearFaults()
	d.fault(paper.Fault{Kind: paper.FaultTooMany, Call: paper.AllReads})
	r := d.refusedWith(ask{method: "GET", path: "/futures/ticker"}, 429, paper.CodeTooMany)
	equal(t, "Retry-After", r.header.Get("Retry-After"), "1")
	equal(t, "a write", d.get(ask{method: "POST", path: "/futures/isolated/trades/cancel-all"}).status, 200)
}

func TestTheFirstFaultThatStrikesCounts(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.fault(paper.Fault{Kind: paper.FaultUnavailable, Count: 1})
	d.fault(paper.Fault{Kind: paper.FaultTooMany, Count: 1})
	account := ask{method: "GET", path: "/account"}
	var got []int
	for range 3 {
		got = append(got, d.get(account).status)
	}
	if want := []int{503, 429, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAChanceFollowsFromTheSeed(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) string {
		d := newDesk(t, func(o *paper.ServerOptions) { o.Seed = seed })
		d.fault(paper.Fault{Kind: paper.FaultUnavailable, Chance: 30 * vigia.OnePercent, Call: "ping"})
		out := ""
		for range 200 {
			if d.get(ask{method: "GET", path: "/ping"}).status == http.StatusOK {
				out += "."
			} else {
				out += "x"
			}
		}
		return out
	}
	one := draw(1)
	equal(t, "the same seed", draw(1), one)
	if draw(2) == one {
		t.Error("another seed draws the same")
	}
	if n := strings.Count(one, "x"); n < 40 || n > 80 {
		t.Errorf("struck %d times of 200 at 30 %%", n)
	}
}

func TestTheStreamRepeatsAnOldPrice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.subscribe(lnmarkets.TopicLastPrice, lnmarkets.TopicTicker)
	w.told(lnmarkets.TopicTicker)
	d.fault(paper.Fault{Kind: paper.FaultStalePrice})
	d.price(90_000)
	d.server.Moved()
	for _, topic := range []lnmarkets.Topic{lnmarkets.TopicLastPrice, lnmarkets.TopicTicker} {
		w.waiting = nil
		if got := w.told(topic); !strings.Contains(got, `"lastPrice":100000`) {
			t.Errorf("%s: got %s", topic, got)
		}
		d.clock.Advance(time.Second)
		d.price(91_000)
		d.server.Moved()
	}
	if r := d.get(ask{method: "GET", path: "/futures/ticker"}); !strings.Contains(r.body, `"lastPrice":91000`) {
		t.Errorf("REST says %s", r.body)
	}
	d.server.ClearFaults()
	d.clock.Advance(time.Second)
	d.price(92_000)
	d.server.Moved()
	until(t, "the true price comes back", func() bool { return strings.Contains(w.told(lnmarkets.TopicLastPrice), `"lastPrice":92000`) })
}

func TestStreamsAreDropped(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	mine, others := d.dial(), d.dial()
	mine.login()
	others.ask("ping", "")
	d.fault(paper.Fault{Kind: paper.FaultStreamDrop, Account: d.acc, Count: 2})
	if f, err := mine.read(); err == nil {
		t.Errorf("got %+v", f)
	}
	equal(t, "a socket of nobody", string(others.ask("ping", "").Result), `"pong"`)
	again := d.dial()
	again.write(`{"jsonrpc":"2.0","id":"1","method":"authenticate","params":` + paramsOf(credentialsOf(&d.key, d.clock.Now(), "0123456789")) + `}`)
	for err := error(nil); err == nil; { // an answer may come before the end
		_, err = again.read()
	}
	d.dial().login() // the third time it is over
	d.fault(paper.Fault{Kind: paper.FaultStreamDrop})
	if _, err := d.tryDial(); err == nil {
		t.Error("a new socket was made")
	}
	if f, err := others.read(); err == nil {
		t.Errorf("got %+v", f)
	}
}

func TestStreamsBreakWithAChanceWhileDataIsSent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	d.fault(paper.Fault{Kind: paper.FaultStreamDrop, Chance: 50 * vigia.OnePercent})
	w.write(`{"jsonrpc":"2.0","id":"1","method":"subscribe","params":{"topics":["futures/inverse/btc_usd/lastPrice"]}}`)
	for i := int64(1); ; i++ {
		d.price(100_000 + i)
		d.clock.Advance(time.Second)
		d.server.Moved()
		if _, err := w.read(); err != nil {
			break
		}
	}
}

func TestASilentStream(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.login()
	w.subscribe(lnmarkets.TopicLastPrice, lnmarkets.TopicIsolatedTrades)
	w.told(lnmarkets.TopicLastPrice)
	fault := d.fault(paper.Fault{Kind: paper.FaultStreamSilent, Pings: true})
	d.price(99_000)
	d.server.Moved()
	d.market(vigia.Long, 10, 1)
	w.quiet("a silent stream")
	d.server.ClearFault(fault)
	equal(t, "pongs of the protocol", d.server.Pongs(), true)
	d.market(vigia.Long, 10, 1)
	if got := w.told(lnmarkets.TopicIsolatedTrades); !strings.Contains(got, `"filled"`) {
		t.Errorf("afterwards: got %s", got)
	}
}

func TestAStreamThatAnswersNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	d.fault(paper.Fault{Kind: paper.FaultStreamSilent})
	equal(t, "pongs of the protocol", d.server.Pongs(), false)
	w.write(`{"jsonrpc":"2.0","id":"lost","method":"ping"}`)
	w.write(`{"jsonrpc":"2.0","id":"too","method":"subscribe","params":{"topics":["futures/inverse/btc_usd/lastPrice"]}}`)
	until(t, "the price is swallowed", func() bool { return d.server.Faults()[0].Struck == 1 })
	d.server.ClearFaults()
	w.ask("ping", "")
	if len(w.waiting) > 0 {
		t.Errorf("what was not answered stays so: got %+v", w.waiting)
	}
}
