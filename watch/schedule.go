package watch

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/vigiaguard/vigia"
)

// ScheduleConfig bounds the reading. What is zero gets the value named.
type ScheduleConfig struct {
	// Period is how often an account with a position is read at least: 10 s, so
	// that its snapshot stays fresh. Flat is the same for one without: 60 s.
	Period, Flat time.Duration
	// KeyEvery is the least time between two reads with one key: 350 ms, three
	// in a second of the five that are published, so that actions find tokens.
	KeyEvery time.Duration
	// Every is the least time between any two reads; 0 is no bound.
	Every time.Duration
}

// Risk is what decides how often an account is read.
type Risk struct {
	// Trades is the number of running trades, Nearest the distance of the one
	// nearest to its liquidation.
	Trades  int
	Nearest vigia.Percent
	// Cross says that the cross position is not flat.
	Cross bool
	// Unsettled says that a call is open or unknown: its end is looked for.
	Unsettled bool
}

func (r Risk) position() bool { return r.Trades > 0 || r.Cross }

// nearest is the distance where there is one to compare.
func (r Risk) nearest() vigia.Percent {
	if r.Trades == 0 {
		return math.MaxInt64
	}
	return r.Nearest
}

// Read is one read to be done.
type Read struct {
	Account vigia.AccountID
	What    What
}

// Schedule says which account to read next. An account is read as many seconds
// apart as its worst trade is percent away from liquidation, at least every
// second and at most every period; one with an unsettled call every second; and
// at once where somebody wants it. When the bounds do not allow all of that,
// what is wanted comes first, then what is longest overdue, then what is nearest
// to liquidation: everything gets later, and nothing is left out for long.
type Schedule struct {
	config ScheduleConfig
	wake   chan struct{}

	mu       sync.Mutex
	accounts map[vigia.AccountID]*watched
	// waiting are the reads that are not due yet, by when they may begin; ready
	// those that are, by who comes first.
	waiting, ready *btree.BTreeG[*upcoming]
	paused         time.Time // no read before, by Every
	funding        time.Time // the next moment at which all positions are read
}

// watched is an account in the schedule.
type watched struct {
	account vigia.AccountID
	risk    Risk
	reads   [reads]upcoming
	// notBefore keeps a key's pace, and a refused key quiet.
	notBefore time.Time
	refusals  int
}

// upcoming is the next read of a kind of an account.
type upcoming struct {
	of   *watched
	what What

	begun    time.Time // of the last one
	wanted   time.Time // not zero: asked for from then on
	reading  bool
	failures int

	// due is since when it is overdue, from when it may begin, urgent whether
	// somebody wants it; placed is the set it is in. They stand still while it
	// is in one.
	due, from time.Time
	urgent    bool
	placed    *btree.BTreeG[*upcoming]
}

// NewSchedule makes an empty schedule.
func NewSchedule(config ScheduleConfig) *Schedule {
	config.Period = cmp.Or(config.Period, 10*time.Second)
	config.Flat = cmp.Or(config.Flat, time.Minute)
	config.KeyEvery = cmp.Or(config.KeyEvery, 350*time.Millisecond)
	options := btree.Options{NoLocks: true}
	return &Schedule{config: config, wake: make(chan struct{}, 1), accounts: map[vigia.AccountID]*watched{},
		waiting: btree.NewBTreeGOptions(sooner, options), ready: btree.NewBTreeGOptions(first, options)}
}

// sooner orders those that wait.
func sooner(a, b *upcoming) bool {
	if c := a.from.Compare(b.from); c != 0 {
		return c < 0
	}
	return danger(a, b) < 0
}

// first orders those that are due.
func first(a, b *upcoming) bool {
	if a.urgent != b.urgent {
		return a.urgent
	}
	if c := a.due.Compare(b.due); c != 0 {
		return c < 0
	}
	return danger(a, b) < 0
}

func danger(a, b *upcoming) int { return cmp.Or(worse(a.of, b.of), cmp.Compare(a.what, b.what)) }

// worse orders accounts by danger.
func worse(a, b *watched) int {
	return cmp.Or(cmp.Compare(a.risk.nearest(), b.risk.nearest()), cmp.Compare(a.account, b.account))
}

