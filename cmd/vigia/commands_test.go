package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// full is a server with one of everything.
func full(t *testing.T) *fakeServer {
	t.Helper()
	f := statusServer(t)
	watched := tradingAccount()
	watched.ID, watched.Label, watched.Scopes, watched.ProvedAt = "01980000-0000-7000-8000-00000000000d", "reader", []string{vigia.ScopeAccountRead}, time.Time{}
	refused := tradingAccount()
	refused.ID, refused.Label, refused.Status, refused.Detail = "01980000-0000-7000-8000-00000000000e", "old", vigia.AccountRefused, "Invalid API key"
	f.accounts = append(f.accounts, watched, refused)
	rule := standardRule(t)
	alert := vigia.Automation{ID: otherRule, Account: demoAccount, Name: "there is no fresh price", Kind: vigia.KindAlert, Mode: vigia.ModeLive,
		Alert: &vigia.AlertConfig{When: vigia.AlertBlind}, Version: 1}
	f.automations = []vigia.Automation{rule, alert}
	f.preview = aPreview()
	subject := vigia.TradeSubject("3f2a9c1b-0000-4000-8000-000000000001")
	f.executions = []vigia.Execution{
		{ID: oneExecution, Account: demoAccount, Automation: oneRule, Subject: subject, Action: vigia.ActionAddMargin, State: vigia.ExecutionDone,
			Reason: vigia.ReasonTrigger, Amount: 23_884, Cost: 23_910, Last: vigia.Dollars(97_180), CreatedAt: noon,
			Before: vigia.Trade{Liquidation: vigia.Dollars(95_238)}, After: vigia.Trade{Liquidation: vigia.Dollars(93_294)},
			TickAt: noon, SentAt: noon.Add(1_200 * time.Microsecond), AnsweredAt: noon.Add(34 * time.Millisecond), SettledAt: noon.Add(40 * time.Millisecond)},
		{ID: "01980000-0000-7000-8000-0000000000e0", Account: demoAccount, Subject: subject, Action: vigia.ActionClose, State: vigia.ExecutionFailed,
			Reason: vigia.ReasonCommand, CreatedAt: noon.Add(-time.Hour), Class: vigia.ExchangeError, Detail: "Trade is not running",
			Raw: []byte(`{"message":"Trade is not running"}`)},
	}
	f.decisions = []vigia.KeptDecision{{ID: "d2", Account: demoAccount, At: noon, Decision: vigia.Decision{Automation: oneRule, Subject: subject,
		Action: vigia.ActionAddMargin, Reason: vigia.ReasonTrigger, Amount: 23_884, Last: vigia.Dollars(97_180), DryRun: true}},
		{ID: "d1", Account: demoAccount, At: noon.Add(-time.Hour), Decision: vigia.Decision{Automation: oneRule, Subject: subject,
			Action: vigia.ActionNone, Reason: vigia.ReasonCoolingDown}}}
	f.checks = []vigia.Check{{Name: "database", OK: true, Found: "sqlite takes a write in 1.2ms"},
		{Name: "mainnet feed", Found: "$99,000, confirmed 40s ago by stream", Do: "Check the connection to the exchange; blind, only what the exchange holds works, and nothing else can be done from here."}}
	f.journal = vigia.JournalCheck{Entries: 21, OK: true}
	f.heads = []vigia.JournalHead{{Chain: "account:" + string(demoAccount), Seq: 13, Hash: make([]byte, 32)}}
	return f
}

func TestWhatCommandsPrint(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"account_list":       "account list",
		"automation_presets": "automation presets",
		"automation_list":    "automation list",
		"automation_of_one":  "automation list --account main",
		"automation_show":    "automation show --automation " + string(oneRule),
		"automation_preview": "automation preview --account main --preset standard",
		"automation_create":  "automation create --account main --preset standard",
		"automation_golive":  "automation go-live --yes --automation " + string(oneRule),
		"automation_off":     "automation off --automation " + string(oneRule),
		"execution_list":     "execution list",
		"execution_json":     "execution list --json",
		"execution_show":     "execution show --execution " + string(oneExecution),
		"execution_failed":   "execution show --execution 00e0",
		"decision_list":      "decision list",
		"journal_verify":     "journal verify",
		"journal_heads":      "journal heads",
		"journal_heads_json": "journal heads --json",
		"backup":             "backup --to /backups/vigia.db",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameAsGolden(t, name, full(t).run("", strings.Fields(args)...).ok(t).out.String())
		})
	}
}

func TestEmptyListsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"account list": "vigia account add", "automation list": "vigia automation create",
		"execution list": "vigia decision list", "decision list": "vigia automation list",
	} {
		f := newFakeServer(t)
		if got := f.run("", strings.Fields(args)...).ok(t).out.String(); !strings.Contains(got, want) {
			t.Errorf("%s: got %q", args, got)
		}
		if got := f.run("", strings.Fields(args+" --json")...).ok(t).out.String(); got != "[]\n" {
			t.Errorf("%s --json: got %q", args, got)
		}
	}
}

// The names that scripts rely on.
func TestExecutionsAsJSON(t *testing.T) {
	t.Parallel()
	var got []map[string]any
	if err := json.Unmarshal(full(t).run("", "execution", "list", "--json").ok(t).out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"id": string(oneExecution), "automation": string(oneRule), "subject": "trade:3f2a9c1b-0000-4000-8000-000000000001",
		"action": "add_margin", "state": "done", "reason": "trigger_reached", "sats": 23_884.0, "tick_to_wire_us": 1_200.0}
	for name, value := range want {
		if got[0][name] != value {
			t.Errorf("%s: got %v, want %v", name, got[0][name], value)
		}
		if _, there := got[1][name]; !there {
			t.Errorf("%s is missing where it is empty", name)
		}
	}
}

func TestAKeyIsAskedForAndNeverPrinted(t *testing.T) {
	t.Parallel()
	f := full(t)
	f.accounts = append(f.accounts, tradingAccount())
	got := f.run("my-key\nmy-secret\nmy-passphrase\n", "account", "add", "--label", "main", "--network", "mainnet").ok(t)
	sameAsGolden(t, "account_add", got.err.String()+"---\n"+got.out.String())
	want := `POST /accounts {"key":"my-key","label":"main","network":"mainnet","passphrase":"my-passphrase","secret":"my-secret"}`
	if writes := f.writes(); len(writes) != 1 || writes[0] != want {
		t.Errorf("got %q, want %q", writes, want)
	}
	for _, secret := range []string{"my-key", "my-secret", "my-passphrase"} {
		if strings.Contains(got.out.String()+got.err.String(), secret) {
			t.Errorf("%s was printed", secret)
		}
	}
}

func TestAKeyThatIsNotThereIsRefusedBeforeTheServerIsAsked(t *testing.T) {
	t.Parallel()
	f := full(t)
	got := f.run("my-key\n", "account", "add", "--label", "main")
	if got.code != 1 || !strings.Contains(got.err.String(), "vigia: secret: got nothing") || len(f.writes()) != 0 {
		t.Errorf("got %d, %q, %q", got.code, got.err.String(), f.writes())
	}
}

func TestAReadOnlyKeySaysWhatItLacks(t *testing.T) {
	t.Parallel()
	f := full(t)
	reader := f.accounts[1]
	reader.Scopes = append(reader.Scopes, vigia.ScopeWithdrawalWrite)
	f.accounts = append(f.accounts, reader)
	got := f.run("k\ns\np\n", "account", "add", "--label", "reader", "--watch-only", "--allow-withdrawals").ok(t)
	sameAsGolden(t, "account_add_reader", got.out.String())
	if writes := f.writes(); !strings.Contains(writes[0], `"allow_withdrawals":true`) || !strings.Contains(writes[0], `"watch_only":true`) {
		t.Errorf("got %q", writes)
	}
}

