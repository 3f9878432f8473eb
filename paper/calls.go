package paper

import (
	"mime"
	"net/http"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// call is one call of the REST surface.
type call struct {
	name, method, path string
	// scope is empty for public calls.
	scope string
	// params are the parameters of the query that it knows.
	params []string
	answer func(*request) (any, error)
}

// calls is the whole surface: a call is a line here. The names are those that
// faults and the request log use.
func calls() []call {
	const (
		isolatedRead, isolatedWrite = vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite

		isolated = "/futures/isolated"
		trade    = isolated + "/trade"
		trades   = isolated + "/trades"
	)
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	paged := []string{"from", "to", "limit", "cursor"}
	return []call{
		{"ping", get, "/ping", "", nil, ping},
		{"time", get, "/time", "", nil, serverTime},
		{"ticker", get, "/futures/ticker", "", nil, ticker},
		{"candles", get, "/futures/candles", "", with(paged, "range"), candlePage},
		{"funding-settlements", get, "/futures/funding-settlements", "", paged, settlementPage},

		{"account", get, "/account", vigia.ScopeAccountRead, nil, accountNow},
		{"cross-position", get, "/futures/cross/position", vigia.ScopeCrossRead, nil, crossPosition},

		{"open-trades", get, trades + "/open", isolatedRead, nil, liveTrades(vigia.TradeOpen)},
		{"running-trades", get, trades + "/running", isolatedRead, nil, liveTrades(vigia.TradeRunning)},
		{"closed-trades", get, trades + "/closed", isolatedRead, paged, endedTrades(vigia.TradeClosed)},
		{"canceled-trades", get, trades + "/canceled", isolatedRead, paged, endedTrades(vigia.TradeCanceled)},
		{"funding-fees", get, isolated + "/funding-fees", isolatedRead, with(paged, "tradeId"), feePage},

		{"new-trade", post, trade, isolatedWrite, nil, body(newTrade)},
		{"close", post, trade + "/close", isolatedWrite, nil, body(closeTrade)},
		{"cancel", post, trade + "/cancel", isolatedWrite, nil, body(cancelTrade)},
		{"cancel-all", post, trades + "/cancel-all", isolatedWrite, nil, cancelTrades},
		{"add-margin", post, trade + "/add-margin", isolatedWrite, nil, body(addMargin)},
		{"cash-in", post, trade + "/cash-in", isolatedWrite, nil, body(cashIn)},
		{"set-stoploss", put, trade + "/stoploss", isolatedWrite, nil, body(setStopLoss)},
		{"remove-stoploss", del, trade + "/stoploss", isolatedWrite, []string{"id"}, byID(removeStopLoss)},
		{"set-takeprofit", put, trade + "/takeprofit", isolatedWrite, nil, body(setTakeProfit)},
		{"remove-takeprofit", del, trade + "/takeprofit", isolatedWrite, []string{"id"}, byID(removeTakeProfit)},
	}
}

func with(params []string, more ...string) []string {
	return append(append([]string{}, params...), more...)
}

// body is a call whose arguments are a JSON object.
func body[T any](f func(*request, T) (any, error)) func(*request) (any, error) {
	return func(q *request) (any, error) {
		if err := q.checkContentType(); err != nil {
			return nil, err
		}
		in, err := decodeBody[T](q.body)
		if err != nil {
			return nil, err
		}
		return f(q, in)
	}
}

// byID is a call whose argument is the id in the query.
func byID(f func(*request, vigia.TradeID) (any, error)) func(*request) (any, error) {
	return func(q *request) (any, error) {
		id := q.query.Get("id")
		if id == "" {
			return nil, refuse("id is required")
		}
		return f(q, vigia.TradeID(id))
	}
}

// noBody is checked by calls that take none; an empty object is let pass.
func (q *request) noBody() error {
	if len(q.body) == 0 || string(q.body) == "{}" {
		return nil
	}
	return refuse("This call takes no body")
}

func (q *request) checkContentType() error {
	kind, _, err := mime.ParseMediaType(q.contentType)
	if err != nil || kind != "application/json" {
		return refuse("Content-Type must be application/json")
	}
	return nil
}

// traded turns what the engine answers about a trade into what the exchange
// does.
func (q *request) traded(t vigia.Trade, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	_, kind, _ := q.server.engine.Trade(q.account.ID, t.ID)
	return lnmarkets.TradeOf(&t, lnmarkets.OrderType(kind)), nil
}

func (q *request) required(id string) (vigia.TradeID, error) {
	if id == "" {
		return "", refuse("id is required")
	}
	return vigia.TradeID(id), nil
}
