package paper

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// NewAdmin is what the person who runs a paper exchange may do with it: make
// accounts, move the price, switch faults, look at everything. It has no key of
// its own: serve it on a loopback port. It refuses other addresses, and browsers.
// runner is nil when nothing drives the price; the calls about it are refused
// then. docs/paper.md lists the routes.
func NewAdmin(server *Server, runner *Runner) http.Handler {
	a := &admin{server: server, engine: server.engine, runner: runner}
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		mux.HandleFunc(r.pattern, a.guarded(r.answer))
	}
	mux.HandleFunc("/", a.guarded(func(*http.Request) (any, error) { return nil, notFound() }))
	return mux
}

type admin struct {
	server *Server
	engine *Engine
	runner *Runner
}

type adminRoute struct {
	pattern string
	answer  func(*http.Request) (any, error)
}

func (a *admin) routes() []adminRoute {
	return []adminRoute{
		{"POST /accounts", a.newAccount},
		{"GET /accounts", a.accounts},
		{"POST /accounts/{id}/deposit", a.deposit},
		{"GET /accounts/{id}/trades", a.trades},
		{"POST /accounts/{id}/trades", a.openTrade},
		{"GET /price", a.price},
		{"PUT /price", a.setPrice},
		{"POST /drill", a.drill},
		{"POST /freeze", a.freeze},
		{"POST /thaw", a.thaw},
		{"PUT /funding-rate", a.setFundingRate},
		{"GET /faults", a.faults},
		{"POST /faults", a.setFault},
		{"DELETE /faults", a.clearFaults},
		{"DELETE /faults/{id}", a.clearFault},
		{"GET /requests", a.requests},
		{"GET /ledger", a.ledger},
		{"POST /save", a.save},
	}
}

// guarded keeps strangers and web pages out, and writes what comes back.
func (a *admin) guarded(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var out any
		err := a.admit(r)
		if err == nil {
			out, err = answer(r)
		}
		status := http.StatusOK
		if err != nil {
			status, out = adminError(err)
		}
		raw, err := encoded(out)
		if err != nil {
			status, raw = http.StatusInternalServerError, []byte(`{"code":"`+CodeInternal+`","message":"the answer cannot be written"}`)
		}
		a.server.write(w, status, append(raw, '\n'))
	}
}

func (a *admin) admit(r *http.Request) error {
	if ip := net.ParseIP(addressOf(r)); ip != nil && !ip.IsLoopback() {
		return &Refusal{Code: CodeForbidden, Message: "Only this machine may do that", Status: http.StatusForbidden}
	}
	// A page that gave its own name this address sends no Origin for a GET.
	if host := hostOf(r.Host); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return &Refusal{Code: CodeForbidden, Message: "Ask for it by its address", Status: http.StatusForbidden}
	}
	if r.Header.Get("Origin") != "" {
		return &Refusal{Code: CodeForbidden, Message: "A web page may not do that", Status: http.StatusForbidden}
	}
	return nil
}

func hostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}

// spanOf reads a time like 2s; none is 0.
func spanOf(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		return 0, vigia.Invalid(field, fmt.Sprintf("got %q; it takes a time like 2s", text))
	}
	return span, nil
}

type adminFailure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// adminError says to the operator what it was, internal errors too.
func adminError(err error) (int, adminFailure) {
	var refusal *Refusal
	var invalid *vigia.Error
	switch {
	case errors.As(err, &refusal):
		return refusal.Status, adminFailure{Code: refusal.Code, Message: refusal.Message}
	case errors.As(err, &invalid):
		return http.StatusBadRequest, adminFailure{Code: CodeBadRequest, Message: invalid.Error(), Field: invalid.Field}
	case errors.Is(err, ErrNotBegun):
		return http.StatusServiceUnavailable, adminFailure{Code: CodeUnavailable, Message: err.Error()}
	}
	return http.StatusInternalServerError, adminFailure{Code: CodeInternal, Message: err.Error()}
}

// adminBody reads the JSON object of a request; without a body it is empty.
func adminBody[T any](r *http.Request) (T, error) {
	var none T
	raw, err := readBody(r)
	if err != nil || len(raw) == 0 {
		return none, err
	}
	return decodeBody[T](raw)
}

// AccountForm is an account as the admin port shows it. Secret and passphrase
// are there once, when it is made.
type AccountForm struct {
	ID         vigia.AccountID `json:"id"`
	Key        string          `json:"key"`
	Secret     string          `json:"secret,omitempty"`
	Passphrase string          `json:"passphrase,omitempty"`
	Scopes     []string        `json:"scopes"`
	Balance    vigia.Sats      `json:"balance_sats"`
}

