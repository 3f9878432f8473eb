package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia/run"
)

var (
	errBroken = errors.New("the disk is full")
	errSignal = fmt.Errorf("interrupted: %w", errors.New("SIGINT"))
)

// untilStopped works as most services do.
func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// ended waits for the end of a service that nobody stops and gives its error.
func ended(s run.Service) error {
	<-s.Ended()
	return s.Err()
}

func mustStart(t *testing.T, s run.Service) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("start of %s: %v", s.Name(), err)
	}
}

func TestFailureNamesTheServiceOnce(t *testing.T) {
	t.Parallel()
	for want, failure := range map[string]*run.Failure{
		"feed: the disk is full":        {Service: "feed", Err: errBroken},
		"the disk is full":              {Err: errBroken},
		"serve: feed: the disk is full": {Service: "serve", Err: &run.Failure{Service: "feed", Err: errBroken}},
	} {
		if failure.Error() != want {
			t.Errorf("got %q, want %q", failure.Error(), want)
		}
		if !errors.Is(failure, errBroken) {
			t.Errorf("%q has lost its cause", want)
		}
	}
}

func TestPanicKeepsItsStack(t *testing.T) {
	t.Parallel()
	w := run.Func("feed", func(context.Context) error { panic(errBroken) })
	mustStart(t, w)
	err := ended(w)
	if got, want := err.Error(), "feed: panic: the disk is full"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, errBroken) {
		t.Errorf("the value of the panic is not in the chain of %v", err)
	}
	if stack := string(run.Stack(err)); !strings.Contains(stack, "TestPanicKeepsItsStack") {
		t.Errorf("the stack does not name the function that panicked:\n%s", stack)
	}
	if stack := run.Stack(errBroken); stack != nil {
		t.Errorf("an error without a panic has the stack %q", stack)
	}
}

func TestPanicWithAnythingElse(t *testing.T) {
	t.Parallel()
	w := run.Func("feed", func(context.Context) error { panic(42) })
	mustStart(t, w)
	err := ended(w)
	if got, want := err.Error(), "feed: panic: 42"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if errors.Unwrap(errors.Unwrap(err)) != nil {
		t.Errorf("a panic that was no error has one in its chain: %v", err)
	}
}
