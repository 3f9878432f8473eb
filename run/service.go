package run

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// Service is one thing that runs in the background. [Worker] and [Group] are
// services; what is written anew passes the test of package runtest.
type Service interface {
	// Name is how errors and logs call it.
	Name() string
	// Start returns once the service runs, or why it cannot. The end of ctx
	// stops the service, also later.
	Start(ctx context.Context) error
	// Stop tells the service to end and returns when it has.
	Stop()
	// Ended is closed while the service does not run. It is to be asked again
	// after each Start.
	Ended() <-chan struct{}
	// Err is why the last run ended: nil while it runs, and when it ended
	// because it was told to or was done.
	Err() error
}

var (
	// ErrStopped is the cause in the context of a service that was told to stop.
	ErrStopped = errors.New("told to stop")
	// ErrUnfinished is the cause in the context of work that was cut off, and
	// the failure of the service it belonged to.
	ErrUnfinished = errors.New("cut off with work unfinished")
	// ErrEnded is the failure of a worker that returned without being told to
	// and without saying why.
	ErrEnded = errors.New("ended without being told to")

	errGoexit = errors.New("left by runtime.Goexit")
)

// Failure is an error together with the name of the service that it ended.
type Failure struct {
	Service string
	Err     error
}

// Error is the service's name and the cause.
func (f *Failure) Error() string {
	if f.Service == "" {
		return f.Err.Error()
	}
	return f.Service + ": " + f.Err.Error()
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// PanicError is a panic that was caught. Its message is one line; the stack is
// for the log.
type PanicError struct {
	Value any
	// Stack is that of the goroutine that panicked, as debug.Stack prints it.
	Stack []byte
}

// Error says what the panic was called with.
func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap gives the value where it was an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Stack finds the stack of a panic in an error's chain, nil where none is.
func Stack(err error) []byte {
	var caught *PanicError
	if !errors.As(err, &caught) {
		return nil
	}
	return caught.Stack
}

// onlyStop says whether an error carries nothing but the stop: every branch of
// its tree ends in the cause or in a cancellation.
func onlyStop(err, cause error) bool {
	if same(err, cause) {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked here, node by node
	case interface{ Unwrap() []error }:
		for _, branch := range e.Unwrap() {
			if !onlyStop(branch, cause) {
				return false
			}
		}
		return true
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return onlyStop(inner, cause)
		}
	}
	return errors.Is(err, context.Canceled)
}

func same(a, b error) bool {
	return a != nil && reflect.TypeOf(a).Comparable() && a == b //nolint:errorlint // the node itself, not its chain
}
