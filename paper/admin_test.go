package paper_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

// credentials is what the CLI prints of a new account.
type credentials struct {
	ID         vigia.AccountID `json:"id"`
	Key        string          `json:"key"`
	Secret     string          `json:"secret"`
	Passphrase string          `json:"passphrase"`
	Scopes     []string        `json:"scopes"`
	Balance    vigia.Sats      `json:"balance_sats"`
}

func (c *credentials) account() paper.AccountKey {
	return paper.AccountKey{
		ID: c.ID, Key: c.Key, Secret: vigia.NewSecret(c.Secret), Passphrase: vigia.NewSecret(c.Passphrase), Scopes: c.Scopes,
	}
}

func TestAnAccountOfTheAdminPortTrades(t *testing.T) {
	t.Parallel()
	c := newDesk(t, nil).console()
	var made credentials
	if status, body := c.do("POST", "/accounts", `{"balance_sats":500000}`, &made); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	account, _, err := c.client(made.account()).Account(t.Context())
	if err != nil || account.Free() != 500_000 {
		t.Fatalf("got %+v, %v", account, err)
	}
	path := "/accounts/" + string(made.ID)
	var deposited struct {
		Balance vigia.Sats `json:"balance_sats"`
	}
	c.do("POST", path+"/deposit", `{"amount_sats":100}`, &deposited)
	equal(t, "after the deposit", deposited.Balance, 500_100)
	if status, body := c.do("POST", path+"/trades", `{"type":"market","side":"buy","leverage":10,"quantity":100}`, nil); status != 200 {
		t.Fatalf("a trade: got %d %s", status, body)
	}
	var trades map[string][]lnmarkets.Trade
	c.do("GET", path+"/trades", "", &trades)
	equal(t, "running trades", len(trades["running"]), 1)
	var all []credentials
	_, body := c.do("GET", "/accounts", "", &all)
	equal(t, "accounts", len(all), 2)
	if strings.Contains(body, made.Secret) || strings.Contains(body, made.Passphrase) {
		t.Error("the list of accounts shows secrets")
	}
	var sound struct {
		OK bool `json:"ok"`
	}
	c.do("GET", "/ledger", "", &sound)
	equal(t, "the ledger", sound.OK, true)
}

func TestScopesOfANewAccountHold(t *testing.T) {
	t.Parallel()
	c := newDesk(t, nil).console()
	var made credentials
	c.do("POST", "/accounts", `{"scopes":["account:read"]}`, &made)
	client := c.client(made.account())
	if _, _, err := client.Account(t.Context()); err != nil {
		t.Error(err)
	}
	c.refusedWith(ask{method: "GET", path: "/futures/isolated/trades/running", key: made.account()}, 403, paper.CodeForbidden)
	if status, body := c.do("POST", "/accounts", `{"scopes":["account:write"]}`, nil); status != 400 {
		t.Errorf("an unknown scope: got %d %s", status, body)
	}
	full := paper.TradingScopes()
	for _, scope := range full {
		if scope == vigia.ScopeWithdrawalWrite {
			t.Error("a key may withdraw though nobody said so")
		}
	}
}

func TestAdminMovesThePrice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.console(point(100_000, 0), point(101_000, 10))
	stop := run(t, c.runner, d.clock)
	defer stop()
	last := func() vigia.Price { return d.Last() }
	var moved struct {
		Last vigia.Price `json:"last_usd"`
	}
	c.do("PUT", "/price", `{"usd":90000.5}`, &moved)
	equal(t, "set", moved.Last, 180_001)
	var way struct{ From, To vigia.Price }
	var drill struct {
		From vigia.Price `json:"from_usd"`
		To   vigia.Price `json:"to_usd"`
	}
	c.do("PUT", "/price", `{"usd":100000}`, nil)
	c.do("POST", "/drill", `{"drop_pct":15,"over":"4s"}`, &drill)
	way.From, way.To = drill.From, drill.To
	equal(t, "from", way.From, vigia.Dollars(100_000))
	equal(t, "to", way.To, vigia.Dollars(85_000))
	c.step(time.Second)
	equal(t, "after a quarter", last(), vigia.Dollars(96_250))
	c.do("POST", "/freeze", "", nil)
	c.step(time.Second)
	equal(t, "frozen", last(), vigia.Dollars(96_250))
	c.do("POST", "/thaw", "", nil)
	c.step(8 * time.Second)
	equal(t, "goes on in proportion", last(), vigia.PriceFromFloat(96_250*1.01))
}

