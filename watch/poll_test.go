package watch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
)

var errRefused = errors.New("api key does not exist")

// exchange is a small one that works: accounts with trades, keys that can be
// refused, and reads that can be held.
type exchange struct {
	mu      sync.Mutex
	trades  map[vigia.AccountID][]vigia.Trade
	refuse  map[vigia.AccountID]error
	holding bool
	under   int
	most    int
}

func (e *exchange) enter(ctx context.Context, account vigia.AccountID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.under++; e.under > e.most {
		e.most = e.under
	}
	defer func() { e.under-- }()
	if e.holding {
		e.mu.Unlock()
		<-ctx.Done()
		e.mu.Lock()
		return ctx.Err()
	}
	return e.refuse[account]
}

func (e *exchange) Running(ctx context.Context, account vigia.AccountID) ([]vigia.Trade, error) {
	if err := e.enter(ctx, account); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.trades[account], nil
}

func (e *exchange) Account(ctx context.Context, account vigia.AccountID) (vigia.Sats, int, error) {
	return 1000, 2, e.enter(ctx, account)
}

func (e *exchange) Cross(ctx context.Context, account vigia.AccountID) (vigia.CrossPosition, error) {
	return vigia.CrossPosition{Quantity: -5}, e.enter(ctx, account)
}

// poll starts a poller; what it returns ends it.
func poll(t *testing.T, e *exchange, clock *vigia.ManualClock, schedule *Schedule) (changes chan Change, failures chan string, snapshots *Snapshots, end func()) {
	t.Helper()
	changes, failures, snapshots = make(chan Change, 1000), make(chan string, 1000), &Snapshots{}
	poller := NewPoller(PollerConfig{Clock: clock, Reader: e, Schedule: schedule, Snapshots: snapshots, Workers: 3,
		Changed: func(c Change) { changes <- c },
		Failed: func(read Read, err error) bool {
			failures <- string(read.Account) + ": " + err.Error()
			return errors.Is(err, errRefused)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- poller.Run(ctx) }()
	return changes, failures, snapshots, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	}
}

// Everything of an account is read, merged and told.
func TestPollerReadsEverything(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	clock := vigia.NewManualClock(start)
	schedule := NewSchedule(ScheduleConfig{KeyEvery: time.Nanosecond})
	e := &exchange{trades: map[vigia.AccountID][]vigia.Trade{"a": list(trade("t", 9000))}}
	changes, failures, snapshots, end := poll(t, e, clock, schedule)
	defer end()
	schedule.Add("a", Risk{})
	told := map[string]bool{}
	for len(told) < reads {
		// The key's pace of a nanosecond passes while the poller waits for it.
		clock.Advance(time.Microsecond)
		select {
		case c := <-changes:
			told[tell(c)] = true
		case f := <-failures:
			t.Fatal(f)
		default:
		}
	}
	for _, want := range []string{"added t", "changed account", "changed cross"} {
		if !told[want] {
			t.Errorf("not told %q but %v", want, told)
		}
	}
	if s := snapshots.Of("a"); len(s.Trades) != 1 || s.Free != 1000 || s.FeeTier != 2 || s.Cross.Quantity != -5 {
		t.Errorf("known: %+v", s)
	}
}

// A refused key is said with its cause, and left alone; the other account is
// read on.
func TestPollerRefusedKey(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	clock := vigia.NewManualClock(start)
	schedule := NewSchedule(ScheduleConfig{KeyEvery: time.Nanosecond})
	e := &exchange{refuse: map[vigia.AccountID]error{"bad": errRefused, "down": errDown}}
	changes, failures, _, end := poll(t, e, clock, schedule)
	defer end()
	schedule.Add("bad", Risk{Trades: 1})
	said := <-failures
	if !strings.HasPrefix(said, "bad: reading ") || !strings.Contains(said, errRefused.Error()) {
		t.Errorf("said %q", said)
	}
	schedule.Add("down", Risk{Trades: 1})
	if said := <-failures; !strings.HasPrefix(said, "down: ") {
		t.Errorf("said %q", said)
	}
	schedule.Add("good", Risk{Trades: 1})
	if c := <-changes; c.Account != "good" {
		t.Errorf("told of %s", c.Account)
	}
}

// A doubt is asked about again without anybody's help, and not too early.
func TestPollerFollowsDoubts(t *testing.T) {
	t.Parallel()
	clock := vigia.NewManualClock(start)
	schedule := NewSchedule(ScheduleConfig{KeyEvery: time.Nanosecond})
	e := &exchange{trades: map[vigia.AccountID][]vigia.Trade{me: list(trade("t", 5000))}}
	var said []string
	poller := NewPoller(PollerConfig{Clock: clock, Reader: e, Schedule: schedule, Snapshots: &Snapshots{},
		Changed: func(c Change) { said = append(said, tell(c)) }})
	poller.config.Snapshots.SawRunning(me, at(-10), list(trade("t", 9000)))
	schedule.Add(me, Risk{Trades: 1, Nearest: 50_000})
	for range 40 {
		for read, wait := schedule.Next(clock.Now()); wait == 0; read, wait = schedule.Next(clock.Now()) {
			if said = nil; read.What == ReadRunning {
				poller.do(t.Context(), read)
			}
			if second := clock.Now().Sub(start).Seconds(); len(said) > 0 {
				if want := map[float64]string{0: "doubted t, wants running", 1: "changed t"}[second]; said[0] != want {
					t.Errorf("after %v s: %q, want %q", second, said[0], want)
				}
			}
		}
		clock.Advance(100 * time.Millisecond)
	}
	if got := show(poller.config.Snapshots.Of(me)); got != "t=5000@1" {
		t.Errorf("known: %s", got)
	}
}

// No more are under way than allowed, and the end of the context ends those that
// hang without calling them failures.
func TestPollerEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	clock := vigia.NewManualClock(start)
	schedule := NewSchedule(ScheduleConfig{KeyEvery: time.Nanosecond})
	for _, name := range []vigia.AccountID{"a", "b", "c", "d", "e"} {
		schedule.Add(name, Risk{})
	}
	e := &exchange{holding: true}
	_, failures, _, end := poll(t, e, clock, schedule)
	for under := 0; under < 3; {
		e.mu.Lock()
		under = e.under
		e.mu.Unlock()
	}
	end()
	if e.most != 3 {
		t.Errorf("%d reads were under way at a time, want 3", e.most)
	}
	if len(failures) != 0 {
		t.Errorf("said %q on the way out", <-failures)
	}
}
