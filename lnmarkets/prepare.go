package lnmarkets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vigiaguard/vigia"
)

// Prepare takes a token, ahead of all reads, and signs the call that carries the
// order out, with the exchange's time as far as it is known (SignedAt). What it
// returns is complete but for key and passphrase, which Send adds, so that it can
// be kept. It blocks while there is no token; after an error nothing is prepared
// and nothing will be sent.
func (c *Client) Prepare(ctx context.Context, o vigia.Order) (vigia.PreparedCall, error) {
	q, err := requestOf(o)
	if err != nil {
		return vigia.PreparedCall{}, err
	}
	if err := c.rest.budget.Take(ctx, PriorityAction); err != nil {
		return vigia.PreparedCall{}, fmt.Errorf("lnmarkets: %s: %w", q.call.Name, err)
	}
	p, err := c.rest.prepare(q)
	if err != nil {
		return vigia.PreparedCall{}, err
	}
	return vigia.PreparedCall{Order: o, Method: q.call.Method, Path: p.target, Body: p.body,
		SignedAt: p.signedAt, Signature: p.header.Get(HeaderSignature), Header: p.header}, nil
}

// Send sends a prepared call exactly once, exactly those bytes, and says what is
// known of it:
//
//	CallDone     2xx with the trade in question
//	CallRefused  a 4xx with an error body of the exchange; any 401 or 403
//	CallUnsent   no connection, nothing written to one, 429, the known 503
//	CallUnknown  everything else: a time-out, a reset, 5xx, an answer that
//	             cannot be read
//
// It returns after the answer or after SendWithin, and follows no redirect. When
// ctx ends meanwhile the call is unknown, or unsent if it had not left.
func (c *Client) Send(ctx context.Context, p vigia.PreparedCall) vigia.CallResult {
	call, err := c.callOf(&p)
	if err != nil {
		return vigia.CallResult{Outcome: vigia.CallUnsent, Err: err}
	}
	wire := &prepared{call: call, target: p.Path, body: p.Body, header: p.Header, signedAt: p.SignedAt}
	a, failure := c.rest.send(ctx, wire, c.sendWithin)
	result := vigia.CallResult{Raw: a.body, SentAt: a.sent}
	if a.status != 0 {
		result.AnsweredAt = a.came
	}
	if failure == nil {
		result.Trade, failure = answeredTrade(call, a, p.Order)
	}
	if failure == nil {
		result.Outcome = vigia.CallDone
		return result
	}
	result.Outcome, result.Err = failure.Outcome, failure
	result.Code, result.Message, result.RetryAfter = failure.Code, failure.Message, failure.RetryAfter
	return result
}

// answeredTrade is the trade of an answer that said done.
func answeredTrade(call Call, a *answer, o vigia.Order) (vigia.Trade, *Error) {
	wire, failure := decode[Trade](call, a)
	if failure != nil {
		return vigia.Trade{}, failure
	}
	trade, err := wire.Vigia()
	if err == nil && trade.ID != o.Trade {
		err = fmt.Errorf("it is about trade %s instead of %s", trade.ID, o.Trade)
	}
	if err != nil {
		return vigia.Trade{}, &Error{Call: call, Status: a.status, Raw: a.body, Cause: fmt.Errorf("%w: %w", ErrUnreadable, err)}
	}
	return trade, nil
}

// callOf finds the call that was prepared.
func (c *Client) callOf(p *vigia.PreparedCall) (Call, error) {
	path, _, _ := strings.Cut(p.Path, "?")
	calls := Calls()
	i := slices.IndexFunc(calls, func(call Call) bool {
		return call.Method == p.Method && c.rest.prefix+call.Path == path
	})
	if i < 0 || http.Header(p.Header).Get(HeaderSignature) == "" {
		return Call{}, errors.New("lnmarkets: this call was not made by Prepare")
	}
	return calls[i], nil
}
