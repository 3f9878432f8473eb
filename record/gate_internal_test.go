package record

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func TestTheGateLetsIntentsFirstAndKeepsTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		if err := g.enter(t.Context(), rest); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		wait := func(name string, r rank) {
			go func() {
				if err := g.enter(t.Context(), r); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				g.leave()
			}()
			synctest.Wait()
		}
		wait("notification 1", rest)
		wait("decision", second)
		wait("intent 1", first)
		wait("notification 2", rest)
		wait("intent 2", first)
		g.leave()
		synctest.Wait()
		want := []string{"intent 1", "intent 2", "decision", "notification 1", "notification 2"}
		if !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
	})
}

func TestWhatWaitsAtTheGateLeavesWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		if err := g.enter(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		cause := errors.New("told to stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		left := make(chan error, 2)
		for range 2 {
			go func() { left <- g.enter(ctx, first) }()
		}
		synctest.Wait()
		cancel(cause)
		for range 2 {
			if err := <-left; !errors.Is(err, cause) {
				t.Errorf("got %v, want the cause", err)
			}
		}
		g.leave()
		if err := g.enter(t.Context(), rest); err != nil {
			t.Errorf("the gate is free: got %v", err)
		}
	})
}

// A turn that comes at the same moment as the end of a context is not lost.
func TestNoTurnIsLost(t *testing.T) {
	t.Parallel()
	var g gate
	var wait sync.WaitGroup
	inside := 0 // guarded by the gate
	for range 8 {
		wait.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					wait.Go(cancel)
				}
				if g.enter(ctx, rank(i%int(ranks))) == nil {
					inside++
					g.leave()
				}
				cancel()
			}
		})
	}
	wait.Wait()
	if err := g.enter(t.Context(), first); err != nil || inside == 0 {
		t.Errorf("got %v after %d turns, want the gate free", err, inside)
	}
}
