package main

import (
	"context"

	"github.com/vigiaguard/vigia"
)

type decisionGroup struct {
	List decisionList `cmd:"" help:"What the rules said, newest first; kept whenever it changed."`
}

type decisionList struct {
	listed
}

// Help has the examples.
func (c *decisionList) Help() string {
	return `Every answer of a rule is kept when action or reason changed, doing nothing included: why nothing was done is
as important as what was.

  vigia decision list --account main`
}

// Run lists decisions.
func (c *decisionList) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	decisions, err := pages[vigia.KeptDecision](ctx, r, "/decisions", query, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, decisions)
	}
	out := &printout{w: env.out}
	if len(decisions) == 0 {
		out.line("No rule has said anything yet. The rules:  vigia automation list")
		return out.err
	}
	for i := range decisions {
		printDecision(out, &decisions[i])
	}
	return out.err
}

func printDecision(out *printout, d *vigia.KeptDecision) {
	dry, at, amount := "", "", ""
	if d.DryRun {
		dry = " (dry run)"
	}
	if d.Last != 0 {
		at = " at " + d.Last.Grouped()
	}
	if d.Amount != 0 {
		amount = " " + satsText(d.Amount)
	}
	out.line("%s  %s%s%s%s  %s", d.At.Local().Format("01-02 15:04:05"), d.Action, amount, dry, at, shortSubject(d.Subject))
	out.line("    %s", wrap(d.Reason.Sentence(), "    "))
}
