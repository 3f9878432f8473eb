package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
)

// sent is the rule that a command sends.
func sent(t *testing.T, in string, args ...string) draft {
	t.Helper()
	f := full(t)
	f.run(in, append([]string{"automation", "preview"}, args...)...).ok(t)
	_, body, _ := strings.Cut(f.writes()[0], " {")
	var out draft
	if err := json.Unmarshal([]byte("{"+body), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPresetIsSentByItsName(t *testing.T) {
	t.Parallel()
	got := sent(t, "", strings.Fields("--account main --preset calm --if-short leave --except x --except y --side short --max-leverage 25 --min-margin 1,000")...)
	if got.Account != "main" || got.Preset != vigia.PresetCalm || got.Guard != nil || got.IfShort != vigia.ShortLeave ||
		len(got.Scope.Except) != 2 || got.Scope.Side != vigia.Short || got.Scope.MaxLeverage != 25*vigia.OneX || got.Scope.MinMargin != 1000 {
		t.Errorf("got %+v", got)
	}
}

func TestFlagsChangeAPreset(t *testing.T) {
	t.Parallel()
	got := sent(t, "", strings.Fields("--account main --preset calm --target 9% --per-trade 200000 --per-day-of-free none --cool-down 1m --actions-per-hour none")...)
	g := got.Guard
	if g == nil || got.Name != "calm guard, changed" || g.Steps[0].At != 4_000 || g.Steps[0].Target != 9_000 || g.Hysteresis != 1_000 ||
		*g.Limits.PerTrade != 200_000 || g.Limits.PerDayOfFree != 0 || g.Limits.PerTradeMargin != vigia.HundredPercent ||
		g.CoolDownSeconds != 60 || g.Limits.ActionsPerHour != 0 || g.TightConfirmed {
		t.Errorf("got %+v", got.Guard)
	}
	if err := g.Validate(); err != nil {
		t.Error(err)
	}
}

func TestARuleIsWrittenInFlags(t *testing.T) {
	t.Parallel()
	got := sent(t, "", strings.Fields("--account main --trigger 1.2% --action close --tight --trade a,b --order b --untouched 5000 --untouched-of-free none --per-action 10 --per-day 30 --per-trade-margin 50% --hysteresis 0.3 --name mine")...)
	g := got.Guard
	if g == nil || got.Name != "mine" || g.Steps[0] != (vigia.GuardStep{Trigger: vigia.TriggerDistance, At: 1_200, Action: vigia.GuardClose}) || !g.TightConfirmed ||
		len(got.Scope.Trades) != 2 || got.Scope.Order[0] != "b" || *g.Limits.Untouched != 5000 || g.Limits.UntouchedShare != 0 ||
		*g.Limits.PerAction != 10 || *g.Limits.PerDay != 30 || g.Limits.PerTradeMargin != 50_000 || g.Hysteresis != 300 {
		t.Errorf("got %+v, %+v", got, g)
	}
	if err := g.Validate(); err != nil {
		t.Error(err)
	}
	path := sent(t, "", strings.Fields("--account main --trigger-on path_used --trigger 80 --target 4")...)
	if step := path.Guard.Steps[0]; step != (vigia.GuardStep{Trigger: vigia.TriggerPathUsed, At: 80_000, Action: vigia.GuardAddMargin, Target: 4_000}) {
		t.Errorf("got %+v", step)
	}
}

func TestARuleIsReadFromAFileOrTheInput(t *testing.T) {
	t.Parallel()
	text := `{"name":"ladder","guard":{"hysteresis_pct":0.5,"if_short":"close","cool_down_s":30,"limits":{},
	  "steps":[{"trigger":"distance","at_pct":4,"action":"notify"},{"trigger":"distance","at_pct":1.25,"action":"add_margin","target_pct":4.125}]}}`
	for _, args := range [][]string{{"--file", "-"}, {"--file", writeTemp(t, "rule.json", text)}} {
		got := sent(t, text, append(args, "--account", "main", "--tight")...)
		if got.Account != "main" || got.Name != "ladder" || len(got.Guard.Steps) != 2 || got.Guard.Steps[1].Target != 4_125 || !got.Guard.TightConfirmed {
			t.Errorf("got %+v", got)
		}
	}
	for _, text := range []string{"[1]", "null", "", "{} {}", "{"} {
		got := full(t).run(text, "automation", "create", "--file", "-")
		if got.code != 1 || !strings.HasPrefix(got.err.String(), "vigia: file: - is no JSON object: ") {
			t.Errorf("%q: got %d, %q", text, got.code, got.err.String())
		}
	}
}

// What a file holds beyond our flags reaches the server as it is: unknown fields
// are its to refuse.
func TestUnknownFieldsReachTheServer(t *testing.T) {
	t.Parallel()
	f := full(t)
	f.run(`{"account":"main","preset":"calm","presett":1.50}`, "automation", "preview", "--file", "-").ok(t)
	if writes := f.writes(); !strings.HasSuffix(writes[0], `{"account":"main","preset":"calm","presett":1.50}`) {
		t.Errorf("got %q", writes)
	}
}
