package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vigiaguard/vigia"
)

type automationGroup struct {
	Presets automationPresets `cmd:"" help:"The ready-made guards."`
	Preview automationPreview `cmd:"" help:"What a rule would do with the positions there are."`
	Create  automationCreate  `cmd:"" help:"Make a rule; it starts in dry run and touches nothing."`
	List    automationList    `cmd:"" help:"The rules, oldest first."`
	Show    automationShow    `cmd:"" help:"One rule in full."`
	GoLive  automationGoLive  `cmd:"" help:"Let a rule act, after its preview and a typed yes."`
	DryRun  automationDryRun  `cmd:"" help:"Take a rule back to dry run."`
	Off     automationOff     `cmd:"" help:"Turn a rule off."`
	Remove  automationRemove  `cmd:"" help:"Forget a rule."`
}

// onAutomation is what a command takes that is about one rule.
type onAutomation struct {
	onServer
	Automation string `help:"The rule's id or its end, or its name." required:"" placeholder:"ID"`
	JSON       bool   `help:"Print JSON."`
}

// find finds the rule that is meant.
func (c *onAutomation) find(ctx context.Context, r *remote) (vigia.Automation, error) {
	var a vigia.Automation
	if vigia.CheckID(c.Automation) == nil {
		return a, r.get(ctx, "/automations/"+c.Automation, &a)
	}
	all, err := pages[vigia.Automation](ctx, r, "/automations", url.Values{}, 0)
	if err != nil {
		return a, err
	}
	return only("automation", c.Automation, all, func(a *vigia.Automation) (string, string) { return string(a.ID), a.Name })
}

type automationPresets struct {
	onServer
	JSON bool `help:"Print JSON."`
}

type preset struct {
	Name  vigia.GuardPreset `json:"name"`
	Guard vigia.GuardConfig `json:"guard"`
}

// Run lists the presets; they are part of the program, so no server is asked.
func (c *automationPresets) Run(env environment) error {
	var presets []preset
	for _, name := range vigia.GuardPresets() {
		config, err := name.Config()
		if err != nil {
			return err
		}
		presets = append(presets, preset{name, config})
	}
	if c.JSON {
		return printJSON(env.out, presets)
	}
	out := &printout{w: env.out}
	for i := range presets {
		out.line("%s", presets[i].Name)
		printGuard(out, &presets[i].Guard)
	}
	out.line("\nWhat one would do with your positions:  vigia automation preview --account NAME --preset standard")
	return out.err
}

// printGuard says a guard in words.
func printGuard(out *printout, g *vigia.GuardConfig) {
	for i := range g.Steps {
		s := &g.Steps[i]
		when := fmt.Sprintf("within %s %% of liquidation", s.At)
		if s.Trigger == vigia.TriggerPathUsed {
			when = fmt.Sprintf("with %s %% of the path to liquidation used", s.At)
		}
		does := "tells you"
		switch s.Action {
		case vigia.GuardAddMargin:
			does = fmt.Sprintf("adds margin until it stands %s %% away", s.Target)
		case vigia.GuardClose:
			does = "the exchange's own stop closes it"
		}
		out.line("  %s: %s", when, does)
	}
	out.line("  hysteresis %s %%, cool-down %s; when the money is short: %s", g.Hysteresis, g.CoolDown(), g.IfShort)
	out.line("  %s", wrap("limits: "+strings.Join(limitWords(&g.Limits), ", "), "    "))
}

// limitWords are the limits as they were written.
func limitWords(l *vigia.GuardLimits) []string {
	var out []string
	sats := func(v *vigia.Sats, what string) {
		if v != nil {
			out = append(out, v.Grouped()+" sats "+what)
		}
	}
	share := func(v vigia.Percent, what string) {
		if v != 0 {
			out = append(out, v.String()+" % "+what)
		}
	}
	sats(l.PerAction, "per action")
	sats(l.PerTrade, "per trade")
	share(l.PerTradeMargin, "of the entry margin per trade")
	sats(l.PerDay, "in 24 hours")
	share(l.PerDayOfFree, "of the free balance in 24 hours")
	sats(l.Untouched, "never touched")
	share(l.UntouchedShare, "of the free balance never touched")
	if l.ActionsPerHour > 0 {
		out = append(out, strconv.Itoa(l.ActionsPerHour)+" actions an hour")
	}
	if len(out) == 0 {
		return []string{"none"}
	}
	return out
}

type automationList struct {
	onServer
	Account string `help:"Of this account only: label or id." placeholder:"NAME"`
	JSON    bool   `help:"Print JSON."`
}

