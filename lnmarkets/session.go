package lnmarkets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia"
)

// longestFrame bounds one message; the largest of the exchange are far smaller.
const longestFrame = 1 << 20

// session is one socket, from its handshake to its end. One goroutine reads it
// (read), one leads it (live); others may call.
type session struct {
	stream *Stream
	box    *mailbox
	conn   *websocket.Conn
	clock  vigia.Clock
	budget *Budget
	cancel context.CancelCauseFunc
	// data is closed when the topic that proves the subscription brought some.
	data chan struct{}

	mu       sync.Mutex
	calls    int
	pending  map[string]chan *Frame
	gotData  bool
	isProved bool
}

// connect makes one socket and stays with it until it ends: proved says whether
// it ever was.
func (s *Stream) connect(ctx context.Context, box *mailbox) (proved bool, err error) {
	n, err := s.dial(ctx, box)
	if err != nil {
		return false, err
	}
	ctx, n.cancel = context.WithCancelCause(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { n.cancel(n.read(ctx)) })
	err = n.live(ctx)
	n.cancel(err)
	_ = n.conn.CloseNow() // it is being given up, whatever it says
	reader.Wait()
	return n.proved(), err
}

func (s *Stream) dial(ctx context.Context, box *mailbox) (*session, error) {
	ctx, stop := within(ctx, s.o.Clock, s.o.AnswerWithin)
	defer stop()
	conn, _, err := websocket.Dial(ctx, s.o.URL, &websocket.DialOptions{HTTPClient: s.o.HTTP}) //nolint:bodyclose // the body is the socket, and closed with it
	if err != nil {
		return nil, fmt.Errorf("lnmarkets: connecting the stream: %w", errors.Join(err, causeOf(ctx)))
	}
	conn.SetReadLimit(longestFrame)
	return &session{stream: s, box: box, conn: conn, clock: s.o.Clock, budget: NewBudget(s.o.Clock, socketRate()),
		data: make(chan struct{}), pending: map[string]chan *Frame{}}, nil
}

// live does the handshake and then keeps the socket alive. The reader's failure
// comes through ctx.
func (n *session) live(ctx context.Context) error {
	connected, err := n.greet(ctx)
	if err != nil {
		return err
	}
	connected.At = n.clock.Now()
	_ = n.box.put(connected) // a state always fits
	topics := n.stream.attach(n)
	defer n.stream.detach(n)
	if err := n.subscribe(ctx, topics); err != nil {
		return err
	}
	return n.keep(ctx, n.clock.Now())
}

// greet says hello and authenticates. A server that does not know hello is a
// server all the same.
func (n *session) greet(ctx context.Context) (Connected, error) {
	var hello HelloResult
	var refused *StreamError
	o := &n.stream.o
	_, err := n.call(ctx, MethodHello, HelloParams{ClientName: o.ClientName, ClientVersion: o.ClientVersion}, &hello)
	if err != nil && !errors.As(err, &refused) {
		return Connected{}, err
	}
	connected := Connected{Version: hello.Version}
	if o.Credentials == nil {
		return connected, nil
	}
	permissions, err := n.authenticate(ctx, o.Credentials)
	connected.Permissions = permissions
	return connected, err
}

func (n *session) authenticate(ctx context.Context, key *vigia.Credentials) ([]string, error) {
	stamp, nonce := MillisOf(n.stream.o.Offset.Now()), newNonce()
	var result AuthenticateResult
	_, err := n.call(ctx, MethodAuthenticate, AuthenticateParams{
		Key: key.Key.Reveal(), Passphrase: key.Passphrase.Reveal(), Timestamp: stamp, Nonce: nonce,
		Signature: StreamSignature(key.Secret, stamp, nonce),
	}, &result)
	var refused *StreamError
	if errors.As(err, &refused) && refused.KeyRefused() {
		return nil, fmt.Errorf("%w: %w", ErrKeyRefused, err)
	}
	if err != nil {
		return nil, err
	}
	if !result.Authenticated {
		return nil, ErrKeyRefused
	}
	return result.Permissions, nil
}

