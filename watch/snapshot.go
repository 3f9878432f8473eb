package watch

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigiaguard/vigia"
)

// Snapshots holds what is known of each account. Sightings are merged into a new
// snapshot that takes the place of the old one; who holds the old one keeps it
// as it was.
//
// # Versions
//
// A read is versioned by the start of its request, an action's answer by its
// arrival. Per subject, what is older than what is known gives way, and so does
// what was begun before the last settled action on the subject, in whatever
// order it arrives. One exception: a margin that is smaller by exactly a funding
// settlement, which the sighting counts and the snapshot does not, is newer,
// whenever it was begun.
//
// # Doubt
//
// On this exchange a margin shrinks by funding and by cash-in only, both of
// which a trade counts, and what was cashed in never grows less. A read begun
// later that shows otherwise is an old answer under a new request (or several
// settlements of both signs at once): it is left out until a second one, begun a
// second later at least, agrees with it. A trade that was said to have ended
// never runs again.
//
// Snapshots is a value; the zero value is ready.
type Snapshots struct {
	accounts sync.Map // vigia.AccountID to *keeper
}

// keeper merges for one account.
type keeper struct {
	now atomic.Pointer[vigia.Snapshot]

	mu sync.Mutex
	// settled is when the last action on a subject was settled.
	settled map[vigia.Subject]time.Time
	// ended are trades said to have ended, and when that was said.
	ended map[vigia.TradeID]time.Time
	// answered are trades known from answers since they were last read.
	answered map[vigia.TradeID]bool
	// loaded are trades known from before the start only.
	loaded                  map[vigia.TradeID]bool
	loadedFree, loadedCross bool
	doubts                  map[vigia.TradeID]vigia.Seen
}

// Of is the snapshot of an account; nil while nothing was ever seen of it. It
// takes no lock. The snapshot must not be changed.
func (s *Snapshots) Of(account vigia.AccountID) *vigia.Snapshot {
	if k, ok := s.accounts.Load(account); ok {
		return k.(*keeper).now.Load()
	}
	return nil
}

// Load puts in what was stored before the program last started, marked
// provisional: whatever is read gives it its place, whatever the clocks say.
// Where something was read already, it does nothing.
func (s *Snapshots) Load(stored vigia.Snapshot) Change {
	k := s.keeper(stored.Account)
	k.mu.Lock()
	defer k.mu.Unlock()
	c := Change{Account: stored.Account, Snapshot: k.now.Load()}
	if c.Snapshot != nil {
		return c
	}
	stored.Provisional = true
	k.loadedFree, k.loadedCross = true, true
	stored.Trades = append([]vigia.Seen(nil), stored.Trades...)
	for i := range stored.Trades {
		k.loaded[stored.Trades[i].ID] = true
		c.Added = append(c.Added, vigia.TradeSubject(stored.Trades[i].ID))
	}
	k.publish(&c, stored)
	return c
}

// Forget drops an account.
func (s *Snapshots) Forget(account vigia.AccountID) { s.accounts.Delete(account) }

// Settled says that an action on a subject was settled: what was begun before
// at is dropped for it from now on. At is the arrival of an answer, or the start
// of the read that showed how a call without one had ended. After an answer with
// the trade in it, call [Snapshots.SawAnswer] instead.
func (s *Snapshots) Settled(account vigia.AccountID, subject vigia.Subject, at time.Time) {
	k := s.keeper(account)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settle(subject, at)
}

// SawRunning merges the whole list of running trades, read from begun on.
func (s *Snapshots) SawRunning(account vigia.AccountID, begun time.Time, trades []vigia.Trade) Change {
	return s.merge(account, func(k *keeper, c *Change, next *vigia.Snapshot) { k.list(c, next, begun, trades) })
}