func (a *admin) newAccount(r *http.Request) (any, error) {
	in, err := adminBody[struct {
		Balance lnmarkets.Int `json:"balance_sats"`
		Scopes  []string      `json:"scopes"`
	}](r)
	if err != nil {
		return nil, err
	}
	for _, scope := range in.Scopes {
		if !has(Scopes(), scope) {
			return nil, refuse("scopes: %q is not a scope of the exchange", scope)
		}
	}
	key, err := a.engine.NewAccount(vigia.Sats(in.Balance), in.Scopes...)
	if err != nil {
		return nil, err
	}
	form := a.form(&key)
	form.Secret, form.Passphrase = key.Secret.Reveal(), key.Passphrase.Reveal()
	return form, nil
}

func (a *admin) form(key *AccountKey) AccountForm {
	return AccountForm{ID: key.ID, Key: key.Key, Scopes: key.Scopes, Balance: a.engine.Wallet(key.ID)}
}

func (a *admin) accounts(*http.Request) (any, error) {
	out := []AccountForm{}
	for _, key := range a.engine.Accounts() {
		out = append(out, a.form(&key))
	}
	return out, nil
}

func (a *admin) deposit(r *http.Request) (any, error) {
	in, err := adminBody[struct {
		Amount lnmarkets.Int `json:"amount_sats"`
	}](r)
	if err != nil {
		return nil, err
	}
	id := vigia.AccountID(r.PathValue("id"))
	if err := a.engine.Deposit(id, vigia.Sats(in.Amount)); err != nil {
		return nil, err
	}
	return map[string]vigia.Sats{"balance_sats": a.engine.Wallet(id)}, nil
}

func (a *admin) trades(r *http.Request) (any, error) {
	id := vigia.AccountID(r.PathValue("id"))
	out := map[vigia.TradeState][]lnmarkets.Trade{}
	for _, state := range []vigia.TradeState{vigia.TradeOpen, vigia.TradeRunning, vigia.TradeClosed, vigia.TradeCanceled} {
		out[state] = wireTrades(a.engine.typed(id, state, span{}))
	}
	return out, nil
}

func (a *admin) openTrade(r *http.Request) (any, error) {
	in, err := adminBody[lnmarkets.NewTrade](r)
	if err != nil {
		return nil, err
	}
	order, err := orderOf(&in)
	if err != nil {
		return nil, err
	}
	t, err := a.engine.Open(vigia.AccountID(r.PathValue("id")), order)
	if err != nil {
		return nil, err
	}
	return lnmarkets.TradeOf(&t, in.Type), nil
}

// FaultForm is a fault with its times in words, like 2s.
type FaultForm struct {
	Fault
	Delay string `json:"delay,omitempty"`
	Shift string `json:"shift,omitempty"`
}

func (a *admin) faults(*http.Request) (any, error) {
	out := []FaultForm{}
	for _, f := range a.server.Faults() {
		form := FaultForm{Fault: f}
		if f.Delay != 0 {
			form.Delay = f.Delay.String()
		}
		if f.Shift != 0 {
			form.Shift = f.Shift.String()
		}
		out = append(out, form)
	}
	return out, nil
}

func (a *admin) setFault(r *http.Request) (any, error) {
	raw, err := readBody(r)
	if err != nil {
		return nil, err
	}
	form, err := decodeBody[FaultForm](raw)
	if err != nil {
		return nil, err
	}
	if form.Fault.Delay, err = spanOf("delay", form.Delay); err != nil {
		return nil, err
	}
	if form.Fault.Shift, err = spanOf("shift", form.Shift); err != nil {
		return nil, err
	}
	id, err := a.server.SetFault(form.Fault)
	if err != nil {
		return nil, err
	}
	return map[string]int{"id": id}, nil
}

func (a *admin) clearFaults(*http.Request) (any, error) {
	a.server.ClearFaults()
	return map[string]bool{"ok": true}, nil
}

func (a *admin) clearFault(r *http.Request) (any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !a.server.ClearFault(id) {
		return nil, notFound()
	}
	return map[string]bool{"ok": true}, nil
}

func (a *admin) requests(r *http.Request) (any, error) {
	after := uint64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, refuse("after: got %q; it takes the seq of a request", text)
		}
	}
	only := vigia.AccountID(r.URL.Query().Get("account"))
	out := []Request{}
	for _, row := range a.server.Requests(after) {
		if only == "" || row.Account == only {
			out = append(out, row)
		}
	}
	return out, nil
}

func (a *admin) ledger(*http.Request) (any, error) {
	out := struct {
		OK    bool   `json:"ok"`
		Error string `json:"error,omitempty"`
	}{OK: true}
	// That the books do not agree is the answer, not a failure to give one.
	if broken := a.engine.CheckLedger(); broken != nil {
		out.OK, out.Error = false, broken.Error()
	}
	return out, nil
}

func (a *admin) save(*http.Request) (any, error) {
	if err := a.engine.Save(); err != nil {
		return nil, err
	}
	return map[string]bool{"ok": true}, nil
}
