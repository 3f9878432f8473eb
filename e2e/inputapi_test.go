package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// TestRulesThatAreRefused sends rules that are not to be: each is refused with a
// stable code, a field and what it takes, and nothing is written.
func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{balance: 10_000_000})
	w.long(1_000, 20)
	p := w.start("data")
	w.join(p)
	w.goLive(p, guardConfig(vigia.ShortClose)) // waits for the balance as well
	before, err := listed[vigia.Automation](p.api, "/automations")
	if err != nil {
		t.Fatal(err)
	}
	step := func(at, target string) string {
		return `{"account":"main","guard":{"steps":[{"trigger":"distance","at_pct":` + at + `,"action":"add_margin","target_pct":` + target +
			`}],"hysteresis_pct":0.5,"if_short":"close","cool_down_s":30,"limits":{}}}`
	}
	limits := func(l string) string { return strings.Replace(step("2", "4"), `"limits":{}`, `"limits":{`+l+`}`, 1) }
	for _, c := range []struct {
		name, body string
		code       vigia.Code
		field      string
		says       []string
	}{
		{"a target too near", step("2", "2.9"), vigia.CodeInvalid, "steps[0].target_pct", []string{"2.9", "3"}},
		{"a trigger too tight", step("1.4", "4"), vigia.CodeNeedsConfirmation, "steps[0].at_pct", []string{"1.4", "1.5"}},
		{"a trigger of nothing", step("0", "4"), vigia.CodeInvalid, "steps[0].at_pct", []string{"0", "50"}},
		{"a negative trigger", step("-2", "4"), vigia.CodeInvalid, "steps[0].at_pct", []string{"-2"}},
		{"a trigger out of range", step("51", "60"), vigia.CodeInvalid, "steps[0].at_pct", []string{"51", "50"}},
		{"a target out of range", step("2", "91"), vigia.CodeInvalid, "steps[0].target_pct", []string{"91", "90"}},
		{"a huge number", step("1e300", "4"), vigia.CodeInvalid, "", nil},
		{"a number with too many digits", step("2.00001", "4"), vigia.CodeInvalid, "", nil},
		{"NaN", step("NaN", "4"), vigia.CodeInvalid, "", nil},
		{"a text for a number", step(`"two"`, "4"), vigia.CodeInvalid, "", nil},
		{"an unknown field", strings.Replace(step("2", "4"), "hysteresis_pct", "hysteresis", 1), vigia.CodeInvalid, "", []string{"hysteresis_pct"}},
		{"an unknown preset", `{"account":"main","preset":"standrad"}`, vigia.CodeInvalid, "preset", []string{"standard"}},
		{"an unknown account", `{"account":"mian","preset":"standard"}`, vigia.CodeNotFound, "account", []string{"mian"}},
		{"two kinds at once", strings.Replace(step("2", "4"), `"guard"`, `"preset":"calm","guard"`, 1), vigia.CodeInvalid, "guard", nil},
		{"no kind", `{"account":"main"}`, vigia.CodeInvalid, "guard", nil},
		{"a negative limit", limits(`"per_trade_sats":-1`), vigia.CodeInvalid, "limits.per_trade_sats", []string{"-1"}},
		{"a limit beyond all bitcoin", limits(`"per_day_sats":2100000000000001`), vigia.CodeInvalid, "limits.per_day_sats", nil},
		{"a limit beyond all numbers", limits(`"per_day_sats":99999999999999999999`), vigia.CodeInvalid, "", nil},
		{"a share above all", limits(`"per_day_of_free_pct":100.5`), vigia.CodeInvalid, "limits.per_day_of_free_pct", []string{"100.5", "100"}},
		{"an unknown way when short", strings.Replace(step("2", "4"), `"close"`, `"pray"`, 1), vigia.CodeInvalid, "if_short", []string{"pray", "leave"}},
		{"no JSON", `{`, vigia.CodeInvalid, "", nil},
		{"nothing", ``, vigia.CodeInvalid, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			problem, err := p.api.raw(http.MethodPost, "/automations", []byte(c.body), nil)
			if err != nil || problem == nil {
				t.Fatalf("got %v, %v, want a problem", problem, err)
			}
			if problem.Code != c.code || c.field != "" && !strings.HasSuffix(problem.Field, c.field) || problem.Status >= http.StatusInternalServerError {
				t.Errorf("got %+v", problem)
			}
			for _, text := range c.says {
				if !strings.Contains(problem.Message, text) {
					t.Errorf("%q does not say %q", problem.Message, text)
				}
			}
		})
	}
	after, err := listed[vigia.Automation](p.api, "/automations")
	if err != nil || len(after) != len(before) {
		t.Errorf("there are %d rules, %v; there were %d", len(after), err, len(before))
	}
}

