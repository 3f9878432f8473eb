package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/api"
)

// fakeServer answers as the API does, from what a test put into it.
type fakeServer struct {
	folder string
	http   *httptest.Server

	mu          sync.Mutex
	guards      []vigia.GuardStatus
	accounts    []vigia.Account
	automations []vigia.Automation
	executions  []vigia.Execution // newest first
	decisions   []vigia.KeptDecision
	checks      []vigia.Check
	journal     vigia.JournalCheck
	heads       []vigia.JournalHead
	preview     vigia.Preview
	stops       vigia.Stops
	// requested is called with what was posted, and may change the rest.
	requested func(path string, body map[string]any)
	// asked are the writes, in order: "POST /drill {…}".
	asked []string
}

const fakeToken = "the-token-of-the-fake"

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{folder: t.TempDir()}
	f.http = httptest.NewServer(http.StripPrefix("/api/v1", f.routes()))
	t.Cleanup(f.http.Close)
	text, err := json.Marshal(serverFile{URL: f.http.URL, KeyFile: "/keys/vigia.key", Process: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{serverFileName: string(text), "token": fakeToken + "\n"} {
		if err := os.WriteFile(filepath.Join(f.folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fakeServer) routes() http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern string, give func(*http.Request) any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if r.Header.Get("Authorization") != "Bearer "+fakeToken {
				f.write(w, http.StatusUnauthorized, api.Problem{Code: vigia.CodeUnauthorized, Message: "send the token"})
				return
			}
			f.note(r)
			out := give(r)
			if problem, ok := out.(*api.Problem); ok {
				f.write(w, problem.Status, problem)
				return
			}
			f.write(w, http.StatusOK, out)
		})
	}
	answer("GET /status", func(*http.Request) any { return map[string]any{"guards": f.guards} })
	answer("GET /doctor", func(*http.Request) any { return f.checks })
	answer("GET /accounts", func(r *http.Request) any { return paged(r, f.accounts) })
	answer("GET /accounts/{name}", func(r *http.Request) any { return f.account(r) })
	answer("DELETE /accounts/{name}", func(*http.Request) any { return struct{}{} })
	answer("POST /accounts", func(*http.Request) any { return f.accounts[len(f.accounts)-1] })
	answer("POST /accounts/{name}/prove", func(*http.Request) any { return f.executions[0] })
	answer("POST /accounts/{name}/drill", func(*http.Request) any { return struct{}{} })
	answer("GET /automations", func(r *http.Request) any { return paged(r, f.automations) })
	answer("GET /automations/{id}", func(r *http.Request) any { return f.automation(r) })
	answer("POST /automations", func(*http.Request) any { return f.automations[0] })
	answer("POST /automations/preview", func(*http.Request) any { return f.preview })
	answer("POST /automations/{id}/go-live", f.goLive)
	answer("POST /automations/{id}/mode", func(r *http.Request) any {
		found := f.automation(r)
		if a, ok := found.(vigia.Automation); ok {
			a.Mode = vigia.ModeOff
			return a
		}
		return found
	})
	answer("DELETE /automations/{id}", func(*http.Request) any { return struct{}{} })
	answer("GET /executions", func(r *http.Request) any { return paged(r, f.executions) })
	answer("GET /executions/{id}", func(r *http.Request) any {
		for i := range f.executions {
			if string(f.executions[i].ID) == r.PathValue("id") {
				return f.executions[i]
			}
		}
		return &api.Problem{Status: http.StatusNotFound, Code: vigia.CodeNotFound, Message: "there is no such thing, or it is not yours"}
	})
	answer("GET /decisions", func(r *http.Request) any { return paged(r, f.decisions) })
	answer("GET /journal/verify", func(*http.Request) any { return f.journal })
	answer("GET /journal/heads", func(*http.Request) any { return f.heads })
	answer("PUT /stop", func(*http.Request) any { return f.stops })
	answer("POST /backup", func(*http.Request) any { return struct{}{} })
	return mux
}

func (f *fakeServer) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that broke off is its own test's failure
}

// note remembers a write and lets the test act on it.
func (f *fakeServer) note(r *http.Request) {
	if r.Method == http.MethodGet {
		return
	}
	raw, _ := io.ReadAll(r.Body)
	f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(raw)))
	body := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			panic(fmt.Sprintf("%s sent %q: %v", r.URL.Path, raw, err))
		}
	}
	if f.requested != nil {
		f.requested(r.URL.Path, body)
	}
}

