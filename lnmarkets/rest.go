package lnmarkets

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vigiaguard/vigia"
)

// rest sends calls and nothing more: Public and Client are made of it.
type rest struct {
	origin, prefix string
	http           *http.Client
	clock          vigia.Clock
	budget         *Budget
	offset         *Offset
	agent          string
	readWithin     time.Duration
	// key is nil for public calls.
	key    *vigia.Credentials
	jitter func() float64
}

// answer is what came back, or how far the request got.
type answer struct {
	status int
	header http.Header
	body   []byte
	// cut is why the body, or the answer at all, is missing.
	cut error
	// begun is before anything was done, sent when the first byte left, came
	// when the answer was complete.
	begun, sent, came time.Time
}

// longestAnswer is far above a full page of 1,000 trades.
const longestAnswer = 16 << 20

const (
	defaultReadWithin = 10 * time.Second
	defaultAgent      = "vigia-lnmarkets-go"
)

func newRest(o *Options) (*rest, error) {
	origin, prefix, err := originOf(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		return nil, vigia.Invalid("clock", "there is none")
	}
	r := &rest{origin: origin, prefix: prefix, clock: o.Clock, budget: o.Budget, offset: o.Offset,
		agent: o.UserAgent, readWithin: o.ReadWithin, jitter: rand.Float64}
	if r.agent == "" {
		r.agent = defaultAgent
	}
	if r.readWithin <= 0 {
		r.readWithin = defaultReadWithin
	}
	if r.offset == nil {
		r.offset = NewOffset(o.Clock)
	}
	client := o.HTTP
	if client == nil {
		client = NewHTTPClient(HTTPOptions{Clock: o.Clock})
	}
	// A copy: redirects are never followed, whatever the client was made for, and
	// time-outs are this package's.
	own := *client
	own.CheckRedirect, own.Timeout, own.Jar = refuseRedirect, 0, nil
	r.http = &own
	return r, nil
}

// request is a call with its arguments, before it is signed.
type request struct {
	call  Call
	query url.Values
	body  any
}

// target is the path with the version and the query: what is sent and signed.
func (r *rest) target(q *request) string {
	target := r.prefix + q.call.Path
	if encoded := q.query.Encode(); encoded != "" {
		target += "?" + encoded
	}
	return target
}

// prepared is a request of which every byte is settled.
type prepared struct {
	call     Call
	target   string
	body     []byte
	header   http.Header
	signedAt time.Time
}

// prepare serialises once and signs those bytes; key and passphrase are not in
// the header yet, so that what is prepared can be kept.
func (r *rest) prepare(q *request) (*prepared, error) {
	p := &prepared{call: q.call, target: r.target(q), header: http.Header{}}
	if q.body != nil {
		body, err := compact(q.body)
		if err != nil {
			return nil, fmt.Errorf("lnmarkets: %s: %w", q.call.Name, err)
		}
		p.body = body
		p.header.Set("Content-Type", "application/json")
	}
	if r.key == nil || q.call.Public() {
		return p, nil
	}
	p.signedAt = r.offset.Now().Truncate(time.Millisecond)
	stamp := MillisOf(p.signedAt)
	data := string(p.body)
	if data == "" && len(q.query) > 0 {
		data = "?" + q.query.Encode()
	}
	p.header.Set(HeaderTimestamp, strconv.FormatInt(int64(stamp), 10))
	p.header.Set(HeaderSignature, Signature(r.key.Secret, stamp, q.call.Method, r.prefix+q.call.Path, data))
	return p, nil
}

// send sends once and waits for the whole answer, at most for limit. The error
// is set unless the answer says done; the answer is there in any case.
func (r *rest) send(ctx context.Context, p *prepared, limit time.Duration) (*answer, *Error) {
	a := &answer{begun: r.clock.Now()}
	ctx, stop := within(ctx, r.clock, limit)
	defer stop()
	f := &flight{clock: r.clock}
	req, err := r.build(f.trace(ctx), p)
	if err != nil {
		return a, &Error{Call: p.call, Outcome: vigia.CallUnsent, Cause: err}
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return r.failed(ctx, a, f, p.call, err)
	}
	defer func() { _ = resp.Body.Close() }() // what was read counts
	a.sent, a.status, a.header = f.sentAt(), resp.StatusCode, resp.Header
	a.body, a.cut = readAll(ctx, resp.Body)
	a.came = r.clock.Now()
	failure := judge(p.call, a, a.came)
	r.obey(a.header, failure)
	return a, failure
}

