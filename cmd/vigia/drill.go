package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/vigiaguard/vigia"
)

type drillCommand struct {
	onServer
	Account string        `help:"A paper account: label or id." required:"" placeholder:"NAME"`
	Drop    string        `help:"How far the price falls." required:"" placeholder:"PERCENT"`
	Over    time.Duration `help:"Within what time." default:"60s"`
	Settle  time.Duration `help:"How long to look on after the fall." default:"5s"`
	JSON    bool          `help:"Print JSON."`
}

// Help has the examples.
func (c *drillCommand) Help() string {
	return `Lets the price of the paper exchange inside fall, and follows what the guard does. Nothing of it is real.

  vigia drill --account demo --drop 15% --over 60s
  vigia drill --account demo --drop 5% --over 20s --json`
}

// drillResult is a drill as scripts get it.
type drillResult struct {
	Drop       vigia.Percent   `json:"drop_pct"`
	Over       int             `json:"over_s"`
	Executions []executionLine `json:"executions"`
}

// Run drops the price and follows.
func (c *drillCommand) Run(ctx context.Context, env environment) error {
	drop, err := c.checked()
	if err != nil {
		return err
	}
	r, err := c.reach()
	if err != nil {
		return err
	}
	before, err := c.look(ctx, env, r)
	if err != nil {
		return err
	}
	newest, err := pages[vigia.Execution](ctx, r, "/executions", url.Values{"account": {c.Account}}, 1)
	if err != nil {
		return err
	}
	seconds := int(c.Over / time.Second)
	if err := r.post(ctx, accountPath(c.Account, "/drill"), map[string]any{"drop_pct": drop, "over_s": seconds}, nil); err != nil {
		return err
	}
	out := &printout{w: env.out}
	if c.JSON {
		out.w = env.err
	}
	out.line("The paper price falls %s %% within %s.", drop, c.Over)
	follow := &follower{r: r, env: env, account: c.Account, said: map[vigia.ExecutionID]vigia.ExecutionState{}, out: out}
	if len(newest) > 0 {
		follow.after = newest[0].ID
	}
	happened, err := follow.run(ctx, c.Over+c.Settle)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, drillResult{Drop: drop, Over: seconds, Executions: linesOf(happened)})
	}
	after, err := c.look(ctx, env, r)
	if err != nil {
		return err
	}
	tellDrill(out, before, after, len(happened))
	return out.err
}

func (c *drillCommand) checked() (vigia.Percent, error) {
	drop, err := vigia.ParsePercent(c.Drop)
	if err != nil || drop <= 0 || drop > 90*vigia.OnePercent {
		return 0, vigia.Invalid("drop", fmt.Sprintf("got %q; it takes a percentage above 0 and up to 90, such as 15%%", c.Drop))
	}
	if c.Over < time.Second || c.Over > time.Hour || c.Over%time.Second != 0 {
		return 0, vigia.Invalid("over", fmt.Sprintf("got %s; it takes whole seconds, 1s to 1h", c.Over))
	}
	if c.Settle < 0 || c.Settle > time.Hour {
		return 0, vigia.Invalid("settle", fmt.Sprintf("got %s; it takes 0s to 1h", c.Settle))
	}
	return drop, nil
}

// look is how the account stands.
func (c *drillCommand) look(ctx context.Context, env environment, r *remote) (*accountStatus, error) {
	report, err := readStatus(ctx, r, env.clock.Now())
	if err != nil {
		return nil, err
	}
	for i := range report.Accounts {
		if a := &report.Accounts[i]; a.Label == c.Account || string(a.Account) == c.Account {
			return a, nil
		}
	}
	return nil, &vigia.Error{Code: vigia.CodeNotFound, Field: "account", Message: fmt.Sprintf("there is no account %q", c.Account),
		Help: "vigia account list shows what there is."}
}

// follower reads the executions of an account that came after one, and says each
// when its state changes.
type follower struct {
	r       *remote
	env     environment
	account string
	after   vigia.ExecutionID
	said    map[vigia.ExecutionID]vigia.ExecutionState
	out     *printout
}

// run follows for a time and gives what happened, in the order it did.
func (f *follower) run(ctx context.Context, long time.Duration) ([]vigia.Execution, error) {
	begun := f.env.clock.Now()
	for {
		over := vigia.Age(f.env.clock.Now(), begun) >= long
		happened, err := f.read(ctx)
		if err != nil || over {
			return happened, err
		}
		if !pause(ctx, f.env.clock, 5*lookEvery/2) {
			return nil, fmt.Errorf("given up: %w", context.Cause(ctx))
		}
	}
}

// read pages back to where the drill began.
func (f *follower) read(ctx context.Context) ([]vigia.Execution, error) {
	var happened []vigia.Execution
	for enough := 50; ; enough *= 4 {
		newest, err := pages[vigia.Execution](ctx, f.r, "/executions", url.Values{"account": {f.account}}, enough)
		if err != nil {
			return nil, err
		}
		happened = happened[:0]
		for i := range newest {
			if newest[i].ID <= f.after { // ids sort by the time they were made
				break
			}
			happened = append(happened, newest[i])
		}
		if len(happened) < enough {
			break
		}
	}
	for i, j := 0, len(happened)-1; i < j; i, j = i+1, j-1 {
		happened[i], happened[j] = happened[j], happened[i]
	}
	for i := range happened {
		f.say(&happened[i])
	}
	return happened, f.out.err
}

func (f *follower) say(e *vigia.Execution) {
	if f.said[e.ID] == e.State {
		return
	}
	f.said[e.ID] = e.State
	amount := ""
	if e.Amount != 0 {
		amount = " " + satsText(e.Amount)
	}
	f.out.line("  %s  %s%s, %s: %s (%s)%s", e.CreatedAt.Local().Format("15:04:05"), e.Action, amount, shortSubject(e.Subject), e.State, e.Reason, wireText(e))
}

// tellDrill says what became of each trade.
func tellDrill(out *printout, before, after *accountStatus, executions int) {
	out.line("\nThe price stands at %s; executions: %d.", after.Last.Grouped(), executions)
	for i := range before.Trades {
		was := &before.Trades[i]
		now := findTrade(after, was.ID)
		switch {
		case now == nil:
			out.line("  %s  ended; it would have been liquidated at %s.", named(was), was.Liquidation.Grouped())
		case now.Margin != was.Margin:
			out.line("  %s  lives; %s sats were added, liquidated at %s before and %s now.", named(was),
				(now.Margin - was.Margin).Grouped(), was.Liquidation.Grouped(), now.Liquidation.Grouped())
		default:
			out.line("  %s  lives, untouched; liquidated at %s.", named(was), now.Liquidation.Grouped())
		}
	}
}

func findTrade(a *accountStatus, id vigia.TradeID) *vigia.WatchedTrade {
	for i := range a.Trades {
		if a.Trades[i].ID == id {
			return &a.Trades[i]
		}
	}
	return nil
}
