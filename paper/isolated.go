package paper

import (
	"unicode/utf8"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// The calls of isolated futures (reference 5.2).

func newTrade(q *request, in lnmarkets.NewTrade) (any, error) {
	order, err := orderOf(&in)
	if err != nil {
		return nil, err
	}
	t, err := q.server.engine.Open(q.account.ID, order)
	if err != nil {
		return nil, err
	}
	q.about(t.ID, t.Margin)
	return lnmarkets.TradeOf(&t, in.Type), nil
}

func orderOf(in *lnmarkets.NewTrade) (NewTrade, error) {
	if in.Type != lnmarkets.Market && in.Type != lnmarkets.Limit {
		return NewTrade{}, refuse("type must be market or limit")
	}
	side, err := in.Side.Vigia()
	if err != nil {
		return NewTrade{}, refuse("side must be buy or sell")
	}
	if utf8.RuneCountInString(in.ClientID) > maxClientID {
		return NewTrade{}, refuse("clientId must have at most %d characters", maxClientID)
	}
	return NewTrade{
		Type: OrderType(in.Type), Side: side, Leverage: vigia.LeverageFromFloat(in.Leverage),
		Quantity: vigia.USD(in.Quantity), Margin: vigia.Sats(in.Margin), Price: vigia.Price(in.Price),
		StopLoss: vigia.Price(in.Stoploss), TakeProfit: vigia.Price(in.Takeprofit), ClientID: in.ClientID,
	}, nil
}

func closeTrade(q *request, in lnmarkets.TradeRef) (any, error) {
	id, err := q.required(in.ID)
	if err != nil {
		return nil, err
	}
	return q.traded(q.server.engine.Close(q.account.ID, id))
}

func cancelTrade(q *request, in lnmarkets.TradeRef) (any, error) {
	id, err := q.required(in.ID)
	if err != nil {
		return nil, err
	}
	return q.traded(q.server.engine.Cancel(q.account.ID, id))
}

func cancelTrades(q *request) (any, error) {
	if err := q.noBody(); err != nil {
		return nil, err
	}
	canceled, err := q.server.engine.CancelAll(q.account.ID)
	if err != nil {
		return nil, err
	}
	out := make([]lnmarkets.Trade, len(canceled))
	for i := range canceled {
		out[i] = lnmarkets.TradeOf(&canceled[i], lnmarkets.Limit)
	}
	return out, nil
}

func addMargin(q *request, in lnmarkets.TradeAmount) (any, error) {
	id, err := q.required(in.ID)
	if err != nil {
		return nil, err
	}
	return q.traded(q.server.engine.AddMargin(q.account.ID, id, vigia.Sats(in.Amount)))
}

func cashIn(q *request, in lnmarkets.TradeAmount) (any, error) {
	id, err := q.required(in.ID)
	if err != nil {
		return nil, err
	}
	return q.traded(q.server.engine.CashIn(q.account.ID, id, vigia.Sats(in.Amount)))
}

func setStopLoss(q *request, in lnmarkets.StopLoss) (any, error) {
	id, err := q.required(in.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Value == "":
		return nil, refuse("value is required")
	case in.Mode == lnmarkets.StopTrailing:
		return trailStop(q, id, &in)
	case in.Mode != "" && in.Mode != lnmarkets.StopFixed:
		return nil, refuse("mode must be fixed or trailing")
	}
	price, err := in.Price()
	if err != nil {
		return nil, refuse("value: %s", err)
	}
	return q.traded(q.server.engine.SetStop(q.account.ID, id, vigia.Price(price)))
}

// trailStop sets a trailing stop; its value is a fraction of the price.
func trailStop(q *request, id vigia.TradeID, in *lnmarkets.StopLoss) (any, error) {
	fraction, err := in.Distance()
	if err != nil {
		return nil, refuse("value must be a number")
	}
	if fraction == 0 {
		return q.traded(q.server.engine.SetStop(q.account.ID, id, 0))
	}
	if !(fraction > 0 && fraction <= 10) {
		return nil, refuse("value of a trailing stop must be between 0.001 and 10")
	}
	distance := vigia.Percent(fraction*float64(vigia.HundredPercent) + 0.5)
	return q.traded(q.server.engine.SetTrailingStop(q.account.ID, id, distance))
}

func removeStopLoss(q *request, id vigia.TradeID) (any, error) {
	return q.traded(q.server.engine.SetStop(q.account.ID, id, 0))
}

func setTakeProfit(q *request, in lnmarkets.TakeProfit) (any, error) {
	id, err := q.required(in.ID)
	if err != nil {
		return nil, err
	}
	return q.traded(q.server.engine.SetTakeProfit(q.account.ID, id, vigia.Price(in.Value)))
}

func removeTakeProfit(q *request, id vigia.TradeID) (any, error) {
	return q.traded(q.server.engine.SetTakeProfit(q.account.ID, id, 0))
}

// liveTrades lists the open orders or the running trades, newest first.
func liveTrades(state vigia.TradeState) func(*request) (any, error) {
	return func(q *request) (any, error) {
		return wireTrades(q.server.engine.typed(q.account.ID, state, span{})), nil
	}
}

// endedTrades pages through the closed trades or the canceled orders.
func endedTrades(state vigia.TradeState) func(*request) (any, error) {
	return func(q *request) (any, error) {
		rows, err := q.span()
		if err != nil {
			return nil, err
		}
		found := wireTrades(q.server.engine.typed(q.account.ID, state, rows))
		return pageOf(found, rows, func(t *lnmarkets.Trade) lnmarkets.Time { return *t.ClosedAt }), nil
	}
}

func wireTrades(trades []typedTrade) []lnmarkets.Trade {
	out := make([]lnmarkets.Trade, len(trades))
	for i := range trades {
		out[i] = lnmarkets.TradeOf(&trades[i].Trade, lnmarkets.OrderType(trades[i].kind))
	}
	return out
}

// feePage pages through what settlements cost, of one trade or of all.
func feePage(q *request) (any, error) {
	rows, err := q.span()
	if err != nil {
		return nil, err
	}
	only := vigia.TradeID(q.query.Get("tradeId"))
	found := []lnmarkets.FundingFee{}
	for _, fee := range q.server.engine.FundingFees(q.account.ID) {
		if only != "" && fee.Trade != only || !rows.holds(fee.At) {
			continue
		}
		trade := string(fee.Trade)
		found = append(found, lnmarkets.FundingFee{
			Time: lnmarkets.At(fee.At), SettlementID: fee.Settlement, TradeID: &trade, Fee: lnmarkets.Int(fee.Fee),
		})
		if rows.full(len(found)) {
			break
		}
	}
	return pageOf(found, rows, func(f *lnmarkets.FundingFee) lnmarkets.Time { return f.Time }), nil
}
