package lnmarkets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/vigiaguard/vigia"
)

// longestID bounds the texts by which things are named on the wire.
const longestID = 64

// Validate says the first thing that is wrong with an order, before anything is
// sent. What only the exchange can know is left to it.
func (n *NewTrade) Validate() error {
	if n.Side != Buy && n.Side != Sell {
		return vigia.Invalid("side", fmt.Sprintf("got %q; it takes buy or sell", string(n.Side)))
	}
	if !(n.Leverage >= 1 && n.Leverage <= 100) {
		return vigia.Invalid("leverage", fmt.Sprintf("got %v; it takes 1 to 100", n.Leverage))
	}
	if (n.Quantity > 0) == (n.Margin > 0) || n.Quantity < 0 || n.Margin < 0 {
		return vigia.Invalid("quantity", fmt.Sprintf("got quantity %d and margin %d; an order takes exactly one of them", n.Quantity, n.Margin))
	}
	switch {
	case n.Type == Market && n.Price != 0:
		return vigia.Invalid("price", fmt.Sprintf("got %s; a market order takes none", n.Price))
	case n.Type == Limit && n.Price == 0:
		return vigia.Invalid("price", "a limit order takes one")
	case n.Type != Market && n.Type != Limit:
		return vigia.Invalid("type", fmt.Sprintf("got %q; it takes market or limit", string(n.Type)))
	}
	if n.ClientID == "" {
		return vigia.Invalid("clientId", "an order without a client id cannot be found again when its answer is lost")
	}
	return checkWireText("clientId", n.ClientID)
}

func checkTradeID(id vigia.TradeID) error {
	if id == "" {
		return vigia.Invalid("trade", "the trade's id is missing")
	}
	return checkWireText("trade", string(id))
}

// checkWireText keeps to characters that every JSON writer leaves as they are:
// the exchange signs its own re-serialisation.
func checkWireText(field, text string) error {
	plain := !slices.ContainsFunc([]byte(text), func(c byte) bool { return c <= ' ' || c > '~' })
	if len(text) > longestID || !plain {
		return vigia.Invalid(field, fmt.Sprintf("got %q; it takes at most %d printable ASCII characters", text, longestID))
	}
	return nil
}

// requestOf is the call that carries an order out.
func requestOf(o vigia.Order) (*request, error) {
	if err := checkTradeID(o.Trade); err != nil {
		return nil, err
	}
	switch o.Action {
	case vigia.ActionAddMargin:
		return amountRequest(callAddMargin, o.Trade, o.Amount)
	case vigia.ActionProve:
		return amountRequest(callAddMargin, o.Trade, 1)
	case vigia.ActionCashIn:
		return amountRequest(callCashIn, o.Trade, o.Amount)
	case vigia.ActionClose:
		return &request{call: callClose, body: TradeRef{ID: string(o.Trade)}}, nil
	case vigia.ActionSetStop:
		value, err := wirePrice("stop", o.Stop)
		if err != nil {
			return nil, err
		}
		body := StopLoss{ID: string(o.Trade), Value: json.Number(value.String()), Mode: StopFixed}
		return &request{call: callStopLoss, body: body}, nil
	case vigia.ActionRemoveStop:
		return &request{call: callRemoveStopLoss, query: idQuery(o.Trade)}, nil
	}
	return nil, vigia.Invalid("action", fmt.Sprintf("got %q; there is no call for it", o.Action))
}

func amountRequest(call Call, id vigia.TradeID, amount vigia.Sats) (*request, error) {
	if amount <= 0 || amount > vigia.MaxWalletSats {
		return nil, vigia.Invalid("amount", fmt.Sprintf("got %s; it takes 1 sat or more", amount))
	}
	return &request{call: call, body: TradeAmount{ID: string(id), Amount: Int(amount)}}, nil
}

// trailingFraction writes a distance as the fraction the wire wants: 1 % is 0.01.
func trailingFraction(distance vigia.Percent) (string, error) {
	const least, most = vigia.OnePercent / 10, 1_000 * vigia.OnePercent
	if distance < least || distance > most {
		return "", vigia.Invalid("distance", fmt.Sprintf("got %s; a trailing stop takes %s to %s percent", distance, least, most))
	}
	return strconv.FormatFloat(float64(distance)/fractionParts, 'f', -1, 64), nil
}