func (r *rest) build(ctx context.Context, p *prepared) (*http.Request, error) {
	var body io.Reader
	if p.body != nil {
		body = bytes.NewReader(p.body)
	}
	req, err := http.NewRequestWithContext(ctx, p.call.Method, r.origin+p.target, body)
	if err != nil {
		return nil, fmt.Errorf("building the request: %w", err)
	}
	// Without it net/http cannot send the body again on another connection.
	req.GetBody = nil
	req.Header = p.header.Clone()
	req.Header.Set("User-Agent", r.agent)
	req.Header.Set("Accept", "application/json")
	if r.key != nil && !p.call.Public() {
		req.Header.Set(HeaderKey, r.key.Key.Reveal())
		req.Header.Set(HeaderPassphrase, r.key.Passphrase.Reveal())
	}
	if sent := req.URL.RequestURI(); sent != p.target {
		return nil, fmt.Errorf("the path would be sent as %q but is signed as %q", sent, p.target)
	}
	return req, nil
}

func (r *rest) failed(ctx context.Context, a *answer, f *flight, call Call, err error) (*answer, *Error) {
	failure := &Error{Call: call, Outcome: vigia.CallUnknown, Cause: err}
	if cause := causeOf(ctx); cause != nil {
		failure.Cause = fmt.Errorf("%w (%w)", cause, err)
	}
	if f.unsent() {
		failure.Outcome = vigia.CallUnsent
	} else {
		a.sent = f.sentAt()
	}
	a.cut, a.came = failure.Cause, r.clock.Now()
	return a, failure
}

// obey lets the budget know what the exchange said about its rate.
func (r *rest) obey(header http.Header, failure *Error) {
	if allowance, ok := ReadAllowance(header); ok {
		r.budget.Observe(allowance.Remaining, allowance.Reset)
	}
	if failure != nil && failure.RetryAfter > 0 {
		r.budget.Pause(failure.RetryAfter)
	}
}

func readAll(ctx context.Context, body io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, longestAnswer+1))
	if err != nil {
		if cause := causeOf(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		return raw, fmt.Errorf("the answer broke off: %w", err)
	}
	if len(raw) > longestAnswer {
		return raw[:longestAnswer], fmt.Errorf("%w: it is longer than %d bytes", ErrUnreadable, longestAnswer)
	}
	return raw, nil
}

// do makes a call: a token, a fresh signature and a send for each attempt. The
// time is the start of the request that was answered, after the wait for the
// budget.
func do[A any](ctx context.Context, r *rest, q *request) (A, time.Time, error) {
	var zero A
	var unknown bool
	for attempt := 1; ; attempt++ {
		got, begun, failure, err := attemptOf[A](ctx, r, q)
		if err != nil {
			return zero, begun, err
		}
		if failure == nil {
			return got, begun, nil
		}
		wait, more := retryWait(failure, attempt, r.jitter)
		if unknown && !q.call.Read() {
			failure.AfterUnknown, failure.Outcome = true, vigia.CallUnknown
		}
		unknown = unknown || failure.Outcome == vigia.CallUnknown
		if !more || ctx.Err() != nil {
			return zero, begun, failure
		}
		if err := pause(ctx, r.clock, wait); err != nil {
			return zero, begun, failure
		}
	}
}

// attemptOf is one attempt; err is set when nothing could be tried.
func attemptOf[A any](ctx context.Context, r *rest, q *request) (got A, begun time.Time, failure *Error, err error) {
	if err := r.budget.Take(ctx, q.call.priority()); err != nil {
		return got, r.clock.Now(), &Error{Call: q.call, Outcome: vigia.CallUnsent, Cause: err}, nil
	}
	p, err := r.prepare(q)
	if err != nil {
		return got, r.clock.Now(), nil, err
	}
	a, failure := r.send(ctx, p, r.readWithin)
	if failure == nil {
		got, failure = decode[A](q.call, a)
	}
	return got, a.begun, failure, nil
}

// decode reads the body of an answer that says done. What cannot be read leaves
// it unknown what was done.
func decode[A any](call Call, a *answer) (A, *Error) {
	var got A
	if err := json.Unmarshal(a.body, &got); err != nil {
		var zero A
		return zero, &Error{Call: call, Status: a.status, Raw: a.body, Cause: fmt.Errorf("%w: %w", ErrUnreadable, err)}
	}
	return got, nil
}
