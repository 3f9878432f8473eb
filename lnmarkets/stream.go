package lnmarkets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// StreamOptions set up a Stream. URL and Clock are required.
type StreamOptions struct {
	// URL is Mainnet().Stream, or where a simulator listens.
	URL   string
	Clock vigia.Clock
	// Credentials, when given, authenticate each socket.
	Credentials *vigia.Credentials
	// Topics are subscribed to on each socket.
	Topics []Topic
	// Prove is the topic whose data proves the subscription; TopicLastPrice when
	// empty. It is subscribed to as well. Choose one that speaks by itself.
	Prove Topic
	// Offset corrects the authentication's time.
	Offset *Offset
	// HTTP makes the handshake; one of its own when nil.
	HTTP *http.Client
	// ClientName and ClientVersion are said in hello.
	ClientName, ClientVersion string
	// PingEvery is the heartbeat's period, 5 s when 0; AnswerWithin how long the
	// exchange may take to answer anything, 5 s when 0; ProveWithin how long
	// after subscribing data must have come, 30 s when 0.
	PingEvery, AnswerWithin, ProveWithin time.Duration
	// The wait before the next socket doubles from BackoffFirst (2 s when 0) to
	// BackoffMost (30 s when 0), less up to half of it by chance.
	BackoffFirst, BackoffMost time.Duration
	// Buffer is how many private events wait for the reader; 1,024 when 0.
	Buffer int
}

// Causes of a Closed, for errors.Is.
var (
	// ErrUnproved: nothing came on the topic that proves the subscription.
	ErrUnproved = errors.New("the subscription brought no data")
	// ErrSilent: a heartbeat was not answered.
	ErrSilent = errors.New("the stream does not answer")
	// ErrKeyRefused: the exchange does not authenticate the key. The next
	// attempt waits as long as any does.
	ErrKeyRefused = errors.New("the stream refuses the key")
	// ErrNotSubscribed: the answer leaves topics out.
	ErrNotSubscribed = errors.New("not subscribed")
	// ErrNotConnected is returned by calls on a Stream that has no socket.
	ErrNotConnected = errors.New("the stream is not connected")
)

// Stream keeps one socket of Stream v1 alive and its topics subscribed.
//
// After each connect it says hello, authenticates, subscribes, and then waits
// for data: only data proves that a subscription works. A socket that does not
// answer a heartbeat (a protocol ping and a JSON ping), brings no data, or breaks
// is torn down and replaced after a jittered back-off. The reader is told of each
// step, and of every gap in what it was told.
type Stream struct {
	o      StreamOptions
	jitter func() float64

	mu      sync.Mutex
	running bool
	topics  []Topic
	now     *session
	// heard is the last message of a proved socket: where a gap begins.
	heard time.Time
}

// NewStream makes a Stream; Run connects it.
func NewStream(o StreamOptions) (*Stream, error) {
	if o.Clock == nil {
		return nil, vigia.Invalid("clock", "there is none")
	}
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
		return nil, vigia.Invalid("stream_url", fmt.Sprintf("got %q; it takes ws:// or wss:// and a host, as %s", o.URL, Mainnet().Stream))
	}
	o.defaults()
	s := &Stream{o: o, jitter: rand.Float64}
	for _, topic := range append([]Topic{o.Prove}, o.Topics...) {
		if err := s.check(topic); err != nil {
			return nil, err
		}
		s.add(topic)
	}
	return s, nil
}

func (o *StreamOptions) defaults() {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&o.PingEvery, 5*time.Second)
	set(&o.AnswerWithin, 5*time.Second)
	set(&o.ProveWithin, 30*time.Second)
	set(&o.BackoffFirst, 2*time.Second)
	set(&o.BackoffMost, 30*time.Second)
	if o.Buffer <= 0 {
		o.Buffer = 1024
	}
	if o.Prove == "" {
		o.Prove = TopicLastPrice
	}
	if o.ClientName == "" {
		o.ClientName = defaultAgent
	}
	if o.Offset == nil {
		o.Offset = NewOffset(o.Clock)
	}
	if o.HTTP == nil {
		o.HTTP = NewHTTPClient(HTTPOptions{Clock: o.Clock})
	}
}

// Run connects, and goes on connecting, until ctx ends; then it returns ctx's
// cause. Every event goes to handle, in order, one at a time, from the calling
// goroutine. A slow handle holds nothing up: of prices it gets the newest, and
// when Buffer private events wait the socket is torn and a Gap told. Only one Run
// at a time.
func (s *Stream) Run(ctx context.Context, handle func(Event)) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	box := newMailbox(s.o.Buffer)
	var supervisor sync.WaitGroup
	supervisor.Go(func() {
		defer box.close()
		s.supervise(ctx, box)
	})
	box.drain(handle)
	supervisor.Wait()
	s.o.HTTP.CloseIdleConnections()
	return context.Cause(ctx)
}

