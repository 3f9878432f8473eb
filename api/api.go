package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/vigiaguard/vigia"
)

// Store is what the API needs of the record.
type Store interface {
	AddAccount(ctx context.Context, a vigia.Account, sealed vigia.SealedCredentials) error
	SaveAccount(ctx context.Context, a vigia.Account) error
	DeleteAccount(ctx context.Context, owner vigia.UserID, id vigia.AccountID) error
	Account(ctx context.Context, owner vigia.UserID, id vigia.AccountID) (vigia.Account, error)
	AccountByLabel(ctx context.Context, owner vigia.UserID, label string) (vigia.Account, error)
	ListAccounts(ctx context.Context, owner vigia.UserID, after vigia.AccountID, limit int) ([]vigia.Account, error)
	AddAutomation(ctx context.Context, a vigia.Automation) (vigia.Automation, error)
	SaveAutomation(ctx context.Context, a vigia.Automation) (vigia.Automation, error)
	DeleteAutomation(ctx context.Context, owner vigia.UserID, id vigia.AutomationID) error
	Automation(ctx context.Context, owner vigia.UserID, id vigia.AutomationID) (vigia.Automation, error)
	ListAutomations(ctx context.Context, owner vigia.UserID, after vigia.AutomationID, limit int) ([]vigia.Automation, error)
	Request(ctx context.Context, e vigia.Execution) (vigia.Execution, error)
	Execution(ctx context.Context, owner vigia.UserID, id vigia.ExecutionID) (vigia.Execution, error)
	ListExecutions(ctx context.Context, owner vigia.UserID, account vigia.AccountID, before vigia.ExecutionID, limit int) ([]vigia.Execution, error)
	ListDecisions(ctx context.Context, owner vigia.UserID, account vigia.AccountID, before string, limit int) ([]vigia.KeptDecision, error)
	ListEvents(ctx context.Context, owner vigia.UserID, before int64, limit int) ([]vigia.Event, error)
	Heads(ctx context.Context) ([]vigia.JournalHead, error)
	ListJournal(ctx context.Context, owner vigia.UserID, chain string, before int64, limit int) ([]vigia.JournalEntry, error)
	Verify(ctx context.Context, published *vigia.JournalHead) (vigia.JournalCheck, error)
	Stops(ctx context.Context) (vigia.Stops, error)
	SetStops(ctx context.Context, set vigia.Stops) error
	Backup(ctx context.Context, to string) error
}

// Desk is what the API asks of the running program besides its record.
type Desk interface {
	// Statuses are what the guards say of themselves.
	Statuses(ctx context.Context) ([]vigia.GuardStatus, error)
	// Preview is what a guard would do with the positions there are now.
	Preview(ctx context.Context, a vigia.Automation) (vigia.Preview, error)
	// Probe asks the exchange what a key may do, before it is saved.
	Probe(ctx context.Context, network vigia.Network, credentials vigia.Credentials) (scopes []string, err error)
	// Seal seals the credentials of an account for the record.
	Seal(a *vigia.Account, credentials vigia.Credentials) (vigia.SealedCredentials, error)
	// Checks are what the doctor found.
	Checks(ctx context.Context) []vigia.Check
	// Drill drops the paper price by a share, over a time.
	Drill(ctx context.Context, drop vigia.Percent, over time.Duration) error
	// Ready says why the program cannot serve; nil when it can.
	Ready(ctx context.Context) error
}

// Options are what the API is made of.
type Options struct {
	Store   Store
	Desk    Desk
	Clock   vigia.Clock
	Token   vigia.Secret
	Version string
}

// api holds what handlers need.
type api struct {
	Options
	names []string // of all fields there are, for "did you mean"
}

var nameErrors sync.Once

// mostBody bounds a request's body.
const mostBody = 64 << 10

// Handler serves the API.
func Handler(o Options) http.Handler {
	mux, a := http.NewServeMux(), &api{Options: o}
	config := huma.DefaultConfig("Vigia", o.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", "/api/schemas"
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{tokenScheme: {Type: "http", Scheme: "bearer"}}
	h := humago.New(mux, config)
	aliases(h.OpenAPI().Components.Schemas)
	h.UseMiddleware(a.permit(h))
	// The library has one maker of errors for the whole program, and every API here
	// has the same fields. It is set before the routes: their documents name its type.
	nameErrors.Do(func() { huma.NewError = a.newError })
	a.routes(h)
	a.names = fieldNames(h.OpenAPI().Components.Schemas)
	a.health(mux)
	return guardHeaders(http.MaxBytesHandler(a.closed(mux), mostBody))
}

// closed lets nobody without the token at the documents either.
func (a *api) closed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document := strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/api/v1/")
		if document && !a.holds(r.Header.Get("Authorization")) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(Problem{Code: vigia.CodeUnauthorized, Message: sendToken})
			return
		}
		next.ServeHTTP(w, r)
	})
}

const sendToken = "send the token as Authorization: Bearer TOKEN; it lies in the data folder, in the file token"

// holds says whether a header carries the token. The comparison takes the same
// time whatever was sent.
func (a *api) holds(authorization string) bool {
	given, ok := strings.CutPrefix(authorization, "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(given), []byte(a.Token.Reveal())) == 1
}

// aliases tell the schema what the root's amounts look like on the wire.
func aliases(r huma.Registry) {
	number, whole := reflect.TypeFor[float64](), reflect.TypeFor[int64]()
	for _, t := range []reflect.Type{reflect.TypeFor[vigia.Price](), reflect.TypeFor[vigia.Percent](), reflect.TypeFor[vigia.Leverage]()} {
		r.RegisterTypeAlias(t, number)
	}
	r.RegisterTypeAlias(reflect.TypeFor[time.Duration](), whole)
}

const tokenScheme = "token"

// permit lets a request through that carries the token, where its route asks for
// a permission.
func (a *api) permit(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		permission, _ := ctx.Operation().Metadata[permissionKey].(Permission)
		if permission == Anybody || a.holds(ctx.Header("Authorization")) {
			next(ctx)
			return
		}
		_ = huma.WriteErr(h, ctx, http.StatusUnauthorized, sendToken) // the client is gone when it fails
	}
}

func (a *api) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.Desk.Ready(r.Context()); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
}

func guardHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// owner is whose rows a request sees: the local owner's until people sign up.
func (a *api) owner(context.Context) vigia.UserID { return vigia.LocalOwner }