// TestKeysThatAreRefused adds keys that are wrong, could withdraw, or cannot write.
func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	key := func(t *testing.T, scopes ...string) (*world, *process) {
		w := newWorld(t, worldOptions{balance: 10_000_000, scopes: scopes})
		w.long(1_000, 20)
		return w, w.start("data")
	}
	accounts := func(t *testing.T, p *process, want int) {
		t.Helper()
		if got, err := listed[vigia.Account](p.api, "/accounts"); err != nil || len(got) != want {
			t.Errorf("there are %d accounts, %v, want %d", len(got), err, want)
		}
	}
	t.Run("a wrong one", func(t *testing.T) {
		t.Parallel()
		w, p := key(t)
		for _, part := range []string{"key", "secret", "passphrase"} {
			wrong := w.credentials()
			wrong[part] = "wrong"
			problem := p.api.refused(http.MethodPost, "/accounts", wrong)
			if problem.Code != "key_refused" || problem.Field != "key" || problem.Help == "" {
				t.Errorf("a wrong %s: got %+v", part, problem)
			}
		}
		accounts(t, p, 0)
	})
	t.Run("one that could withdraw", func(t *testing.T) {
		t.Parallel()
		w, p := key(t, paper.Scopes()...)
		problem := p.api.refused(http.MethodPost, "/accounts", w.credentials())
		if problem.Code != "withdrawal_scope" || problem.Field != "key" {
			t.Errorf("got %+v", problem)
		}
		accounts(t, p, 0)
		told := w.credentials()
		told["allow_withdrawals"] = true
		p.api.must(http.MethodPost, "/accounts", told, nil)
		accounts(t, p, 1)
	})
	t.Run("one that cannot write", func(t *testing.T) {
		t.Parallel()
		w, p := key(t, vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeCrossRead)
		w.join(p)
		var made vigia.Automation
		eventually(t, patience, "a rule is made", func() bool {
			problem, err := p.api.try(http.MethodPost, "/automations", map[string]any{"account": label, "preset": "standard"}, &made)
			return err == nil && problem == nil
		})
		problem := p.api.refused(http.MethodPost, "/automations/"+string(made.ID)+"/go-live", map[string]any{"confirmed": true})
		if problem.Code != vigia.CodeForbidden || !strings.Contains(problem.Help, vigia.ScopeIsolatedWrite) {
			t.Errorf("got %+v", problem)
		}
		problem = p.api.refused(http.MethodPost, "/accounts/main/prove", nil)
		if problem.Code != vigia.CodeForbidden {
			t.Errorf("got %+v", problem)
		}
		if n := len(w.exchange.Requests(0)); n != 0 {
			t.Errorf("%d writes were sent", n)
		}
	})
	t.Run("one that is revoked later", func(t *testing.T) {
		t.Parallel()
		w, p := key(t)
		w.join(p)
		problem := p.api.refused(http.MethodPost, "/accounts", w.credentials())
		if problem.Code != vigia.CodeConflict {
			t.Errorf("the same label twice: got %+v", problem)
		}
		accounts(t, p, 1)
	})
}

// TestAConditionThatIsTrueAlready asks, with its cost, and does nothing until it is
// answered.
func TestAConditionThatIsTrueAlready(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{balance: 10_000_000})
	trade := w.long(1_000, 20)
	w.price(97_000)
	p := w.start("data")
	w.join(p)
	var made vigia.Automation
	eventually(t, patience, "a rule is made", func() bool {
		problem, err := p.api.try(http.MethodPost, "/automations", map[string]any{"account": label, "guard": guardConfig(vigia.ShortClose)}, &made)
		return err == nil && problem == nil
	})
	path := "/automations/" + string(made.ID) + "/go-live"
	problem := p.api.refused(http.MethodPost, path, map[string]any{"confirmed": true})
	if problem.Code != vigia.CodeNeedsConfirmation || problem.Field != "true_now" || !strings.Contains(problem.Message, "sats") {
		t.Errorf("got %+v", problem)
	}
	if now := w.now(trade.ID); now.Margin != trade.Margin || len(w.exchange.Requests(0)) > 0 {
		t.Error("it acted without being answered")
	}
	var live struct {
		Automation vigia.Automation `json:"automation"`
	}
	p.api.must(http.MethodPost, path, map[string]any{"confirmed": true, "true_now": true}, &live)
	w.rule = live.Automation
	w.rest(p)
	if now := w.now(trade.ID); !w.clear(trade.ID) || !now.Running() {
		t.Error("it was answered, and did not act")
	}
	w.check(p)
}
