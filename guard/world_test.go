package guard_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/guard"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
	"github.com/vigiaguard/vigia/watch"
)

// shard is the one all accounts of a world belong to.
const shard = 3

// window is how the exchange of a world treats timestamps.
var window = act.Window{Clock: 30 * time.Second, Timeout: 3 * time.Second}

// world is the paper exchange, the real record on SQLite and guards between them,
// on a clock that jumps from one moment at which something happens to the next.
type world struct {
	*testing.T
	clock  vigia.WallClock
	engine *paper.Engine
	store  *record.Store
	url    recordtest.Database
	blind  atomic.Bool
	last   atomic.Int64
	// shift is how far the market's time is ahead: funding is settled by it.
	shift   time.Duration
	halt    atomic.Pointer[string]
	guards  []*watchman
	clients map[vigia.AccountID]*client

	mu     sync.Mutex
	direct []string
}

// inWorld runs a test in a world of its own.
func inWorld(t *testing.T, f func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, clients: map[vigia.AccountID]*client{}, url: recordtest.SQLite(t)}
		w.engine = paper.New(paper.Frictionless())
		w.store = w.url.Open(t, recordtest.Clock(w.clock))
		w.halt.Store(new(string))
		t.Cleanup(w.audit)
		w.tick(100_000)
		defer func() {
			for len(w.guards) > 0 {
				w.guards[0].stop()
			}
		}()
		f(w)
	})
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	timer := w.clock.NewTimer(d)
	<-timer.C()
	synctest.Wait()
}

// tick moves the exchange, and nobody hears of it.
func (w *world) tick(usd float64) {
	w.Helper()
	price := vigia.PriceFromFloat(usd)
	if err := w.engine.Tick(price, w.clock.Now().Add(w.shift)); err != nil {
		w.Fatal(err)
	}
	w.last.Store(int64(price))
}

// price moves the market: the exchange first, then the guards hear of it. All that
// happens without waiting has happened when it returns.
func (w *world) price(usd float64) {
	w.Helper()
	w.tick(usd)
	for _, g := range w.guards {
		g.OnTick(vigia.Tick{Last: vigia.PriceFromFloat(usd), At: w.clock.Now()})
	}
	synctest.Wait()
}

// market is the price, confirmed all the time unless the world is blind.
func (w *world) market() vigia.Market {
	m := vigia.Market{Last: vigia.Price(w.last.Load()), ConfirmedAt: w.clock.Now()}
	if w.blind.Load() {
		m.ConfirmedAt = m.ConfirmedAt.Add(-time.Minute)
	}
	return m
}

// watchman is a running guard.
type watchman struct {
	*guard.Guard
	*world
	leases *leases
	store  *storeSwitch
	log    *strings.Builder
	cancel context.CancelCauseFunc
	ended  chan struct{}
}

// leases say what a guard believes to hold.
type leases struct {
	fence atomic.Pointer[vigia.Fence]
}

func (l *leases) Held(s int) (vigia.Fence, bool) {
	fence := l.fence.Load()
	if s != shard || fence == nil {
		return vigia.Fence{}, false
	}
	return *fence, true
}

// take takes the shard from whoever has it.
func (w *world) take(holder string) vigia.Fence {
	w.Helper()
	all, err := w.store.Leases(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	fence, err := w.store.Take(w.Context(), holder, all[shard].Fence)
	if err != nil {
		w.Fatal(err)
	}
	return fence
}

// guard starts a guard that holds the shard, and lets it look at everything once.
func (w *world) guard(change ...func(*guard.Options)) *watchman {
	w.Helper()
	g := &watchman{world: w, leases: &leases{}, store: &storeSwitch{Store: w.store}, log: &strings.Builder{}, ended: make(chan struct{})}
	fence := w.take("guard " + vigia.NewID(w.clock.Now()))
	g.leases.fence.Store(&fence)
	o := guard.Options{Clock: w.clock, Store: g.store, Leases: g.leases, Network: vigia.Paper, Holder: "test",
		ShardOf: func(vigia.AccountID) int { return shard }, Source: func() string { return "stream" },
		Market: w.market, Window: window, Workers: 4, Log: slog.New(slog.NewTextHandler(testLog{w.T, g.log}, nil)),
		Halted: func() string { return *w.halt.Load() },
		Exchange: func(_ context.Context, a vigia.Account) (guard.Exchange, error) {
			c := w.clients[a.ID]
			if c.noKey.Load() {
				return nil, errors.New("it cannot be unsealed")
			}
			return c, nil
		},
		Direct: func(cause string, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if err == nil {
				w.direct = append(w.direct, cause+": works again")
				return
			}
			w.direct = append(w.direct, cause+": "+err.Error())
		}}
	for _, f := range change {
		f(&o)
	}
	g.Guard = guard.New(o)
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(w.Context()))
	g.cancel = cancel
	go func() {
		defer close(g.ended)
		if err := g.Run(ctx); err != nil {
			w.Errorf("the guard ended: %v", err)
		}
	}()
	w.guards = append(w.guards, g)
	g.OnTick(vigia.Tick{Last: vigia.Price(w.last.Load()), At: w.clock.Now()})
	w.pass(1200 * time.Millisecond)
	return g
}

