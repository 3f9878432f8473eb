package bench

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/tidwall/btree"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/watch"
)

const armed = 1_000_000

// market is where the price stands; nothing is due there.
var market = vigia.Dollars(100_000)

// line is what is armed for one subject.
type line struct {
	account      vigia.AccountID
	subject      vigia.Subject
	below, above vigia.Price
	at           time.Time
}

// calm is how far from the market nothing is armed; reach how much further
// everything is: prices to fall to and to rise to on 80,000 levels each.
const (
	calm  = 20_000
	reach = 80_000
)

// lines draws what is armed: 50 subjects an account, a time for every tenth.
func lines(n int) []line {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var account vigia.AccountID
	out := make([]line, n)
	for i := range out {
		if i%50 == 0 {
			account = vigia.AccountID(vigia.NewID(start))
		}
		out[i] = line{account: account, subject: vigia.TradeSubject(vigia.TradeID(vigia.NewID(start))),
			below: market - calm - vigia.Price(random.IntN(reach)),
			above: market + calm + vigia.Price(random.IntN(reach))}
		if i%10 == 0 {
			out[i].at = start.Add(time.Duration(random.IntN(1_000_000)) * time.Millisecond)
		}
	}
	return out
}

// scattered puts the prices anywhere on the grid, so that next to none is
// shared: the worst case for memory.
func scattered(lines []line) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range lines {
		lines[i].below = vigia.MinPrice + vigia.Price(random.Int64N(int64(market-vigia.MinPrice)))
		lines[i].above = market + 1 + vigia.Price(random.Int64N(int64(vigia.MaxPrice-market)))
	}
}

func arm(book *watch.Book, handles *watch.Handles, lines []line) {
	for i := range lines {
		l := &lines[i]
		book.Arm(handles.Handle(l.account, l.subject), l.below, l.above, l.at)
	}
}

func filled() (*watch.Book, []line) {
	all := lines(armed)
	book := watch.NewBook()
	arm(book, watch.NewHandles(), all)
	return book, all
}

func BenchmarkIdleTick(b *testing.B) {
	book, _ := filled()
	buf := make([]watch.Key, 0, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if buf = book.Tick(market+vigia.Price(i&1)-vigia.Price(i>>1&1), buf[:0]); len(buf) > 2*armed {
			b.Fatal("more became due than is armed")
		}
	}
	b.ReportMetric(float64(book.Len()), "armed")
}

