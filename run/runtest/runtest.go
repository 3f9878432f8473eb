// Package runtest holds the one test that everything with a lifecycle passes.
//
// A package that has a service of its own calls [Stress] from a test, with a
// function that makes a fresh one. The service must be one that can run: what it
// listens on or reads from is the caller's to provide. Leaks are for the
// caller's TestMain to find (goleak), so that tests may run side by side.
package runtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/vigiaguard/vigia/run"
)

// T is what the test needs of a *testing.T.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Context() context.Context
}

var errParent = errors.New("the parent went home")

// Stress starts and stops services that fresh makes: twice, in the wrong order,
// again after the end, under a parent that ends, and by many at once. What it
// finds it says by t.Errorf; a service that does not stop hangs the test.
func Stress(t T, fresh func() run.Service) {
	t.Helper()
	for _, c := range []struct {
		name string
		try  func(T, run.Service) error
	}{
		{"stop before start", stopFirst},
		{"start and stop twice", twice},
		{"start again", again},
		{"a parent that ends", parentEnds},
		{"a parent that has ended", parentEnded},
		{"many at once", manyAtOnce},
	} {
		s := fresh()
		err := c.try(t, s)
		s.Stop()
		if err == nil {
			err = idle(s)
		}
		if err != nil {
			t.Errorf("%s: %s: %v", s.Name(), c.name, err)
		}
	}
}

func stopFirst(_ T, s run.Service) error {
	s.Stop()
	s.Stop()
	return idle(s)
}

func twice(t T, s run.Service) error {
	if err := errors.Join(start(t.Context(), s), start(t.Context(), s)); err != nil {
		return err
	}
	s.Stop()
	s.Stop()
	return idle(s)
}

func again(t T, s run.Service) error {
	for range 3 {
		if err := start(t.Context(), s); err != nil {
			return err
		}
		s.Stop()
		if err := idle(s); err != nil {
			return err
		}
	}
	return nil
}

func parentEnds(t T, s run.Service) error {
	ctx, end := context.WithCancelCause(t.Context())
	defer end(nil)
	if err := start(ctx, s); err != nil {
		return err
	}
	ended := s.Ended()
	end(errParent)
	<-ended
	return idle(s)
}

func parentEnded(t T, s run.Service) error {
	ctx, end := context.WithCancelCause(t.Context())
	end(errParent)
	if err := s.Start(ctx); !errors.Is(err, errParent) {
		return fmt.Errorf("the start under an ended parent gave %w, want its cause", err)
	}
	return nil
}

// manyAtOnce leaves the order to the scheduler and to chance. A start that
// somebody stops before it is through may say so.
func manyAtOnce(t T, s run.Service) error {
	var all sync.WaitGroup
	failed := make(chan error, 8)
	for range cap(failed) {
		all.Go(func() { failed <- startAndStop(t.Context(), s) })
	}
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	s.Stop()
	return idle(s)
}

func startAndStop(ctx context.Context, s run.Service) error {
	for range 16 {
		if rand.IntN(2) == 0 { //nolint:gosec // an order is drawn, not a key
			s.Stop()
		} else if err := s.Start(ctx); err != nil && !errors.Is(err, run.ErrStopped) {
			return fmt.Errorf("start: %w", err)
		}
		if rand.IntN(4) == 0 { //nolint:gosec // an order is drawn, not a key
			runtime.Gosched()
		}
	}
	return nil
}

// start starts and expects the service to run on.
func start(ctx context.Context, s run.Service) error {
	if err := s.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	select {
	case <-s.Ended():
		return errors.New("it has ended right after its start")
	default:
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("it runs and yet says why it ended: %w", err)
	}
	return nil
}

// idle expects the service to have ended because it was told to.
func idle(s run.Service) error {
	select {
	case <-s.Ended():
	default:
		return errors.New("stop returned and it had not ended")
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("the stop counts as a failure: %w", err)
	}
	return nil
}