func (f *fakeServer) account(r *http.Request) any {
	for i := range f.accounts {
		if a := &f.accounts[i]; a.Label == r.PathValue("name") || string(a.ID) == r.PathValue("name") {
			return a
		}
	}
	return &api.Problem{Status: http.StatusNotFound, Code: vigia.CodeNotFound, Field: "account",
		Message: fmt.Sprintf("there is no account %q", r.PathValue("name")), Help: "vigia account list shows what there is."}
}

func (f *fakeServer) automation(r *http.Request) any {
	for i := range f.automations {
		if string(f.automations[i].ID) == r.PathValue("id") {
			return f.automations[i]
		}
	}
	return &api.Problem{Status: http.StatusNotFound, Code: vigia.CodeNotFound, Message: "there is no such thing, or it is not yours"}
}

func (f *fakeServer) goLive(r *http.Request) any {
	found := f.automation(r)
	if a, ok := found.(vigia.Automation); ok {
		a.Mode = vigia.ModeLive
		return map[string]any{"automation": a, "preview": f.preview}
	}
	return found
}

// paged cuts a page as the API does; the cursor is the place in the list.
func paged[T any](r *http.Request, all []T) any {
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	if limit < 1 || limit > 200 {
		return &api.Problem{Status: http.StatusUnprocessableEntity, Code: vigia.CodeInvalid, Field: "query.limit", Message: "expected 1 to 200"}
	}
	to := min(len(all), from+limit)
	out := map[string]any{"data": append([]T{}, all[from:to]...)}
	if to < len(all) {
		out["next_cursor"] = strconv.Itoa(to)
	}
	return out
}

// run runs the program against this server.
func (f *fakeServer) run(in string, args ...string) *console {
	return vigiaWith(vigia.NewManualClock(noon), in, append(args, "--data", f.folder)...)
}

// runMoving is run with a clock that moves by itself for those who wait on it.
func (f *fakeServer) runMoving(t *testing.T, in string, args ...string) *console {
	t.Helper()
	clock := vigia.NewManualClock(noon)
	ended := make(chan *console)
	go func() { ended <- vigiaWith(clock, in, append(args, "--data", f.folder)...) }()
	for {
		select {
		case c := <-ended:
			return c
		default:
			if clock.Waiting() > 0 {
				clock.Advance(5 * time.Second)
			}
			runtime.Gosched()
		}
	}
}

func (f *fakeServer) writes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.asked...)
}

const (
	demoAccount  vigia.AccountID    = "01980000-0000-7000-8000-00000000000a"
	oneRule      vigia.AutomationID = "01980000-0000-7000-8000-0000000000b1"
	otherRule    vigia.AutomationID = "01980000-0000-7000-8000-0000000000b2"
	oneExecution vigia.ExecutionID  = "01980000-0000-7000-8000-0000000000e1"
)

func tradingAccount() vigia.Account {
	return vigia.Account{ID: demoAccount, Owner: vigia.LocalOwner, Label: "main", Network: vigia.Mainnet, Status: vigia.AccountActive,
		Scopes:    []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite, vigia.ScopeCrossRead},
		CreatedAt: noon.Add(-48 * time.Hour), ProvedAt: noon.Add(-26 * time.Hour)}
}

func longTrade(id string, held vigia.Price, p vigia.Protection) vigia.WatchedTrade {
	return vigia.WatchedTrade{
		Trade: vigia.Trade{ID: vigia.TradeID(id), State: vigia.TradeRunning, Side: vigia.Long, Quantity: 1000, Margin: 50_000, EntryMargin: 50_000,
			Leverage: 20 * vigia.OneX, Price: vigia.Dollars(100_000), EntryPrice: vigia.Dollars(100_000), Liquidation: vigia.Dollars(95_238),
			CreatedAt: noon.Add(-time.Hour)},
		Distance: 3_809, PathUsed: 20_999, HeldTo: held, HeldBy: vigia.EndedLiquidated, Protection: p}
}