// The bytes are those of the book and of the registry of its keys, the texts of
// the trades' ids included.
func BenchmarkArmedMemory(b *testing.B) {
	for _, c := range []struct {
		name    string
		prepare func([]line)
	}{{"around the market", func([]line) {}}, {"scattered over the grid", scattered}} {
		b.Run(c.name, func(b *testing.B) {
			all := lines(armed)
			c.prepare(all)
			texts := uint64(armed * 48) // the size class of 36 characters
			var bytes uint64
			for b.Loop() {
				before := heap()
				book, handles := watch.NewBook(), watch.NewHandles()
				arm(book, handles, all)
				bytes = heap() - before + texts
				runtime.KeepAlive(book)
				runtime.KeepAlive(handles)
			}
			b.ReportMetric(float64(bytes)/armed, "B/armed")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkArm(b *testing.B) {
	for _, n := range []int{10_000, 100_000, armed} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := lines(n)
			handles := watch.NewHandles()
			for b.Loop() {
				arm(watch.NewBook(), handles, all)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/arm")
		})
	}
}

// book is what the guard's book and its peer can both do.
type book interface {
	Arm(key watch.Key, below, above vigia.Price, at time.Time) bool
	Tick(price vigia.Price, buf []watch.Key) []watch.Key
}

// A re-arm after an action moves both prices of a subject that is armed.
func BenchmarkRearm(b *testing.B) {
	own, all := filled()
	rearm(b, own, all)
}

func BenchmarkRearmPeer(b *testing.B) {
	peer, all := filledPeer()
	rearm(b, peer, all)
}

func rearm(b *testing.B, own book, all []line) {
	random := rand.New(rand.NewPCG(5, 6))
	moves := make([]vigia.Price, 1<<12)
	for i := range moves {
		moves[i] = calm + vigia.Price(random.IntN(reach))
	}
	for i := 0; b.Loop(); i++ {
		move := moves[i%len(moves)]
		own.Arm(watch.Key(1+i*7919%armed), market-move, market+move, all[0].at)
	}
}

// Most reads change nothing, and then nothing moves.
func BenchmarkRearmUnchanged(b *testing.B) {
	own, all := filled()
	for i := 0; b.Loop(); i++ {
		n := i * 7919 % armed
		own.Arm(watch.Key(1+n), all[n].below, all[n].above, all[n].at)
	}
}

// A tick passes 10,000 of 1,000,000 at once: all at one price, or each at its
// own.
func BenchmarkTickDue(b *testing.B) {
	own, _ := filled()
	b.Run("one price", func(b *testing.B) { tickDue(b, own, 0) })
	b.Run("10,000 prices", func(b *testing.B) { tickDue(b, own, 1) })
}

func BenchmarkTickDuePeer(b *testing.B) {
	peer, _ := filledPeer()
	b.Run("one price", func(b *testing.B) { tickDue(b, peer, 0) })
	b.Run("10,000 prices", func(b *testing.B) { tickDue(b, peer, 1) })
}

func tickDue(b *testing.B, own book, step vigia.Price) {
	const due = 10_000
	buf := make([]watch.Key, 0, due)
	for b.Loop() {
		b.StopTimer()
		own.Tick(market, nil)
		for i := range due {
			own.Arm(watch.Key(1+i), market-1-vigia.Price(i)*step, 0, time.Time{})
		}
		b.StartTimer()
		if buf = own.Tick(market-due, buf[:0]); len(buf) != due {
			b.Fatalf("%d became due, want %d", len(buf), due)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/due, "ns/due")
}

// peer is what one would take at first: a B-tree item for each armed price, on
// either side, and nothing else but the prices by key.
type peer struct {
	below, above btree.Set[uint64]
	falls, rises []vigia.Price
}

func newPeer(n int) *peer {
	return &peer{falls: make([]vigia.Price, n+1), rises: make([]vigia.Price, n+1)}
}

func (p *peer) Arm(key watch.Key, below, above vigia.Price, _ time.Time) bool {
	if p.falls[key] != 0 {
		p.below.Delete(item(p.falls[key], key))
	}
	if p.rises[key] != 0 {
		p.above.Delete(item(p.rises[key], key))
	}
	if p.falls[key], p.rises[key] = below, above; below != 0 {
		p.below.Insert(item(below, key))
	}
	if above != 0 {
		p.above.Insert(item(above, key))
	}
	return false
}

func (p *peer) Tick(price vigia.Price, buf []watch.Key) []watch.Key {
	for {
		first, ok := p.below.Max()
		if !ok || vigia.Price(first>>32) < price {
			break
		}
		p.below.PopMax()
		key := watch.Key(first)
		p.falls[key] = 0
		if p.rises[key] != 0 {
			p.above.Delete(item(p.rises[key], key))
		}
		buf = append(buf, key)
	}
	for {
		first, ok := p.above.Min()
		if !ok || vigia.Price(first>>32) > price {
			return buf
		}
		p.above.PopMin()
		key := watch.Key(first)
		p.rises[key] = 0
		if p.falls[key] != 0 {
			p.below.Delete(item(p.falls[key], key))
		}
		buf = append(buf, key)
	}
}

func item(price vigia.Price, key watch.Key) uint64 { return uint64(price)<<32 | uint64(key) }

func filledPeer() (*peer, []line) {
	all := lines(armed)
	p := newPeer(armed)
	for i := range all {
		p.Arm(watch.Key(i+1), all[i].below, all[i].above, all[i].at)
	}
	return p, all
}
