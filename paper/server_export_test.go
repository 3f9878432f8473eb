package paper

import (
	"context"

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
