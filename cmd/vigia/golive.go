package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/vigiaguard/vigia"
)

type automationGoLive struct {
	onAutomation
	Yes     bool `help:"Yes to what the preview says: do not ask."`
	TrueNow bool `help:"Yes to acting at once on trades whose condition holds already."`
	Hedge   bool `help:"Yes to guarding both legs of a hedge."`
}

// Help says what is asked.
func (c *automationGoLive) Help() string {
	return `Shows what the rule does with your positions, and takes a typed yes. Its limits are fixed in sats against the free
balance of now. What is true already, and a hedge, need a yes of their own.

  vigia automation go-live --automation ID
  vigia automation go-live --automation ID --yes --true-now`
}

// Run shows the preview, asks, and lets the rule act.
func (c *automationGoLive) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	rule, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	out := &printout{w: env.out}
	if c.JSON { // questions go to people, the answer to the script
		out.w = env.err
	}
	confirmed, err := c.ask(ctx, env, r, &rule, out)
	if err != nil {
		return err
	}
	var answer struct {
		Automation vigia.Automation `json:"automation"`
		Preview    vigia.Preview    `json:"preview"`
	}
	version := http.Header{"If-Match": {strconv.Quote(strconv.FormatInt(rule.Version, 10))}}
	if err := r.call(ctx, http.MethodPost, automationPath(&rule, "/go-live"), confirmed, &answer, version); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, answer)
	}
	out.line("%s is LIVE.", answer.Automation.Name)
	out.line("  %s", wrap("fixed in sats: "+fixedWords(&answer.Automation.Limits), "    "))
	out.line("\nSee that it holds:  vigia status")
	return out.err
}

// ask shows what going live means and collects the answers it takes.
func (c *automationGoLive) ask(ctx context.Context, env environment, r *remote, rule *vigia.Automation, out *printout) (map[string]bool, error) {
	said := map[string]bool{"confirmed": c.Yes}
	ask := env.prompter()
	if rule.Guard == nil {
		said["confirmed"] = true // an alert spends nothing
		return said, nil
	}
	preview, err := r.preview(ctx, rule)
	if err != nil {
		return nil, err
	}
	out.line("%s, once it is live:\n", rule.Name)
	printPreview(out, &preview)
	if out.err != nil {
		return nil, out.err
	}
	for _, question := range []struct {
		field, flag, text string
		needed, given     bool
	}{
		{"confirmed", "--yes", "\nGoing live lets this rule spend sats as the preview says.", true, c.Yes},
		{"true_now", "--true-now", "Its condition holds already: it acts at once.", preview.TrueNow > 0, c.TrueNow},
		{"hedge", "--hedge", "Both legs of a hedge would be guarded.", preview.Hedged, c.Hedge},
	} {
		said[question.field] = question.given
		if !question.needed || question.given {
			continue
		}
		if err := ask.yes(question.text, "yes", question.flag); err != nil {
			return nil, err
		}
		said[question.field] = true
	}
	return said, nil
}
