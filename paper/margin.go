package paper

import "github.com/vigiaguard/vigia"

// AddMargin moves sats from the wallet into a running trade. The liquidation
// moves away, and the closing part of the fee reserve with it: the wallet
// loses the amount and that difference.
func (e *Engine) AddMargin(id vigia.AccountID, trade vigia.TradeID, amount vigia.Sats) (vigia.Trade, error) {
	return e.doOne(command{Op: opAddMargin, Account: id, Trade: trade, Amount: amount})
}

func (e *Engine) addMargin(t *trade, amount vigia.Sats) error {
	switch {
	case t.State != vigia.TradeRunning:
		return refuse("Trade is not running")
	case amount <= 0:
		return refuse("amount must be at least 1 sat, got %d", amount)
	case amount > t.MaxAdd():
		return refuse("Leverage would fall below 1: at most %d sats can be added", t.MaxAdd())
	}
	after, reserve := e.withMargin(t.Trade, t.Price, t.Margin+amount)
	cost := amount + reserve
	if have := e.ledger.wallet(t.owner.ID); have < cost {
		return tooPoor(cost, have)
	}
	t.Trade = after
	err := e.ledger.post(opAddMargin, e.now, t.owner.ID, t.ID,
		line{BookWallet, -cost}, line{BookIsolatedMargin, amount}, line{BookIsolatedReserve, reserve})
	if err != nil {
		return err
	}
	e.waiting.arm(t)
	return e.checkHeld(opAddMargin, t)
}

// withMargin is the trade with another price and margin, and the change of its
// fee reserve.
func (e *Engine) withMargin(t vigia.Trade, price vigia.Price, margin vigia.Sats) (after vigia.Trade, reserve vigia.Sats) {
	after = t
	after.Price, after.Margin = price, margin
	after.Liquidation = vigia.Liquidation(t.Side, t.Quantity, price, margin)
	after.Leverage = shownLeverage(&after)
	if !e.rules.KeepReserve {
		reserve = e.rules.closingReserve(t.Quantity, after.Liquidation) - e.rules.closingReserve(t.Quantity, t.Liquidation)
		after.FeeReserve += reserve
	}
	return after, reserve
}

// CashIn takes sats out of a running trade into the wallet: the profit first,
// which moves the trade's price, then the margin. A stop-loss beyond the new
// liquidation is dropped, as the exchange does.
func (e *Engine) CashIn(id vigia.AccountID, trade vigia.TradeID, amount vigia.Sats) (vigia.Trade, error) {
	return e.doOne(command{Op: opCashIn, Account: id, Trade: trade, Amount: amount})
}

func (e *Engine) cashIn(t *trade, amount vigia.Sats) error {
	mark := e.mark(t.Side, t.Quantity)
	most := vigia.MaxCashIn(t.Side, t.Quantity, t.Price, t.Margin, mark)
	switch {
	case t.State != vigia.TradeRunning:
		return refuse("Trade is not running")
	case amount <= 0:
		return refuse("amount must be at least 1 sat, got %d", amount)
	case amount > most:
		return refuse("At most %d sats can be cashed in", most)
	}
	out := vigia.CashIn(t.Side, t.Quantity, t.Price, t.Margin, t.StopLoss, mark, amount)
	if out.Margin < 1 || vigia.LeverageOf(t.Quantity, out.Margin, out.Price) > vigia.MaxLeverage {
		return refuse("Leverage would rise above 100")
	}
	if !t.Side.Worse(out.Liquidation, e.last) {
		return refuse("The trade would be liquidated at %s", out.Liquidation)
	}
	after, reserve := e.withMargin(t.Trade, out.Price, out.Margin)
	if have := e.ledger.wallet(t.owner.ID); have+amount < reserve {
		return tooPoor(reserve, have+amount)
	}
	taken := t.Margin - out.Margin
	after.CashInPL += out.FromPL
	after.CashInMargin += out.FromMargin
	if out.StopDropped {
		after.StopLoss, after.Trailing = 0, 0
	}
	t.Trade = after
	err := e.ledger.post(opCashIn, e.now, t.owner.ID, t.ID,
		line{BookIsolatedMargin, -taken}, line{BookHouse, taken - amount},
		line{BookWallet, amount - reserve}, line{BookIsolatedReserve, reserve})
	if err != nil {
		return err
	}
	e.waiting.arm(t)
	return e.checkHeld(opCashIn, t)
}
