package record

import (
	"context"
	"sync"
)

// rank is who goes first at the gate.
type rank int

const (
	// first is for intents, settlements and leases: money waits for them.
	first rank = iota
	// second is for what else the guard writes under its fence.
	second
	// rest is for everything else.
	rest
	ranks
)

// gate lets one writer in at a time: the lower rank before the higher, and of
// one rank in the order they came.
type gate struct {
	mu      sync.Mutex
	taken   bool
	waiting [ranks][]chan struct{}
}

// enter waits for the turn, or for the end of ctx.
func (g *gate) enter(ctx context.Context, r rank) error {
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{}, 1)
	g.waiting[r] = append(g.waiting[r], turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.waiting[r] {
		if other == turn {
			g.waiting[r] = append(g.waiting[r][:i], g.waiting[r][i+1:]...)
			return context.Cause(ctx)
		}
	}
	// The turn came at the same moment: hand it on.
	g.pass()
	return context.Cause(ctx)
}

// leave hands the turn to the next.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass()
}

func (g *gate) pass() {
	for r := range g.waiting {
		if queue := g.waiting[r]; len(queue) > 0 {
			queue[0] <- struct{}{}
			g.waiting[r] = queue[1:]
			return
		}
	}
	g.taken = false
}
