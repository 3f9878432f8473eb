package paper

import "github.com/vigiaguard/vigia"

// Close closes a running trade at market: longs at the bid, shorts at the ask.
func (e *Engine) Close(id vigia.AccountID, trade vigia.TradeID) (vigia.Trade, error) {
	return e.doOne(command{Op: opClose, Account: id, Trade: trade})
}

func (e *Engine) closeByHand(t *trade) error {
	if t.State != vigia.TradeRunning {
		return refuse("Trade is not running")
	}
	return e.finish(t, EventClosed, e.mark(t.Side, t.Quantity), 0)
}

// finish ends a running trade at a price: margin, profit and what is left of
// the reserve go to the wallet, after what is still owed to funding. What a
// loss exceeds the margin by is the house's. A liquidation pays nothing back
// (reference 10), so that its loss is at least the margin.
func (e *Engine) finish(t *trade, why EventKind, exit vigia.Price, owed vigia.Sats) error {
	a := t.owner
	margin, reserve := t.Margin, t.FeeReserve
	fee := e.rules.fee(t.Quantity, exit, e.feeRate(a))
	pl := vigia.PL(t.Side, t.Quantity, t.Price, exit)
	left := max(0, margin+pl+reserve-fee)
	if why == EventLiquidation && !e.rules.ReturnLeftover {
		pl, left = min(pl, -margin), 0
	}
	funding := min(owed, left)
	left -= funding
	e.waiting.disarm(t)
	t.State, t.ExitPrice, t.PL = vigia.TradeClosed, exit, pl
	t.ClosingFee = fee
	t.FeeReserve = reserve - fee
	t.Funding += funding
	t.ClosedAt = a.stamp(e.now)
	e.traded(a, t.Quantity)
	a.retire(t)
	err := e.ledger.post(string(why), e.now, a.ID, t.ID,
		line{BookIsolatedMargin, -margin}, line{BookIsolatedReserve, -reserve},
		line{BookFees, fee}, line{BookFunding, funding}, line{BookWallet, left},
		line{BookHouse, margin + reserve - fee - funding - left})
	if err != nil {
		return err
	}
	e.say(why, t, t.ClosedAt, 0)
	return e.checkHeld(string(why), t)
}
