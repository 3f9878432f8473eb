package lnmarkets

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"time"

	"github.com/vigiaguard/vigia"
)

// Client makes the calls of one key. Methods that change something return after
// the exchange has answered or the outcome is unknown; see the package comment
// for what an error means.
type Client struct {
	rest       *rest
	sendWithin time.Duration
}

const defaultSendWithin = 3 * time.Second

// New makes a client of one key. Nothing is sent: whether the key is accepted,
// the first call tells.
func New(o Options) (*Client, error) {
	if o.Credentials.Key.IsZero() || o.Credentials.Secret.IsZero() || o.Credentials.Passphrase.IsZero() {
		return nil, vigia.Invalid("credentials", "key, secret and passphrase are all needed")
	}
	r, err := newRest(&o)
	if err != nil {
		return nil, err
	}
	r.key = &o.Credentials
	if r.budget == nil {
		r.budget = NewKeyBudget(o.Clock)
	}
	c := &Client{rest: r, sendWithin: o.SendWithin}
	if c.sendWithin <= 0 {
		c.sendWithin = defaultSendWithin
	}
	return c, nil
}

// Account is the owner of the key with the free balance, and the start of the
// request that was answered.
func (c *Client) Account(ctx context.Context) (Account, time.Time, error) {
	return do[Account](ctx, c.rest, &request{call: callAccount})
}

// Running are the running trades in the exchange's order, and the start of the
// request that was answered.
func (c *Client) Running(ctx context.Context) ([]vigia.Trade, time.Time, error) {
	return c.trades(ctx, &request{call: callRunning})
}

// Open are the resting limit orders, and the start of the request that was
// answered.
func (c *Client) Open(ctx context.Context) ([]vigia.Trade, time.Time, error) {
	return c.trades(ctx, &request{call: callOpen})
}

// Closed goes through the closed trades, newest first: closed by hand, stopped
// and liquidated alike.
func (c *Client) Closed(ctx context.Context, w Window) iter.Seq2[vigia.Trade, error] {
	return converted(pages[Trade](ctx, c.rest, callClosed, url.Values{}, w), (*Trade).Vigia)
}

// Canceled goes through the canceled orders, newest first.
func (c *Client) Canceled(ctx context.Context, w Window) iter.Seq2[vigia.Trade, error] {
	return converted(pages[Trade](ctx, c.rest, callCanceled, url.Values{}, w), (*Trade).Vigia)
}

// FundingFees goes through what settlements cost, newest first: of one trade, or
// of all when trade is empty. Rows can come some minutes late.
func (c *Client) FundingFees(ctx context.Context, trade vigia.TradeID, w Window) iter.Seq2[FundingFee, error] {
	query := url.Values{}
	if trade != "" {
		query.Set("tradeId", string(trade))
	}
	return pages[FundingFee](ctx, c.rest, callFundingFees, query, w)
}

// CrossPosition is the account's cross position, and the start of the request
// that was answered.
func (c *Client) CrossPosition(ctx context.Context) (vigia.CrossPosition, time.Time, error) {
	wire, begun, err := do[CrossPosition](ctx, c.rest, &request{call: callCrossPosition})
	if err != nil {
		return vigia.CrossPosition{}, begun, err
	}
	position, err := wire.Vigia()
	return position, begun, err
}

// NewTrade opens a trade: a market order comes back running, a limit order open.
// It is never sent twice; after an unknown outcome look for the client id in the
// open, running and closed lists.
func (c *Client) NewTrade(ctx context.Context, order NewTrade) (vigia.Trade, error) {
	if err := order.Validate(); err != nil {
		return vigia.Trade{}, err
	}
	return c.change(ctx, &request{call: callNewTrade, body: order})
}

// AddMargin adds sats to a running trade. It is never sent twice.
func (c *Client) AddMargin(ctx context.Context, id vigia.TradeID, amount vigia.Sats) (vigia.Trade, error) {
	return c.order(ctx, vigia.Order{Action: vigia.ActionAddMargin, Trade: id, Amount: amount})
}

// CashIn takes sats out of a running trade. It is never sent twice.
func (c *Client) CashIn(ctx context.Context, id vigia.TradeID, amount vigia.Sats) (vigia.Trade, error) {
	return c.order(ctx, vigia.Order{Action: vigia.ActionCashIn, Trade: id, Amount: amount})
}

