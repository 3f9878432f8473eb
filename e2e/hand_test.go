package e2e

import "github.com/vigiaguard/vigia"

// hand is margin that a person added on the exchange itself.
type hand struct {
	trade  vigia.TradeID
	amount vigia.Sats
}

// addByHand adds margin past vigia.
func (w *world) addByHand(id vigia.TradeID, amount vigia.Sats) {
	w.t.Helper()
	w.past.mu.Lock()
	w.past.byHand = append(w.past.byHand, hand{id, amount})
	w.past.mu.Unlock()
	if _, err := w.engine.AddMargin(w.trader.ID, id, amount); err != nil {
		w.t.Fatal(err)
	}
}

func (c *chronicle) hands() []hand {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byHand
}
