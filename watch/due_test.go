package watch

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// model is a book that looks at everything each time.
type model struct {
	armed map[Key]condition
	last  vigia.Price
}

type condition struct {
	below, above vigia.Price
	at           time.Time
}

func (c condition) reached(p vigia.Price) bool {
	return p != 0 && (c.below != 0 && p <= c.below || c.above != 0 && p >= c.above)
}

func (m *model) arm(key Key, c condition) bool {
	if c == (condition{}) {
		delete(m.armed, key)
		return false
	}
	m.armed[key] = c
	return c.reached(m.last)
}

func (m *model) pop(due func(condition) bool) []Key {
	var popped []Key
	for key, c := range m.armed {
		if due(c) {
			popped = append(popped, key)
			delete(m.armed, key)
		}
	}
	slices.Sort(popped)
	return popped
}

func (m *model) nearest(side func(condition) vigia.Price, better func(a, b vigia.Price) bool) vigia.Price {
	var best vigia.Price
	for _, c := range m.armed {
		if p := side(c); p != 0 && better(p, best) {
			best = p
		}
	}
	return best
}

// Whatever is armed, moved and taken away: a tick and a time pop exactly what
// they passed.
func TestBookIsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book, want := NewBook(), &model{armed: map[Key]condition{}}
		now := start
		// Few keys and few prices, so that they meet.
		key := rapid.Custom(func(t *rapid.T) Key { return Key(rapid.IntRange(1, 40).Draw(t, "key")) })
		price := rapid.Custom(func(t *rapid.T) vigia.Price {
			return vigia.Price(rapid.SampledFrom([]int{0, 10, 11, 12, 13, 20, 30, 31, 40, 50}).Draw(t, "price"))
		})
		t.Repeat(map[string]func(*rapid.T){
			"arm": func(t *rapid.T) {
				c := condition{below: price.Draw(t, "below"), above: price.Draw(t, "above")}
				if rapid.Bool().Draw(t, "timed") {
					c.at = now.Add(time.Duration(rapid.IntRange(-5, 20).Draw(t, "in")) * time.Second)
				}
				k := key.Draw(t, "key")
				if got, want := book.Arm(k, c.below, c.above, c.at), want.arm(k, c); got != want {
					t.Fatalf("Arm(%d, %+v) at %s says due %t, want %t", k, c, book.lastPrice(), got, want)
				}
			},
			"disarm": func(t *rapid.T) {
				k := key.Draw(t, "key")
				book.Disarm(k)
				delete(want.armed, k)
			},
			"tick": func(t *rapid.T) {
				p := price.Draw(t, "last")
				got := sorted(book.Tick(p, nil))
				if !p.Valid() {
					equal(t, "no price", got, nil)
					return
				}
				want.last = p
				equal(t, "tick at "+p.String(), got, want.pop(func(c condition) bool { return c.reached(p) }))
			},
			"expire": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "passed")) * time.Second)
				equal(t, "expire", sorted(book.Expire(now, nil)),
					want.pop(func(c condition) bool { return !c.at.IsZero() && !c.at.After(now) }))
			},
			"": func(t *rapid.T) {
				if got := book.Len(); got != len(want.armed) {
					t.Fatalf("%d are armed, want %d", got, len(want.armed))
				}
				p := price.Draw(t, "around")
				below := want.nearest(func(c condition) vigia.Price { return c.below },
					func(a, b vigia.Price) bool { return a <= p && a > b })
				if got, k := book.NearestBelow(p); got != below || got != 0 && want.armed[k].below != got {
					t.Fatalf("nearest at or below %s is %s of key %d, want %s", p, got, k, below)
				}
				above := want.nearest(func(c condition) vigia.Price { return c.above },
					func(a, b vigia.Price) bool { return a >= p && (b == 0 || a < b) })
				if got, k := book.NearestAbove(p); got != above || got != 0 && want.armed[k].above != got {
					t.Fatalf("nearest at or above %s is %s of key %d, want %s", p, got, k, above)
				}
				var earliest time.Time
				for _, c := range want.armed {
					if !c.at.IsZero() && (earliest.IsZero() || c.at.Before(earliest)) {
						earliest = c.at
					}
				}
				if got, ok := book.NextAt(); ok == earliest.IsZero() || ok && !got.Equal(earliest) {
					t.Fatalf("next time is %v (%t), want %v", got, ok, earliest)
				}
			},
		})
	})
}

func (b *Book) lastPrice() vigia.Price { return vigia.Price(b.last) }

func TestBookTouchSuffices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		below, above vigia.Price
		tick         vigia.Price
		due          bool
	}{
		{"half a dollar over the price to fall to", 100, 0, 101, false},
		{"at the price to fall to", 100, 0, 100, true},
		{"a gap far under it", 100, 0, 2, true},
		{"half a dollar under the price to rise to", 0, 100, 99, false},
		{"at the price to rise to", 0, 100, 100, true},
		{"a gap far over it", 0, 100, vigia.MaxPrice, true},
		{"between the two", 90, 110, 100, false},
		{"both at one price", 100, 100, 100, true},
		{"nothing is no price", 100, 100, 0, false},
		{"a price beyond the grid is no tick", 100, 100, vigia.MaxPrice + 1, false},
		{"a price to fall to beyond the grid holds always", vigia.MaxPrice + 7, 0, vigia.MaxPrice, true},
		{"a price to rise to beyond the grid holds never", 0, vigia.MaxPrice + 7, vigia.MaxPrice, false},
		{"negative is none", -5, 0, vigia.MinPrice, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			book := NewBook()
			book.Arm(1, c.below, c.above, time.Time{})
			want := []Key(nil)
			if c.due {
				want = []Key{1}
			}
			equal(t, "due", book.Tick(c.tick, nil), want)
			equal(t, "due again", book.Tick(c.tick, nil), nil)
		})
	}
}

