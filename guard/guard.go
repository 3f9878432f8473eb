package guard

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/watch"
)

// Store is what the guard needs of the record.
type Store interface {
	act.Store
	// Accounts are all there are, whoever guards them.
	Accounts(ctx context.Context) ([]vigia.Account, error)
	// Memories are what is kept of all accounts, Memory of one.
	Memories(ctx context.Context) ([]vigia.Memory, error)
	Memory(ctx context.Context, account vigia.AccountID) (vigia.Memory, error)
	// Requested are the commands nobody has begun, oldest first.
	Requested(ctx context.Context) ([]vigia.Execution, error)
	// Stops are the stop modes in force.
	Stops(ctx context.Context) (vigia.Stops, error)
	// Revision changes whenever accounts, automations or stop modes do.
	Revision(ctx context.Context) (int64, error)
	// Keep writes what a turn left behind, fenced.
	Keep(ctx context.Context, kept vigia.Kept) error
	// See stores what was seen of an account for the next start, fenced.
	See(ctx context.Context, fence vigia.Fence, owner vigia.UserID, snapshot *vigia.Snapshot) error
	// SaveStatus replaces what a process last said of itself.
	SaveStatus(ctx context.Context, status vigia.GuardStatus) error
}

// Exchange is one account's way to the exchange.
type Exchange interface {
	act.Exchange
	// Running, Account and Cross read, and say when the request began.
	Running(ctx context.Context) ([]vigia.Trade, time.Time, error)
	Balance(ctx context.Context) (Balance, time.Time, error)
	Cross(ctx context.Context) (vigia.CrossPosition, time.Time, error)
	// Ended finds a trade that stopped running, among those closed since.
	Ended(ctx context.Context, trade vigia.TradeID, since time.Time) (vigia.Trade, time.Time, bool, error)
}

// Balance is what an account read shows.
type Balance struct {
	Free    vigia.Sats
	FeeTier int
}

// Leases says which shards this process may act for.
type Leases interface {
	Held(shard int) (vigia.Fence, bool)
}

// ErrKeyRefused says that the exchange refuses an account's key. Exchanges return
// it wrapped.
var ErrKeyRefused = errors.New("the exchange refuses the key")

// Options are what a Guard is made of.
type Options struct {
	Clock vigia.Clock
	Store Store
	// Exchange opens the way of an account; it is asked again after the account
	// changed.
	Exchange func(ctx context.Context, account vigia.Account) (Exchange, error)
	Leases   Leases
	ShardOf  func(vigia.AccountID) int
	// Source says whether the price comes from the stream or by reads.
	Source func() string
	// Market is the one price; it takes no lock.
	Market func() vigia.Market
	Window act.Window
	// Schedule bounds the reading.
	Schedule watch.ScheduleConfig
	// Halted returns the path of the halt file while it exists.
	Halted func() string
	// Direct says what the store cannot take; cause groups repeats, and a nil
	// error says that it is over.
	Direct func(cause string, err error)
	// Every is how often commands and settings are looked for; 0 is 500 ms.
	Every time.Duration
	// Workers is how many accounts take their turn side by side; 0 is 256.
	Workers int
	Log     *slog.Logger
	// Step, where set, is called at every step of an action.
	Step func(act.Step)
	// Network is the one this guard is for: its accounts share one price.
	Network vigia.Network
	// Holder and Version name this process in its status.
	Holder, Version string
}

// Guard guards the accounts of the shards it holds.
type Guard struct {
	o         Options
	clock     vigia.Clock
	log       *slog.Logger
	actor     *act.Actor
	keeper    *keeper
	snapshots *watch.Snapshots
	schedule  *watch.Schedule

	book    *watch.Book
	handles *watch.Handles
	popped  []watch.Key   // of OnTick, which the feed calls one at a time
	sooner  chan struct{} // something waits for an earlier time than before

	wardsMu sync.RWMutex
	wards   map[vigia.AccountID]*ward

	// ctx is Run's, settling outlives it by what a stop grants; revision is of the
	// record as last read. They are written before, or by, the one goroutine that
	// looks for changes.
	ctx, settling context.Context //nolint:containedctx // settlements outlive the turn that begins them
	revision      int64
	flying        sync.Map // ExecutionID of calls this process has under way

	queue   *queue
	stops   atomic.Pointer[vigia.Stops]
	halted  atomic.Pointer[string]
	store   storeHealth
	last    atomic.Pointer[vigia.LastExecution]
	offset  atomic.Int64
	started time.Time
	calls   sync.WaitGroup
}

// New makes a guard; Run runs it.
func New(o Options) *Guard {
	if o.Every == 0 {
		o.Every = 500 * time.Millisecond
	}
	if o.Workers == 0 {
		o.Workers = 256
	}
	if o.Halted == nil {
		o.Halted = func() string { return "" }
	}
	if o.Direct == nil {
		o.Direct = func(string, error) {}
	}
	g := &Guard{o: o, clock: o.Clock, log: o.Log, started: o.Clock.Now(),
		book: watch.NewBook(), handles: watch.NewHandles(), snapshots: &watch.Snapshots{}, schedule: watch.NewSchedule(o.Schedule),
		sooner: make(chan struct{}, 1),
		wards:  map[vigia.AccountID]*ward{}, queue: newQueue()}
	g.actor = act.New(act.Options{Store: o.Store, Clock: o.Clock, Halted: o.Halted, Step: o.Step})
	g.keeper = newKeeper(g)
	none := ""
	g.halted.Store(&none)
	g.stops.Store(&vigia.Stops{})
	return g
}

// ward finds an account this process knows.
func (g *Guard) ward(id vigia.AccountID) *ward {
	g.wardsMu.RLock()
	defer g.wardsMu.RUnlock()
	return g.wards[id]
}

func (g *Guard) everyWard(do func(*ward)) {
	g.wardsMu.RLock()
	all := make([]*ward, 0, len(g.wards))
	for _, w := range g.wards {
		all = append(all, w)
	}
	g.wardsMu.RUnlock()
	for _, w := range all {
		do(w)
	}
}

// OnTick takes a price: what it passed becomes due. It is the hot path, and makes
// nothing when nothing is due.
func (g *Guard) OnTick(tick vigia.Tick) {
	g.popped = g.book.Tick(tick.Last, g.popped[:0])
	for _, key := range g.popped {
		g.keyDue(key, tick.At)
	}
}

func (g *Guard) keyDue(key watch.Key, tick time.Time) {
	account, _, ok := g.handles.Name(key)
	if !ok {
		return
	}
	if w := g.ward(account); w != nil {
		w.dueAt(tick)
		g.queue.put(w)
	}
}

// beat is how often the clock is looked at, so that one set back is noticed.
const beat = time.Second

// clockwork makes due what waited for a time that has come.
func (g *Guard) clockwork(ctx context.Context) {
	var due []watch.Key
	for {
		due = g.book.Expire(g.clock.Now(), due[:0])
		for _, key := range due {
			g.keyDue(key, time.Time{})
		}
		wait := beat
		if next, ok := g.book.NextAt(); ok {
			wait = max(0, min(wait, next.Sub(g.clock.Now())))
		}
		timer := g.clock.NewTimer(wait)
		select {
		case <-timer.C():
		case <-g.sooner:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// Due makes an account due.
func (g *Guard) Due(account vigia.AccountID) {
	if w := g.ward(account); w != nil {
		g.queue.put(w)
	}
}

// AllDue makes every account due: the price went blind, or came back.
func (g *Guard) AllDue() { g.everyWard(g.queue.put) }
