package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
)

type accountProve struct {
	onAccount
	Yes  bool `help:"Consent: do not ask."`
	JSON bool `help:"Print JSON."`
}

// Help says what a proof is.
func (c *accountProve) Help() string {
	return `Adds one sat of margin to the trade farthest from liquidation, reads it back, and says how long the exchange
took. It is done only while every trade is beyond its trigger and hysteresis. The sat stays yours, in the trade.
Without a proof in the last seven days a position counts as protected in name only.

  vigia account prove --account main`
}

// Run asks for consent, asks for the proof and waits for it.
func (c *accountProve) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	if !c.Yes {
		question := "This adds one sat of margin to " + c.Account + "'s trade farthest from liquidation, and reads it back.\n" +
			"The sat stays in the trade and is yours."
		if err := env.prompter().yes(question, "yes", "--yes"); err != nil {
			return err
		}
	}
	var asked vigia.Execution
	if err := r.post(ctx, accountPath(c.Account, "/prove"), nil, &asked); err != nil {
		return err
	}
	proof, err := r.settled(ctx, env.clock, asked.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.out, lineOf(&proof)); err != nil {
			return err
		}
	}
	return c.tell(env, &proof)
}

func (c *accountProve) tell(env environment, proof *vigia.Execution) error {
	if proof.State != vigia.ExecutionDone {
		return &vigia.Error{Code: vigia.CodeUnavailable, Message: "writing is not proved: " + outcome(proof),
			Help: "Nothing else changed. vigia doctor says what stands in the way."}
	}
	if c.JSON {
		return nil
	}
	out := &printout{w: env.out}
	out.line("Proved: one sat was added to %s; %s from the request to the exchange's answer, %s from asking to done.",
		proof.Subject, ageText(proof.AnsweredAt.Sub(proof.SentAt)), ageText(proof.SettledAt.Sub(proof.CreatedAt)))
	return out.err
}

// outcome says how an execution ended that did not end well.
func outcome(e *vigia.Execution) string {
	text := string(e.State)
	if sentence := e.Reason.Sentence(); sentence != "" && e.Reason != vigia.ReasonCommand {
		text += ": " + sentence
	}
	if e.Detail != "" && e.Detail != e.Reason.Sentence() {
		text += " (" + e.Detail + ")"
	}
	return text
}

// A command lapses when it is not begun; settling what was not answered takes
// reads after the signature's time is over.
const (
	settleWithin = vigia.CommandExpires + time.Minute
	lookEvery    = 200 * time.Millisecond
)

// settled waits until an execution is.
func (r *remote) settled(ctx context.Context, clock vigia.Clock, id vigia.ExecutionID) (vigia.Execution, error) {
	begun := clock.Now()
	for {
		var e vigia.Execution
		if err := r.get(ctx, "/executions/"+string(id), &e); err != nil {
			return e, err
		}
		if e.State.Settled() {
			return e, nil
		}
		if vigia.Age(clock.Now(), begun) > settleWithin {
			return e, &vigia.Error{Code: vigia.CodeUnavailable,
				Message: fmt.Sprintf("after %s the request is still %s; its sats stay held until it is known", settleWithin, e.State),
				Help:    "vigia execution show --execution " + string(id) + " follows it."}
		}
		if !pause(ctx, clock, lookEvery) {
			return e, fmt.Errorf("given up: %w", context.Cause(ctx))
		}
	}
}
