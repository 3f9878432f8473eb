package paper_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

func TestServeEndsWithItsContextAndDrains(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, finish := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = w.Write([]byte("done"))
	})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- paper.Serve(ctx, l, h) }()
	answered := make(chan string, 1)
	client := lnmarkets.NewHTTPClient(lnmarkets.HTTPOptions{})
	defer client.CloseIdleConnections()
	go func() {
		resp, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		raw, _ := io.ReadAll(resp.Body)
		answered <- string(raw)
	}()
	<-begun
	stop()
	until(t, "the port is free", func() bool {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(finish)
	equal(t, "the call under way", <-answered, "done")
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestServeSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := paper.Serve(t.Context(), l, http.NotFoundHandler()); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func TestManyKeysReadAndWriteAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	var all sync.WaitGroup
	for range 10 {
		key, err := d.NewAccount(1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		opened := d.must(d.Open(key.ID, paper.NewTrade{Side: vigia.Long, Quantity: 100, Leverage: 10 * vigia.OneX}))
		client := d.client(key)
		all.Go(func() {
			for i := range 100 {
				if _, _, err := client.Running(t.Context()); err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					if _, err := client.AddMargin(t.Context(), opened.ID, 1); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	w := d.dial()
	w.subscribe(lnmarkets.TopicLastPrice)
	for i := range int64(100) {
		if err := d.Tick(vigia.Dollars(100_000+i), d.at.Add(time.Duration(i)*time.Millisecond)); err != nil {
			t.Error(err)
		}
		d.server.Moved()
		d.server.Requests(0)
		d.server.Faults()
	}
	all.Wait()
	d.sound()
	equal(t, "writes in the log", len(d.server.Requests(0)), 100)
	for _, row := range d.server.Requests(0) {
		equal(t, "outcome", row.Outcome, paper.OutcomeExecuted)
	}
}

// fuzzed is a server that is called without a socket.
func fuzzed(f *testing.F) (*paper.Server, paper.AccountKey, time.Time) {
	f.Helper()
	e := paper.New(paper.Rules{Seed: 1})
	if err := e.Tick(vigia.Dollars(100_000), midnight); err != nil {
		f.Fatal(err)
	}
	key, err := e.NewAccount(1_000_000_000)
	if err != nil {
		f.Fatal(err)
	}
	rates := paper.NoRates()
	s := paper.NewServer(paper.ServerOptions{Engine: e, Clock: vigia.NewManualClock(midnight), Rates: &rates, KeepRequests: 16})
	f.Cleanup(s.Close)
	f.Cleanup(func() {
		if err := e.CheckLedger(); err != nil {
			f.Error(err)
		}
	})
	return s, key, midnight
}

func FuzzREST(f *testing.F) {
	s, key, at := fuzzed(f)
	calls := lnmarkets.Calls()
	f.Add(12, `{"type":"market","side":"buy","leverage":10,"quantity":100}`, "")
	f.Add(12, `{"type":"limit","side":"sell","leverage":1.5,"margin":100,"price":95000.5,"stoploss":1e5,"clientId":"é"}`, "")
	f.Add(13, `{"id":"7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11","amount":1e3}`, "")
	f.Add(18, `{"id":"x","value":0.01,"mode":"trailing"}`, "")
	f.Add(19, "", "id=x")
	f.Add(3, "", "from=2026-01-01T00%3A00%3A00.000Z&limit=3&range=1w&cursor=2026-01-01T00:00:00Z")
	f.Add(8, "", "to=9999-12-31T23:59:59.999Z")
	f.Fuzz(func(t *testing.T, which int, body, query string) {
		c := calls[(which%len(calls)+len(calls))%len(calls)]
		r := httptest.NewRequest(c.Method, "/v3"+c.Path, strings.NewReader(body))
		r.URL = &url.URL{Path: "/v3" + c.Path, RawQuery: query}
		data := body
		if data == "" && query != "" {
			data = "?" + query
		}
		stamp := lnmarkets.MillisOf(at)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(lnmarkets.HeaderKey, key.Key)
		r.Header.Set(lnmarkets.HeaderPassphrase, key.Passphrase.Reveal())
		r.Header.Set(lnmarkets.HeaderTimestamp, strconv.FormatInt(int64(stamp), 10))
		r.Header.Set(lnmarkets.HeaderSignature, lnmarkets.Signature(key.Secret, stamp, c.Method, "/v3"+c.Path, data))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q %q: got %d %s", c.Name, body, query, w.Code, w.Body)
		}
	})
}

func FuzzStream(f *testing.F) {
	s, _, _ := fuzzed(f)
	f.Add(true, `{"jsonrpc":"2.0","id":"1","method":"subscribe","params":{"topics":["futures/inverse/btc_usd/ohlc/1w"]}}`)
	f.Add(true, `{"jsonrpc":"2.0","id":"1","method":"authenticate","params":{"key":"a","passphrase":"b","timestamp":1,"nonce":"c","signature":"d"}}`)
	f.Add(true, `{"jsonrpc":"2.0","id":null,"method":"ping","params":[]}`)
	f.Add(true, `{"jsonrpc":"2.0","id":"\ud800","method":"whoami"}`)
	f.Add(false, "\xff\x00")
	f.Fuzz(func(t *testing.T, text bool, message string) {
		var a struct {
			JSONRPC string
			ID      *string
			Result  json.RawMessage
			Error   *lnmarkets.FrameError
		}
		raw := s.Handle(text, []byte(message))
		if err := json.Unmarshal(raw, &a); err != nil || a.JSONRPC != "2.0" || (a.Result == nil) == (a.Error == nil) {
			t.Fatalf("%q: got %s, %v", message, raw, err)
		}
		if a.Error != nil && a.Error.Code == -32603 {
			t.Errorf("%q: got %s", message, raw)
		}
	})
}

func FuzzCompactForm(f *testing.F) {
	f.Add([]byte(`{ "a" : [1.0, 2e3, "\u0000é", null, true], "b": {}, "a": -0 }`))
	f.Add([]byte(`1e-7`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := paper.CompactForm(raw)
		if err != nil {
			return
		}
		twice, err := paper.CompactForm(once)
		if err != nil || string(twice) != string(once) {
			t.Errorf("%q: got %q, then %q, %v", raw, once, twice, err)
		}
	})
}
