package paper

import (
	"context"
	"crypto/hmac"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

const (
	// messageRate is how many messages a socket may send in a second.
	messageRate = 10
	// maxQueue is how many messages wait for a slow reader before it is dropped.
	maxQueue = 256
	// maxFrameBytes bounds a message of a client.
	maxFrameBytes = 64 << 10
	maxTopics     = 100
)

// socket is one client of the stream. One goroutine reads, another writes; what
// is written waits in the queue.
type socket struct {
	server *Server
	queue  chan []byte
	budget bucket // of the reading goroutine

	// topics is guarded by the stream's lock.
	topics map[lnmarkets.Topic]bool

	mu      sync.Mutex
	cancel  context.CancelFunc
	account *AccountKey
}

// live reads and answers until the socket breaks.
func (n *socket) live(ctx context.Context, conn *websocket.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.mu.Lock()
	n.cancel = cancel
	n.mu.Unlock()
	n.server.stream.join(n)
	var writer sync.WaitGroup
	writer.Go(func() {
		defer cancel()
		n.write(ctx, conn)
	})
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			break
		}
		n.handle(kind == websocket.MessageText, message)
	}
	cancel()
	n.server.stream.leave(n)
	writer.Wait()
	_ = conn.CloseNow() // whatever it still had to say, it is over
}

func (n *socket) write(ctx context.Context, conn *websocket.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.server.ended:
			return
		case message := <-n.queue:
			if err := conn.Write(ctx, websocket.MessageText, message); err != nil {
				return
			}
		}
	}
}

// put lets a message wait for the writer; a reader that is too slow is dropped.
func (n *socket) put(message []byte) {
	select {
	case n.queue <- message:
	default:
		n.drop()
	}
}

// drop breaks the socket without a word: clients come back after that.
func (n *socket) drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cancel != nil {
		n.cancel()
	}
}

// tell gives data to the socket, as far as no fault is in the way.
func (n *socket) tell(message []byte) {
	breaks, swallowed := n.server.faults.sours(n.accountID())
	switch {
	case breaks:
		n.drop()
	case !swallowed:
		n.put(message)
	}
}

// tellPrice gives the message of a public topic, or what a fault repeats in its
// place, as if it were of now.
func (n *socket) tellPrice(topic lnmarkets.Topic, t *Ticker, message []byte) {
	if old, stale := n.server.faults.repeated(n.accountID()); stale {
		message = notification(topic, n.server.dataOf(topic, &old, t.At))
	}
	n.tell(message)
}

// pinged says whether a ping of the protocol is answered.
func (n *socket) pinged(context.Context, []byte) bool { return !n.server.faults.mute(n.accountID()) }

func (n *socket) accountID() vigia.AccountID {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.account == nil {
		return ""
	}
	return n.account.ID
}

// authenticate makes the socket an account's (reference 6.1).
func (n *socket) authenticate(in lnmarkets.AuthenticateParams) (any, *rpcError) {
	key, err := n.server.keyed(in.Key, in.Passphrase)
	if err != nil {
		return nil, notAuthenticated(err.Error())
	}
	if len(in.Nonce) < 8 || len(in.Nonce) > 128 {
		return nil, badParams("nonce takes 8 to 128 characters")
	}
	if !n.server.inWindow(in.Timestamp.Time()) {
		return nil, notAuthenticated(expired().Message)
	}
	want := lnmarkets.StreamSignature(key.Secret, in.Timestamp, in.Nonce)
	if !hmac.Equal([]byte(want), []byte(in.Signature)) {
		return nil, notAuthenticated("Signature is not valid")
	}
	if !n.server.stream.fresh(in.Key, in.Nonce, n.server.Now()) {
		return nil, notAuthenticated("Nonce was used before")
	}
	n.mu.Lock()
	n.account = &key
	n.mu.Unlock()
	if n.server.faults.breaks(key.ID) {
		n.drop()
	}
	return lnmarkets.AuthenticateResult{Authenticated: true, Permissions: key.Scopes}, nil
}

func (n *socket) whoami() (any, *rpcError) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.account == nil {
		return nil, notAuthenticated("Not authenticated")
	}
	return lnmarkets.Whoami{APIKey: n.account.Key, UserID: string(n.account.ID), Permissions: n.account.Scopes}, nil
}

// mayHear refuses topics that there are not, or not for this socket.
func (n *socket) mayHear(topics []lnmarkets.Topic) *rpcError {
	if len(topics) == 0 || len(topics) > maxTopics {
		return badParams("topics takes 1 to 100 topics")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, topic := range topics {
		switch {
		case !known(topic):
			return badParams("Unknown topic " + string(topic))
		case !topic.Private():
		case n.account == nil:
			return notAuthenticated("Not authenticated")
		case !has(n.account.Scopes, scopeOfTopic(topic)):
			return &rpcError{-32003, CodeForbidden, forbidden(scopeOfTopic(topic)).Message}
		}
	}
	return nil
}

func known(topic lnmarkets.Topic) bool {
	switch topic {
	case lnmarkets.TopicAnnouncements, lnmarkets.TopicTicker, lnmarkets.TopicLastPrice, lnmarkets.TopicIndex,
		lnmarkets.TopicBuckets, lnmarkets.TopicFunding:
		return true
	}
	_, candles := topic.Candles()
	return candles || topic.Private()
}

func scopeOfTopic(topic lnmarkets.Topic) string {
	switch topic {
	case lnmarkets.TopicIsolatedTrades:
		return vigia.ScopeIsolatedRead
	case lnmarkets.TopicDeposit:
		return ScopeDepositsRead
	case lnmarkets.TopicWithdrawal:
		return ScopeWithdrawalsRead
	}
	return vigia.ScopeCrossRead
}

// hear subscribes, and says how things are. The stream's lock is held.
func (n *socket) hear(topics []lnmarkets.Topic) {
	t := n.server.engine.Ticker()
	for _, topic := range topics {
		n.topics[topic] = true
		if data := n.server.dataOf(topic, &t, t.At); data != nil {
			n.tellPrice(topic, &t, notification(topic, data))
		}
	}
}

// unhear unsubscribes and gives what was subscribed to of it. The stream's lock
// is taken.
func (n *socket) unhear(topics []lnmarkets.Topic) []lnmarkets.Topic {
	n.server.stream.mu.Lock()
	defer n.server.stream.mu.Unlock()
	gone := []lnmarkets.Topic{}
	for _, topic := range topics {
		if n.topics[topic] {
			delete(n.topics, topic)
			gone = append(gone, topic)
		}
	}
	return gone
}

func (n *socket) heard() []lnmarkets.Topic {
	n.server.stream.mu.Lock()
	defer n.server.stream.mu.Unlock()
	var out []lnmarkets.Topic
	for topic := range n.topics {
		out = append(out, topic)
	}
	slices.Sort(out)
	return out
}

// allowed takes one message of the rate, and says how many are left.
func (n *socket) allowed(now time.Time) (bool, int) {
	ok := n.budget.take(messageRate, messageRate, now)
	return ok, int(n.budget.tokens)
}