func TestRemovingAnAccountTakesItsNameTyped(t *testing.T) {
	t.Parallel()
	f := full(t)
	if got := f.run("yes\n", "account", "remove", "--account", "main"); got.code != 1 || len(f.writes()) != 0 {
		t.Errorf("got %d, %q", got.code, f.writes())
	}
	f.run("main\n", "account", "remove", "--account", "main").ok(t)
	f.run("", "account", "remove", "--account", "main", "--yes").ok(t)
	want := "DELETE /accounts/" + string(demoAccount)
	if writes := f.writes(); !slices.Equal(writes, []string{want, want}) {
		t.Errorf("got %q", writes)
	}
}

func proving(t *testing.T, end vigia.ExecutionState) *fakeServer {
	t.Helper()
	f := full(t)
	asked := vigia.Execution{ID: oneExecution, Account: demoAccount, Subject: vigia.AccountSubject(), Action: vigia.ActionProve,
		State: vigia.ExecutionRequested, Reason: vigia.ReasonCommand, Amount: 1, CreatedAt: noon}
	f.executions = []vigia.Execution{asked}
	f.requested = func(path string, _ map[string]any) {
		if strings.HasSuffix(path, "/prove") && end != "" {
			go func() { // settled while the command waits
				f.mu.Lock()
				defer f.mu.Unlock()
				e := &f.executions[0]
				e.State, e.Subject = end, vigia.TradeSubject("3f2a9c1b-0000-4000-8000-000000000001")
				e.SentAt, e.AnsweredAt, e.SettledAt = noon.Add(5*time.Millisecond), noon.Add(48*time.Millisecond), noon.Add(60*time.Millisecond)
				if end != vigia.ExecutionDone {
					e.Reason = vigia.ReasonNotSafeToProve
				}
			}()
		}
	}
	return f
}

func TestAProofTakesConsentAndSaysHowLongItTook(t *testing.T) {
	t.Parallel()
	f := proving(t, vigia.ExecutionDone)
	if got := f.run("no\n", "account", "prove", "--account", "main"); got.code != 1 || len(f.writes()) != 0 {
		t.Errorf("without consent: got %d, %q", got.code, f.writes())
	}
	got := f.runMoving(t, "yes\n", "account", "prove", "--account", "main").ok(t)
	want := "Proved: one sat was added to trade:3f2a9c1b-0000-4000-8000-000000000001; 43 ms from the request to the exchange's answer, 60 ms from asking to done.\n"
	if got.out.String() != want {
		t.Errorf("got %q, want %q", got.out.String(), want)
	}
}

func TestAProofThatIsNotDoneFails(t *testing.T) {
	t.Parallel()
	got := proving(t, vigia.ExecutionSkipped).runMoving(t, "", "account", "prove", "--account", "main", "--yes")
	if got.code != 1 || !strings.HasPrefix(got.err.String(), "vigia: writing is not proved: skipped: A trade stands within its trigger") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
	got = proving(t, "").runMoving(t, "", "account", "prove", "--account", "main", "--yes")
	if got.code != 1 || !strings.Contains(got.err.String(), "the request is still requested; its sats stay held until it is known") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
}

func TestStoppingSaysWhatItDoesAndTakesTheWordTyped(t *testing.T) {
	t.Parallel()
	f := full(t)
	f.requested = func(_ string, body map[string]any) {
		f.stops.Automations, _ = body["automations"].(bool)
		f.guards[0].Stops = f.stops
	}
	refused := f.run("yes\n", "stop")
	if refused.code != 1 || len(f.writes()) != 0 {
		t.Errorf("got %d, %q", refused.code, f.writes())
	}
	stopped := f.run("stop\n", "stop").ok(t)
	released := f.run("release\n", "stop", "--release").ok(t)
	sameAsGolden(t, "stop", stopped.err.String()+"\n"+stopped.out.String()+"---\n"+released.err.String()+"\n"+released.out.String())
	want := []string{`PUT /stop {"automations":true}`, `PUT /stop {"automations":false}`}
	if writes := f.writes(); !slices.Equal(writes, want) {
		t.Errorf("got %q", writes)
	}
}

