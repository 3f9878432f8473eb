package paper

import (
	"math"
	"sync"
	"time"
)

// Rates are how many calls the server takes, each a token bucket. A rate of 0
// has no limit.
type Rates struct {
	// Key is per key and second, of signed calls; KeyBurst is how many at once.
	Key, KeyBurst int
	// Public is per address and second, of the other calls and of those whose
	// key is refused.
	Public, PublicBurst int
}

// StrictRates are the lower of the published figures, RelaxedRates the higher
// (reference 4.4); NoRates is for tests of other things.
func StrictRates() Rates { return Rates{Key: 5, KeyBurst: 5, Public: 1, PublicBurst: 1} }

// RelaxedRates are 20 a second for a key and 4 for the rest.
func RelaxedRates() Rates { return Rates{Key: 20, KeyBurst: 40, Public: 4, PublicBurst: 5} }

// NoRates limits nothing.
func NoRates() Rates { return Rates{} }

// manyBuckets is when full ones are forgotten: they are as good as new.
const manyBuckets = 4096

// buckets are token buckets by name.
type buckets struct {
	rate, burst float64

	mu   sync.Mutex
	kept map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newBuckets(rate, burst int) *buckets {
	return &buckets{rate: float64(rate), burst: float64(max(1, burst)), kept: map[string]*bucket{}}
}

// take says whether there was a token at a time.
func (b *buckets) take(name string, now time.Time) bool {
	if b.rate <= 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	have := b.kept[name]
	if have == nil {
		b.forget(now)
		have = &bucket{tokens: b.burst, at: now}
		b.kept[name] = have
	}
	return have.take(b.rate, b.burst, now)
}

func (b *buckets) forget(now time.Time) {
	if len(b.kept) < manyBuckets {
		return
	}
	for name, have := range b.kept {
		if have.filled(b.rate, b.burst, now) >= b.burst {
			delete(b.kept, name)
		}
	}
}

func (h *bucket) filled(rate, burst float64, now time.Time) float64 {
	return math.Min(burst, h.tokens+rate*max(0, now.Sub(h.at).Seconds()))
}

func (h *bucket) take(rate, burst float64, now time.Time) bool {
	h.tokens, h.at = h.filled(rate, burst, now), now
	if h.tokens < 1 {
		return false
	}
	h.tokens--
	return true
}