func (s *Stream) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return errors.New("lnmarkets: the stream runs already")
	}
	s.running = true
	return nil
}

func (s *Stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
}

func (s *Stream) supervise(ctx context.Context, box *mailbox) {
	for attempt := 1; ; attempt++ {
		proved, err := s.connect(ctx, box)
		if proved {
			attempt = 1
		}
		closed := Closed{At: s.o.Clock.Now(), Cause: err, Attempt: attempt}
		if ctx.Err() != nil {
			closed.Cause = context.Cause(ctx)
			_ = box.put(closed) // a state always fits
			return
		}
		closed.RetryIn = backoff(attempt, s.o.BackoffFirst, s.o.BackoffMost, s.jitter)
		if errors.Is(err, ErrKeyRefused) {
			closed.RetryIn = s.o.BackoffMost
		}
		_ = box.put(closed) // a state always fits
		// What ends the wait early is seen by the next connect.
		_ = pause(ctx, s.o.Clock, closed.RetryIn)
	}
}

// Subscribe adds topics: now if there is a socket, and on each one to come. The
// error is of the exchange's answer; the topics stay chosen.
func (s *Stream) Subscribe(ctx context.Context, topics ...Topic) error {
	for _, topic := range topics {
		if err := s.check(topic); err != nil {
			return err
		}
	}
	s.mu.Lock()
	for _, topic := range topics {
		s.add(topic)
	}
	now := s.now
	s.mu.Unlock()
	if now == nil {
		return nil
	}
	return now.subscribe(ctx, topics)
}

// Unsubscribe takes topics away, now and on each socket to come. The topic that
// proves the subscription stays.
func (s *Stream) Unsubscribe(ctx context.Context, topics ...Topic) error {
	if slices.Contains(topics, s.o.Prove) {
		return vigia.Invalid("topics", fmt.Sprintf("%s proves that the stream is alive and stays", s.o.Prove))
	}
	s.mu.Lock()
	s.topics = slices.DeleteFunc(s.topics, func(have Topic) bool { return slices.Contains(topics, have) })
	now := s.now
	s.mu.Unlock()
	if now == nil {
		return nil
	}
	_, err := now.call(ctx, MethodUnsubscribe, TopicList{Topics: topics}, new(Unsubscribed))
	return err
}

// Ping asks the socket of now and says how long the answer took.
func (s *Stream) Ping(ctx context.Context) (time.Duration, error) {
	now, err := s.session()
	if err != nil {
		return 0, err
	}
	sent, err := now.ping(ctx)
	return s.o.Clock.Now().Sub(sent), err
}

// Time asks the socket of now for the exchange's clock.
func (s *Stream) Time(ctx context.Context) (time.Time, error) {
	now, err := s.session()
	if err != nil {
		return time.Time{}, err
	}
	var server StreamTime
	_, err = now.call(ctx, MethodTime, nil, &server)
	return server.Time.Time(), err
}

// Whoami asks the socket of now whose key it was authenticated with.
func (s *Stream) Whoami(ctx context.Context) (Whoami, error) {
	now, err := s.session()
	if err != nil {
		return Whoami{}, err
	}
	var who Whoami
	_, err = now.call(ctx, MethodWhoami, nil, &who)
	return who, err
}

// Drop tears the socket of now down and lets the next one come: for a reader who
// knows better than the heartbeats that the stream lies.
func (s *Stream) Drop(cause error) {
	if now, err := s.session(); err == nil {
		now.cancel(cause)
	}
}

func (s *Stream) session() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return nil, ErrNotConnected
	}
	return s.now, nil
}

// check says whether a topic can be subscribed to.
func (s *Stream) check(topic Topic) error {
	_, candles := topic.Candles()
	public := []Topic{TopicAnnouncements, TopicTicker, TopicLastPrice, TopicIndex, TopicBuckets, TopicFunding}
	switch {
	case topic.Private() && s.o.Credentials == nil:
		return vigia.Invalid("topics", fmt.Sprintf("%s needs a key", topic))
	case topic.Private(), candles, slices.Contains(public, topic):
		return nil
	}
	return vigia.Invalid("topics", fmt.Sprintf("got %q, which is not known", string(topic)))
}

// add keeps each topic once. The mutex is held, or nobody else knows s yet.
func (s *Stream) add(topic Topic) {
	if !slices.Contains(s.topics, topic) {
		s.topics = append(s.topics, topic)
	}
}