// Close closes a running trade at the market.
func (c *Client) Close(ctx context.Context, id vigia.TradeID) (vigia.Trade, error) {
	return c.order(ctx, vigia.Order{Action: vigia.ActionClose, Trade: id})
}

// SetStopLoss moves the stop to a price. The price it has already is refused.
func (c *Client) SetStopLoss(ctx context.Context, id vigia.TradeID, price vigia.Price) (vigia.Trade, error) {
	return c.order(ctx, vigia.Order{Action: vigia.ActionSetStop, Trade: id, Stop: price})
}

// SetTrailingStop lets the stop follow the price at a distance.
func (c *Client) SetTrailingStop(ctx context.Context, id vigia.TradeID, distance vigia.Percent) (vigia.Trade, error) {
	if err := checkTradeID(id); err != nil {
		return vigia.Trade{}, err
	}
	fraction, err := trailingFraction(distance)
	if err != nil {
		return vigia.Trade{}, err
	}
	body := StopLoss{ID: string(id), Value: json.Number(fraction), Mode: StopTrailing}
	return c.change(ctx, &request{call: callStopLoss, body: body})
}

// RemoveStopLoss takes the stop away.
func (c *Client) RemoveStopLoss(ctx context.Context, id vigia.TradeID) (vigia.Trade, error) {
	return c.order(ctx, vigia.Order{Action: vigia.ActionRemoveStop, Trade: id})
}

// SetTakeProfit moves the take-profit to a price.
func (c *Client) SetTakeProfit(ctx context.Context, id vigia.TradeID, price vigia.Price) (vigia.Trade, error) {
	if err := checkTradeID(id); err != nil {
		return vigia.Trade{}, err
	}
	value, err := wirePrice("take_profit", price)
	if err != nil {
		return vigia.Trade{}, err
	}
	return c.change(ctx, &request{call: callTakeProfit, body: TakeProfit{ID: string(id), Value: value}})
}

// RemoveTakeProfit takes the take-profit away.
func (c *Client) RemoveTakeProfit(ctx context.Context, id vigia.TradeID) (vigia.Trade, error) {
	if err := checkTradeID(id); err != nil {
		return vigia.Trade{}, err
	}
	return c.change(ctx, &request{call: callRemoveTakeProfit, query: idQuery(id)})
}

// Cancel cancels a resting order.
func (c *Client) Cancel(ctx context.Context, id vigia.TradeID) (vigia.Trade, error) {
	if err := checkTradeID(id); err != nil {
		return vigia.Trade{}, err
	}
	return c.change(ctx, &request{call: callCancel, body: TradeRef{ID: string(id)}})
}

// CancelAll cancels all resting isolated orders and returns them.
func (c *Client) CancelAll(ctx context.Context) ([]vigia.Trade, error) {
	trades, _, err := c.trades(ctx, &request{call: callCancelAll})
	return trades, err
}

func (c *Client) order(ctx context.Context, o vigia.Order) (vigia.Trade, error) {
	q, err := requestOf(o)
	if err != nil {
		return vigia.Trade{}, err
	}
	return c.change(ctx, q)
}

// change makes a call that answers with the trade as it is afterwards.
func (c *Client) change(ctx context.Context, q *request) (vigia.Trade, error) {
	wire, _, err := do[Trade](ctx, c.rest, q)
	if err != nil {
		return vigia.Trade{}, err
	}
	return done(q.call, &wire)
}

// done converts the trade of an answer that said done. What was done is not
// known when the trade in it makes no sense.
func done(call Call, wire *Trade) (vigia.Trade, error) {
	trade, err := wire.Vigia()
	if err != nil {
		return vigia.Trade{}, &Error{Call: call, Status: 200, Cause: fmt.Errorf("%w: %w", ErrUnreadable, err)}
	}
	return trade, nil
}

func (c *Client) trades(ctx context.Context, q *request) ([]vigia.Trade, time.Time, error) {
	wire, begun, err := do[[]Trade](ctx, c.rest, q)
	if err != nil {
		return nil, begun, err
	}
	trades, err := tradesOf(wire)
	if err != nil {
		return nil, begun, &Error{Call: q.call, Status: 200, Cause: fmt.Errorf("%w: %w", ErrUnreadable, err)}
	}
	return trades, begun, nil
}

func idQuery(id vigia.TradeID) url.Values { return url.Values{"id": {string(id)}} }
