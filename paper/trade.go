package paper

import (
	"slices"

	"github.com/vigiaguard/vigia"
)

// OrderType is how a trade began.
type OrderType string

// The order types.
const (
	Market OrderType = "market"
	Limit  OrderType = "limit"
)

// trade is a trade and what the exchange alone needs of it.
type trade struct {
	vigia.Trade
	owner *account
	kind  OrderType
	seq   uint64
	// placedAt is the last price when a limit was made: the side it is reached
	// from.
	placedAt vigia.Price
	// best is the best last price since a trailing stop was set.
	best  vigia.Price
	armed []armedLevel
}

func (t *trade) ended() bool {
	return t.State == vigia.TradeClosed || t.State == vigia.TradeCanceled
}

// mark is what a running trade is valued at: longs at the bid and shorts at the
// ask for their size.
func (e *Engine) mark(side vigia.Side, q vigia.USD) vigia.Price {
	return e.priced(-side, q)
}

// priced is what an order of a side trades at: buys at the ask, sells at the
// bid.
func (e *Engine) priced(side vigia.Side, q vigia.USD) vigia.Price {
	p := e.last + vigia.Price(side)*e.rules.half(q)
	return max(vigia.MinPrice, min(vigia.MaxPrice, p))
}

// shown is a trade as the exchange answers it: with its running profit.
func (e *Engine) shown(t *trade) vigia.Trade {
	out := t.Trade
	if t.State == vigia.TradeRunning {
		out.PL = vigia.RunningPL(t.Side, t.Quantity, t.Price, e.mark(t.Side, t.Quantity))
	}
	return out
}

// Running are the running trades of an account, newest first, each with its
// profit at the mark.
func (e *Engine) Running(id vigia.AccountID) []vigia.Trade { return e.list(id, vigia.TradeRunning) }

// OpenOrders are the orders of an account that wait, newest first.
func (e *Engine) OpenOrders(id vigia.AccountID) []vigia.Trade { return e.list(id, vigia.TradeOpen) }

// Closed are the closed trades of an account, the last closed first, each with
// a time of its own to the millisecond.
func (e *Engine) Closed(id vigia.AccountID) []vigia.Trade { return e.list(id, vigia.TradeClosed) }

// Canceled are the canceled orders of an account, the last canceled first.
func (e *Engine) Canceled(id vigia.AccountID) []vigia.Trade { return e.list(id, vigia.TradeCanceled) }

func (e *Engine) list(id vigia.AccountID, state vigia.TradeState) []vigia.Trade {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.accounts[id]
	if a == nil {
		return nil
	}
	from := a.live
	if state == vigia.TradeClosed || state == vigia.TradeCanceled {
		from = a.ended
	}
	var out []vigia.Trade
	for _, t := range slices.Backward(from) {
		if t.State == state {
			out = append(out, e.shown(t))
		}
	}
	return out
}

// Trade finds a trade of an account in whatever state, and how it began.
func (e *Engine) Trade(id vigia.AccountID, trade vigia.TradeID) (vigia.Trade, OrderType, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if a := e.accounts[id]; a != nil {
		if t := a.trades[trade]; t != nil {
			return e.shown(t), t.kind, true
		}
	}
	return vigia.Trade{}, "", false
}

// retire moves a trade from the live to the ended.
func (a *account) retire(t *trade) {
	if i := slices.Index(a.live, t); i >= 0 {
		a.live = slices.Delete(a.live, i, i+1)
	}
	a.ended = append(a.ended, t)
}