// Run lists the rules.
func (c *automationList) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	labels, err := r.labels(ctx)
	if err != nil {
		return err
	}
	all, err := pages[vigia.Automation](ctx, r, "/automations", url.Values{}, 0)
	if err != nil {
		return err
	}
	if c.Account != "" {
		var account vigia.Account
		if err := r.get(ctx, accountPath(c.Account, ""), &account); err != nil {
			return err
		}
		kept := []vigia.Automation{}
		for i := range all {
			if all[i].Account == account.ID {
				kept = append(kept, all[i])
			}
		}
		all = kept
	}
	if c.JSON {
		return printJSON(env.out, all)
	}
	out := &printout{w: env.out}
	if len(all) == 0 {
		out.line("There is no rule yet. Make one:  vigia automation create --account NAME --preset standard")
		return out.err
	}
	var rows [][]string
	for i := range all {
		a := &all[i]
		rows = append(rows, []string{labels[a.Account], a.Name, string(a.Kind), string(a.Mode), scopeWords(&a.Scope), short(string(a.ID))})
	}
	out.table([]string{"account", "name", "kind", "mode", "trades", "id"}, rows)
	return out.err
}

// labels names the accounts.
func (r *remote) labels(ctx context.Context) (map[vigia.AccountID]string, error) {
	accounts, err := pages[vigia.Account](ctx, r, "/accounts", url.Values{}, 0)
	if err != nil {
		return nil, err
	}
	out := map[vigia.AccountID]string{}
	for i := range accounts {
		out[accounts[i].ID] = accounts[i].Label
	}
	return out, nil
}

// scopeWords say which trades a rule is about.
func scopeWords(s *vigia.Scope) string {
	var parts []string
	switch {
	case len(s.Trades) > 0:
		parts = append(parts, strconv.Itoa(len(s.Trades))+" chosen")
	case s.Side != 0:
		parts = append(parts, "all "+s.Side.String()+"s")
	default:
		parts = append(parts, "all")
	}
	if s.MaxLeverage != 0 {
		parts = append(parts, "up to "+s.MaxLeverage.String()+"×")
	}
	if s.MinMargin != 0 {
		parts = append(parts, "from "+s.MinMargin.Grouped()+" sats")
	}
	if n := len(s.Except); n > 0 {
		parts = append(parts, "but "+strconv.Itoa(n))
	}
	return strings.Join(parts, ", ")
}

type automationShow struct {
	onAutomation
}

// Run shows one rule.
func (c *automationShow) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	a, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, a)
	}
	out := &printout{w: env.out}
	printAutomation(out, &a)
	return out.err
}

func printAutomation(out *printout, a *vigia.Automation) {
	out.line("%s  %s", a.Name, a.ID)
	out.line("  %s, %s, trades: %s", a.Kind, a.Mode, scopeWords(&a.Scope))
	if a.Alert != nil {
		out.line("  tells you when: %s", a.Alert.When)
		return
	}
	printGuard(out, a.Guard)
	out.line("  %s", wrap("fixed in sats: "+fixedWords(&a.Limits), "    "))
}

// fixedWords are limits as they hold, in sats.
func fixedWords(l *vigia.Limits) string {
	var parts []string
	for _, limit := range []struct {
		value vigia.Sats
		what  string
	}{{l.PerAction, "per action"}, {l.PerTrade, "per trade"}, {l.PerDay, "in 24 hours"}} {
		if limit.value != vigia.NoLimit {
			parts = append(parts, limit.value.Grouped()+" sats "+limit.what)
		}
	}
	if l.PerTradeMargin > 0 {
		parts = append(parts, l.PerTradeMargin.String()+" % of its entry margin per trade")
	}
	parts = append(parts, l.Untouched.Grouped()+" sats never touched")
	if l.ActionsPerHour > 0 {
		parts = append(parts, strconv.Itoa(l.ActionsPerHour)+" actions an hour")
	}
	return strings.Join(parts, ", ")
}

type automationOff struct{ onAutomation }

// Run turns a rule off.
func (c *automationOff) Run(ctx context.Context, env environment) error {
	return c.setMode(ctx, env, vigia.ModeOff)
}

type automationDryRun struct{ onAutomation }

// Run takes a rule back to dry run.
func (c *automationDryRun) Run(ctx context.Context, env environment) error {
	return c.setMode(ctx, env, vigia.ModeDryRun)
}

func (c *onAutomation) setMode(ctx context.Context, env environment, mode vigia.Mode) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	before, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	var after vigia.Automation
	if err := r.post(ctx, "/automations/"+string(before.ID)+"/mode", map[string]vigia.Mode{"mode": mode}, &after); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, after)
	}
	out := &printout{w: env.out}
	out.line("%s is %s now; it was %s.", after.Name, after.Mode, before.Mode)
	if before.Mode == vigia.ModeLive {
		out.line("What it covered is not protected any more. A stop of ours that rests on the exchange stays there.")
	}
	return out.err
}

type automationRemove struct {
	onAutomation
	Yes bool `help:"Do not ask."`
}

// Run forgets a rule after a typed yes.
func (c *automationRemove) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	a, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if !c.Yes {
		question := fmt.Sprintf("This forgets the rule %s (%s). A stop of ours that rests on the exchange stays there.", a.Name, a.Mode)
		if err := env.prompter().yes(question, "yes", "--yes"); err != nil {
			return err
		}
	}
	if err := r.call(ctx, http.MethodDelete, "/automations/"+string(a.ID), nil, nil, nil); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, map[string]vigia.AutomationID{"removed": a.ID})
	}
	out := &printout{w: env.out}
	out.line("The rule %s is forgotten.", a.Name)
	return out.err
}