// What became due while it was being decided is not lost for want of a tick.
func TestBookArmSaysWhenItIsDueAlready(t *testing.T) {
	t.Parallel()
	book := NewBook()
	if book.Arm(1, 100, 0, time.Time{}) {
		t.Error("due before there was a price")
	}
	book.Tick(105, nil)
	book.Tick(95, nil)
	if !book.Arm(1, 100, 0, time.Time{}) {
		t.Error("armed behind the price without a word")
	}
	equal(t, "the next tick", book.Tick(95, nil), []Key{1})
	if book.Arm(1, 94, 0, time.Time{}) {
		t.Error("said to be due ahead of the price")
	}
	if !book.Arm(1, 0, 95, time.Time{}) {
		t.Error("a touch from below is due too")
	}
}

func TestBookAppendsToTheBuffer(t *testing.T) {
	t.Parallel()
	book := NewBook()
	book.Arm(3, 100, 0, start)
	equal(t, "tick", book.Tick(100, []Key{9}), []Key{9, 3})
	book.Arm(4, 0, 0, start)
	equal(t, "expire", book.Expire(start, []Key{9}), []Key{9, 4})
	if book.Arm(0, 1, 1, start) || book.Len() != 0 {
		t.Error("key 0 was armed")
	}
}

// A clock that was set back makes every time doubtful: nobody waits an hour
// longer than asked.
func TestBookClockSetBack(t *testing.T) {
	t.Parallel()
	book := NewBook()
	jump := time.Duration(0)
	book.drift = func(time.Time, time.Time) time.Duration { return jump }
	book.Arm(1, 0, 0, start.Add(time.Minute))
	book.Arm(2, 50, 0, time.Time{})
	equal(t, "before", book.Expire(start, nil), nil)
	jump = -time.Hour
	equal(t, "after", book.Expire(start.Add(-time.Hour), nil), []Key{1})
	if book.Len() != 1 {
		t.Errorf("%d are armed, want the one that waits for a price", book.Len())
	}
	jump = time.Hour // the machine slept: the times that passed are due, no others
	book.Arm(1, 0, 0, start.Add(time.Minute))
	book.Arm(3, 0, 0, start.Add(time.Hour))
	equal(t, "after a sleep", book.Expire(start.Add(2*time.Minute), nil), []Key{1})
}

func TestBookFarTimes(t *testing.T) {
	t.Parallel()
	book := NewBook()
	book.Arm(1, 0, 0, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	book.Arm(2, 0, 0, time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC))
	equal(t, "due", book.Expire(start, nil), []Key{2})
}

// A million armed, at prices of all kinds: each pops once, on the tick that
// passes it and on no other. It counts allocations, so it runs alone.
func TestBookAMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("a million entries")
	}
	const n = 1_000_000
	book := NewBook()
	market := vigia.Dollars(100_000)
	for i := range Key(n) {
		book.Arm(i+1, market-1-vigia.Price(i*7919%6_000), market+1+vigia.Price(i*104_729%6_000), time.Time{})
	}
	buf := make([]Key, 0, n)
	if allocs := testing.AllocsPerRun(100, func() { buf = book.Tick(market, buf[:0]) }); allocs != 0 || len(buf) != 0 {
		t.Errorf("an idle tick allocates %v times and makes %d due", allocs, len(buf))
	}
	seen := make([]bool, n+1)
	for _, p := range []vigia.Price{market - 1, market + 3, market - 2_000, market + 3_000, market - 6_000} {
		buf = book.Tick(p, buf[:0])
		for _, key := range buf {
			if seen[key] {
				t.Fatalf("key %d popped twice", key)
			}
			seen[key] = true
			below, above := market-1-vigia.Price((key-1)*7919%6_000), market+1+vigia.Price((key-1)*104_729%6_000)
			if p > below && p < above {
				t.Fatalf("key %d popped at %s, waiting for %s and %s", key, p, below, above)
			}
		}
	}
	if book.Len() != 0 {
		t.Errorf("%d are left after the price went through all of them", book.Len())
	}
}

func TestBookManyAtOnce(t *testing.T) {
	t.Parallel()
	book := NewBook()
	done := make(chan int)
	const workers, each = 4, 500
	for w := range workers {
		go func() {
			popped := 0
			for i := range each {
				key := Key(w*each + i + 1)
				book.Arm(key, vigia.Price(100+i), 0, start)
				popped += len(book.Tick(vigia.Price(100+i%7), nil)) + len(book.Expire(start.Add(-time.Second), nil))
				book.NearestBelow(1000)
				book.NextAt()
			}
			done <- popped
		}()
	}
	total := 0
	for range workers {
		total += <-done
	}
	if got := total + book.Len(); got != workers*each {
		t.Errorf("%d popped and %d armed, want %d together", total, book.Len(), workers*each)
	}
}

func sorted(keys []Key) []Key {
	slices.Sort(keys)
	return keys
}

// fataler is a test or a rapid check.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func equal[T comparable](t fataler, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
