package paper

import (
	"time"

	"github.com/vigiaguard/vigia"
)

// NewTrade is an order for a trade (reference 5.2).
type NewTrade struct {
	// Type is Market when empty.
	Type     OrderType      `json:"type,omitempty"`
	Side     vigia.Side     `json:"side"`
	Leverage vigia.Leverage `json:"leverage"`
	// Exactly one of Quantity and Margin is given.
	Quantity vigia.USD  `json:"quantity,omitempty"`
	Margin   vigia.Sats `json:"margin,omitempty"`
	// Price is a limit's, and a limit's only.
	Price vigia.Price `json:"price,omitempty"`
	// StopLoss and TakeProfit are 0 for none.
	StopLoss   vigia.Price `json:"stop_loss,omitempty"`
	TakeProfit vigia.Price `json:"take_profit,omitempty"`
	// ClientID is returned as it came, at most 64 bytes. The exchange does not
	// keep it unique.
	ClientID string `json:"client_id,omitempty"`
}

const maxClientID = 64

// Open opens a trade: a market order runs at once at the bid or ask, a limit
// rests on either side of the market until the last price touches it.
func (e *Engine) Open(id vigia.AccountID, order NewTrade) (vigia.Trade, error) {
	return e.doOne(command{Op: opOpen, Account: id, New: &order})
}

func (e *Engine) open(c *command) (outcome, error) {
	a, err := e.account(c.Account)
	if err != nil {
		return outcome{}, err
	}
	if e.last == 0 {
		return outcome{}, unavailable()
	}
	t, err := e.drafted(a, c.New)
	if err != nil {
		return outcome{}, err
	}
	need := t.Margin + t.FeeReserve
	if have := e.ledger.wallet(a.ID); have < need {
		return outcome{}, tooPoor(need, have)
	}
	e.made++
	e.trades++
	t.ID, t.seq, t.placedAt = c.Trade, e.trades, e.last
	t.CreatedAt = a.stamp(e.now)
	a.live = append(a.live, t)
	a.trades[t.ID] = t
	err = e.ledger.post(c.Op, e.now, a.ID, t.ID,
		line{BookWallet, -need}, line{BookIsolatedMargin, t.Margin}, line{BookIsolatedReserve, t.FeeReserve})
	if err != nil {
		return outcome{}, err
	}
	if t.kind == Market {
		return outcome{trade: t}, e.fill(t, t.Price, t.CreatedAt)
	}
	e.waiting.arm(t)
	e.say(EventOpen, t, t.CreatedAt, 0)
	return outcome{trade: t}, e.checkHeld(c.Op, t)
}

// drafted is the trade an order asks for, checked against everything but the
// balance.
func (e *Engine) drafted(a *account, n *NewTrade) (*trade, error) {
	t := &trade{owner: a, kind: n.Type}
	if t.kind == "" {
		t.kind = Market
	}
	if err := checkForm(n, t.kind); err != nil {
		return nil, err
	}
	q, price, err := e.sized(n, t.kind)
	if err != nil {
		return nil, err
	}
	margin := n.Margin
	if margin == 0 {
		margin = vigia.MarginFor(q, price, n.Leverage)
	}
	// A fresh order's liquidation comes from the floored margin, whatever was
	// paid (reference 7.2).
	liquidation := vigia.Liquidation(n.Side, q, price, vigia.FlooredMargin(q, price, n.Leverage))
	t.Trade = vigia.Trade{
		State: vigia.TradeOpen, Side: n.Side, Quantity: q, Margin: margin, EntryMargin: margin,
		Leverage: n.Leverage, Price: price, EntryPrice: price, Liquidation: liquidation,
		StopLoss: n.StopLoss, TakeProfit: n.TakeProfit, ClientID: n.ClientID,
		FeeReserve: e.rules.fee(q, price, vigia.ReserveRate) + e.rules.closingReserve(q, liquidation),
	}
	if err := checkStops(t, price); err != nil {
		return nil, err
	}
	return t, checkRoom(a, q)
}

func checkForm(n *NewTrade, kind OrderType) error {
	switch {
	case n.Side != vigia.Long && n.Side != vigia.Short:
		return refuse("side must be buy or sell")
	case (n.Quantity != 0) == (n.Margin != 0):
		return refuse("exactly one of quantity and margin must be given")
	case n.Quantity < 0 || n.Margin < 0:
		return refuse("quantity and margin must be positive")
	case kind == Market && n.Price != 0:
		return refuse("price must not be given for a market order")
	case kind == Limit && !n.Price.Valid():
		return refuse("price of a limit order must be between 1 and 100,000,000 USD")
	case kind != Market && kind != Limit:
		return refuse("type must be market or limit")
	case len(n.ClientID) > maxClientID:
		return refuse("clientId must have at most %d characters", maxClientID)
	}
	if err := vigia.CheckLeverage(n.Leverage); err != nil {
		return refuseFor(err)
	}
	return nil
}

