package api

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

var update = flag.Bool("update", false, "write docs/openapi.json again")

// quiet is a desk that has nothing to say: who is not let in must not reach it.
type quiet struct{}

var errReached = errors.New("a request that should have been refused reached the desk")

func (quiet) Statuses(context.Context) ([]vigia.GuardStatus, error) {
	return []vigia.GuardStatus{}, nil
}
func (quiet) Preview(context.Context, vigia.Automation) (vigia.Preview, error) {
	return vigia.Preview{}, errReached
}
func (quiet) Probe(context.Context, vigia.Network, vigia.Credentials) ([]string, error) {
	return nil, errReached
}
func (quiet) Seal(*vigia.Account, vigia.Credentials) (vigia.SealedCredentials, error) {
	return vigia.SealedCredentials{}, errReached
}
func (quiet) Checks(context.Context) []vigia.Check                      { return []vigia.Check{} }
func (quiet) Drill(context.Context, vigia.Percent, time.Duration) error { return errReached }
func (quiet) Ready(context.Context) error                               { return nil }

const testToken = "the-token-of-this-test"

func serve(t *testing.T) http.Handler {
	t.Helper()
	return Handler(Options{Desk: quiet{}, Clock: vigia.NewManualClock(time.Unix(0, 0)), Token: vigia.NewSecret(testToken), Version: "test"})
}

// document is the OpenAPI document as it is served.
func document(t *testing.T, h http.Handler) (raw []byte, paths map[string]map[string]json.RawMessage) {
	t.Helper()
	answer := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil)
	r.Header.Set("Authorization", "Bearer "+testToken)
	h.ServeHTTP(answer, r)
	var d struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &d); err != nil {
		t.Fatalf("the document is not JSON: %v", err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1") || len(d.Paths) < 20 {
		t.Fatalf("got OpenAPI %q with %d paths", d.OpenAPI, len(d.Paths))
	}
	return answer.Body.Bytes(), d.Paths
}

// Every route says what it needs, and nobody without the token gets past it.
func TestEveryRouteNeedsTheToken(t *testing.T) {
	t.Parallel()
	h := serve(t)
	_, paths := document(t, h)
	for path, methods := range paths {
		for method, raw := range methods {
			var operation struct {
				Security []map[string][]string `json:"security"`
			}
			if err := json.Unmarshal(raw, &operation); err != nil {
				t.Fatal(err)
			}
			if len(operation.Security) != 1 || len(operation.Security[0][tokenScheme]) != 1 {
				t.Errorf("%s %s declares no permission", method, path)
			}
			for _, authorization := range []string{"", "Bearer ", "Bearer wrong", "Basic " + testToken, testToken} {
				refusesStranger(t, h, method, path, authorization)
			}
		}
	}
}

func refusesStranger(t *testing.T, h http.Handler, method, path, authorization string) {
	t.Helper()
	r := httptest.NewRequest(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	var p Problem
	if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || answer.Code != http.StatusUnauthorized || p.Code != vigia.CodeUnauthorized {
		t.Errorf("%s %s as %q: got %d %s, want 401 unauthorized", method, path, authorization, answer.Code, answer.Body)
	}
}

// Nothing but the two health checks answers without the token.
func TestOnlyHealthIsOpen(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 404, "/": 404, "/api/v1": 401, "/api/docs": 401,
		"/api/openapi.json": 401, "/api/openapi.yaml": 401, "/api/schemas/Account.json": 401} {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("GET %s: got %d, want %d", path, answer.Code, want)
		}
	}
}

// The document that is checked in is the one that is served.
func TestOpenAPIDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	const file = "../docs/openapi.json"
	raw, _ := document(t, serve(t))
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Error("docs/openapi.json is stale: go test ./api -run OpenAPI -update")
	}
}

// A body is refused with the field, what was wrong and, where one is near, the
// field that was probably meant.
func TestABadBodyNamesTheField(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for _, tc := range []struct{ name, path, body, field, says string }{
		{"unknown field", "/api/v1/accounts", `{"label":"a","network":"paper","key":"k","secret":"s","passphrase":"p","lable":"x"}`, "lable", "did you mean label?"},
		{"missing field", "/api/v1/accounts", `{"label":"a","network":"paper","key":"k","secret":"s"}`, "", "passphrase"},
		{"wrong kind", "/api/v1/accounts", `{"label":7,"network":"paper","key":"k","secret":"s","passphrase":"p"}`, "label", "string"},
		{"not one of", "/api/v1/accounts", `{"label":"a","network":"moon","key":"k","secret":"s","passphrase":"p"}`, "network", "mainnet"},
		{"not JSON", "/api/v1/accounts", `{`, "", ""},
		{"not a number", "/api/v1/accounts/demo/drill", `{"drop_pct":"NaN","over_s":1}`, "drop_pct", "number"},
		{"too much", "/api/v1/accounts/demo/drill", `{"drop_pct":101,"over_s":1}`, "drop_pct", "90"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, tc.path, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+testToken)
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			var p Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil {
				t.Fatalf("got %s: %v", answer.Body, err)
			}
			if answer.Code < 400 || answer.Code >= 500 || p.Code != vigia.CodeInvalid {
				t.Errorf("got %d %s", answer.Code, answer.Body)
			}
			if p.Field != tc.field || !strings.Contains(answer.Body.String(), tc.says) {
				t.Errorf("got %s, want field %q and %q", answer.Body, tc.field, tc.says)
			}
		})
	}
}

// What the program does not mean to say is not said.
func TestAnUnknownErrorKeepsItsCause(t *testing.T) {
	t.Parallel()
	var p *Problem
	if !errors.As(problem(errors.New("dial tcp 10.0.0.1: password=hunter2")), &p) || p.Code != codeInternal {
		t.Fatalf("got %v", p)
	}
	if strings.Contains(p.Message, "hunter2") {
		t.Errorf("the cause reached the client: %s", p.Message)
	}
}