func TestStoppingSeveralProcessesIsAskedFor(t *testing.T) {
	t.Parallel()
	f := full(t)
	other := aGuard()
	other.Holder = "01980000-0000-7000-8000-0000000000c2/mainnet"
	f.guards = append(f.guards, other)
	got := f.run("stop\n", "stop")
	if got.code != 1 || got.err.String() != "vigia: all: 2 processes guard from this database, and this holds for all of them\n       Say it with --all.\n" {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
	slow := f.runMoving(t, "", "stop", "--all", "--yes").ok(t) // these guards never say that they know
	if !strings.Contains(slow.out.String(), "these have not said that they know: ") {
		t.Errorf("got %q", slow.out.String())
	}
}

func TestGoingLiveAsksForEveryYesItTakes(t *testing.T) {
	t.Parallel()
	f := full(t)
	f.preview.TrueNow, f.preview.Hedged = 1, true
	args := []string{"automation", "go-live", "--automation", string(oneRule)}
	for _, tc := range []struct {
		typed, flags string
		want         string // what is sent; nothing when it is refused
	}{
		{"", "--yes", ""},
		{"yes\nno\n", "", ""},
		{"yes\nyes\nyes\n", "", `{"confirmed":true,"hedge":true,"true_now":true}`},
		{"", "--yes --true-now --hedge", `{"confirmed":true,"hedge":true,"true_now":true}`},
		{"yes\n", "--yes --hedge", `{"confirmed":true,"hedge":true,"true_now":true}`},
	} {
		f.mu.Lock()
		f.asked = nil
		f.mu.Unlock()
		got := f.run(tc.typed, append(args, strings.Fields(tc.flags)...)...)
		writes := f.writes()
		last := writes[len(writes)-1]
		live := strings.HasPrefix(last, "POST /automations/"+string(oneRule)+"/go-live")
		if live != (tc.want != "") || live && !strings.HasSuffix(last, tc.want) || live != (got.code == 0) {
			t.Errorf("%q %s: got %d and %q", tc.typed, tc.flags, got.code, last)
		}
	}
}

func TestATightTriggerTakesATypedYes(t *testing.T) {
	t.Parallel()
	f := full(t)
	tight := func(body map[string]any) bool {
		guard, _ := body["guard"].(map[string]any)
		yes, _ := guard["tight_confirmed"].(bool)
		return yes
	}
	confirmed := 0
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/automations" {
			http.StripPrefix("/api/v1", f.routes()).ServeHTTP(w, r)
			return
		}
		body := map[string]any{}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if !tight(body) {
			f.write(w, http.StatusConflict, map[string]string{"code": "needs_confirmation", "field": "steps[0].at_pct", "message": "got 1.2; a trigger under 1.5 needs tight_confirmed"})
			return
		}
		confirmed++
		f.write(w, http.StatusOK, f.automations[0])
	})
	f.http.Config.Handler = refusing
	args := []string{"automation", "create", "--account", "main", "--trigger", "1.2%", "--target", "3%"}
	if got := f.run("no\n", args...); got.code != 1 || confirmed != 0 || !strings.Contains(got.err.String(), "In a script say it with --tight.") {
		t.Errorf("got %d, %q", got.code, got.err.String())
	}
	f.run("yes\n", args...).ok(t)
	f.run("", append(args, "--tight")...).ok(t)
	if confirmed != 2 {
		t.Errorf("got %d confirmed rules, want 2", confirmed)
	}
}

func TestTheDoctorFailsWhenSomethingIsToBeDone(t *testing.T) {
	t.Parallel()
	f := full(t)
	got := f.run("", "doctor")
	if got.code != 1 {
		t.Errorf("got exit status %d, want 1", got.code)
	}
	sameAsGolden(t, "doctor", got.out.String()+got.err.String())
	f.checks = f.checks[:1]
	f.run("", "doctor").ok(t)
}

