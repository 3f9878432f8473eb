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
	err := w.past.adds(id, amount, func(amount vigia.Sats) error {
		_, err := w.engine.AddMargin(w.trader.ID, id, amount)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// adds notes an add by hand, unless it is refused.
func (c *chronicle) adds(id vigia.TradeID, amount vigia.Sats, add func(vigia.Sats) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := add(amount); err != nil {
		return err
	}
	c.byHand = append(c.byHand, hand{id, amount})
	return nil
}

func (c *chronicle) hands() []hand {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byHand
}