// Add takes an account in. All of it is read as soon as may be, those nearest to
// liquidation first.
func (s *Schedule) Add(account vigia.AccountID, risk Risk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.accounts[account]
	if w == nil {
		w = &watched{account: account}
		for what := range w.reads {
			w.reads[what].of, w.reads[what].what = w, What(what)
		}
		s.accounts[account] = w
	}
	s.lift(w)
	w.risk = risk
	s.place(w)
}

// Remove drops an account.
func (s *Schedule) Remove(account vigia.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.accounts[account]; w != nil {
		s.lift(w)
		delete(s.accounts, account)
	}
}

// SetRisk says how an account stands now.
func (s *Schedule) SetRisk(account vigia.AccountID, risk Risk) {
	s.change(account, func(w *watched) { w.risk = risk })
}

// Want asks for a read that begins not before at, ahead of what is merely due;
// the zero time is at once. An account that is not in the schedule is ignored.
func (s *Schedule) Want(account vigia.AccountID, what What, at time.Time) {
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	s.change(account, func(w *watched) { w.reads[what].want(at) })
}

// Next is the read to begin now, when wait is 0; it counts as begun, and Done or
// Refused must follow. Otherwise nothing is to be read for so long, unless Woken
// says that this changed.
func (s *Schedule) Next(now time.Time) (read Read, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fund(now)
	for u, ok := s.waiting.Min(); ok && !u.from.After(now); u, ok = s.waiting.Min() {
		s.waiting.Delete(u)
		s.ready.Set(u)
		u.placed = s.ready
	}
	u, ok := s.ready.Min()
	if !ok {
		wait = s.funding.Sub(now)
		if u, ok := s.waiting.Min(); ok {
			wait = min(wait, u.from.Sub(now))
		}
		return Read{}, max(wait, 1)
	}
	if wait := s.paused.Sub(now); wait > 0 {
		return Read{}, wait
	}
	s.paused = now.Add(s.config.Every)
	s.lift(u.of)
	u.begun, u.reading = now, true
	if !u.wanted.After(now) { // else it is too early for whoever wants it
		u.wanted = time.Time{}
	}
	u.of.notBefore = now.Add(s.config.KeyEvery)
	s.place(u.of)
	return Read{u.of.account, u.what}, 0
}

// Done says how a read ended. One that failed is tried again after a second,
// then two, four, …, but no later than it would be due anyway.
func (s *Schedule) Done(read Read, err error) {
	s.change(read.Account, func(w *watched) {
		r := &w.reads[read.What]
		r.reading = false
		if err != nil {
			r.failures++
			return
		}
		r.failures, w.refusals = 0, 0
	})
}

// Refused says that the exchange refuses the key: the account is left alone for
// a minute, then two, four, …, fifteen at most.
func (s *Schedule) Refused(read Read, now time.Time) {
	s.change(read.Account, func(w *watched) {
		w.reads[read.What].reading = false
		w.notBefore = now.Add(backoff(w.refusals, time.Minute, 15*time.Minute))
		w.refusals++
	})
}

// Woken receives after a change that may make a read due earlier than Next said.
func (s *Schedule) Woken() <-chan struct{} { return s.wake }

// WorstFirst lists the accounts, those nearest to liquidation first: the order
// in which sockets are connected again.
func (s *Schedule) WorstFirst() []vigia.AccountID {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*watched, 0, len(s.accounts))
	for _, w := range s.accounts {
		all = append(all, w)
	}
	slices.SortFunc(all, worse)
	out := make([]vigia.AccountID, len(all))
	for i, w := range all {
		out[i] = w.account
	}
	return out
}

func (s *Schedule) change(account vigia.AccountID, with func(*watched)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.accounts[account]; w != nil {
		s.lift(w)
		with(w)
		s.place(w)
	}
}

// lift takes an account out of its places, as has to be done before it changes.
func (s *Schedule) lift(w *watched) {
	for i := range w.reads {
		if u := &w.reads[i]; u.placed != nil {
			u.placed.Delete(u)
			u.placed = nil
		}
	}
}
