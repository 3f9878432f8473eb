package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

type paperFaults struct {
	List  paperFaultList  `cmd:"" help:"The faults that are on."`
	Set   paperFaultSet   `cmd:"" help:"Switch a fault on."`
	Clear paperFaultClear `cmd:"" help:"Switch faults off."`
}

type paperFaultList struct {
	onPaper
}

// Run lists the faults.
func (c *paperFaultList) Run(ctx context.Context, env environment) error {
	faults := []paper.FaultForm{}
	if err := c.call(ctx, http.MethodGet, "/faults", nil, &faults); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, faults)
	}
	out := &printout{w: env.out}
	if len(faults) == 0 {
		out.line("No fault is on.")
		return out.err
	}
	var rows [][]string
	for i := range faults {
		f := &faults[i]
		chance, count := "always", ""
		if f.Chance != 0 {
			chance = f.Chance.String() + " %"
		}
		if f.Count != 0 {
			count = strconv.Itoa(f.Count)
		}
		rows = append(rows, []string{strconv.Itoa(f.ID), string(f.Kind), f.Call, chance, count, f.Delay, f.Shift, strconv.Itoa(f.Struck)})
	}
	out.table([]string{" id", "kind", "call", "chance", " at most", " delay", " shift", " struck"}, rows)
	return out.err
}

type paperFaultSet struct {
	onPaper
	Kind         string        `help:"too_many_requests, unavailable, reads_fail, slow, reset, answer_lost, answer_lost_executed_late, stale_read, stale_price, stream_drop, stream_silent or clock_off." required:"" placeholder:"KIND"`
	Call         string        `help:"Of this call only, or of reads, or of writes." placeholder:"NAME"`
	Account      string        `help:"Of this account only: its id on the exchange." placeholder:"ID"`
	Chance       string        `help:"How often it strikes; always when not given." placeholder:"PERCENT"`
	Count        int           `help:"Over after so many strikes; never when 0." placeholder:"N"`
	Delay        time.Duration `help:"For slow and answer_lost_executed_late." placeholder:"DURATION"`
	Shift        time.Duration `help:"For clock_off." placeholder:"DURATION"`
	Hang         bool          `help:"Leave the client waiting instead of resetting its connection."`
	BeyondWindow bool          `help:"Execute late even after the signature's time is over."`
	Pings        bool          `help:"For stream_silent: still answer pings."`
}

// Help has the examples.
func (c *paperFaultSet) Help() string {
	return `Lets the exchange misbehave in one of the ways in which real ones do, until it is cleared.

  vigia paper fault set --kind answer_lost_executed_late --call writes --delay 5s
  vigia paper fault set --kind unavailable --chance 20% --count 10
  vigia paper fault set --kind clock_off --shift 1m`
}

// Run switches a fault on.
func (c *paperFaultSet) Run(ctx context.Context, env environment) error {
	form := paper.FaultForm{Fault: paper.Fault{Kind: paper.FaultKind(c.Kind), Call: c.Call, Account: vigia.AccountID(c.Account),
		Count: c.Count, Hang: c.Hang, BeyondWindow: c.BeyondWindow, Pings: c.Pings}}
	if err := given("chance", c.Chance, takesPercent, vigia.ParsePercent, &form.Chance); err != nil {
		return err
	}
	form.Fault.Delay, form.Fault.Shift = c.Delay, c.Shift
	if err := form.Check(); err != nil {
		return err
	}
	if c.Delay != 0 {
		form.Delay = c.Delay.String()
	}
	if c.Shift != 0 {
		form.Shift = c.Shift.String()
	}
	var set struct {
		ID int `json:"id"`
	}
	if err := c.call(ctx, http.MethodPost, "/faults", form, &set); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, set)
	}
	out := &printout{w: env.out}
	out.line("The fault %s is on; its id is %d.\nSwitch it off:  vigia paper fault clear --id %d", c.Kind, set.ID, set.ID)
	return out.err
}

type paperFaultClear struct {
	onPaper
	ID int `help:"This one only; all when not given." placeholder:"N"`
}

// Run switches faults off.
func (c *paperFaultClear) Run(ctx context.Context, env environment) error {
	path, what := "/faults", "Every fault is off."
	if c.ID != 0 {
		path, what = "/faults/"+strconv.Itoa(c.ID), fmt.Sprintf("Fault %d is off.", c.ID)
	}
	if err := c.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, map[string]bool{"ok": true})
	}
	out := &printout{w: env.out}
	out.line("%s", what)
	return out.err
}
