package paper_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

// desk is an exchange served on a socket, a wall clock that stands still until
// it is moved, and an account on it.
type desk struct {
	*exchange
	clock  *vigia.ManualClock
	server *paper.Server
	url    string
	http   *http.Client
	key    paper.AccountKey
}

// newDesk has no fees and no rate limits, unless the options say so.
func newDesk(t *testing.T, change func(*paper.ServerOptions)) *desk {
	t.Helper()
	x := newExchange(t, paper.Frictionless(), 100_000)
	clock := vigia.NewManualClock(x.at)
	rates := paper.NoRates()
	o := paper.ServerOptions{Engine: x.Engine, Clock: clock, Rates: &rates}
	if change != nil {
		change(&o)
	}
	d := &desk{exchange: x, clock: clock, server: paper.NewServer(o)}
	d.key = x.Accounts()[0]
	h := httptest.NewServer(d.server)
	d.url = h.URL
	client := lnmarkets.NewHTTPClient(lnmarkets.HTTPOptions{})
	d.http = client
	t.Cleanup(func() {
		client.CloseIdleConnections()
		d.server.Close()
		h.Close()
	})
	return d
}

// client is the SDK with a key and no limits of its own.
func (d *desk) client(key paper.AccountKey) *lnmarkets.Client {
	d.Helper()
	c, err := lnmarkets.New(lnmarkets.Options{
		BaseURL: d.url + "/v3", Clock: d.clock, Credentials: key.Credentials(), HTTP: d.http,
		Budget: lnmarkets.NewBudget(d.clock, lnmarkets.BudgetOptions{PerSecond: 1e6, Burst: 1e6}),
	})
	if err != nil {
		d.Fatal(err)
	}
	return c
}

func (d *desk) public() *lnmarkets.Public {
	d.Helper()
	p, err := lnmarkets.NewPublic(lnmarkets.Options{
		BaseURL: d.url + "/v3", Clock: d.clock, HTTP: d.http,
		Budget: lnmarkets.NewBudget(d.clock, lnmarkets.BudgetOptions{PerSecond: 1e6, Burst: 1e6}),
	})
	if err != nil {
		d.Fatal(err)
	}
	return p
}

// ask is a raw request in the making.
type ask struct {
	method, path, query, body string
	key                       paper.AccountKey
	at                        time.Time
	// signed is what is signed in the place of the body or query.
	signed  *string
	headers map[string]string
	plain   bool // no credentials
}

// signature is of the request as it stands.
func (a *ask) signature() string {
	data := a.body
	if data == "" && a.query != "" {
		data = "?" + a.query
	}
	if a.signed != nil {
		data = *a.signed
	}
	return lnmarkets.Signature(a.key.Secret, lnmarkets.MillisOf(a.at), a.method, "/v3"+a.path, data)
}

func (d *desk) build(a ask) *http.Request {
	d.Helper()
	if a.key.Key == "" {
		a.key = d.key
	}
	if a.at.IsZero() {
		a.at = d.clock.Now()
	}
	target := d.url + "/v3" + a.path
	if a.query != "" {
		target += "?" + a.query
	}
	req, err := http.NewRequestWithContext(d.Context(), a.method, target, strings.NewReader(a.body))
	if err != nil {
		d.Fatal(err)
	}
	req.GetBody = nil
	if a.body == "" {
		req.Body = nil
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	if !a.plain {
		req.Header.Set(lnmarkets.HeaderKey, a.key.Key)
		req.Header.Set(lnmarkets.HeaderPassphrase, a.key.Passphrase.Reveal())
		req.Header.Set(lnmarkets.HeaderTimestamp, fmt.Sprint(a.at.UnixMilli()))
		req.Header.Set(lnmarkets.HeaderSignature, a.signature())
	}
	for name, value := range a.headers {
		if value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	return req
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r *reply) code(t *testing.T) string {
	t.Helper()
	var e lnmarkets.ErrorBody
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Fatalf("the answer %q is not an error: %v", r.body, err)
	}
	return e.Code
}

// send makes a raw call; the error is of a connection that gave no answer.
func (d *desk) send(a ask) (*reply, error) {
	d.Helper()
	resp, err := d.http.Do(d.build(a))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &reply{status: resp.StatusCode, header: resp.Header, body: string(raw)}, nil
}

func (d *desk) get(a ask) *reply {
	d.Helper()
	r, err := d.send(a)
	if err != nil {
		d.Fatal(err)
	}
	return r
}

// refusedWith sends and wants a status and a code.
func (d *desk) refusedWith(a ask, status int, code string) *reply {
	d.Helper()
	r := d.get(a)
	if r.status != status || r.code(d.T) != code {
		d.Errorf("%s %s %s: got %d %s, want %d %s", a.method, a.path, a.body, r.status, r.body, status, code)
	}
	return r
}

// console is the admin port.
type console struct {
	*desk
	runner *paper.Runner
	admin  string
}

func (d *desk) console(points ...paper.Point) *console {
	d.Helper()
	c := &console{desk: d}
	if len(points) > 0 {
		var err error
		c.runner, err = paper.NewRunner(paper.RunnerOptions{
			Engine: d.Engine, Source: paper.Points(points...), Clock: d.clock, Moved: d.server.Moved,
		})
		if err != nil {
			d.Fatal(err)
		}
	}
	h := httptest.NewServer(paper.NewAdmin(d.server, c.runner))
	d.Cleanup(h.Close)
	c.admin = h.URL
	return c
}

// do calls the admin port and reads the answer into out.
func (c *console) do(method, path, body string, out any) (int, string) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.admin+path, bytes.NewReader([]byte(body)))
	if err != nil {
		c.Fatal(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	if out != nil && resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(raw, out); err != nil {
			c.Fatalf("%s %s: %q: %v", method, path, raw, err)
		}
	}
	return resp.StatusCode, string(raw)
}
