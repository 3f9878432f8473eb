package paper

import (
	"github.com/tidwall/btree"

	"github.com/vigiaguard/vigia"
)

// levelKind orders what waits at one price: a stop at the price of the
// liquidation comes before it.
type levelKind uint8

const (
	levelStop levelKind = iota
	levelTake
	levelLiquidation
	levelLimit
	levelBest
)

// level is a price at which something happens to a trade.
type level struct {
	price vigia.Price
	kind  levelKind
	seq   uint64
	trade *trade
}

// direction is the way of the price that reaches a level.
type direction int

const (
	falling direction = iota
	rising
)

// family groups levels that are worked off together within a tick.
type family int

const (
	familyLimit family = iota
	familyBest
	familyEnd
)

func (k levelKind) family() family {
	switch k {
	case levelLimit:
		return familyLimit
	case levelBest:
		return familyBest
	}
	return familyEnd
}

// waiting holds all levels in ordered sets, one per family and direction, the
// next to be reached first.
type waiting struct {
	sets  [3][2]*btree.BTreeG[level]
	cross bool
	// A price strictly between low and high reaches nothing.
	low, high vigia.Price
}

func newWaiting(cross bool) *waiting {
	w := &waiting{cross: cross}
	for family := range w.sets {
		w.sets[family] = [2]*btree.BTreeG[level]{
			falling: newSet(func(a, b vigia.Price) bool { return a > b }),
			rising:  newSet(func(a, b vigia.Price) bool { return a < b }),
		}
	}
	w.bound()
	return w
}

func newSet(sooner func(a, b vigia.Price) bool) *btree.BTreeG[level] {
	return btree.NewBTreeGOptions(func(a, b level) bool {
		switch {
		case a.price != b.price:
			return sooner(a.price, b.price)
		case a.kind != b.kind:
			return a.kind < b.kind
		}
		return a.seq < b.seq
	}, btree.Options{NoLocks: true})
}

// threshold is the price that reaches a level. With the rule of crossing it is
// one tick further; a best price is always improved on, which its level says.
func (w *waiting) threshold(d direction, l level) vigia.Price {
	if !w.cross || l.kind == levelBest {
		return l.price
	}
	if d == falling {
		return l.price - 1
	}
	return l.price + 1
}

func (w *waiting) reached(d direction, l level, last vigia.Price) bool {
	if d == falling {
		return last <= w.threshold(d, l)
	}
	return last >= w.threshold(d, l)
}

// first is the next level of a family that the price has reached.
func (w *waiting) first(f family, last vigia.Price) (level, bool) {
	for d := falling; d <= rising; d++ {
		if l, ok := w.sets[f][d].Min(); ok && w.reached(d, l, last) {
			return l, true
		}
	}
	return level{}, false
}

// all are the levels of a family that the price has reached, nearest first.
func (w *waiting) all(f family, last vigia.Price) []level {
	var out []level
	for d := falling; d <= rising; d++ {
		w.sets[f][d].Scan(func(l level) bool {
			if !w.reached(d, l, last) {
				return false
			}
			out = append(out, l)
			return true
		})
	}
	return out
}

// bound recomputes between which prices nothing happens.
func (w *waiting) bound() {
	w.low, w.high = 0, vigia.MaxPrice+1
	for f := range w.sets {
		if l, ok := w.sets[f][falling].Min(); ok {
			w.low = max(w.low, w.threshold(falling, l))
		}
		if l, ok := w.sets[f][rising].Min(); ok {
			w.high = min(w.high, w.threshold(rising, l))
		}
	}
}

// quiet says that a price reaches nothing.
func (w *waiting) quiet(last vigia.Price) bool { return last > w.low && last < w.high }

// disarm takes all levels of a trade out.
func (w *waiting) disarm(t *trade) {
	for _, at := range t.armed {
		w.sets[at.level.kind.family()][at.direction].Delete(at.level)
	}
	t.armed = t.armed[:0]
	w.bound()
}

// armedLevel is where a level of a trade lies.
type armedLevel struct {
	direction direction
	level     level
}

// arm puts the levels of a trade as it stands now in place of those it had.
func (w *waiting) arm(t *trade) {
	w.disarm(t)
	worse, better := falling, rising
	if t.Side == vigia.Short {
		worse, better = rising, falling
	}
	switch t.State {
	case vigia.TradeOpen:
		// Made at the price itself it is reached by whatever comes next.
		if t.Price <= t.placedAt {
			w.put(t, falling, levelLimit, t.Price)
		}
		if t.Price >= t.placedAt {
			w.put(t, rising, levelLimit, t.Price)
		}
	case vigia.TradeRunning:
		if t.Liquidation != vigia.NeverPrice || t.Side == vigia.Long {
			w.put(t, worse, levelLiquidation, t.Liquidation)
		}
		if t.StopLoss != 0 {
			w.put(t, worse, levelStop, t.StopLoss)
		}
		if t.TakeProfit != 0 {
			w.put(t, better, levelTake, t.TakeProfit)
		}
		if t.Trailing != 0 {
			w.put(t, better, levelBest, t.best+vigia.Price(t.Side))
		}
	}
	w.bound()
}

func (w *waiting) put(t *trade, d direction, kind levelKind, price vigia.Price) {
	l := level{price: price, kind: kind, seq: t.seq, trade: t}
	w.sets[kind.family()][d].Set(l)
	t.armed = append(t.armed, armedLevel{direction: d, level: l})
}
