package lnmarkets_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia/lnmarkets"
)

// venue is a stream server with switches. It answers every method as the
// reference says and hands each socket to the test once it has subscribed.
type venue struct {
	t       testing.TB
	url     string
	sockets chan *socket

	// The switches, set before the first connect.
	mute       func(method string) bool
	refuse     func(method string) *lnmarkets.FrameError
	subscribed func([]lnmarkets.Topic) []lnmarkets.Topic
	noPong     bool
	left       int // messages left, told with every answer; 0 tells nothing
}

// socket is one connection as the venue sees it.
type socket struct {
	venue *venue
	conn  *websocket.Conn
	ctx   context.Context
	// frames are all requests, as they came.
	frames chan lnmarkets.Frame
}

func newVenue(t testing.TB, set ...func(*venue)) *venue {
	t.Helper()
	v := &venue{
		t: t, sockets: make(chan *socket, 100),
		mute:       func(string) bool { return false },
		refuse:     func(string) *lnmarkets.FrameError { return nil },
		subscribed: func(topics []lnmarkets.Topic) []lnmarkets.Topic { return topics },
	}
	for _, f := range set {
		f(v)
	}
	var serving sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serving.Add(1)
		defer serving.Done()
		v.accept(w, r)
	}))
	v.url = "ws" + strings.TrimPrefix(server.URL, "http") + "/v1"
	t.Cleanup(func() { server.Close(); serving.Wait() })
	return v
}

func (v *venue) accept(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool { return !v.noPong },
	})
	if err != nil {
		v.t.Errorf("accepting a socket: %v", err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	s := &socket{venue: v, conn: conn, ctx: context.Background(), frames: make(chan lnmarkets.Frame, 1000)}
	for {
		_, raw, err := conn.Read(s.ctx)
		if err != nil {
			return
		}
		var f lnmarkets.Frame
		if err := json.Unmarshal(raw, &f); err != nil || f.ID == nil || f.JSONRPC != "2.0" {
			v.t.Errorf("not a request: %s: %v", raw, err)
			return
		}
		s.frames <- f
		if !v.mute(f.Method) {
			s.respond(f)
		}
		if f.Method == lnmarkets.MethodSubscribe {
			v.sockets <- s
		}
	}
}

func (s *socket) respond(f lnmarkets.Frame) {
	answer := lnmarkets.Frame{JSONRPC: "2.0", ID: f.ID, UsIn: 1, UsOut: 2, UsDiff: 1}
	if s.venue.left != 0 {
		answer.RateLimit = &lnmarkets.FrameLimit{Remaining: lnmarkets.Int(s.venue.left), Limit: 10}
	}
	if refused := s.venue.refuse(f.Method); refused != nil {
		answer.Error = refused
		s.send(answer)
		return
	}
	answer.Result = s.result(f)
	s.send(answer)
}

func (s *socket) result(f lnmarkets.Frame) json.RawMessage {
	var topics lnmarkets.TopicList
	switch f.Method {
	case lnmarkets.MethodHello:
		return json.RawMessage(`{"version":"1.0.0"}`)
	case lnmarkets.MethodPing:
		return json.RawMessage(`"pong"`)
	case lnmarkets.MethodTime:
		return json.RawMessage(`{"time":1767225601250}`)
	case lnmarkets.MethodWhoami:
		return json.RawMessage(`{"apiKey":"k","userId":"u","permissions":["account:read","futures:isolated:write"]}`)
	case lnmarkets.MethodAuthenticate:
		return s.authenticate(f)
	case lnmarkets.MethodSubscribe:
		s.decode(f.Params, &topics)
		return s.encode(lnmarkets.Subscribed{Subscribed: s.venue.subscribed(topics.Topics)})
	case lnmarkets.MethodUnsubscribe:
		s.decode(f.Params, &topics)
		return s.encode(lnmarkets.Unsubscribed{Unsubscribed: topics.Topics})
	}
	s.venue.t.Errorf("unknown method %q", f.Method)
	return nil
}

func (s *socket) authenticate(f lnmarkets.Frame) json.RawMessage {
	var p lnmarkets.AuthenticateParams
	s.decode(f.Params, &p)
	good := p.Key == testKey && p.Passphrase == testPassphrase && len(p.Nonce) == 32 &&
		p.Signature == independentHMAC(testSecret, fmt.Sprint(int64(p.Timestamp))+p.Nonce)
	return s.encode(lnmarkets.AuthenticateResult{Authenticated: good, Permissions: []string{"futures:isolated:write"}})
}

func (s *socket) decode(raw json.RawMessage, v any) {
	if err := json.Unmarshal(raw, v); err != nil {
		s.venue.t.Errorf("%s: %v", raw, err)
	}
}

func (s *socket) encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		s.venue.t.Errorf("%T: %v", v, err)
	}
	return raw
}

