package watch

import (
	"math"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Book holds what becomes due when: for each armed key a price to fall to, a
// price to rise to and a time. A tick that reaches none of them costs two
// comparisons; one that does pops them in O(log n) for each level passed.
//
// Its memory is proportional to the largest key, so keys should be dense, as
// [Handles] makes them.
type Book struct {
	mu    sync.Mutex
	below ladder
	above ladder
	times timers
	armed []uint64 // a bit per key
	count int
	last  level     // of the last tick; 0 before the first
	beat  time.Time // of the last Expire
	// drift is how far the wall clock moved ahead of the monotonic one between
	// two readings.
	drift func(from, to time.Time) time.Duration
}

// NewBook makes an empty book.
func NewBook() *Book {
	return &Book{below: newLadder(true), above: newLadder(false), drift: drift}
}

// Arm makes a key due when the price falls to or below below, rises to or above
// above, or the time at has passed, whichever comes first; 0 is no price and the
// zero time no time. It takes the place of what the key was armed with; with
// nothing to wait for it disarms.
//
// True says that the last tick stands at or beyond one of the prices already.
// Then the key is due now: no tick may come for long. It is armed all the same
// and pops at the next tick, unless it is armed again or disarmed before.
func (b *Book) Arm(key Key, below, above vigia.Price, at time.Time) bool {
	if key == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	down, up := ticks(below), ticks(above)
	b.below.put(key, down)
	b.above.put(key, up)
	if at.IsZero() {
		b.times.take(key)
	} else {
		b.times.put(key, nanoseconds(at))
	}
	b.mark(key, down != 0 || up != 0 || !at.IsZero())
	return b.last != 0 && (down != 0 && b.last <= down || up != 0 && b.last >= up)
}

// Disarm forgets a key's prices and time. A key that is not armed is no
// mistake.
func (b *Book) Disarm(key Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.below.take(key)
	b.above.take(key)
	b.times.take(key)
	b.mark(key, false)
}

// Tick takes the last price, disarms the keys that became due by it and appends
// them to buf, each once. A price that the exchange cannot quote is no tick.
// With nothing due it allocates nothing.
func (b *Book) Tick(price vigia.Price, buf []Key) []Key {
	if !price.Valid() {
		return buf
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := level(price)
	b.last = now
	if now > b.below.edge && now < b.above.edge {
		return buf
	}
	from := len(buf)
	buf = b.below.pop(now, buf)
	for _, key := range buf[from:] {
		b.above.take(key)
	}
	buf = b.above.pop(now, buf)
	for _, key := range buf[from:] {
		b.below.take(key)
		b.times.take(key)
		b.mark(key, false)
	}
	return buf
}

// Expire disarms the keys whose time has come and appends them to buf. When the
// wall clock was set back since the last call, no time is to be trusted, and
// every key that waits for one is due: who looked too early arms it again.
func (b *Book) Expire(now time.Time, buf []Key) []Key {
	b.mu.Lock()
	defer b.mu.Unlock()
	until := nanoseconds(now)
	if !b.beat.IsZero() && b.drift(b.beat, now) < -setBack {
		until = math.MaxInt64
	}
	b.beat = now
	from := len(buf)
	buf = b.times.pop(until, buf)
	for _, key := range buf[from:] {
		b.below.take(key)
		b.above.take(key)
		b.mark(key, false)
	}
	return buf
}

// NextAt is the earliest time any key waits for; false when none does.
func (b *Book) NextAt() (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.times.heap) == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, b.times.at[b.times.heap[0]]).UTC(), true
}

// Len is the number of armed keys.
func (b *Book) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

// NearestBelow is the highest price at or below the given one that makes a key
// due, and one of its keys; 0 and 0 when there is none.
func (b *Book) NearestBelow(price vigia.Price) (vigia.Price, Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, key := b.below.nearest(ticks(price))
	return vigia.Price(at), key
}

// NearestAbove is the lowest price at or above the given one that makes a key
// due, and one of its keys; 0 and 0 when there is none.
func (b *Book) NearestAbove(price vigia.Price) (vigia.Price, Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, key := b.above.nearest(ticks(price))
	return vigia.Price(at), key
}

func (b *Book) mark(key Key, armed bool) {
	word, bit := key/64, uint64(1)<<(key%64)
	if !armed && int(word) >= len(b.armed) {
		return
	}
	b.armed = reach(b.armed, word)
	if was := b.armed[word]&bit != 0; was == armed {
		return
	}
	b.armed[word] ^= bit
	if armed {
		b.count++
		return
	}
	b.count--
}

// ticks is a price as a level. Beyond the grid it stays what it was: a price
// that is never reached, or always.
func ticks(p vigia.Price) level {
	return level(max(0, min(p, vigia.MaxPrice+1)))
}

// nanoseconds is the wall time, held inside what an int64 can say.
func nanoseconds(t time.Time) int64 {
	const last = math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s >= last:
		return math.MaxInt64
	case s <= -last:
		return math.MinInt64
	}
	return t.UnixNano()
}
