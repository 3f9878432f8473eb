package paper_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

func TestEveryWriteIsInTheLogOnce(t *testing.T) {
	t.Parallel()
	rates := paper.Rates{Key: 100, KeyBurst: 9}
	d := newDesk(t, func(o *paper.ServerOptions) { o.Rates = &rates })
	reader, err := d.NewAccount(0, vigia.ScopeIsolatedRead)
	if err != nil {
		t.Fatal(err)
	}
	const path = "/futures/isolated/trade"
	market := `{"type":"market","side":"buy","leverage":10,"quantity":1000}`
	d.get(ask{method: "POST", path: path, body: market})
	id := d.Running(d.acc)[0].ID
	ref := `{"id":"` + string(id) + `"`
	d.get(ask{method: "POST", path: path + "/add-margin", body: ref + `,"amount":11}`})
	d.get(ask{method: "POST", path: path + "/cash-in", body: ref + `,"amount":12}`})
	d.get(ask{method: "PUT", path: path + "/stoploss", body: ref + `,"value":95000}`})
	d.get(ask{method: "DELETE", path: path + "/stoploss", query: "id=" + string(id)})
	d.get(ask{method: "POST", path: path + "/add-margin", body: ref + `,"amount":-1}`})
	d.get(ask{method: "POST", path: path + "/add-margin", body: ref + `,"amount":13}`, key: reader})
	d.get(ask{method: "GET", path: "/account"})                         // a read
	d.get(ask{method: "POST", path: path, body: market, plain: true})   // nobody's
	d.get(ask{method: "POST", path: path + "/close", body: ref + `}{`}) // not JSON
	d.get(ask{method: "POST", path: path + "/close", body: ref + `}`})
	d.get(ask{method: "POST", path: path + "/close", body: ref + `}`}) // one too many

	type row struct {
		call    string
		amount  vigia.Sats
		outcome paper.Outcome
		code    string
	}
	want := []row{
		{"new-trade", 100_000, paper.OutcomeExecuted, ""},
		{"add-margin", 11, paper.OutcomeExecuted, ""},
		{"cash-in", 12, paper.OutcomeExecuted, ""},
		{"set-stoploss", 0, paper.OutcomeExecuted, ""},
		{"remove-stoploss", 0, paper.OutcomeExecuted, ""},
		{"add-margin", -1, paper.OutcomeRefused, paper.CodeBadRequest},
		{"add-margin", 13, paper.OutcomeRefused, paper.CodeForbidden},
		{"close", 0, paper.OutcomeRefused, paper.CodeBadRequest},
		{"close", 0, paper.OutcomeExecuted, ""},
		{"close", 0, paper.OutcomeTooMany, paper.CodeTooMany},
	}
	rows := d.server.Requests(0)
	if len(rows) != len(want) {
		t.Fatalf("got %d rows, want %d: %+v", len(rows), len(want), rows)
	}
	signatures := map[string]bool{}
	for i, r := range rows {
		equal(t, "row", row{r.Call, r.Amount, r.Outcome, r.Code}, want[i])
		equal(t, "number", r.Seq, uint64(i+1))
		if i != 7 {
			equal(t, "trade of "+r.Call, r.Trade, id)
		}
		if r.EndedAt.IsZero() || r.ReceivedAt.IsZero() || r.SignedAt.IsZero() || r.Signature == "" {
			t.Errorf("row %d is not whole: %+v", i, r)
		}
		signatures[r.Signature] = true
	}
	equal(t, "signatures, the same close twice", len(signatures), len(rows)-1)
	equal(t, "after the eighth", len(d.server.Requests(8)), 2)

	var shown []paper.Request
	c := d.console()
	if status, body := c.do("GET", "/requests?after=8&account="+string(d.acc), "", &shown); status != 200 || len(shown) != 2 || shown[0] != rows[8] {
		t.Errorf("the admin port: got %d %s", status, body)
	}
	if _, body := c.do("GET", "/requests?account=nobody", "", nil); body != "[]\n" {
		t.Errorf("of nobody: got %s", body)
	}
}

func TestTheRequestLogIsBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *paper.ServerOptions) { o.KeepRequests = 4 })
	for range 20 {
		d.get(ask{method: "POST", path: "/futures/isolated/trades/cancel-all"})
	}
	rows := d.server.Requests(0)
	if len(rows) < 4 || len(rows) > 8 {
		t.Errorf("got %d rows, want 4 to 8", len(rows))
	}
	for i, r := range rows {
		equal(t, "the newest", r.Seq, uint64(20-len(rows)+i+1))
	}
}

func TestFaultsOverTheAdminPort(t *testing.T) {
	t.Parallel()
	c := newDesk(t, nil).console()
	var made struct{ ID int }
	c.do("POST", "/faults", `{"kind":"answer_lost_executed_late","call":"add-margin","delay":"20s","beyond_window":true,"hang":true,"chance_pct":12.5,"count":3}`, &made)
	equal(t, "id", made.ID, 1)
	c.do("POST", "/faults", `{"kind":"clock_off","shift":"-1m"}`, nil)
	_, body := c.do("GET", "/faults", "", nil)
	want := `[{"id":1,"kind":"answer_lost_executed_late","call":"add-margin","chance_pct":12.5,"count":3,"hang":true,"beyond_window":true,"struck":0,"delay":"20s"},` +
		`{"id":2,"kind":"clock_off","struck":0,"shift":"-1m0s"}]` + "\n"
	equal(t, "listed", body, want)
	in := c.server.Faults()[0]
	equal(t, "as it was set", in, paper.Fault{
		ID: 1, Kind: paper.FaultLate, Call: "add-margin", Chance: 12_500, Count: 3, Delay: 20 * time.Second, Hang: true, BeyondWindow: true,
	})
	if status, _ := c.do("DELETE", "/faults/1", "", nil); status != 200 || len(c.server.Faults()) != 1 {
		t.Error("the first was not cleared")
	}
	if status, _ := c.do("DELETE", "/faults", "", nil); status != 200 || len(c.server.Faults()) != 0 {
		t.Error("they were not cleared")
	}
	var price struct {
		Rate vigia.FundingRate `json:"funding_rate_e10"`
	}
	c.do("PUT", "/funding-rate", `{"rate":0.0003}`, &price)
	equal(t, "funding rate", price.Rate, 3*paper.DefaultFundingRate)
	var ticker lnmarkets.Ticker
	if err := json.Unmarshal([]byte(c.get(ask{method: "GET", path: "/futures/ticker"}).body), &ticker); err != nil {
		t.Fatal(err)
	}
	equal(t, "on the wire", ticker.FundingRate, 0.0003)
}
