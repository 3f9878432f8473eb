package lnmarkets

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// HTTPOptions set up the HTTP client of [NewHTTPClient]. The zero value is right
// for the real exchange.
type HTTPOptions struct {
	// Clock for the time-outs of connecting; the machine's when nil.
	Clock vigia.Clock
	// TLS adds roots, or a name for tests; nil is the machine's trust.
	TLS *tls.Config
	// ConnectWithin bounds dialing and the TLS handshake, each; 5 s when 0.
	ConnectWithin time.Duration
}

const (
	connectWithin   = 5 * time.Second
	idleConnections = 512
	idleFor         = 60 * time.Second
	longestHeader   = 64 << 10
)

// NewHTTPClient makes a client whose connections count what is written to them.
// With it, and only with it, a call whose connection died under it can be told
// to have been unsent. It speaks HTTP/1.1 alone: HTTP/2 lets the library send a
// request a second time by itself. One client may serve any number of keys.
func NewHTTPClient(o HTTPOptions) *http.Client {
	if o.Clock == nil {
		o.Clock = vigia.WallClock{}
	}
	if o.ConnectWithin <= 0 {
		o.ConnectWithin = connectWithin
	}
	d := &dialer{options: o}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: d.dial, DialTLSContext: d.dialTLS,
			TLSClientConfig: o.TLS, Protocols: protocols,
			MaxIdleConns: idleConnections, MaxIdleConnsPerHost: idleConnections, IdleConnTimeout: idleFor,
			MaxResponseHeaderBytes: longestHeader,
		},
		CheckRedirect: refuseRedirect,
	}
}

// refuseRedirect keeps a signed request, and the key in it, from being sent to
// another place.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type dialer struct{ options HTTPOptions }

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, stop := within(ctx, d.options.Clock, d.options.ConnectWithin)
	defer stop()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, errors.Join(err, causeOf(ctx))
	}
	return &countedConn{Conn: conn}, nil
}

// dialTLS puts the counting outside of TLS, so that a handshake or a closing
// alert does not count as a request.
func (d *dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := d.options.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("address %q: %w", address, err), conn.Close())
		}
		config.ServerName = host
	}
	ctx, stop := within(ctx, d.options.Clock, d.options.ConnectWithin)
	defer stop()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS handshake with %s: %w", address, err), causeOf(ctx), conn.Close())
	}
	return &countedConn{Conn: secure}, nil
}

// causeOf is why a context ended, or nothing.
func causeOf(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// countedConn knows how much was written to it and can be closed to writing, so
// that "nothing was written" stays true once it has been found true.
type countedConn struct {
	net.Conn

	mu      sync.Mutex
	written int64
	writing int
	sealed  bool
	flight  *flight
}

var errSealed = errors.New("the call has been given up")

// Write tells the flight that it has left and counts.
func (c *countedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.sealed {
		c.mu.Unlock()
		return 0, errSealed
	}
	c.writing++
	flight := c.flight
	c.mu.Unlock()
	if flight != nil {
		flight.leaves()
	}
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	c.written += int64(n)
	c.writing--
	c.mu.Unlock()
	return n, err
}

// carry gives the connection to a flight and says how much was written before.
func (c *countedConn) carry(f *flight) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = f
	return c.written
}

// seal ends all writing and says whether nothing was written beyond base.
func (c *countedConn) seal(base int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
	return c.written == base && c.writing == 0
}

// flight follows one request through net/http: which connections it was given,
// and when its first byte left.
type flight struct {
	clock vigia.Clock

	mu       sync.Mutex
	conns    []*countedConn
	bases    []int64
	foreign  bool
	gaveAt   time.Time
	leftAt   time.Time
	headerAt time.Time
}

func (f *flight) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: f.board, WroteHeaders: f.wroteHeaders})
}

func (f *flight) board(info httptrace.GotConnInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gaveAt = f.clock.Now()
	counted, ok := info.Conn.(*countedConn)
	if !ok {
		if secure, isTLS := info.Conn.(*tls.Conn); isTLS { // behind a proxy
			counted, ok = secure.NetConn().(*countedConn)
		}
	}
	if !ok {
		f.foreign = true
		return
	}
	f.conns = append(f.conns, counted)
	f.bases = append(f.bases, counted.carry(f))
}

func (f *flight) wroteHeaders() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.headerAt = f.clock.Now()
}

func (f *flight) leaves() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leftAt.IsZero() {
		f.leftAt = f.clock.Now()
	}
}

// sentAt is when the request began to leave; zero when it was given no
// connection.
func (f *flight) sentAt() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.leftAt.IsZero():
		return f.leftAt
	case !f.headerAt.IsZero():
		return f.headerAt
	}
	return f.gaveAt
}

// unsent proves that nothing was written, and sees to it that nothing will be:
// the request has failed, so its connections are of no more use. A connection
// that is not counted proves nothing.
func (f *flight) unsent() bool {
	f.mu.Lock()
	conns, bases, foreign := f.conns, f.bases, f.foreign
	f.mu.Unlock()
	proved := !foreign
	for i, conn := range conns {
		if !conn.seal(bases[i]) {
			proved = false
		}
	}
	return proved
}

// originOf splits a base URL into what requests are sent to and the prefix that
// is signed.
func originOf(base string) (origin, prefix string, err error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", "", fmt.Errorf("address of the exchange: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return "", "", vigia.Invalid("base_url", fmt.Sprintf("got %q; it takes http:// or https://, a host and the version, as %s", base, Mainnet().REST))
	}
	path := u.EscapedPath()
	for len(path) > 0 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	return u.Scheme + "://" + u.Host, path, nil
}
