package act_test

import (
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

// noon lies between two funding settlements.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// tolerance is the exchange's: timestamps hold 30 s, calls are waited for 3 s.
var tolerance = act.Window{Clock: 30 * time.Second, Timeout: 3 * time.Second}

const longID vigia.TradeID = "7d3c0b1e-0000-4000-8000-000000000001"

// tenfold is a 10x long of a thousand dollars with 100,000 sats of margin.
func tenfold() vigia.Trade {
	t := vigia.Trade{ID: longID, State: vigia.TradeRunning, Side: vigia.Long, Quantity: 1_000,
		EntryMargin: 100_000, Price: vigia.Dollars(100_000), EntryPrice: vigia.Dollars(100_000)}
	t.Liquidation = vigia.Liquidation(t.Side, t.Quantity, t.Price, 100_000)
	t.FeeReserve = vigia.ClosingReserve(t.Quantity, t.Liquidation)
	return t.WithMargin(100_000)
}

// signedAtNoon is a call that was signed at noon and not answered.
func signedAtNoon(id vigia.ExecutionID, action vigia.Action, amount vigia.Sats) vigia.Execution {
	return vigia.Execution{ID: id, Action: action, Subject: vigia.TradeSubject(longID), State: vigia.ExecutionUnknown,
		Amount: amount, Cost: amount + 500, Before: tenfold(), CreatedAt: noon, SignedAt: noon, Last: vigia.Dollars(93_000)}
}

func later(d time.Duration) time.Time { return noon.Add(d) }

// changed is the long after something happened to it.
func changed(change func(*vigia.Trade)) vigia.Trade {
	t := tenfold()
	change(&t)
	return t
}

func holding(m vigia.Sats) vigia.Trade { return tenfold().WithMargin(m) }
