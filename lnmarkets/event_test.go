package lnmarkets

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

func streamLines(t testing.TB) []string {
	t.Helper()
	raw, err := os.ReadFile("testdata/stream.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// Every payload of the reference is read, and written again as it was: a
// simulator that uses these types sends the same keys.
func TestPayloadsOfTheReferenceSurvive(t *testing.T) {
	t.Parallel()
	topics := map[Topic]bool{}
	for _, line := range streamLines(t) {
		frame, err := readFrame([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		event, topic, err := readUpdate(frame.Params, time.UnixMilli(1))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		topics[topic] = true
		var s Subscription
		if err := json.Unmarshal(frame.Params, &s); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(reflect.ValueOf(event).FieldByName("Data").Interface())
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if json.Unmarshal(s.Data, &want) != nil || json.Unmarshal(again, &got) != nil {
			t.Fatal("not JSON")
		}
		if topic == TopicAnnouncements {
			delete(want.(map[string]any), "link") // null and absent are one there
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: written again as %s, want %s", topic, again, s.Data)
		}
	}
	for _, topic := range append(PrivateTopics(), TopicAnnouncements, TopicTicker, TopicLastPrice, TopicIndex, TopicBuckets, TopicFunding, TopicCandles("1m")) {
		if !topics[topic] {
			t.Errorf("there is no example of %s", topic)
		}
	}
}

func TestTicksAreTakenFromEventsThatCarryThem(t *testing.T) {
	t.Parallel()
	at, price := time.UnixMilli(5), Price(192_001)
	for _, c := range []struct {
		event Event
		want  vigia.Price
	}{
		{Update[StreamLastPrice]{At: at, Data: StreamLastPrice{LastPrice: price}}, 192_001},
		{Update[StreamTicker]{At: at, Data: StreamTicker{LastPrice: &price}}, 192_001},
		{Update[StreamTicker]{At: at}, 0},
		{Update[StreamIndex]{At: at, Data: StreamIndex{Index: price}}, 0},
		{Proved{At: at}, 0},
	} {
		tick, ok := TickOf(c.event)
		if tick.Last != c.want || ok != (c.want != 0) || ok && !tick.At.Equal(at) {
			t.Errorf("%T: got %+v, %t", c.event, tick, ok)
		}
	}
}

func FuzzFrame(f *testing.F) {
	for _, line := range streamLines(f) {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"jsonrpc":"2.0","id":"1","error":{"code":-32001,"message":"m","data":{"code":"UNAUTHORIZED"}},"rateLimit":{"remaining":9,"limit":10}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":"1","result":"pong","usIn":1.0}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		frame, err := readFrame(raw)
		if err != nil {
			if !errors.Is(err, ErrUnreadable) {
				t.Fatalf("got %v", err)
			}
			return
		}
		if _, err := compact(frame); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		event, _, err := readUpdate(frame.Params, time.UnixMilli(1))
		if (event == nil) != (err != nil) {
			t.Fatalf("got %v and %v", event, err)
		}
		if err != nil && !errors.Is(err, ErrUnreadable) {
			t.Fatalf("got %v", err)
		}
		if tick, ok := TickOf(orMalformed(event)); ok && !tick.Last.Valid() {
			t.Fatalf("a tick of %s", tick.Last)
		}
	})
}

func orMalformed(e Event) Event {
	if e == nil {
		return Malformed{}
	}
	return e
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{`{"code":"BAD_REQUEST","message":"no"}`, `{"message":"x","details":{"a":[1]}}`, `{"code":5}`, `"text"`, `[]`, `<html>`, ``} {
		f.Add(400, []byte(seed), "1")
	}
	f.Add(429, []byte(""), "Thu, 01 Jan 2026 00:00:03 GMT")
	f.Add(503, []byte(errorOf(CodeUnavailable, "Trading engine is temporarily unavailable")), "-5")
	f.Fuzz(func(t *testing.T, status int, raw []byte, after string) {
		a := &answer{status: status, body: raw, header: map[string][]string{"Retry-After": {after}}}
		failure := judge(callAddMargin, a, time.UnixMilli(0))
		done := status >= 200 && status < 300
		if (failure == nil) != done {
			t.Fatalf("%d: %v", status, failure)
		}
		if done {
			return
		}
		// Nothing under 400 and nothing from 500 on proves that nothing was
		// executed, but for the known 503.
		proof := failure.Outcome != vigia.CallUnknown
		known := status == 503 && failure.Code == CodeUnavailable
		if proof && !known && (status < 400 || status >= 500) {
			t.Fatalf("%d with %q proves %d", status, raw, failure.Outcome)
		}
		if failure.RetryAfter < 0 || failure.RetryAfter > longestRetryAfter || failure.Error() == "" {
			t.Fatalf("%+v", failure)
		}
	})
}

func errorOf(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"message":%q}`, code, message)
}

// What a reader sees who comes at any time: states in order, the newest of each
// price, every private event, never more than there is room for.
func TestMailboxForgetsNothingThatMatters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const limit = 4
		box := newMailbox(limit)
		put, got, waiting := []string{}, []string{}, 0
		newest := map[string]string{}
		for i := range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				id := fmt.Sprint("t", i)
				err := box.put(Update[StreamTrade]{Topic: TopicIsolatedTrades, Data: StreamTrade{Trade: StreamTradeFields{ID: id}}})
				if (err != nil) != (waiting == limit) || err != nil && !errors.Is(err, ErrSlowReader) {
					t.Fatalf("with %d waiting: %v", waiting, err)
				}
				if err == nil {
					put, waiting = append(put, id), waiting+1
				}
			case 1:
				price := Price(2 * (i + 1))
				newest["price"] = price.String()
				if err := box.put(Update[StreamLastPrice]{Topic: TopicLastPrice, Data: StreamLastPrice{LastPrice: price}}); err != nil {
					t.Fatal(err)
				}
			case 2:
				if err := box.put(Closed{Attempt: i}); err != nil {
					t.Fatal(err)
				}
				delete(newest, "price")
			case 3:
				if err := box.put(Gap{From: time.UnixMilli(int64(i))}); err != nil {
					t.Fatal(err)
				}
			case 4:
				e, ok, _ := box.take()
				if !ok {
					continue
				}
				switch e := e.(type) {
				case Update[StreamTrade]:
					got, waiting = append(got, e.Data.Trade.ID), waiting-1
				case Update[StreamLastPrice]:
					if e.Data.LastPrice.String() != newest["price"] {
						t.Fatalf("price %s, the newest is %s", e.Data.LastPrice, newest["price"])
					}
					delete(newest, "price")
				}
			}
			if len(box.events) > limit+3 {
				t.Fatalf("%d events wait", len(box.events))
			}
		}
		box.close()
		box.drain(func(e Event) {
			if trade, ok := e.(Update[StreamTrade]); ok {
				got = append(got, trade.Data.Trade.ID)
			}
		})
		if !slices.Equal(got, put) {
			t.Fatalf("got %v, want %v", got, put)
		}
	})
}

func TestMailboxJoinsGaps(t *testing.T) {
	t.Parallel()
	box := newMailbox(1)
	for _, e := range []Event{
		Connected{}, Proved{}, Gap{From: time.UnixMilli(1), To: time.UnixMilli(2)}, Confirmed{At: time.UnixMilli(2)}, Confirmed{At: time.UnixMilli(3)},
		Closed{Attempt: 1}, Connected{}, Closed{Attempt: 2}, Connected{Version: "2"}, Proved{}, Gap{From: time.UnixMilli(5), To: time.UnixMilli(6)},
	} {
		if err := box.put(e); err != nil {
			t.Fatal(err)
		}
	}
	box.close()
	var got []Event
	box.drain(func(e Event) { got = append(got, e) })
	want := []Event{Closed{Attempt: 2}, Connected{Version: "2"}, Proved{}, Gap{From: time.UnixMilli(1), To: time.UnixMilli(6)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