func TestAdminRefuses(t *testing.T) {
	t.Parallel()
	c := newDesk(t, nil).console()
	for what, want := range map[string]int{
		`PUT /price {"usd":1}`:                                         409,
		`POST /drill {"drop_pct":1,"over":"1s"}`:                       409,
		`POST /freeze `:                                                409,
		`POST /thaw `:                                                  409,
		`PUT /price {"eur":1}`:                                         400,
		`POST /accounts {"balance_sats":-1}`:                           400,
		`POST /accounts [`:                                             400,
		`POST /accounts/nobody/deposit {"amount_sats":1}`:              400,
		`POST /accounts/nobody/trades {"type":"market"}`:               400,
		`POST /faults {"kind":"fire"}`:                                 400,
		`POST /faults {"kind":"slow"}`:                                 400,
		`POST /faults {"kind":"slow","delay":"soon"}`:                  400,
		`POST /faults {"kind":"slow","delay":"1s","colour":"red"}`:     400,
		`POST /faults {"kind":"reset","call":"dance"}`:                 400,
		`POST /faults {"kind":"reset","chance_pct":101}`:               400,
		`POST /faults {"kind":"reset","count":-1}`:                     400,
		`POST /faults {"kind":"clock_off"}`:                            400,
		`POST /faults {"kind":"clock_off","shift":"1s","call":"ping"}`: 400,
		`DELETE /faults/7 `:                                            404,
		`DELETE /faults/x `:                                            404,
		`GET /nothing `:                                                404,
		`GET /requests?after=x `:                                       400,
		`PUT /funding-rate {"rate":2}`:                                 400,
		`POST /save `:                                                  409,
	} {
		method, rest, _ := strings.Cut(what, " ")
		path, body, _ := strings.Cut(rest, " ")
		status, got := c.do(method, path, body, nil)
		var failure struct{ Code, Message string }
		if err := json.Unmarshal([]byte(got), &failure); err != nil || status != want || failure.Code == "" || failure.Message == "" {
			t.Errorf("%s: got %d %s, want %d with a code and a message", what, status, got, want)
		}
	}
}

func TestAdminIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	c := newDesk(t, nil).console()
	for name, change := range map[string]func(*http.Request){
		"a web page":         func(r *http.Request) { r.Header.Set("Origin", "https://example.org") },
		"a name of a page":   func(r *http.Request) { r.Host = "evil.example.org" },
		"an address outside": func(r *http.Request) { r.Host = "192.0.2.1:80" },
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.admin+"/accounts", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		equal(t, name, resp.StatusCode, 403)
	}
}

func TestAdminSavesTheState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paper.state")
	e, err := paper.Load(path, paper.Frictionless())
	if err != nil {
		t.Fatal(err)
	}
	c := newDesk(t, func(o *paper.ServerOptions) { o.Engine = e }).console()
	var made credentials
	c.do("POST", "/accounts", `{"balance_sats":5,"scopes":["account:read"]}`, &made)
	if err := e.Tick(vigia.Dollars(70_000), midnight); err != nil {
		t.Fatal(err)
	}
	if status, body := c.do("POST", "/save", "", nil); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	if err := e.Shut(); err != nil {
		t.Fatal(err)
	}
	again, err := paper.Load(path, paper.Frictionless())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Shut() }()
	equal(t, "price", again.Last(), vigia.Dollars(70_000))
	key, ok := again.ByKey(made.Key)
	if !ok || len(key.Scopes) != 1 || key.Scopes[0] != vigia.ScopeAccountRead {
		t.Errorf("the key came back as %+v", key.Scopes)
	}
}
