package paper

import (
	"context"
	"time"

	"github.com/vigiaguard/vigia/lnmarkets"
)

// CompactForm is the body as JavaScript would write it.
func CompactForm(raw []byte) ([]byte, error) { return compactForm(raw) }

// Pongs says whether the protocol's pings are answered on a new socket.
func (s *Server) Pongs() bool { return (&socket{server: s}).pinged(context.Background(), nil) }

// Handle is the answer of a new socket to one message.
func (s *Server) Handle(text bool, message []byte) []byte {
	n := &socket{server: s, queue: make(chan []byte, maxQueue), topics: map[lnmarkets.Topic]bool{}}
	n.budget = bucket{tokens: messageRate, at: s.clock.Now()}
	n.handle(text, message)
	return <-n.queue
}

// Fresh says whether a nonce of a key was not used yet.
func (s *Server) Fresh(key, nonce string, now time.Time) bool { return s.stream.fresh(key, nonce, now) }

// Buckets are token buckets by name.
type Buckets struct{ *buckets }

// NewBuckets makes them.
func NewBuckets(rate, burst int) Buckets { return Buckets{newBuckets(rate, burst)} }

// Take says whether there was a token.
func (b Buckets) Take(name string, now time.Time) bool { return b.take(name, now) }

// Len is how many are remembered.
func (b Buckets) Len() int { return len(b.kept) }
