package paper

import (
	"encoding/json"
	"time"

	"github.com/vigiaguard/vigia/lnmarkets"
)

// dataOf is what a public topic says of a market, at a time; empty while there
// is nothing to say.
func (s *Server) dataOf(topic lnmarkets.Topic, t *Ticker, at time.Time) json.RawMessage {
	if t.Last == 0 {
		return nil
	}
	stamp := lnmarkets.Millis(0)
	if !at.IsZero() {
		stamp = lnmarkets.MillisOf(at)
	}
	last, index := lnmarkets.Price(t.Last), lnmarkets.Price(t.Index)
	switch topic {
	case lnmarkets.TopicTicker:
		return raw(lnmarkets.StreamTicker{Time: stamp, LastPrice: &last, Index: &index, Funding: fundingOf(t)})
	case lnmarkets.TopicLastPrice:
		return raw(lnmarkets.StreamLastPrice{Time: stamp, LastPrice: last})
	case lnmarkets.TopicIndex:
		return raw(lnmarkets.StreamIndex{Time: stamp, Index: index})
	case lnmarkets.TopicBuckets:
		return raw(lnmarkets.StreamBuckets{Time: stamp, Buckets: ladder(t)})
	case lnmarkets.TopicFunding:
		return raw(lnmarkets.StreamFundingNow{Pair: lnmarkets.PairBTCUSD, Current: fundingOf(t)})
	}
	length, ok := topic.Candles()
	if !ok {
		return nil
	}
	bars := s.engine.bars(length, span{limit: 1})
	if len(bars) == 0 {
		return nil
	}
	c := &bars[0]
	return raw(lnmarkets.StreamCandle{
		Time: lnmarkets.MillisOf(c.Time.Time), Open: c.Open, High: c.High, Low: c.Low, Close: c.Close, Volume: c.Volume,
	})
}

func fundingOf(t *Ticker) lnmarkets.StreamFunding {
	rate, at := t.Rate.Float(), lnmarkets.MillisOf(t.FundingAt)
	return lnmarkets.StreamFunding{Rate: &rate, Time: &at}
}

// raw is a value of the wire as JSON. All that it is given is made of prices on
// the grid and whole numbers, which can be written.
func raw(value any) json.RawMessage {
	out, err := encoded(value)
	if err != nil {
		return nil
	}
	return out
}

// notification is a message about a topic.
func notification(topic lnmarkets.Topic, data json.RawMessage) []byte {
	return raw(lnmarkets.Frame{
		JSONRPC: lnmarkets.JSONRPC, Method: lnmarkets.MethodSubscription,
		Params: raw(lnmarkets.Subscription{Topic: topic, Data: data}),
	})
}

// eventData is an engine's event with the fields that its kind has (reference
// 6.1).
func eventData(e *Event) json.RawMessage {
	t := &e.Trade
	f := lnmarkets.StreamTradeFields{ID: string(t.ID)}
	if t.ClientID != "" {
		f.ClientID = &t.ClientID
	}
	at := lnmarkets.MillisOf(e.At)
	switch e.Kind {
	case EventOpen, EventFilled:
		openingFields(&f, e)
	case EventFunding:
		margin, liquidation, fee := lnmarkets.Int(t.Margin), lnmarkets.Price(t.Liquidation), lnmarkets.Int(e.Fee)
		f.Margin, f.LiquidationPrice, f.FundingFee, f.FundedAt = &margin, &liquidation, &fee, &at
	case EventCanceled:
		f.ClosedAt = &at
	default: // closed, stoploss, takeprofit, liquidation
		fee, exit, pl := lnmarkets.Int(t.ClosingFee), lnmarkets.Price(t.ExitPrice), lnmarkets.Int(t.PL)
		f.ClosedAt, f.ClosingFee, f.ExitPrice = &at, &fee, &exit
		if e.Kind != EventLiquidation {
			f.PL = &pl
		}
	}
	return raw(lnmarkets.StreamTrade{Pair: lnmarkets.PairBTCUSD, Event: lnmarkets.TradeEvent(e.Kind), Trade: f})
}

func openingFields(f *lnmarkets.StreamTradeFields, e *Event) {
	t := &e.Trade
	quantity, margin, fee := lnmarkets.Int(t.Quantity), lnmarkets.Int(t.Margin), lnmarkets.Int(t.OpeningFee)
	leverage, price, created := t.Leverage.Float(), lnmarkets.Price(t.Price), lnmarkets.MillisOf(t.CreatedAt)
	f.Side, f.Type = lnmarkets.SideOf(t.Side), lnmarkets.OrderType(e.Type)
	f.Quantity, f.Margin, f.Leverage, f.Price = &quantity, &margin, &leverage, &price
	f.OpeningFee, f.CreatedAt = &fee, &created
}
