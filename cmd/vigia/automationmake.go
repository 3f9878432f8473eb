package main

import (
	"context"
	"net/url"

	"github.com/vigiaguard/vigia"
)

type automationPreview struct {
	draftFlags
}

// Help has the examples.
func (c *automationPreview) Help() string {
	return `Shows per trade where the rule fires, what it adds, where the trade dies then, what that costs, and what is lost
if it dies all the same. Nothing is kept.

  vigia automation preview --account main --preset standard
  vigia automation preview --account main --trigger 3% --target 6% --per-trade 200000`
}

// Run shows what a rule would do.
func (c *automationPreview) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	rule, err := c.written(env)
	if err != nil {
		return err
	}
	var preview vigia.Preview
	if err := c.send(ctx, env, r, "/automations/preview", rule, &preview); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, preview)
	}
	out := &printout{w: env.out}
	printPreview(out, &preview)
	return out.err
}

type automationCreate struct {
	draftFlags
}

// Help has the examples.
func (c *automationCreate) Help() string {
	return `A new rule runs dry: it decides, records and tells, and touches nothing, until it goes live.

  vigia automation create --account main --preset standard
  vigia automation create --account main --preset calm --if-short add_what_there_is --except TRADE
  vigia automation create --account main --trigger 3% --target 6% --side long --max-leverage 25
  vigia automation create --account main --trigger 1.2% --action close --tight
  vigia automation create --file rule.json

A file holds what the API takes; a ladder of several steps is written there:

  {"account": "main", "name": "ladder", "scope": {"side": "long"},
   "guard": {"hysteresis_pct": 0.5, "if_short": "close", "cool_down_s": 30,
     "steps": [{"trigger": "distance", "at_pct": 4, "action": "notify"},
               {"trigger": "distance", "at_pct": 2, "action": "add_margin", "target_pct": 4}],
     "limits": {"per_trade_margin_pct": 100, "per_day_sats": 500000, "actions_per_hour": 6}}}`
}

// Run makes a rule in dry run, shows what it would do, and says how it goes live.
func (c *automationCreate) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	rule, err := c.written(env)
	if err != nil {
		return err
	}
	var made vigia.Automation
	if err := c.send(ctx, env, r, "/automations", rule, &made); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, made)
	}
	out := &printout{w: env.out}
	printAutomation(out, &made)
	if made.Guard != nil {
		out.line("")
		preview, err := r.preview(ctx, &made)
		if err == nil {
			printPreview(out, &preview)
		} else { // the rule stands all the same
			out.line("The preview is not there yet: %s", err)
		}
	}
	out.line("\nIt runs dry: it decides and touches nothing. To let it act:\n  vigia automation go-live --automation %s", made.ID)
	return out.err
}

// preview asks what a rule that is kept would do now.
func (r *remote) preview(ctx context.Context, a *vigia.Automation) (vigia.Preview, error) {
	var out vigia.Preview
	err := r.post(ctx, "/automations/preview", draft{Account: string(a.Account), Name: a.Name, Guard: a.Guard, Scope: a.Scope}, &out)
	return out, err
}

// automationPath is the route of a rule.
func automationPath(a *vigia.Automation, rest string) string {
	return "/automations/" + url.PathEscape(string(a.ID)) + rest
}
