package paper_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

func TestRelaxedRatesTakeABurst(t *testing.T) {
	t.Parallel()
	rates := paper.RelaxedRates()
	d := newDesk(t, func(o *paper.ServerOptions) { o.Rates = &rates })
	taken := func(a ask) int {
		n := 0
		for ; n < 100 && d.get(a).status == 200; n++ {
		}
		return n
	}
	account, ping := ask{method: "GET", path: "/account"}, ask{method: "GET", path: "/ping"}
	equal(t, "calls of a key at once", taken(account), 40)
	equal(t, "public calls at once", taken(ping), 5)
	d.clock.Advance(time.Second)
	equal(t, "calls of a key a second later", taken(account), 20)
	equal(t, "public calls a second later", taken(ping), 4)
}

func TestManyAddressesAreForgottenOnceTheyRested(t *testing.T) {
	t.Parallel()
	b := paper.NewBuckets(1, 1)
	for i := range 5000 {
		if !b.Take(fmt.Sprint(i), midnight) {
			t.Fatal("a new address was refused")
		}
	}
	if b.Take("7", midnight) {
		t.Error("an address was forgotten before it rested")
	}
	later := midnight.Add(time.Second)
	b.Take("new", later)
	equal(t, "remembered", b.Len(), 1)
	equal(t, "a clock that went back gives nothing", b.Take("new", midnight), false)
}

func TestNoncesAreForgottenWithTheirWindow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for i := range 5000 {
		if !d.server.Fresh(d.key.Key, fmt.Sprint(i), midnight) {
			t.Fatal("a fresh nonce was refused")
		}
	}
	equal(t, "again", d.server.Fresh(d.key.Key, "7", midnight), false)
	equal(t, "of another key", d.server.Fresh("other", "7", midnight), true)
	equal(t, "after the window", d.server.Fresh(d.key.Key, "7", midnight.Add(2*time.Minute)), true)
}

func TestTheLongBarsBeginWithTheCalendar(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.at = time.Date(2026, 5, 31, 23, 59, 0, 0, time.UTC) // a Sunday
	d.price(90_000)
	d.at = d.at.Add(2 * time.Minute)
	d.price(91_000)
	for length, want := range map[string]string{
		"1w": "2026-06-01 2026-05-25 2026-02-23", "1month": "2026-06-01 2026-05-01 2026-03-01", "3months": "2026-04-01 2026-01-01",
		"1d": "2026-06-01 2026-05-31 2026-03-01",
	} {
		var page lnmarkets.Page[lnmarkets.Candle]
		r := d.get(ask{method: "GET", path: "/futures/candles", query: "range=" + length})
		if err := json.Unmarshal([]byte(r.body), &page); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range page.Data {
			got = append(got, c.Time.Format(time.DateOnly))
		}
		equal(t, length, strings.Join(got, " "), want)
	}
}

func TestTheLadderComesOnceASecond(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	w := d.dial()
	w.subscribe(lnmarkets.TopicBuckets)
	w.told(lnmarkets.TopicBuckets)
	d.price(99_000)
	d.server.Moved()
	w.told(lnmarkets.TopicBuckets)
	d.price(98_000)
	d.clock.Advance(999 * time.Millisecond)
	d.server.Moved()
	w.quiet("within a second")
	d.clock.Advance(time.Millisecond)
	d.server.Moved()
	if got := w.told(lnmarkets.TopicBuckets); !strings.Contains(got, `"askPrice":98000`) {
		t.Errorf("got %s", got)
	}
}
