package watch

import (
	"math"

	"github.com/tidwall/btree"
)

// Key stands for one subject of one account: a small number, because a million
// of them are armed. [Handles] gives keys out; 0 is none.
type Key uint32

// level is a price in ticks. 32 bits hold the whole grid of the exchange.
type level uint32

// ladder is one ordered set: keys by price, many at one price. The keys of a
// level stand in a ring inside rungs, and a B-tree holds each price once with
// one key of its ring. Next to one B-tree item per key (bench measures both)
// that takes the same memory, two thirds of the time to move a key among a
// million, and half of it to pop many from one price, which many rules share.
type ladder struct {
	// downwards: the ladder of prices to fall to, so that the highest comes
	// first; else the lowest does.
	downwards bool
	levels    btree.Map[level, Key]
	rungs     []rung // by key
	// edge is the price that comes first; when the ladder is empty, one that no
	// price reaches.
	edge level
}

// rung is a key's place; at price 0 it has none.
type rung struct {
	price      level
	prev, next Key
}

const (
	noneBelow level = 0
	noneAbove level = math.MaxUint32
)

func newLadder(downwards bool) ladder {
	l := ladder{downwards: downwards}
	l.settle()
	return l
}

// settle finds the edge again.
func (l *ladder) settle() {
	var found bool
	if l.downwards {
		l.edge, _, found = l.levels.Max()
	} else {
		l.edge, _, found = l.levels.Min()
	}
	switch {
	case found:
	case l.downwards:
		l.edge = noneBelow
	default:
		l.edge = noneAbove
	}
}

// passed says whether a price has reached a level: a touch counts.
func (l *ladder) passed(at, price level) bool {
	if l.downwards {
		return price <= at
	}
	return price >= at
}

// at is the price of a key, 0 for none.
func (l *ladder) at(key Key) level {
	if int(key) >= len(l.rungs) {
		return 0
	}
	return l.rungs[key].price
}

// put moves a key to a price; price 0 takes it off.
func (l *ladder) put(key Key, price level) {
	if l.at(key) == price {
		return
	}
	l.take(key)
	if price == 0 {
		return
	}
	l.rungs = reach(l.rungs, key)
	head, shared := l.levels.Get(price)
	if !shared {
		l.rungs[key] = rung{price, key, key}
		l.levels.Set(price, key)
		if l.passed(price, l.edge) {
			l.edge = price
		}
		return
	}
	last := l.rungs[head].prev
	l.rungs[key] = rung{price, last, head}
	l.rungs[last].next, l.rungs[head].prev = key, key
}

// take removes a key from the ladder, if it is there.
func (l *ladder) take(key Key) {
	price := l.at(key)
	if price == 0 {
		return
	}
	own := l.rungs[key]
	l.rungs[key] = rung{}
	if own.next == key {
		l.levels.Delete(price)
		if price == l.edge {
			l.settle()
		}
		return
	}
	l.rungs[own.prev].next, l.rungs[own.next].prev = own.next, own.prev
	if head, _ := l.levels.Get(price); head == key {
		l.levels.Set(price, own.next)
	}
}

// pop takes off every key whose level the price has reached and appends them,
// nearest level first.
func (l *ladder) pop(price level, buf []Key) []Key {
	for l.levels.Len() > 0 && l.passed(l.edge, price) {
		var head Key
		if l.downwards {
			_, head, _ = l.levels.PopMax()
		} else {
			_, head, _ = l.levels.PopMin()
		}
		for key := head; l.rungs[key].price != 0; {
			next := l.rungs[key].next
			l.rungs[key] = rung{}
			buf = append(buf, key)
			key = next
		}
		l.settle()
	}
	return buf
}

// nearest is the first level from a price on, away from the market.
func (l *ladder) nearest(price level) (found level, key Key) {
	first := func(at level, head Key) bool {
		found, key = at, head
		return false
	}
	if l.downwards {
		l.levels.Descend(price, first)
	} else {
		l.levels.Ascend(price, first)
	}
	return found, key
}

// reach makes a slice long enough to be indexed by a key.
func reach[T any](s []T, key Key) []T {
	for len(s) <= int(key) {
		var zero T
		s = append(s, zero)
	}
	return s
}
