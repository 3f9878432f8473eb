package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

type stopCommand struct {
	onServer
	Release bool `help:"Let automations act again."`
	All     bool `help:"Yes to stopping every process that guards from the same database."`
	Yes     bool `help:"Do not ask."`
	JSON    bool `help:"Print JSON."`
}

// Help says what stopping means.
func (c *stopCommand) Help() string {
	return `Stops every automation, the guard too, until you release them. Prices and positions are still watched and you are
still told; nothing is added and nothing closed. Stops that rest on the exchange stay there and still work.

  vigia stop
  vigia stop --release

Without a server, an empty file named halt in the data folder stops all acting, commands too; it is looked at
every second.`
}

// heldWithin is how long the guards get to say that they hold.
const heldWithin = 10 * time.Second

// Run stops automations, or lets them act again.
func (c *stopCommand) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	report, err := readStatus(ctx, r, env.clock.Now())
	if err != nil {
		return err
	}
	if n := report.processes(); n > 1 && !c.All {
		return &vigia.Error{Code: vigia.CodeNeedsConfirmation, Field: "all",
			Message: fmt.Sprintf("%d processes guard from this database, and this holds for all of them", n), Help: "Say it with --all."}
	}
	if err := c.confirm(env, report); err != nil {
		return err
	}
	var set vigia.Stops
	if err := r.call(ctx, http.MethodPut, "/stop", map[string]bool{"automations": !c.Release}, &set, nil); err != nil {
		return err
	}
	took, waiting, err := c.wait(ctx, env, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, map[string]any{"automations": set.Automations, "entries": set.Entries, "not_yet": waiting})
	}
	out := &printout{w: env.out}
	c.tell(out, took, waiting)
	return out.err
}

// processes counts those that guard.
func (r *statusReport) processes() int {
	seen := map[string]bool{}
	for i := range r.Networks {
		holder, _, _ := strings.Cut(r.Networks[i].Holder, "/")
		seen[holder] = true
	}
	return len(seen)
}

// confirm says beforehand what will happen, and takes the typed word.
func (c *stopCommand) confirm(env environment, report *statusReport) error {
	live, trades := 0, 0
	for i := range report.Accounts {
		for j := range report.Accounts[i].Trades {
			trades++
			if report.Accounts[i].Trades[j].Mode == vigia.ModeLive {
				live++
			}
		}
	}
	if c.Yes {
		return nil
	}
	if c.Release {
		return env.prompter().yes(fmt.Sprintf("Automations act again at once: %d of %d running trades have a live rule,\n"+
			"and what is due now is done now.", live, trades), "release", "--yes")
	}
	return env.prompter().yes(fmt.Sprintf("This stops every automation, the guard too, until you release them.\n"+
		"%d of %d running trades have a live rule and are NOT protected from then on:\n"+
		"nothing is added, nothing is closed. Watching and telling go on, and what you ask for by hand is done.\n"+
		"A stop of ours that rests on the exchange stays there and still works.", live, trades), "stop", "--yes")
}

// wait looks until every guard says that it knows.
func (c *stopCommand) wait(ctx context.Context, env environment, r *remote) (took time.Duration, waiting []string, err error) {
	begun := env.clock.Now()
	for {
		var answer struct {
			Guards []vigia.GuardStatus `json:"guards"`
		}
		if err := r.get(ctx, "/status", &answer); err != nil {
			return 0, nil, err
		}
		waiting = []string{}
		for i := range answer.Guards {
			if answer.Guards[i].Stops.Automations == c.Release {
				waiting = append(waiting, answer.Guards[i].Holder)
			}
		}
		took = vigia.Age(env.clock.Now(), begun)
		if len(waiting) == 0 || took > heldWithin {
			return took, waiting, nil
		}
		if !pause(ctx, env.clock, lookEvery) {
			return took, waiting, fmt.Errorf("given up: %w", context.Cause(ctx))
		}
	}
}

func (c *stopCommand) tell(out *printout, took time.Duration, waiting []string) {
	if c.Release {
		out.line("Automations act again.")
	} else {
		out.line("Automations are STOPPED, the guard too. Stops that rest on the exchange stay there.")
	}
	if len(waiting) > 0 {
		out.line("▲ After %s these have not said that they know: %s", ageText(took), strings.Join(waiting, ", "))
	}
	if !c.Release {
		out.line("To let them act again:  vigia stop --release")
	}
}
