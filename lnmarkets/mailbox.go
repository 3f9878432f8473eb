package lnmarkets

import (
	"errors"
	"slices"
	"sync"
)

// ErrSlowReader is the cause of a Closed: more private events came than the
// reader had room for. None was dropped silently: a Gap follows.
var ErrSlowReader = errors.New("the reader of the stream is too slow")

// mailbox stands between the socket, which must never wait, and the reader,
// who may be slow. It holds at most limit kept events, one of each latest, and a
// handful of states.
type mailbox struct {
	limit int

	mu     sync.Mutex
	events []Event
	kept   int
	closed bool
	// wake holds a token while there is something to look at.
	wake chan struct{}
}

func newMailbox(limit int) *mailbox { return &mailbox{limit: limit, wake: make(chan struct{}, 1)} }

// put never blocks. It fails when a kept event does not fit.
func (m *mailbox) put(e Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch lane, name := e.lane(); lane {
	case laneKept:
		if m.kept >= m.limit {
			return ErrSlowReader
		}
		m.kept++
	case laneLatest:
		m.remove(func(old Event) bool {
			oldLane, oldName := old.lane()
			return oldLane == laneLatest && oldName == name
		})
	case laneState:
		e = m.merge(e)
	}
	m.events = append(m.events, e)
	m.signal()
	return nil
}

// merge makes room for a state: of a socket that is gone, only that it is gone
// matters, and of two gaps their whole length.
func (m *mailbox) merge(e Event) Event {
	switch state := e.(type) {
	case Closed:
		m.remove(func(old Event) bool {
			oldLane, _ := old.lane()
			_, gap := old.(Gap)
			return oldLane != laneKept && !gap
		})
	case Gap:
		m.remove(func(old Event) bool {
			earlier, ok := old.(Gap)
			if ok && earlier.From.Before(state.From) {
				state.From = earlier.From
			}
			return ok
		})
		return state
	}
	return e
}

func (m *mailbox) remove(superseded func(Event) bool) {
	m.events = slices.DeleteFunc(m.events, superseded)
}

// close lets drain return once everything has been delivered.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.signal()
}

func (m *mailbox) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// drain hands every event to handle, one after the other, until the mailbox is
// closed and empty.
func (m *mailbox) drain(handle func(Event)) {
	for {
		e, ok, closed := m.take()
		switch {
		case ok:
			handle(e)
		case closed:
			return
		default:
			<-m.wake
		}
	}
}

func (m *mailbox) take() (e Event, ok, closed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.events) == 0 {
		return nil, false, m.closed
	}
	e = m.events[0]
	m.events = slices.Delete(m.events, 0, 1)
	if lane, _ := e.lane(); lane == laneKept {
		m.kept--
	}
	return e, true, false
}
