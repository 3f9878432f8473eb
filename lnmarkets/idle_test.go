package lnmarkets_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// idleCloser answers one request per connection, says that the connection stays
// open, and closes it: the next request on it may or may not get out. It counts
// what it read.
func idleCloser(t *testing.T, answer string, onEven func(net.Conn)) (address string, seen func() map[string]int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	counts := map[string]int{}
	var serving sync.WaitGroup
	serve := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		reader := bufio.NewReader(conn)
		for n := 1; ; n++ {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			mu.Lock()
			counts[request.Header.Get("lnm-access-signature")]++
			mu.Unlock()
			if n%2 == 0 {
				return // read, and never answered
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
			if onEven != nil {
				onEven(conn)
				return
			}
		}
	}
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	return "http://" + listener.Addr().String(), func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(counts)
	}
}

// net/http sends a request again by itself when a kept connection turns out to
// be closed. A prepared call must never go out twice, whatever the server does
// with idle connections.
func TestNeverTwoSendsOnConnectionsThatClose(t *testing.T) {
	t.Parallel()
	trade := string(fixture(t, "trade-running.json"))
	orders := []vigia.Order{addMargin, {Action: vigia.ActionRemoveStop, Trade: tradeID}, {Action: vigia.ActionClose, Trade: tradeID}}
	for name, onEven := range map[string]func(net.Conn){
		"closes when idle": func(net.Conn) {},
		"resets when idle": func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) },
		"reads and closes": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, seen := idleCloser(t, trade, onEven)
			clock := newSteeredClock()
			client := newClient(t, clock, address, func(o *lnmarkets.Options) {
				o.Budget = lnmarkets.NewBudget(clock, lnmarkets.BudgetOptions{PerSecond: 1_000, Burst: 1_000})
			})
			want := map[string]vigia.CallOutcome{}
			for i := range 120 {
				clock.Advance(time.Millisecond) // each has a signature of its own
				call := prepared(t, client, orders[i%len(orders)])
				want[call.Signature] = client.Send(safety(t), call).Outcome
			}
			counts := seen()
			for signature, outcome := range want {
				n := counts[signature]
				if n > 1 || outcome == vigia.CallDone && n != 1 || outcome == vigia.CallUnsent && n != 0 {
					t.Errorf("a call with outcome %d was read %d times", outcome, n)
				}
			}
			if !slices.Contains(slices.Collect(maps.Values(want)), vigia.CallDone) {
				t.Error("nothing was done")
			}
		})
	}
}
