package paper_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	forged := d.key
	forged.Secret = vigia.NewSecret("another")
	unknown := d.key
	unknown.Key = "nobody"
	mistyped := d.key
	mistyped.Passphrase = vigia.NewSecret("wrong")
	other := "other"
	now := d.clock.Now()
	for name, a := range map[string]ask{
		"nobody":                      {plain: true},
		"an unknown key":              {key: unknown},
		"a wrong passphrase":          {key: mistyped},
		"a wrong secret":              {key: forged},
		"a signature of other data":   {signed: &other},
		"a signature from long ago":   {at: now.Add(-30*time.Second - time.Millisecond)},
		"a signature of the future":   {at: now.Add(30*time.Second + time.Millisecond)},
		"a time that is no number":    {headers: map[string]string{lnmarkets.HeaderTimestamp: "now"}},
		"no signature":                {headers: map[string]string{lnmarkets.HeaderSignature: ""}},
		"a signature that is no code": {headers: map[string]string{lnmarkets.HeaderSignature: "!"}},
		"the signature of a query":    {query: "limit=1", signed: new(string), path: "/futures/isolated/trades/closed"},
	} {
		t.Run(name, func(*testing.T) {
			a.method = "GET"
			if a.path == "" {
				a.path = "/account"
			}
			d.refusedWith(a, 401, paper.CodeUnauthorized)
		})
	}
	for name, at := range map[string]time.Time{"old": now.Add(-30 * time.Second), "early": now.Add(30 * time.Second)} {
		equal(t, name, d.get(ask{method: "GET", path: "/account", at: at}).status, 200)
	}
	if got := len(d.server.Requests(0)); got != 0 {
		t.Errorf("reads and strangers are in the request log: %d", got)
	}
}

func TestTheClockWindowIsASetting(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *paper.ServerOptions) { o.ClockWindow = 2 * time.Second })
	at := d.clock.Now()
	d.clock.Advance(2 * time.Second)
	equal(t, "in the window", d.get(ask{method: "GET", path: "/account", at: at}).status, 200)
	d.clock.Advance(time.Millisecond)
	d.refusedWith(ask{method: "GET", path: "/account", at: at}, 401, paper.CodeUnauthorized)
}

func TestSignaturesOverTheBodyAsJavaScriptWritesIt(t *testing.T) {
	t.Parallel()
	const spaced = `{ "type": "market", "side": "buy", "leverage": 10.0, "quantity": 1e1 }`
	compact := `{"type":"market","side":"buy","leverage":10,"quantity":10}`
	raw := spaced
	post := func(body string, signed *string) ask {
		return ask{method: "POST", path: "/futures/isolated/trade", body: body, signed: signed}
	}
	lax, strict := newDesk(t, nil), newDesk(t, func(o *paper.ServerOptions) { o.StrictSignatures = true })
	equal(t, "the bytes that were sent", lax.get(post(spaced, &raw)).status, 200)
	equal(t, "the compact form", lax.get(post(spaced, &compact)).status, 200)
	equal(t, "the compact form, strict", strict.get(post(spaced, &compact)).status, 200)
	equal(t, "a compact body, strict", strict.get(post(compact, nil)).status, 200)
	strict.refusedWith(post(spaced, &raw), 401, paper.CodeUnauthorized)
}

func TestTheCompactForm(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"b": 1, "a": [1.0, true, null, "x"]}`:      `{"b":1,"a":[1,true,null,"x"]}`,
		`{"a":1,"b":2,"a":3}`:                        `{"a":3,"b":2}`,
		`[1e21, 1e20, 0.000001, 1e-7, -0.0, 1.5e-9]`: `[1e+21,100000000000000000000,0.000001,1e-7,0,1.5e-9]`,
		`"\u00e9\/<&>\u0001\n"`:                      `"é/<&>\u0001\n"`,
		`{"x":{}}`:                                   `{"x":{}}`,
		`0.1`:                                        `0.1`,
		`100000.5`:                                   `100000.5`,
	} {
		got, err := paper.CompactForm([]byte(raw))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", raw, got, err, want)
		}
	}
	for _, broken := range []string{``, `{`, `{"a":}`, `{} {}`, `[1,]`, `1e999`, `{"a" 1}`, `nul`} {
		if got, err := paper.CompactForm([]byte(broken)); err == nil {
			t.Errorf("%q was taken as %s", broken, got)
		}
	}
}
