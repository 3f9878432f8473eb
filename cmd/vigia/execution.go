package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/vigiaguard/vigia"
)

type executionGroup struct {
	List executionList `cmd:"" help:"What was done, newest first."`
	Show executionShow `cmd:"" help:"One execution, with the exchange's answer."`
}

// listed is what a command takes that lists.
type listed struct {
	onServer
	Account string `help:"Of this account only: label or id." placeholder:"NAME"`
	Limit   int    `help:"At most so many, the newest; 0 for all." default:"50" placeholder:"N"`
	JSON    bool   `help:"Print JSON."`
}

func (l *listed) query() (url.Values, error) {
	if l.Limit < 0 {
		return nil, vigia.Invalid("limit", fmt.Sprintf("got %d; it takes 0 (all) or more", l.Limit))
	}
	query := url.Values{}
	if l.Account != "" {
		query.Set("account", l.Account)
	}
	return query, nil
}

// executionLine is an execution as scripts get it.
type executionLine struct {
	vigia.Execution
	Automation vigia.AutomationID `json:"automation"`
	Sats       vigia.Sats         `json:"sats"`
	TickToWire int64              `json:"tick_to_wire_us"`
	Raw        string             `json:"raw,omitempty"`
}

func lineOf(e *vigia.Execution) executionLine {
	return executionLine{Execution: *e, Automation: e.Automation, Sats: e.Amount, TickToWire: e.TickToWire().Microseconds(), Raw: string(e.Raw)}
}

func linesOf(executions []vigia.Execution) []executionLine {
	out := make([]executionLine, len(executions))
	for i := range executions {
		out[i] = lineOf(&executions[i])
	}
	return out
}

type executionList struct {
	listed
}

// Help has the examples.
func (c *executionList) Help() string {
	return `Each with its state, the sats, and the time from the tick that made it due to the request leaving.

  vigia execution list
  vigia execution list --account main --limit 10
  vigia execution list --json | jq '.[] | select(.state != "done")'`
}

// Run lists executions.
func (c *executionList) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	executions, err := pages[vigia.Execution](ctx, r, "/executions", query, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, linesOf(executions))
	}
	out := &printout{w: env.out}
	if len(executions) == 0 {
		out.line("Nothing was done yet. What the rules said:  vigia decision list")
		return out.err
	}
	printExecutions(out, executions)
	return out.err
}

func printExecutions(out *printout, executions []vigia.Execution) {
	var rows [][]string
	for i := range executions {
		e := &executions[i]
		amount, wire := "", ""
		if e.Amount != 0 {
			amount = e.Amount.Grouped()
		}
		if d := e.TickToWire(); d > 0 {
			wire = ageText(d)
		}
		rows = append(rows, []string{e.CreatedAt.Local().Format("01-02 15:04:05"), string(e.Action), shortSubject(e.Subject),
			string(e.State), amount, wire, string(e.Reason), short(string(e.ID))})
	}
	out.table([]string{"when", "action", "subject", "state", " sats", " tick to wire", "reason", "id"}, rows)
}

// shortSubject is a subject as tables show it.
func shortSubject(s vigia.Subject) string {
	if s.Kind == vigia.SubjectTrade {
		return "trade " + short(string(s.Trade))
	}
	return s.String()
}

type executionShow struct {
	onServer
	Execution string `help:"The execution's id, or its end as the list shows it." required:"" placeholder:"ID"`
	JSON      bool   `help:"Print JSON."`
}

// Run shows one execution.
func (c *executionShow) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	e, err := r.execution(ctx, c.Execution)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, lineOf(&e))
	}
	out := &printout{w: env.out}
	printExecution(out, &e)
	return out.err
}

// execution finds one by its id or the end of it.
func (r *remote) execution(ctx context.Context, name string) (vigia.Execution, error) {
	var e vigia.Execution
	if vigia.CheckID(name) == nil {
		return e, r.get(ctx, "/executions/"+name, &e)
	}
	all, err := pages[vigia.Execution](ctx, r, "/executions", url.Values{}, 1000)
	if err != nil {
		return e, err
	}
	return only("execution", name, all, func(e *vigia.Execution) (string, string) { return string(e.ID), "" })
}

func printExecution(out *printout, e *vigia.Execution) {
	out.line("%s  %s %s: %s", e.ID, e.Action, e.Subject, e.State)
	out.line("  why        %s", wrap(e.Reason.Sentence(), "             "))
	if e.Amount != 0 || e.Cost != 0 {
		out.line("  sats       %s into the trade, %s out of the wallet", e.Amount.Grouped(), e.Cost.Grouped())
	}
	if e.Stop != 0 {
		out.line("  stop       %s", e.Stop.Grouped())
	}
	if e.Last != 0 {
		out.line("  price      %s", e.Last.Grouped())
	}
	if e.Before.Liquidation != 0 && e.After.Liquidation != 0 {
		out.line("  liquidated at %s before, %s after", e.Before.Liquidation.Grouped(), e.After.Liquidation.Grouped())
	}
	out.line("  decided    %s", e.CreatedAt.Local().Format("2006-01-02 15:04:05.000"))
	if !e.SentAt.IsZero() {
		out.line("  sent       %s", e.SentAt.Local().Format("2006-01-02 15:04:05.000")+wireText(e))
	}
	if !e.AnsweredAt.IsZero() {
		out.line("  answered   %s after", ageText(e.AnsweredAt.Sub(e.SentAt)))
	}
	if e.Class != "" {
		out.line("  failure    %s: %s", e.Class, wrap(e.Detail, "             "))
	} else if e.Detail != "" {
		out.line("  detail     %s", wrap(e.Detail, "             "))
	}
	if len(e.Raw) > 0 {
		out.line("  answer     %s", e.Raw)
	}
}

func wireText(e *vigia.Execution) string {
	if d := e.TickToWire(); d > 0 {
		return ", " + ageText(d) + " after the tick"
	}
	return ""
}