var errStopped = errors.New("told to stop")

// stop stops a guard as the lifecycle does, and waits for its end.
func (g *watchman) stop() {
	g.cancel(errStopped)
	<-g.ended
	g.guards = slices.DeleteFunc(g.guards, func(other *watchman) bool { return other == g })
}

// testLog keeps what a guard logs, and shows it when the test fails.
type testLog struct {
	t    *testing.T
	kept *strings.Builder
}

var logging sync.Mutex

func (l testLog) Write(p []byte) (int, error) {
	logging.Lock()
	defer logging.Unlock()
	l.t.Log(strings.TrimSpace(string(p)))
	return l.kept.Write(p)
}

// logged counts the lines a guard has logged with a text in them.
func (g *watchman) logged(text string) int {
	logging.Lock()
	defer logging.Unlock()
	return strings.Count(g.log.String(), text)
}

// storeSwitch is the record with switches.
type storeSwitch struct {
	*record.Store
	// down fails every write, unread every read.
	down, unread atomic.Bool
	intended     atomic.Int64
	kept         atomic.Int64
}

var errDisk = errors.New("no space left on the device")

func (s *storeSwitch) Intend(ctx context.Context, in []vigia.Intent) ([]error, error) {
	if s.down.Load() {
		return nil, errDisk
	}
	s.intended.Add(1)
	return s.Store.Intend(ctx, in)
}

func (s *storeSwitch) Settle(ctx context.Context, in []vigia.Settlement) ([]vigia.Settled, []error, error) {
	if s.down.Load() {
		return nil, nil, errDisk
	}
	return s.Store.Settle(ctx, in)
}

func (s *storeSwitch) Keep(ctx context.Context, kept vigia.Kept) error {
	if s.down.Load() {
		return errDisk
	}
	s.kept.Add(1)
	return s.Store.Keep(ctx, kept)
}

func (s *storeSwitch) See(ctx context.Context, fence vigia.Fence, owner vigia.UserID, snapshot *vigia.Snapshot) error {
	if s.down.Load() {
		return errDisk
	}
	return s.Store.See(ctx, fence, owner, snapshot)
}

func (s *storeSwitch) SaveStatus(ctx context.Context, status vigia.GuardStatus) error {
	if s.down.Load() {
		return errDisk
	}
	return s.Store.SaveStatus(ctx, status)
}

func (s *storeSwitch) Requested(ctx context.Context) ([]vigia.Execution, error) {
	if s.unread.Load() {
		return nil, errDisk
	}
	return s.Store.Requested(ctx)
}

func (s *storeSwitch) Revision(ctx context.Context) (int64, error) {
	if s.unread.Load() {
		return 0, errDisk
	}
	return s.Store.Revision(ctx)
}

// said is what was said without the store.
func (w *world) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.direct)
}

// hear hands a guard an event of an account's private stream.
func (g *watchman) hear(c *client, kind watch.EventKind, trade vigia.TradeID) {
	g.Heard(g.Context(), c.ID, watch.Event{Kind: kind, Trade: trade, At: g.clock.Now()})
	synctest.Wait()
}

// lasting outlives the test's own, for what is looked at in the end.
func (w *world) lasting() context.Context { return context.WithoutCancel(w.Context()) }
