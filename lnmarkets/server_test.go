package lnmarkets_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey        = "key-7f2c"
	testSecret     = "test-secret"
	testPassphrase = "open sesame"
	tradeID        = vigia.TradeID("7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11")
)

func credentials() vigia.Credentials {
	return vigia.Credentials{Key: vigia.NewSecret(testKey), Secret: vigia.NewSecret(testSecret), Passphrase: vigia.NewSecret(testPassphrase)}
}

// independentHMAC signs in its own words, so that a test server does not check
// the SDK against itself.
func independentHMAC(secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(payload))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// received is a request as it came over the wire.
type received struct {
	method, target, body string
	header               http.Header
}

func (r received) String() string { return strings.TrimSpace(r.method + " " + r.target + " " + r.body) }

// exchange is an HTTP server that checks every signature and keeps what came.
type exchange struct {
	*httptest.Server
	t      testing.TB
	answer http.HandlerFunc

	mu   sync.Mutex
	came []received
}

func newExchange(t testing.TB, answer http.HandlerFunc) *exchange {
	t.Helper()
	x := &exchange{t: t, answer: answer}
	x.Server = httptest.NewServer(x)
	t.Cleanup(x.Close)
	return x
}

func (x *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		x.t.Errorf("reading a request: %v", err)
	}
	got := received{method: r.Method, target: r.RequestURI, body: string(body), header: r.Header.Clone()}
	x.mu.Lock()
	x.came = append(x.came, got)
	x.mu.Unlock()
	if r.Header.Get("lnm-access-key") != "" {
		x.check(got)
	}
	x.answer(w, r)
}

// check verifies a signature by the words of the reference.
func (x *exchange) check(r received) {
	path, search, found := strings.Cut(r.target, "?")
	data := r.body
	if data == "" && found {
		data = "?" + search
	}
	want := independentHMAC(testSecret, r.header.Get("lnm-access-timestamp")+strings.ToLower(r.method)+path+data)
	if got := r.header.Get("lnm-access-signature"); got != want {
		x.t.Errorf("%s: signature %s, want %s", r, got, want)
	}
	if r.header.Get("lnm-access-key") != testKey || r.header.Get("lnm-access-passphrase") != testPassphrase {
		x.t.Errorf("%s: key or passphrase is wrong", r)
	}
	if (r.header.Get("Content-Type") == "application/json") != (r.body != "") {
		x.t.Errorf("%s: content type %q", r, r.header.Get("Content-Type"))
	}
}

func (x *exchange) requests() []received {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]received(nil), x.came...)
}

// answering writes one answer to everything.
func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// inTurn gives each request the next answer, and the last to all that follow.
func inTurn(answers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answer := answers[min(next, len(answers)-1)]
		next++
		mu.Unlock()
		answer(w, r)
	}
}

// steeredClock stands still and tells of every timer that is made.
type steeredClock struct {
	*vigia.ManualClock
	made chan time.Duration
}

var testStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newSteeredClock() *steeredClock {
	return &steeredClock{ManualClock: vigia.NewManualClock(testStart), made: make(chan time.Duration, 10_000)}
}

func (c *steeredClock) NewTimer(d time.Duration) vigia.Timer {
	timer := c.ManualClock.NewTimer(d)
	c.made <- d
	return timer
}

// await returns when a timer whose length fits has been made.
func (c *steeredClock) await(ctx context.Context, t testing.TB, fits func(time.Duration) bool) time.Duration {
	t.Helper()
	for {
		select {
		case d := <-c.made:
			if fits(d) {
				return d
			}
		case <-ctx.Done():
			t.Fatal("the timer that is waited for was never made")
		}
	}
}

func exactly(want time.Duration) func(time.Duration) bool {
	return func(d time.Duration) bool { return d == want }
}

// hurry lets every wait shorter than below pass as soon as it begins.
func (c *steeredClock) hurry(t testing.TB, below time.Duration) {
	done, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(done); <-ended })
	go func() {
		defer close(ended)
		for {
			select {
			case d := <-c.made:
				if d < below {
					c.Advance(d)
				}
			case <-done:
				return
			}
		}
	}()
}

// safety is a context that only a broken test sees the end of.
func safety(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newClient(t testing.TB, clock vigia.Clock, base string, set ...func(*lnmarkets.Options)) *lnmarkets.Client {
	t.Helper()
	o := lnmarkets.Options{BaseURL: base + "/v3", Credentials: credentials(), Clock: clock, HTTP: newHTTP(t, lnmarkets.HTTPOptions{})}
	for _, f := range set {
		f(&o)
	}
	client, err := lnmarkets.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newPublic(t testing.TB, clock vigia.Clock, base string) *lnmarkets.Public {
	t.Helper()
	public, err := lnmarkets.NewPublic(lnmarkets.Options{BaseURL: base + "/v3", Clock: clock, HTTP: newHTTP(t, lnmarkets.HTTPOptions{})})
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func newHTTP(t testing.TB, o lnmarkets.HTTPOptions) *http.Client {
	client := lnmarkets.NewHTTPClient(o)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func errorBody(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"message":%q}`, code, message)
}