// aGuard is one guard with an account of three trades, one of each protection.
func aGuard() vigia.GuardStatus {
	first := longTrade("3f2a9c1b-0000-4000-8000-000000000001", vigia.Dollars(91_120)+1, vigia.Protection{Level: vigia.Protected})
	first.ActsAt, first.Act, first.Automation, first.Mode = vigia.Dollars(97_181)+1, vigia.Act{Action: vigia.GuardAddMargin, Adds: 23_884}, "standard guard", vigia.ModeLive
	first.HeldBy = vigia.EndedByUs
	second := longTrade("3f2a9c1b-0000-4000-8000-000000000002", vigia.Dollars(95_238), vigia.Protection{Level: vigia.Unprotected, Reasons: []vigia.Gap{vigia.GapDryRun}})
	second.ActsAt, second.Act, second.Automation, second.Mode = vigia.Dollars(97_181)+1, vigia.Act{Action: vigia.GuardAddMargin, Adds: 23_884}, "trial", vigia.ModeDryRun
	second.ShadowMargin = 1_500
	third := longTrade("3f2a9c1b-0000-4000-8000-000000000003", vigia.Dollars(106_000), vigia.Protection{Level: vigia.InNameOnly,
		Reasons: []vigia.Gap{vigia.GapNotProved, vigia.GapCover}})
	third.Side, third.Liquidation, third.Distance, third.Mode = vigia.Short, vigia.Dollars(104_000), 5_050, vigia.ModeLive
	third.HeldBy = vigia.EndedStopped
	return vigia.GuardStatus{Holder: "01980000-0000-7000-8000-0000000000c1/mainnet", Version: "dev", Network: vigia.Mainnet,
		At: noon.Add(-300 * time.Millisecond), StartedAt: noon.Add(-time.Hour), Shards: 64, Armed: 2, ClockOffset: 12 * time.Millisecond,
		Feed: vigia.FeedStatus{Last: vigia.Dollars(99_000), ConfirmedAt: noon.Add(-120 * time.Millisecond), Source: "stream"},
		Accounts: []vigia.WatchedAccount{{Account: demoAccount, Owner: vigia.LocalOwner, Label: "main", Network: vigia.Mainnet,
			Status: vigia.AccountActive, SnapshotBegun: noon.Add(-800 * time.Millisecond), CalledAt: noon.Add(-800 * time.Millisecond),
			ProvedAt: noon.Add(-26 * time.Hour), Free: 1_832_110, Trades: []vigia.WatchedTrade{first, second, third}, Unsettled: 1}},
		Last: &vigia.LastExecution{ID: oneExecution, Account: demoAccount, Subject: vigia.TradeSubject(first.ID), Action: vigia.ActionAddMargin,
			State: vigia.ExecutionDone, Amount: 23_884, SentAt: noon.Add(-12 * time.Second), TickToWire: 1_200 * time.Microsecond,
			TickToAnswer: 34 * time.Millisecond}}
}

func standardRule(t *testing.T) vigia.Automation {
	t.Helper()
	config, err := vigia.PresetStandard.Config()
	if err != nil {
		t.Fatal(err)
	}
	return vigia.Automation{ID: oneRule, Owner: vigia.LocalOwner, Account: demoAccount, Name: "standard guard", Kind: vigia.KindMarginGuard,
		Mode: vigia.ModeDryRun, ConfigVersion: 1, Guard: &config, Limits: config.Limits.Resolve(1_832_110), ArmedAt: noon, CreatedAt: noon, Version: 3}
}

func aPreview() vigia.Preview {
	return vigia.Preview{Limits: vigia.Limits{PerAction: vigia.NoLimit, PerTrade: vigia.NoLimit, PerTradeMargin: vigia.HundredPercent,
		PerDay: 916_055, Untouched: 366_422, ActionsPerHour: 6},
		Trades: []vigia.PreviewTrade{{Subject: vigia.TradeSubject("3f2a9c1b-0000-4000-8000-000000000001"), Side: vigia.Long, Quantity: 1000,
			Liquidation: vigia.Dollars(95_238), AfterFunding: vigia.Dollars(95_243),
			Steps: []vigia.PreviewStep{{FiresAt: vigia.Dollars(97_181) + 1, Action: vigia.GuardAddMargin, Adds: 23_884, Costs: 23_910,
				LiquidationAfter: vigia.Dollars(93_294), Loses: 73_884, Covered: true}},
			HeldTo: vigia.Dollars(91_120) + 1, By: vigia.EndedByUs, Adds: 47_768, Costs: 47_820, Saves: 2, LosesNow: 50_000, LosesWorst: 97_768}},
		Net: 1000, LosesDown: 97_768, Warnings: []string{"A guard buys time, it does not make a wrong position right."}}
}
