package paper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// ServerOptions set up a [Server]. Engine is required.
type ServerOptions struct {
	Engine *Engine
	// Clock is the wall clock: signatures, /time, rate limits and delays go by
	// it. The machine's when nil.
	Clock vigia.Clock
	// ClockWindow is how far a signature's time may be from the server's, before
	// and after; 30 s when 0.
	ClockWindow time.Duration
	// Rates is nil for StrictRates.
	Rates *Rates
	// StrictSignatures takes only signatures over the compact form of the body;
	// those over the bytes as they were sent count as well otherwise
	// (reference 3.2).
	StrictSignatures bool
	// NullEmail answers an account without an e-mail address, which some clients
	// cannot read (reference 8.2).
	NullEmail bool
	// Seed decides which calls a fault with a chance strikes.
	Seed uint64
	// KeepRequests bounds the request log: so many writes are kept at least, and
	// at most twice as many; 16,384 when 0.
	KeepRequests int
}

// The defaults of ServerOptions.
const (
	defaultClockWindow  = 30 * time.Second
	defaultKeepRequests = 1 << 14
)

// Server is the exchange's surface over an [Engine]: REST under /v3, the stream
// at /v1. Its methods may be called from any goroutine.
//
// A signed call is checked in this order: path, key, passphrase, time,
// signature; then it is in the request log if it is a write, and rate, scope,
// faults and arguments follow. The engine's events go to the sockets before the
// call that caused them is answered.
type Server struct {
	engine  *Engine
	clock   vigia.Clock
	window  time.Duration
	strict  bool
	noEmail bool

	calls  map[string]*call
	keys   *buckets
	public *buckets
	faults faults
	log    requestLog
	stale  staleReads
	stream stream

	ended chan struct{} // closed by Close

	mu         sync.Mutex
	closed     bool
	background sync.WaitGroup
}

// NewServer puts a surface on an engine. Close it: until then it listens to the
// engine's events and may have goroutines running.
func NewServer(o ServerOptions) *Server {
	if o.Clock == nil {
		o.Clock = vigia.WallClock{}
	}
	if o.ClockWindow <= 0 {
		o.ClockWindow = defaultClockWindow
	}
	if o.KeepRequests <= 0 {
		o.KeepRequests = defaultKeepRequests
	}
	rates := StrictRates()
	if o.Rates != nil {
		rates = *o.Rates
	}
	s := &Server{
		engine: o.Engine, clock: o.Clock, window: o.ClockWindow, strict: o.StrictSignatures, noEmail: o.NullEmail,
		calls: map[string]*call{}, keys: newBuckets(rates.Key, rates.KeyBurst), public: newBuckets(rates.Public, rates.PublicBurst),
	}
	s.ended = make(chan struct{})
	s.faults.seed = o.Seed
	s.log.keep = o.KeepRequests
	for _, c := range calls() {
		s.calls[c.method+" "+version+c.path] = &c
	}
	s.stream.begin(s)
	return s
}

// version is the prefix of every REST path; it is part of the signature.
const version = "/v3"

// Now is the server's time: the wall clock, unless a fault has moved it.
func (s *Server) Now() time.Time { return s.clock.Now().Round(0).UTC().Add(s.faults.shift()) }

// start runs f in the background until it returns; after Close it does not.
func (s *Server) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.background.Go(f)
	return true
}

// Close drops all sockets, gives up what was to be executed later, and returns
// when nothing runs any more. REST calls that are being answered go on.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.ended)
	}
	s.mu.Unlock()
	s.background.Wait()
}

// pause waits for a time, or until the caller is gone or the server closed; it
// says whether the time has passed.
func (s *Server) pause(gone <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := s.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-gone:
	case <-s.ended:
	}
	return false
}

// Bounds of what the listeners of Serve put up with.
const (
	headerWithin = 10 * time.Second
	idleWithin   = 2 * time.Minute
	drainWithin  = 5 * time.Second
	maxHeader    = 32 << 10
)

// Serve answers on a listener until ctx ends, lets the calls under way finish
// for a few seconds, and closes the listener. It serves a [Server] or the admin
// handler alike; a Server's sockets end with its Close.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		// No time-out of reads: net/http would end a call that a fault delays.
		Handler: h, ReadHeaderTimeout: headerWithin, IdleTimeout: idleWithin, MaxHeaderBytes: maxHeader,
		// What net/http has to say is about clients that broke off.
		ErrorLog: discard(),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	drain, stop := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer stop()
	err := server.Shutdown(drain)
	if err != nil {
		err = errors.Join(fmt.Errorf("stopping %s: %w", l.Addr(), err), server.Close())
	}
	if failed := <-ended; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}

// ServeHTTP takes a REST call or the handshake of the stream.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == streamPath {
		s.serveStream(w, r)
		return
	}
	c := s.calls[r.Method+" "+r.URL.EscapedPath()]
	if c == nil {
		s.refuse(w, notFound())
		return
	}
	body, err := readBody(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	q := &request{
		server: s, call: c, rawQuery: r.URL.RawQuery, contentType: r.Header.Get("Content-Type"), body: body,
		received: s.clock.Now().Round(0).UTC(),
	}
	if c.scope == "" {
		s.answerPublic(w, r, q)
		return
	}
	s.answerSigned(w, r, q)
}

// maxBody is far above any body there is.
const maxBody = 8 << 10

func readBody(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, refuse("The body broke off")
	}
	if len(raw) > maxBody {
		return nil, refuse("The body has more than %d bytes", maxBody)
	}
	return raw, nil
}
