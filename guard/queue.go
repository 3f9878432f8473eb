package guard

import (
	"context"
	"sync"
)

// queue is the accounts that are due, each at most once; taking one lets it be
// put in again while it is worked on.
type queue struct {
	mu      sync.Mutex
	waiting []*ward
	head    int
	signal  chan struct{}
}

func newQueue() *queue { return &queue{signal: make(chan struct{}, 1)} }

func (q *queue) put(w *ward) {
	q.mu.Lock()
	if w.queued {
		q.mu.Unlock()
		return
	}
	w.queued = true
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// take waits for an account, or for ctx.
func (q *queue) take(ctx context.Context) (*ward, bool) {
	for {
		if w, more := q.pop(); w != nil {
			if more {
				q.wake()
			}
			return w, true
		}
		select {
		case <-q.signal:
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (q *queue) pop() (w *ward, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.waiting) {
		return nil, false
	}
	w = q.waiting[q.head]
	q.waiting[q.head] = nil
	q.head++
	w.queued = false
	if q.head == len(q.waiting) {
		q.waiting, q.head = q.waiting[:0], 0
	}
	return w, q.head < len(q.waiting)
}
