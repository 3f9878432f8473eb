package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// Policy bounds how often a channel speaks. The zero value takes the defaults.
type Policy struct {
	// Quiet is how long an incident that was said is not said again, unless it
	// gets worse: 5 minutes.
	Quiet time.Duration
	// Most is how many messages go out within Window, those of a better level
	// not counted: 12 in 10 minutes.
	Most   int
	Window time.Duration
	// Old is the age at which an event is counted instead of recited: 24 hours.
	Old time.Duration
}

func (p Policy) orDefault() Policy {
	p.Quiet = cmp.Or(p.Quiet, 5*time.Minute)
	p.Most = cmp.Or(p.Most, 12)
	p.Window = cmp.Or(p.Window, 10*time.Minute)
	p.Old = cmp.Or(p.Old, 24*time.Hour)
	return p
}

// book remembers what one channel has said and what it owes. It neither sends
// nor waits, and belongs to one goroutine.
type book struct {
	policy Policy
	read   int64           // the last cursor that was taken
	said   map[string]said // per incident, while quiet
	spoken []said          // within the window, oldest first
	piles  map[string]*pile
}

type said struct {
	at    time.Time
	level vigia.Level
}

// pile is events that wait to be said as one.
type pile struct {
	key   string
	due   time.Time
	from  int64 // the cursor of its first event
	since time.Time
	last  vigia.Event // the worst of them, the latest of those
	count int
}

const (
	oldKey = "old"
	gather = 10 * time.Second // how long old events are counted before it is said
)

func newBook(policy Policy) *book {
	return &book{policy: policy.orDefault(), said: map[string]said{}, piles: map[string]*pile{}}
}

// incident is what an event is a repeat of.
func incident(e *vigia.Event) string {
	if e.Incident != "" {
		return "i/" + e.Incident + "/" + string(e.Kind)
	}
	return "s/" + string(e.Account) + "/" + e.Subject.String() + "/" + string(e.Kind)
}

// take says whether an event is to be said now; if not, it was put on a pile.
func (b *book) take(e *vigia.Event, now time.Time) bool {
	b.read = e.Cursor
	key := incident(e)
	last, repeat := b.said[key]
	repeat = repeat && vigia.Age(now, last.at) < b.policy.Quiet && e.Level <= last.level
	switch waiting := b.piles[key]; {
	case vigia.Age(now, e.At) > b.policy.Old:
		b.put(oldKey, e, now.Add(gather))
	case repeat:
		b.put(key, e, last.at.Add(b.policy.Quiet))
	case waiting != nil && e.Level <= waiting.last.Level:
		b.put(key, e, waiting.due)
	case !b.room(e.Level, now):
		b.put("k/"+e.Level.String()+"/"+string(e.Kind), e, b.roomAt(e.Level))
	default:
		return true
	}
	return false
}

func (b *book) put(key string, e *vigia.Event, due time.Time) {
	p := b.piles[key]
	if p == nil {
		p = &pile{key: key, due: due, from: e.Cursor, since: e.At, last: *e}
		b.piles[key] = p
	}
	p.count++
	if e.Level >= p.last.Level {
		p.last = *e
	}
}

// room says whether one more message of a level fits into the window: what is
// better does not count, so that a flood of news never holds an alarm back.
func (b *book) room(level vigia.Level, now time.Time) bool {
	b.spoken = slices.DeleteFunc(b.spoken, func(s said) bool { return vigia.Age(now, s.at) >= b.policy.Window })
	return b.countFrom(level) < b.policy.Most
}

func (b *book) countFrom(level vigia.Level) int {
	n := 0
	for _, s := range b.spoken {
		if s.level >= level {
			n++
		}
	}
	return n
}

// roomAt is when the oldest message that counts leaves the window.
func (b *book) roomAt(level vigia.Level) time.Time {
	for _, s := range b.spoken {
		if s.level >= level {
			return s.at.Add(b.policy.Window)
		}
	}
	return time.Time{}
}

// spoke notes that an event was said.
func (b *book) spoke(e *vigia.Event, now time.Time) {
	key := incident(e)
	level := e.Level
	if last, ok := b.said[key]; ok && vigia.Age(now, last.at) < b.policy.Quiet {
		level = max(level, last.level)
	}
	maps.DeleteFunc(b.said, func(_ string, s said) bool { return vigia.Age(now, s.at) >= b.policy.Quiet })
	b.said[key] = said{now, level}
	b.spoken = append(b.spoken, said{now, e.Level})
}

// due is the pile to be said now, if any: the worst, then the one that waits the
// longest.
func (b *book) due(now time.Time) *pile {
	var first *pile
	for _, p := range b.piles {
		if p.due.After(now) {
			continue
		}
		if p.key != oldKey && !b.room(p.last.Level, now) {
			p.due = b.roomAt(p.last.Level)
			continue
		}
		if p.before(first) {
			first = p
		}
	}
	return first
}

// any is a pile to be said whatever its time, when all has to go.
func (b *book) any() *pile {
	var first *pile
	for _, p := range b.piles {
		if p.before(first) {
			first = p
		}
	}
	return first
}

// done takes away a pile that was said.
func (b *book) done(p *pile, now time.Time) {
	delete(b.piles, p.key)
	if p.key != oldKey {
		b.spoke(&p.last, now)
	}
}

// next is when a pile becomes due.
func (b *book) next() (time.Time, bool) {
	var first time.Time
	for _, p := range b.piles {
		if first.IsZero() || p.due.Before(first) {
			first = p.due
		}
	}
	return first, !first.IsZero()
}

// delivered is the cursor up to which everything was said.
func (b *book) delivered() int64 {
	cursor := b.read
	for _, p := range b.piles {
		cursor = min(cursor, p.from-1)
	}
	return cursor
}

// before says whether the pile is said before another, or none.
func (p *pile) before(other *pile) bool {
	if other == nil || p.last.Level != other.last.Level {
		return other == nil || p.last.Level > other.last.Level
	}
	return p.from < other.from
}

// message is the pile in words.
func (p *pile) message() Message {
	if p.key == oldKey {
		return backlog(p.count, p.since, p.last.At)
	}
	m := Words(&p.last)
	m.More, m.Since = p.count-1, p.since
	return m
}