// sized is the quantity and price of an order: a market order trades at the
// rung of the ladder that its own size belongs to.
func (e *Engine) sized(n *NewTrade, kind OrderType) (vigia.USD, vigia.Price, error) {
	q, price := n.Quantity, n.Price
	if kind == Market {
		price = e.priced(n.Side, q)
	}
	if q == 0 {
		q = vigia.QuantityFor(n.Margin, price, n.Leverage)
		if kind == Market {
			price = e.priced(n.Side, q)
			q = vigia.QuantityFor(n.Margin, price, n.Leverage)
		}
	}
	if err := vigia.CheckOrderQuantity(q); err != nil {
		return 0, 0, refuseFor(err)
	}
	return q, price, nil
}

func checkStops(t *trade, reference vigia.Price) error {
	if t.StopLoss != 0 && !stopFits(t, reference, t.StopLoss) {
		return refuse("Stop-loss %s is not between the liquidation %s and the price %s", t.StopLoss, t.Liquidation, reference)
	}
	if t.TakeProfit != 0 && !takeFits(t, reference, t.TakeProfit) {
		return refuse("Take-profit %s is not on the winning side of the price %s", t.TakeProfit, reference)
	}
	return nil
}

func checkRoom(a *account, q vigia.USD) error {
	if len(a.live) >= vigia.MaxTradesPerAccount {
		return refuse("Too many trades: %d open and running, at most %d", len(a.live), vigia.MaxTradesPerAccount)
	}
	total := q
	for _, t := range a.live {
		total += t.Quantity
	}
	if total > MaxTotalQuantity {
		return refuse("Total quantity would be %d USD, at most %d", total, MaxTotalQuantity)
	}
	return nil
}

// fill turns an order into a running trade: the opening fee leaves the reserve.
func (e *Engine) fill(t *trade, price vigia.Price, at time.Time) error {
	a := t.owner
	fee := e.rules.fee(t.Quantity, price, e.feeRate(a))
	if price != t.Price {
		t.Price = price
		t.Liquidation = vigia.Liquidation(t.Side, t.Quantity, price, t.Margin)
		t.Leverage = shownLeverage(&t.Trade)
	}
	t.State, t.EntryPrice, t.FilledAt = vigia.TradeRunning, price, at
	t.OpeningFee = fee
	t.FeeReserve -= fee
	if t.Trailing != 0 {
		t.best = price
	}
	e.traded(a, t.Quantity)
	if err := e.ledger.post("fill", e.now, a.ID, t.ID, line{BookIsolatedReserve, -fee}, line{BookFees, fee}); err != nil {
		return err
	}
	e.waiting.arm(t)
	e.say(EventFilled, t, at, 0)
	return e.checkHeld("fill", t)
}

// shownLeverage is the leverage of the margin, not under 1 (reference 7.1).
func shownLeverage(t *vigia.Trade) vigia.Leverage {
	return max(vigia.MinLeverage, vigia.LeverageOf(t.Quantity, t.Margin, t.Price))
}

// Cancel cancels an open order: margin and reserve return to the wallet.
func (e *Engine) Cancel(id vigia.AccountID, trade vigia.TradeID) (vigia.Trade, error) {
	return e.doOne(command{Op: opCancel, Account: id, Trade: trade})
}

// CancelAll cancels all open orders of an account, oldest first.
func (e *Engine) CancelAll(id vigia.AccountID) ([]vigia.Trade, error) {
	done, err := e.do(command{Op: opCancelAll, Account: id})
	return done.shown, err
}

func (e *Engine) cancelAll(c *command) (outcome, error) {
	a, err := e.account(c.Account)
	if err != nil {
		return outcome{}, err
	}
	var done outcome
	for _, t := range a.live {
		if t.State == vigia.TradeOpen {
			done.trades = append(done.trades, t)
		}
	}
	for _, t := range done.trades {
		if err := e.cancel(t); err != nil {
			return outcome{}, err
		}
	}
	return done, nil
}

func (e *Engine) cancel(t *trade) error {
	if t.State != vigia.TradeOpen {
		return refuse("Trade is not open")
	}
	margin, reserve := t.Margin, t.FeeReserve
	e.waiting.disarm(t)
	t.State, t.FeeReserve = vigia.TradeCanceled, 0
	t.ClosedAt = t.owner.stamp(e.now)
	t.owner.retire(t)
	err := e.ledger.post(opCancel, e.now, t.owner.ID, t.ID,
		line{BookIsolatedMargin, -margin}, line{BookIsolatedReserve, -reserve}, line{BookWallet, margin + reserve})
	if err != nil {
		return err
	}
	e.say(EventCanceled, t, t.ClosedAt, 0)
	return e.checkHeld(opCancel, t)
}