// send writes to a socket that may be gone already.
func (s *socket) send(v any) { s.write(string(s.encode(v))) }

func (s *socket) write(text string) { _ = s.conn.Write(s.ctx, websocket.MessageText, []byte(text)) }

func (s *socket) notify(topic lnmarkets.Topic, data string) {
	s.write(fmt.Sprintf(`{"jsonrpc":"2.0","method":"subscription","params":{"topic":%q,"data":%s}}`, topic, data))
}

func (s *socket) price(dollars int) {
	s.notify(lnmarkets.TopicLastPrice, fmt.Sprintf(`{"time":1767225600000,"lastPrice":%d}`, dollars))
}

func (s *socket) closedTrade(id string) {
	s.notify(lnmarkets.TopicIsolatedTrades, fmt.Sprintf(`{"pair":"btc_usd","event":"closed","trade":{"id":%q,"closedAt":1767225600000,"closingFee":1,"pl":-5,"exitPrice":95000.5,"clientId":null}}`, id))
}

// methods drains what came so far.
func (s *socket) methods() []string {
	var all []string
	for {
		select {
		case f := <-s.frames:
			all = append(all, f.Method)
		default:
			return all
		}
	}
}

// The times of the streams under test, each of a length of its own so that a
// timer can be told by it.
const (
	pingEvery    = 7 * time.Second
	answerWithin = 3 * time.Second
	proveWithin  = 11 * time.Second
	backoffMost  = 40 * time.Second
)

// follower runs a stream and keeps what it tells.
type follower struct {
	*lnmarkets.Stream
	t      testing.TB
	ctx    context.Context
	clock  *steeredClock
	venue  *venue
	events chan lnmarkets.Event
	stop   context.CancelCauseFunc
	ended  chan error
}

func follow(t testing.TB, v *venue, set ...func(*lnmarkets.StreamOptions)) *follower {
	t.Helper()
	return followWith(t, v, nil, set...)
}

// followWith lets the reader wait for a gate before each event.
func followWith(t testing.TB, v *venue, gate <-chan struct{}, set ...func(*lnmarkets.StreamOptions)) *follower {
	t.Helper()
	f := &follower{t: t, ctx: safety(t), clock: newSteeredClock(), venue: v, events: make(chan lnmarkets.Event, 10_000), ended: make(chan error, 1)}
	o := lnmarkets.StreamOptions{URL: v.url, Clock: f.clock, PingEvery: pingEvery, AnswerWithin: answerWithin, ProveWithin: proveWithin, BackoffMost: backoffMost}
	for _, change := range set {
		change(&o)
	}
	stream, err := lnmarkets.NewStream(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Stream = stream
	ctx, cancel := context.WithCancelCause(f.ctx)
	f.stop = cancel
	go func() {
		f.ended <- stream.Run(ctx, func(e lnmarkets.Event) {
			if gate != nil {
				<-gate
			}
			f.events <- e
		})
		close(f.ended)
	}()
	t.Cleanup(func() {
		cancel(nil)
		for range f.ended { // until Run has returned
		}
	})
	return f
}

func private(o *lnmarkets.StreamOptions) {
	key := credentials()
	o.Credentials = &key
	o.Topics = lnmarkets.PrivateTopics()
}

// socket is the next one that subscribes.
func (f *follower) socket() *socket {
	f.t.Helper()
	select {
	case s := <-f.venue.sockets:
		return s
	case <-f.ctx.Done():
		f.t.Fatal("no socket came")
		return nil
	}
}

// await returns the next event of a type, passing over others.
func await[E lnmarkets.Event](f *follower) E {
	f.t.Helper()
	for {
		select {
		case e := <-f.events:
			if wanted, ok := e.(E); ok {
				return wanted
			}
		case <-f.ctx.Done():
			var wanted E
			f.t.Fatalf("no %T came", wanted)
		}
	}
}

// proved brings the stream up: the next socket, with a price on it.
func (f *follower) proved(dollars int) *socket {
	f.t.Helper()
	s := f.socket()
	s.price(dollars)
	await[lnmarkets.Proved](f)
	return s
}

// passBackoff lets the wait after the last Closed pass.
func (f *follower) passBackoff(closed lnmarkets.Closed) {
	f.t.Helper()
	f.clock.await(f.ctx, f.t, exactly(closed.RetryIn))
	f.clock.Advance(closed.RetryIn)
}