// SawTrade merges a single trade, read from begun on.
func (s *Snapshots) SawTrade(account vigia.AccountID, begun time.Time, trade vigia.Trade) Change {
	return s.merge(account, func(k *keeper, c *Change, next *vigia.Snapshot) {
		if !trade.Running() {
			k.end(c, next, trade.ID, begun, "")
			return
		}
		if !k.knownAbsent(next, trade.ID, begun) {
			k.put(c, next, begun, trade)
			return
		}
		c.Stale = append(c.Stale, vigia.TradeSubject(trade.ID))
	})
}

// SawAnswer merges the trade in the answer of an action and counts the action as
// settled at its arrival. Two calls of different lanes can overlap; then the
// answer that is merged second brings only what its lane moves, since it may not
// know of the other.
func (s *Snapshots) SawAnswer(account vigia.AccountID, a Answer) Change {
	return s.merge(account, func(k *keeper, c *Change, next *vigia.Snapshot) { k.answer(c, next, a) })
}

// SawAccount merges the free balance and the fee tier, read from begun on.
func (s *Snapshots) SawAccount(account vigia.AccountID, begun time.Time, free vigia.Sats, feeTier int) Change {
	return s.merge(account, func(k *keeper, c *Change, next *vigia.Snapshot) {
		subject := vigia.AccountSubject()
		if !k.loadedFree && begun.Before(next.FreeBegun) || begun.Before(k.settled[subject]) {
			c.Stale = append(c.Stale, subject)
			return
		}
		if next.FreeBegun.IsZero() || next.Free != free || next.FeeTier != feeTier {
			c.Changed = append(c.Changed, subject)
		}
		next.Free, next.FeeTier, next.FreeBegun = free, feeTier, begun
		k.loadedFree, c.Taken = false, true
	})
}

// SawCross merges the cross position, read from begun on.
func (s *Snapshots) SawCross(account vigia.AccountID, begun time.Time, position vigia.CrossPosition) Change {
	return s.merge(account, func(k *keeper, c *Change, next *vigia.Snapshot) {
		subject := vigia.CrossSubject()
		if !k.loadedCross && begun.Before(next.CrossBegun) || begun.Before(k.settled[subject]) {
			c.Stale = append(c.Stale, subject)
			return
		}
		if crossDiffers(next.Cross, position) {
			c.Changed = append(c.Changed, subject)
		}
		next.Cross, next.CrossBegun = position, begun
		k.loadedCross, c.Taken = false, true
	})
}

// Heard takes an event of the private stream: what ended leaves the snapshot at
// once, everything else is asked for.
func (s *Snapshots) Heard(account vigia.AccountID, e Event) Change {
	return s.merge(account, func(k *keeper, c *Change, next *vigia.Snapshot) {
		c.Wanted = e.Kind.asks()
		if by, over := endings[e.Kind]; over {
			k.end(c, next, e.Trade, e.At, by)
		}
	})
}

// merge gives a sighting a copy of the snapshot to change, and publishes it when
// something was taken.
func (s *Snapshots) merge(account vigia.AccountID, into func(*keeper, *Change, *vigia.Snapshot)) Change {
	k := s.keeper(account)
	k.mu.Lock()
	defer k.mu.Unlock()
	next := vigia.Snapshot{Account: account}
	c := Change{Account: account, Snapshot: k.now.Load()}
	if c.Snapshot != nil {
		next = *c.Snapshot
	}
	into(k, &c, &next)
	if c.Taken {
		k.publish(&c, next)
	}
	return c
}

func (k *keeper) publish(c *Change, next vigia.Snapshot) {
	c.Taken, c.Snapshot = true, &next
	k.now.Store(&next)
}

func (s *Snapshots) keeper(account vigia.AccountID) *keeper {
	if k, ok := s.accounts.Load(account); ok {
		return k.(*keeper)
	}
	k, _ := s.accounts.LoadOrStore(account, &keeper{
		settled: map[vigia.Subject]time.Time{}, ended: map[vigia.TradeID]time.Time{},
		answered: map[vigia.TradeID]bool{}, loaded: map[vigia.TradeID]bool{}, doubts: map[vigia.TradeID]vigia.Seen{}})
	return k.(*keeper)
}
