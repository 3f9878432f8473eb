package paper

import (
	"fmt"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// Tick moves the market: the last price, and the index with it, at a market
// time that must not go back. Everything between the old price and this one
// happens before it returns. The error is of a price off the grid or a time
// that goes back, neither of which moves anything, or of an engine that is
// broken.
func (e *Engine) Tick(price vigia.Price, at time.Time) error {
	e.mu.Lock()
	quiet := e.file == nil && e.broken == nil && price.Valid() && e.waiting.quiet(price) &&
		at.Before(e.nextFunding) && !at.Before(e.now)
	if quiet {
		e.move(price, at.Round(0).UTC())
		e.mu.Unlock()
		return nil
	}
	e.mu.Unlock()
	return e.loudTick(price, at.Round(0).UTC())
}

// loudTick is a tick that may change something, or has to be written down. One
// that changed nothing but the price need not be on the disk: a kill does not
// lose it, and a lost power supply loses prices only.
func (e *Engine) loudTick(price vigia.Price, at time.Time) error {
	e.mu.Lock()
	if err := e.checkTick(price, at); err != nil {
		e.mu.Unlock()
		return err
	}
	quiet := e.waiting.quiet(price) && at.Before(e.nextFunding)
	_, record, err := e.carryOut(&command{Op: opTick, Price: price, At: at})
	e.mu.Unlock()
	if err != nil {
		return err
	}
	return e.settleRecord(record, !quiet)
}

func (e *Engine) checkTick(price vigia.Price, at time.Time) error {
	if !price.Valid() {
		return fmt.Errorf("tick: %s is not a price of the grid", price)
	}
	if at.Before(e.now) {
		return fmt.Errorf("tick: the market time goes back from %s to %s",
			e.now.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
	}
	return nil
}

// tick settles funding that fell due on the way at the old price, moves, works
// off what was reached, and settles funding that is due at this very time.
func (e *Engine) tick(price vigia.Price, at time.Time) error {
	if e.nextFunding.IsZero() {
		e.nextFunding = NextFunding(at)
	}
	for e.nextFunding.Before(at) {
		e.now = e.nextFunding
		if err := e.settleFunding(); err != nil {
			return err
		}
	}
	e.move(price, at)
	if err := e.happen(); err != nil {
		return err
	}
	if e.nextFunding.Equal(at) {
		return e.settleFunding()
	}
	return nil
}

// move sets the prices and the time, and nothing else.
func (e *Engine) move(price vigia.Price, at time.Time) {
	e.last, e.now = price, at
	if !e.indexApart {
		e.index = price
	}
	e.candles.add(price, at)
}

// happen works off everything the last price has reached, in the order of
// reference 8.4.
func (e *Engine) happen() error {
	if e.waiting.quiet(e.last) {
		return nil
	}
	if err := e.fillLimits(); err != nil {
		return err
	}
	e.followBest()
	for {
		l, ok := e.waiting.first(familyEnd, e.last)
		if !ok {
			return nil
		}
		if err := e.endAt(l); err != nil {
			return err
		}
	}
}

// fillLimits fills the limits that were reached, the oldest first.
func (e *Engine) fillLimits() error {
	limits := e.waiting.all(familyLimit, e.last)
	slices.SortFunc(limits, func(a, b level) int { return int(a.seq) - int(b.seq) })
	for _, l := range limits {
		t := l.trade
		if t.State != vigia.TradeOpen { // made at the price: waits on both sides
			continue
		}
		price := l.price
		if e.rules.FillAtMarket {
			price = e.priced(t.Side, t.Quantity)
		}
		if err := e.fill(t, price, t.owner.stamp(e.now)); err != nil {
			return err
		}
	}
	return nil
}

// followBest moves the trailing stops whose best price was improved on, never
// against the trade.
func (e *Engine) followBest() {
	for _, l := range e.waiting.all(familyBest, e.last) {
		t := l.trade
		t.best = e.last
		if level := trailed(t.Side, t.best, t.Trailing); t.Side.Worse(t.StopLoss, level) {
			t.StopLoss = level
		}
		e.waiting.arm(t)
	}
}

func (e *Engine) endAt(l level) error {
	t, why := l.trade, EventLiquidation
	switch l.kind {
	case levelStop:
		why = EventStopLoss
	case levelTake:
		why = EventTakeProfit
	}
	exit := l.price
	if e.rules.FillAtMarket {
		exit = e.mark(t.Side, t.Quantity)
	}
	return e.finish(t, why, exit, 0)
}

// Last is the last price; 0 before the first tick.
func (e *Engine) Last() vigia.Price {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.last
}

// Quote is a rung of the ladder: the prices for orders of MinSize to MaxSize.
type Quote struct {
	MinSize, MaxSize vigia.USD
	Bid, Ask         vigia.Price
}

// Ticker is the state of the market.
type Ticker struct {
	Last, Index vigia.Price
	// Rate applies at the settlement at FundingAt.
	Rate      vigia.FundingRate
	FundingAt time.Time
	// At is the market time.
	At     time.Time
	Quotes []Quote
}

// Ticker reads the market.
func (e *Engine) Ticker() Ticker {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := Ticker{Last: e.last, Index: e.index, Rate: e.rate, FundingAt: e.nextFunding, At: e.now}
	from := vigia.USD(0)
	rungs := e.rules.Ladder
	if len(rungs) == 0 {
		rungs = []Rung{{UpTo: vigia.MaxIsolatedQuantity}}
	}
	for _, rung := range rungs {
		out.Quotes = append(out.Quotes, Quote{
			MinSize: from, MaxSize: rung.UpTo,
			Bid: e.priced(vigia.Short, rung.UpTo), Ask: e.priced(vigia.Long, rung.UpTo),
		})
		from = rung.UpTo + 1
	}
	return out
}

// SetIndex holds the index at a price of its own; 0 lets it follow the last
// price again.
func (e *Engine) SetIndex(price vigia.Price) error {
	if price != 0 && !price.Valid() {
		return fmt.Errorf("index: %s is not a price of the grid", price)
	}
	_, err := e.do(command{Op: opIndex, Price: price})
	return err
}

// rearmAll puts every level anew, after the rules changed.
func (e *Engine) rearmAll() {
	e.waiting = newWaiting(e.rules.Cross)
	for _, a := range e.order {
		for _, t := range a.live {
			t.armed = t.armed[:0]
			e.waiting.arm(t)
		}
	}
}