// subscribe asks for topics; one that is missing from the answer is an error.
func (n *session) subscribe(ctx context.Context, topics []Topic) error {
	var result Subscribed
	if _, err := n.call(ctx, MethodSubscribe, TopicList{Topics: topics}, &result); err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(topics), func(t Topic) bool { return slices.Contains(result.Subscribed, t) })
	if len(missing) > 0 {
		return fmt.Errorf("%w to %v", ErrNotSubscribed, missing)
	}
	return nil
}

// keep waits for the proof and beats, until something fails.
func (n *session) keep(ctx context.Context, subscribed time.Time) error {
	proof, beat := n.clock.NewTimer(n.stream.o.ProveWithin), n.clock.NewTimer(n.stream.o.PingEvery)
	defer func() { proof.Stop(); beat.Stop() }()
	data := n.data
	for {
		select {
		case <-data:
			proof.Stop()
			data = nil
			n.prove(subscribed)
		default:
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-data:
		case <-proof.C():
			return fmt.Errorf("%w within %s on %s", ErrUnproved, n.stream.o.ProveWithin, n.stream.o.Prove)
		case <-beat.C():
			if err := n.beat(ctx, data == nil); err != nil {
				return err
			}
			beat = n.clock.NewTimer(n.stream.o.PingEvery)
		}
	}
}

// prove tells that data flows, and what may have been missed before it did.
func (n *session) prove(subscribed time.Time) {
	s, at := n.stream, n.clock.Now()
	n.mu.Lock()
	n.isProved = true
	n.mu.Unlock()
	s.mu.Lock()
	from := s.heard
	s.heard = at
	s.mu.Unlock()
	_ = n.box.put(Proved{At: at}) // a state always fits
	if !from.IsZero() {
		_ = n.box.put(Gap{From: from, To: subscribed})
	}
}

func (n *session) proved() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.isProved
}

// beat sends both pings and waits for both answers.
func (n *session) beat(ctx context.Context, proved bool) error {
	limited, stop := within(ctx, n.clock, n.stream.o.AnswerWithin)
	defer stop()
	if err := n.conn.Ping(limited); err != nil {
		return n.silent(ctx, errors.Join(err, causeOf(limited)))
	}
	sent, err := n.ping(limited)
	if err != nil {
		return n.silent(ctx, err)
	}
	if proved {
		_ = n.box.put(Confirmed{At: sent, RoundTrip: n.clock.Now().Sub(sent)}) // the latest always fits
	}
	return nil
}

// silent tells a heartbeat that was not answered from a socket that had ended.
func (n *session) silent(ctx context.Context, err error) error {
	if cause := causeOf(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrSilent, err)
}

func (n *session) ping(ctx context.Context) (time.Time, error) {
	var pong string
	sent, err := n.call(ctx, MethodPing, nil, &pong)
	if err == nil && pong != "pong" {
		err = fmt.Errorf("%w: ping was answered with %q", ErrUnreadable, pong)
	}
	return sent, err
}

// attach makes n the session that calls go to, and says what it has to
// subscribe to.
func (s *Stream) attach(n *session) []Topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = n
	return slices.Clone(s.topics)
}

func (s *Stream) detach(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == n {
		s.now = nil
	}
}

// Identify connects once, authenticates, and asks whose key it is and what it
// may do. Nothing is left open.
func Identify(ctx context.Context, o StreamOptions) (Whoami, error) {
	if o.Credentials == nil {
		return Whoami{}, vigia.Invalid("credentials", "there are none")
	}
	s, err := NewStream(o)
	if err != nil {
		return Whoami{}, err
	}
	n, err := s.dial(ctx, newMailbox(s.o.Buffer))
	if err != nil {
		return Whoami{}, err
	}
	ctx, n.cancel = context.WithCancelCause(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { n.cancel(n.read(ctx)) })
	defer func() {
		n.cancel(context.Canceled)
		_ = n.conn.CloseNow() // what it had to say is known
		reader.Wait()
	}()
	if _, err := n.greet(ctx); err != nil {
		return Whoami{}, err
	}
	var who Whoami
	_, err = n.call(ctx, MethodWhoami, nil, &who)
	return who, err
}
