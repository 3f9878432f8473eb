package paper

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// The stream (reference 6.1): JSON-RPC on a WebSocket at /v1.

const (
	streamPath = "/v1"
	// dataEvery is the shortest time between two data of a price topic;
	// bucketsEvery that of the ladder.
	dataEvery    = 250 * time.Millisecond
	bucketsEvery = time.Second
)

// stream knows the sockets and tells them what they subscribed to.
type stream struct {
	server *Server

	mu      sync.Mutex
	sockets map[*socket]struct{}
	told    map[lnmarkets.Topic]toldData
	nonces  map[string]time.Time
	looking bool
}

// toldData is what was last said on a public topic.
type toldData struct {
	what string
	at   time.Time
}

func (st *stream) begin(s *Server) {
	st.server = s
	st.sockets, st.told, st.nonces = map[*socket]struct{}{}, map[lnmarkets.Topic]toldData{}, map[string]time.Time{}
	s.engine.Listen(st.event)
}

// serveStream makes a socket of a handshake. It returns at once; the socket
// lives until it breaks or the server is closed.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	if s.faults.breaks("") {
		cut(w)
		return
	}
	n := &socket{server: s, queue: make(chan []byte, maxQueue), topics: map[lnmarkets.Topic]bool{}}
	n.budget = bucket{tokens: messageRate, at: s.clock.Now()}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: n.pinged})
	if err != nil {
		return // it has been answered
	}
	conn.SetReadLimit(maxFrameBytes)
	life := context.WithoutCancel(r.Context()) // it outlives the handshake
	if !s.start(func() { n.live(life, conn) }) {
		_ = conn.CloseNow() // the server is closing
	}
}

// join makes a socket known, and sees to it that the market is looked at.
func (st *stream) join(n *socket) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sockets[n] = struct{}{}
	if !st.looking {
		st.looking = st.server.start(st.look)
	}
}

func (st *stream) leave(n *socket) {
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.sockets, n)
}

// look publishes again and again while there are sockets: it catches what Moved
// had to leave out, and prices that nobody called Moved for.
func (st *stream) look() {
	for st.server.pause(nil, dataEvery) {
		st.publish()
		st.mu.Lock()
		if len(st.sockets) == 0 {
			st.looking = false
			st.mu.Unlock()
			return
		}
		st.mu.Unlock()
	}
}

// Moved says that the price has moved: sockets are told at once, if they were
// not told a moment ago. Without it they are told within a quarter of a second.
func (s *Server) Moved() { s.stream.publish() }

// publish tells what has changed on the public topics, each not more often than
// its pace allows.
func (st *stream) publish() {
	st.mu.Lock()
	defer st.mu.Unlock()
	topics := map[lnmarkets.Topic]bool{}
	for n := range st.sockets {
		for topic := range n.topics {
			if !topic.Private() && topic != lnmarkets.TopicAnnouncements {
				topics[topic] = true
			}
		}
	}
	if len(topics) == 0 {
		return
	}
	t, now := st.server.engine.Ticker(), st.server.clock.Now()
	for topic := range topics {
		if now.Sub(st.told[topic].at) < paceOf(topic) {
			continue
		}
		what := string(st.server.dataOf(topic, &t, time.Time{}))
		if what == "" || what == st.told[topic].what {
			continue
		}
		st.told[topic] = toldData{what: what, at: now}
		message := notification(topic, st.server.dataOf(topic, &t, t.At))
		for n := range st.sockets {
			if n.topics[topic] {
				n.tellPrice(topic, &t, message)
			}
		}
	}
}

func paceOf(topic lnmarkets.Topic) time.Duration {
	if topic == lnmarkets.TopicBuckets {
		return bucketsEvery
	}
	return dataEvery
}

// event tells an engine's event to the sockets of its account. The engine calls
// it before the call that caused the event returns.
func (st *stream) event(e Event) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var raw []byte
	for n := range st.sockets {
		if n.accountID() != e.Account || !n.topics[lnmarkets.TopicIsolatedTrades] {
			continue
		}
		if raw == nil {
			raw = notification(lnmarkets.TopicIsolatedTrades, eventData(&e))
		}
		n.tell(raw)
	}
}

// dropAll breaks the sockets that a fault is about.
func (st *stream) dropAll() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for n := range st.sockets {
		if st.server.faults.breaks(n.accountID()) {
			n.drop()
		}
	}
}

// fresh says whether a nonce of a key was not used before within the time in
// which its signature counts, and remembers it.
func (st *stream) fresh(key, nonce string, now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	name := key + " " + nonce
	if until, used := st.nonces[name]; used && now.Before(until) {
		return false
	}
	if len(st.nonces) >= manyBuckets {
		for old, until := range st.nonces {
			if !now.Before(until) {
				delete(st.nonces, old)
			}
		}
	}
	st.nonces[name] = now.Add(2*st.server.window + time.Second)
	return true
}

// breaks says whether a fault breaks the socket of an account, or a handshake.
func (f *faults) breaks(account vigia.AccountID) bool {
	return f.strikesSocket(FaultStreamDrop, account, func(a *activeFault) bool { return a.Chance == 0 })
}

// sours says what becomes of data on its way to a socket: the socket breaks, the
// data is swallowed, or an old price takes the place of the new.
func (f *faults) sours(account vigia.AccountID) (breaks, swallowed bool) {
	breaks = f.strikesSocket(FaultStreamDrop, account, func(a *activeFault) bool { return a.Chance > 0 })
	return breaks, f.strikesSocket(FaultStreamSilent, account, nil)
}

func (f *faults) strikesSocket(kind FaultKind, account vigia.AccountID, which func(*activeFault) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.on {
		if a.Kind == kind && (a.Account == "" || a.Account == account) && (which == nil || which(a)) && f.hits(a) {
			return true
		}
	}
	return false
}

// mute says whether a socket answers nothing at all.
func (f *faults) mute(account vigia.AccountID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.on {
		if a.Kind == FaultStreamSilent && !a.Pings && !a.over() && (a.Account == "" || a.Account == account) {
			return true
		}
	}
	return false
}

// repeated is the market that the stream repeats instead of the true one.
func (f *faults) repeated(account vigia.AccountID) (Ticker, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.on {
		if a.Kind == FaultStalePrice && (a.Account == "" || a.Account == account) && f.hits(a) {
			return a.price, true
		}
	}
	return Ticker{}, false
}
