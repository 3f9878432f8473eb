package lnmarkets

import (
	"net/http"

	"github.com/vigiaguard/vigia"
)

// Call says what one call of the REST surface is. It is part of every error.
type Call struct {
	Name   string
	Method string
	// Path follows the version: "/futures/ticker".
	Path string
	// Scope is what the key needs; empty for public calls.
	Scope string
	// Repeatable says that sending it again after no answer does nothing that
	// the first send has not done. Only such a call is tried again then.
	Repeatable bool
}

// Public says whether the call needs no key.
func (c *Call) Public() bool { return c.Scope == "" }

// Read says whether the call changes nothing.
func (c *Call) Read() bool { return c.Method == http.MethodGet }

func (c *Call) priority() Priority {
	if c.Read() {
		return PriorityRead
	}
	return PriorityAction
}

func public(name, path string) Call {
	return Call{Name: name, Method: http.MethodGet, Path: path, Repeatable: true}
}

func read(name, scope, path string) Call {
	return Call{Name: name, Method: http.MethodGet, Path: path, Scope: scope, Repeatable: true}
}

// once is a write whose second send would do its work twice.
func once(name, method, path string) Call {
	return Call{Name: name, Method: method, Path: path, Scope: vigia.ScopeIsolatedWrite}
}

// again is a write that reaches a goal: a second send finds it reached.
func again(name, method, path string) Call {
	return Call{Name: name, Method: method, Path: path, Scope: vigia.ScopeIsolatedWrite, Repeatable: true}
}

// The calls (reference 5). They are never changed while the program runs.
var (
	callPing               = public("ping", "/ping")
	callTime               = public("time", "/time")
	callTicker             = public("ticker", "/futures/ticker")
	callCandles            = public("candles", "/futures/candles")
	callFundingSettlements = public("funding-settlements", "/futures/funding-settlements")

	callAccount       = read("account", vigia.ScopeAccountRead, "/account")
	callOpen          = read("open-trades", vigia.ScopeIsolatedRead, "/futures/isolated/trades/open")
	callRunning       = read("running-trades", vigia.ScopeIsolatedRead, "/futures/isolated/trades/running")
	callClosed        = read("closed-trades", vigia.ScopeIsolatedRead, "/futures/isolated/trades/closed")
	callCanceled      = read("canceled-trades", vigia.ScopeIsolatedRead, "/futures/isolated/trades/canceled")
	callFundingFees   = read("funding-fees", vigia.ScopeIsolatedRead, "/futures/isolated/funding-fees")
	callCrossPosition = read("cross-position", vigia.ScopeCrossRead, "/futures/cross/position")

	callNewTrade         = once("new-trade", http.MethodPost, "/futures/isolated/trade")
	callAddMargin        = once("add-margin", http.MethodPost, "/futures/isolated/trade/add-margin")
	callCashIn           = once("cash-in", http.MethodPost, "/futures/isolated/trade/cash-in")
	callClose            = again("close", http.MethodPost, "/futures/isolated/trade/close")
	callCancel           = again("cancel", http.MethodPost, "/futures/isolated/trade/cancel")
	callCancelAll        = again("cancel-all", http.MethodPost, "/futures/isolated/trades/cancel-all")
	callStopLoss         = again("set-stoploss", http.MethodPut, "/futures/isolated/trade/stoploss")
	callRemoveStopLoss   = again("remove-stoploss", http.MethodDelete, "/futures/isolated/trade/stoploss")
	callTakeProfit       = again("set-takeprofit", http.MethodPut, "/futures/isolated/trade/takeprofit")
	callRemoveTakeProfit = again("remove-takeprofit", http.MethodDelete, "/futures/isolated/trade/takeprofit")
)

// Calls lists every call there is.
func Calls() []Call {
	return []Call{
		callPing, callTime, callTicker, callCandles, callFundingSettlements,
		callAccount, callOpen, callRunning, callClosed, callCanceled, callFundingFees, callCrossPosition,
		callNewTrade, callAddMargin, callCashIn, callClose, callCancel, callCancelAll,
		callStopLoss, callRemoveStopLoss, callTakeProfit, callRemoveTakeProfit,
	}
}
