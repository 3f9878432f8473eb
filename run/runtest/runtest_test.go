package runtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia/run"
	"github.com/vigiaguard/vigia/run/runtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener is a T that keeps what the test found.
type listener struct {
	*testing.T
	found []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.found = append(l.found, fmt.Errorf(format, args...).Error())
}

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func worker() *run.Worker { return run.Func("feed", untilStopped) }

// Each of these breaks one promise of the contract.
type (
	outlivesStop struct{ *run.Worker }
	startsOnce   struct {
		*run.Worker
		started atomic.Bool
	}
	endsAtOnce     struct{ *run.Worker }
	refusesTheRest struct{ *run.Worker }
	complainsEarly struct{ *run.Worker }
)

var errAny = errors.New("any")

func (outlivesStop) Stop() {}

func (s *startsOnce) Start(ctx context.Context) error {
	if s.started.Swap(true) {
		return errAny
	}
	return s.Worker.Start(ctx)
}

func (s endsAtOnce) Start(context.Context) error { return nil }

func (refusesTheRest) Start(context.Context) error { return errAny }

func (s complainsEarly) Err() error {
	select {
	case <-s.Ended():
		return nil
	default:
		return errAny
	}
}

func TestStressFindsNothingInAGoodService(t *testing.T) {
	t.Parallel()
	l := &listener{T: t}
	runtest.Stress(l, func() run.Service { return worker() })
	if len(l.found) != 0 {
		t.Errorf("found %q", l.found)
	}
}

func TestStressFindsEachFault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func() run.Service
		want string
	}{
		"fails when stopped": {func() run.Service {
			return run.Func("feed", func(ctx context.Context) error { <-ctx.Done(); return errAny })
		}, "start and stop twice: the stop counts as a failure"},
		"starts once":     {func() run.Service { return &startsOnce{Worker: worker()} }, "start again: start: any"},
		"ends at once":    {func() run.Service { return endsAtOnce{worker()} }, "it has ended right after its start"},
		"never starts":    {func() run.Service { return refusesTheRest{worker()} }, "start and stop twice: start: any"},
		"ended parent":    {func() run.Service { return endsAtOnce{worker()} }, "a parent that has ended: the start under an ended parent gave"},
		"complains early": {func() run.Service { return complainsEarly{worker()} }, "it runs and yet says why it ended"},
	} {
		l := &listener{T: t}
		runtest.Stress(l, c.make)
		if !strings.Contains(strings.Join(l.found, "\n"), c.want) {
			t.Errorf("%s: %q is not among %q", name, c.want, l.found)
		}
	}
}

// The services that this one leaves running end with the test's context.
func TestStressFindsWhatOutlivesStop(t *testing.T) {
	t.Parallel()
	l := &listener{T: t}
	runtest.Stress(l, func() run.Service { return outlivesStop{worker()} })
	if !strings.Contains(strings.Join(l.found, "\n"), "start and stop twice: stop returned and it had not ended") {
		t.Errorf("found %q", l.found)
	}
}
