package lnmarkets_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia/lnmarkets"
)

func TestPagesAreFollowedToTheEnd(t *testing.T) {
	t.Parallel()
	row := strings.TrimSpace(string(fixture(t, "trade-running.json")))
	x := newExchange(t, func(w http.ResponseWriter, r *http.Request) {
		next := map[string]string{"": `"a"`, "a": `"b"`, "b": "null"}[r.URL.Query().Get("cursor")]
		answering(http.StatusOK, fmt.Sprintf(`{"data":[%s,%s],"nextCursor":%s}`, row, row, next))(w, r)
	})
	ctx, client := safety(t), newClient(t, newSteeredClock(), x.URL)
	rows := 0
	for _, err := range client.Closed(ctx, lnmarkets.Window{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	if came := x.requests(); rows != 6 || len(came) != 3 || came[2].target != "/v3/futures/isolated/trades/closed?cursor=b&limit=2" {
		t.Errorf("%d rows from %v", rows, came)
	}
}

func TestPagesAreFetchedWhenTheyAreNeeded(t *testing.T) {
	t.Parallel()
	row := strings.TrimSpace(string(fixture(t, "trade-running.json")))
	x := newExchange(t, answering(http.StatusOK, fmt.Sprintf(`{"data":[%s],"nextCursor":"more"}`, row)))
	ctx, client := safety(t), newClient(t, newSteeredClock(), x.URL)
	for _, err := range client.Closed(ctx, lnmarkets.Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if came := x.requests(); len(came) != 1 {
		t.Errorf("asked %d times for one row", len(came))
	}
}

func TestPagesThatNeverEndAreAnError(t *testing.T) {
	t.Parallel()
	x := newExchange(t, answering(http.StatusOK, `{"data":[],"nextCursor":"again"}`))
	ctx, client := safety(t), newClient(t, newSteeredClock(), x.URL)
	if err := last(client.Closed(ctx, lnmarkets.Window{})); err == nil || !strings.Contains(err.Error(), "again") {
		t.Errorf("got %v", err)
	}
}

func TestPagesEndWithTheErrorOfARow(t *testing.T) {
	t.Parallel()
	x := newExchange(t, answering(http.StatusOK, `{"data":[{"id":"a","side":"buy"}],"nextCursor":null}`))
	ctx, client := safety(t), newClient(t, newSteeredClock(), x.URL)
	if err := last(client.Closed(ctx, lnmarkets.Window{})); err == nil || !strings.Contains(err.Error(), `trade "a"`) {
		t.Errorf("got %v", err)
	}
}
