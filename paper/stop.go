package paper

import "github.com/vigiaguard/vigia"

// The distances a trailing stop may have: 0.001 to 10 as a fraction of the
// price (reference 7.9).
const (
	MinTrailing = vigia.OnePercent / 10
	MaxTrailing = 10 * vigia.HundredPercent
)

// SetStop puts a fixed stop-loss on an open or running trade in place of the
// one it has; 0 removes it. The value it has already is refused.
func (e *Engine) SetStop(id vigia.AccountID, trade vigia.TradeID, stop vigia.Price) (vigia.Trade, error) {
	return e.doOne(command{Op: opStop, Account: id, Trade: trade, Price: stop})
}

// SetTrailingStop puts a stop-loss on a trade that follows the best last price
// from now on, or from the fill, at a distance.
func (e *Engine) SetTrailingStop(id vigia.AccountID, trade vigia.TradeID, distance vigia.Percent) (vigia.Trade, error) {
	if distance < MinTrailing || distance > MaxTrailing {
		return vigia.Trade{}, refuse("Trailing distance must be between 0.001 and 10")
	}
	return e.doOne(command{Op: opStop, Account: id, Trade: trade, Percent: distance})
}

// SetTakeProfit puts a take-profit on an open or running trade in place of the
// one it has; 0 removes it. The value it has already is refused.
func (e *Engine) SetTakeProfit(id vigia.AccountID, trade vigia.TradeID, target vigia.Price) (vigia.Trade, error) {
	return e.doOne(command{Op: opTakeProfit, Account: id, Trade: trade, Price: target})
}

// reference is what stops are judged against: the mark of a running trade, the
// limit of an open one.
func (e *Engine) reference(t *trade) vigia.Price {
	if t.State == vigia.TradeOpen {
		return t.Price
	}
	return e.mark(t.Side, t.Quantity)
}

func stopFits(t *trade, reference, stop vigia.Price) bool {
	return stop.Valid() && vigia.StopLossAllowed(t.Side, reference, t.Liquidation, stop)
}

func takeFits(t *trade, reference, target vigia.Price) bool {
	return target.Valid() && vigia.TakeProfitAllowed(t.Side, reference, target)
}

func (e *Engine) setStop(t *trade, stop vigia.Price, distance vigia.Percent) error {
	if t.ended() {
		return refuse("Trade is not open or running")
	}
	reference, best := e.reference(t), t.Price
	if t.State == vigia.TradeRunning {
		best = e.last
	}
	if distance != 0 {
		stop = trailed(t.Side, best, distance)
	}
	switch {
	case distance == t.Trailing && (distance != 0 || stop == t.StopLoss):
		return refuse("Stop-loss is the same as the previous one")
	case (stop != 0 || distance != 0) && !stopFits(t, reference, stop):
		return refuse("Stop-loss %s is not between the liquidation %s and the price %s", stop, t.Liquidation, reference)
	}
	t.StopLoss, t.Trailing, t.best = stop, distance, best
	e.waiting.arm(t)
	return nil
}

// trailed is the level of a trailing stop: a share of the best price, on the
// nearest tick (reference 7.9).
func trailed(side vigia.Side, best vigia.Price, distance vigia.Percent) vigia.Price {
	share := int64(vigia.HundredPercent) - int64(side)*int64(distance)
	return vigia.Price((int64(best)*share*2 + int64(vigia.HundredPercent)) / (2 * int64(vigia.HundredPercent)))
}

func (e *Engine) setTakeProfit(t *trade, target vigia.Price) error {
	switch reference := e.reference(t); {
	case t.ended():
		return refuse("Trade is not open or running")
	case target == t.TakeProfit:
		return refuse("Take-profit is the same as the previous one")
	case target != 0 && !takeFits(t, reference, target):
		return refuse("Take-profit %s is not on the winning side of the price %s", target, reference)
	}
	t.TakeProfit = target
	e.waiting.arm(t)
	return nil
}
