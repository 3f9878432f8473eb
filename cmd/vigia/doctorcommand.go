package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vigiaguard/vigia"
)

type doctorCommand struct {
	onServer
	KeyFile string `help:"Where the key lies; looked at when no server runs (default: DATA.key)." placeholder:"FILE"`
	Listen  string `help:"The address the server would take; looked at when none runs." default:"127.0.0.1:8420" placeholder:"ADDR"`
	JSON    bool   `help:"Print JSON."`
}

// Help says what is looked at.
func (c *doctorCommand) Help() string {
	return `Asks the running server about its database, disk, clock, feed, keys and write proofs, and says what to do about
each. When no server runs, what can be looked at from outside is: key file, database, disk, port.
The exit status is 1 when something is to be done.

  vigia doctor`
}

// Run prints the checks.
func (c *doctorCommand) Run(ctx context.Context, env environment) error {
	checks, err := c.checks(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.out, checks); err != nil {
			return err
		}
	} else {
		out := &printout{w: env.out}
		printChecks(out, checks, env.styles())
		if out.err != nil {
			return out.err
		}
	}
	bad := 0
	for i := range checks {
		if !checks[i].OK {
			bad++
		}
	}
	if bad > 0 {
		return &vigia.Error{Code: vigia.CodeUnavailable, Message: fmt.Sprintf("%d of %d checks say that something is to be done", bad, len(checks))}
	}
	return nil
}

// checks asks the server, or looks from outside where none answers.
func (c *doctorCommand) checks(ctx context.Context) ([]vigia.Check, error) {
	r, err := c.reach()
	if err == nil {
		out := []vigia.Check{}
		if err = r.get(ctx, "/doctor", &out); err == nil {
			return out, nil
		}
		var refused *vigia.Error
		if !errors.As(err, &refused) || refused.Code != vigia.CodeUnavailable || ctx.Err() != nil {
			return nil, err
		}
	}
	server := vigia.Check{Name: "server", Found: err.Error(), Do: "Start it with: vigia serve --data " + c.Data}
	if what, _, ok := strings.Cut(server.Found, "; start it with"); ok {
		server.Found = what
	}
	return append([]vigia.Check{server}, c.fromOutside(ctx)...), nil
}

func printChecks(out *printout, checks []vigia.Check, style styles) {
	width := 0
	for i := range checks {
		width = max(width, len([]rune(checks[i].Name)))
	}
	indent := strings.Repeat(" ", width+5)
	for i := range checks {
		check := &checks[i]
		mark, text := style.good("✓"), wrap(check.Found, indent)
		if !check.OK {
			mark = style.danger("✗")
		}
		out.line(" %s %s  %s", mark, pad(check.Name, width, false), text)
		if check.Do != "" {
			out.line("%s→ %s", indent, wrap(check.Do, indent+"  "))
		}
	}
}