func TestABadEntryIsNamed(t *testing.T) {
	t.Parallel()
	f := full(t)
	f.journal = vigia.JournalCheck{Entries: 5, FirstBad: &vigia.JournalFault{Chain: "system", Seq: 4, Why: "its hash does not fit"}}
	for _, json := range []string{"", "--json"} {
		got := f.run("", strings.Fields("journal verify "+json)...)
		if got.code != 1 || !strings.HasPrefix(got.err.String(), "vigia: journal: the first bad entry is system@4: its hash does not fit (5 entries looked at)\n") {
			t.Errorf("got %d, %q", got.code, got.err.String())
		}
	}
	var answer struct {
		Entries  int
		OK       bool
		FirstBad *vigia.JournalFault `json:"first_bad"`
	}
	if err := json.Unmarshal(f.run("", "journal", "verify", "--json").out.Bytes(), &answer); err != nil || answer.FirstBad.Seq != 4 || answer.OK {
		t.Errorf("got %+v, %v", answer, err)
	}
	f.journal = vigia.JournalCheck{Entries: 5, OK: true}
	if got := f.run("", "journal", "verify", "--json").ok(t).out.String(); got != "{\n  \"entries\": 5,\n  \"ok\": true,\n  \"first_bad\": null\n}\n" {
		t.Errorf("got %q", got)
	}
}

func TestADrillFollowsWhatTheGuardDoes(t *testing.T) {
	t.Parallel()
	f := full(t)
	rescue := f.executions[0]
	rescue.ID = "01980000-0000-7000-8000-0000000000e9" // later than the others
	f.requested = func(_ string, body map[string]any) {
		if body["drop_pct"] != 15.0 || body["over_s"] != 60.0 {
			t.Errorf("got %v", body)
		}
		f.executions = append([]vigia.Execution{rescue}, f.executions...)
		trades := f.guards[0].Accounts[0].Trades
		trades[0].Margin, trades[0].Liquidation = 73_884, vigia.Dollars(93_294)
		f.guards[0].Feed.Last = vigia.Dollars(84_150)
		f.guards[0].Accounts[0].Trades = trades[:1]
	}
	got := f.runMoving(t, "", "drill", "--account", "main", "--drop", "15%", "--over", "60s").ok(t)
	sameAsGolden(t, "drill", got.out.String())
}

func TestADrillAsJSON(t *testing.T) {
	t.Parallel()
	f := full(t)
	rescue := f.executions[0]
	rescue.ID = "01980000-0000-7000-8000-0000000000e9"
	f.requested = func(string, map[string]any) { f.executions = append([]vigia.Execution{rescue}, f.executions...) }
	got := f.runMoving(t, "", "drill", "--account", "main", "--drop", "15%", "--over", "10s", "--json").ok(t)
	var answer drillResult
	if err := json.Unmarshal(got.out.Bytes(), &answer); err != nil || answer.Drop != 15_000 || answer.Over != 10 ||
		len(answer.Executions) != 1 || answer.Executions[0].ID != rescue.ID {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestARuleIsTakenBackAndForgotten(t *testing.T) {
	t.Parallel()
	f := full(t)
	f.automations[0].Mode = vigia.ModeLive
	back := f.run("", "automation", "dry-run", "--automation", "standard guard").ok(t)
	if !strings.Contains(back.out.String(), "What it covered is not protected any more. A stop of ours that rests on the exchange stays there.") {
		t.Errorf("got %q", back.out.String())
	}
	if got := f.run("no\n", "automation", "remove", "--automation", "00b1"); got.code != 1 {
		t.Errorf("it was removed without a yes: %q", got.out.String())
	}
	f.run("yes\n", "automation", "remove", "--automation", "00b1").ok(t)
	f.run("", "automation", "remove", "--automation", "00b1", "--yes", "--json").ok(t)
	path := "/automations/" + string(oneRule)
	want := []string{"POST " + path + `/mode {"mode":"dry_run"}`, "DELETE " + path, "DELETE " + path}
	if writes := f.writes(); !slices.Equal(writes, want) {
		t.Errorf("got %q", writes)
	}
}
