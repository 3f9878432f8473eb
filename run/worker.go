package run

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// forEver is a patience that never cuts work off.
const forEver time.Duration = -1

// Worker is a function run in a goroutine of its own: the base of every service.
type Worker struct {
	name     string
	prepare  func(intake, work context.Context) error // runs inside Start
	work     func(intake, work context.Context) error
	patience time.Duration
	mayEnd   bool
	restart  *Restart
	clock    vigia.Clock

	mu   sync.Mutex
	last *turn // nil until the first Start
}

// turn is one run of a worker, from a Start to its end.
type turn struct {
	intake, work context.Context //nolint:containedctx // this is what a run is
	stop, abort  context.CancelCauseFunc
	begun, ended chan struct{}
	refused, err error // written before begun and ended are closed
}

// Option sets what a worker does beside its work.
type Option func(*Worker)

// MayEnd lets a worker return nil without having been told to: it was done.
func MayEnd() Option { return func(w *Worker) { w.mayEnd = true } }

// OnClock makes a worker count its patience and its back-off on a clock other
// than the machine's.
func OnClock(clock vigia.Clock) Option { return func(w *Worker) { w.clock = clock } }

// Func makes a service of a function that works until its context ends and then
// returns without delay.
func Func(name string, work func(ctx context.Context) error, options ...Option) *Worker {
	one := func(intake, _ context.Context) error { return work(intake) }
	return newWorker(name, forEver, one, options)
}

// Draining makes a service of a function that takes work in until the first
// context ends, and finishes what it has under the second, which lasts as long
// as the patience after that. A patience of 0 leaves no time; a negative one
// never cuts off.
func Draining(name string, patience time.Duration, work func(intake, work context.Context) error, options ...Option) *Worker {
	return newWorker(name, patience, work, options)
}

func newWorker(name string, patience time.Duration, work func(intake, work context.Context) error, options []Option) *Worker {
	w := &Worker{name: name, patience: patience, work: work, clock: vigia.WallClock{}}
	for _, set := range options {
		set(w)
	}
	return w
}

// Name is the name it was made with.
func (w *Worker) Name() string { return w.name }

// Start runs the work in a goroutine. Its error is a *Failure: the context was
// done before, or ended while a former run was still stopping; a group's may
// also be that of a service, or [ErrStopped] when the stop came meanwhile.
func (w *Worker) Start(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return &Failure{w.name, fmt.Errorf("not started: %w", context.Cause(ctx))}
		}
		t, ours := w.enter(ctx)
		if ours {
			return w.begin(t)
		}
		select {
		case <-t.begun:
		case <-ctx.Done():
			continue
		}
		if t.refused != nil || t.intake.Err() == nil {
			return t.refused
		}
		select {
		case <-t.ended:
		case <-ctx.Done():
		}
	}
}

// Stop ends the run and returns when it has ended.
func (w *Worker) Stop() {
	w.mu.Lock()
	t := w.last
	w.mu.Unlock()
	if t != nil {
		t.stop(ErrStopped)
		<-t.ended
	}
}

// Ended is closed while the worker does not run.
func (w *Worker) Ended() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		return closed
	}
	return w.last.ended
}

// Err is the *Failure that ended the last run, or nil.
func (w *Worker) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil || !isClosed(w.last.ended) {
		return nil
	}
	return w.last.err
}

// enter returns the run that is under way, or makes one that is the caller's to
// begin.
func (w *Worker) enter(ctx context.Context) (t *turn, ours bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != nil && !isClosed(w.last.ended) {
		return w.last, false
	}
	t = &turn{begun: make(chan struct{}), ended: make(chan struct{})}
	t.intake, t.stop = context.WithCancelCause(ctx)
	t.work, t.abort = context.WithCancelCause(context.WithoutCancel(ctx))
	w.last = t
	return t, true
}

func (w *Worker) begin(t *turn) error {
	defer close(t.begun)
	if w.prepare != nil {
		if err := safely(func() error { return w.prepare(t.intake, t.work) }); err != nil {
			t.refused = &Failure{w.name, err}
			t.finish(w.verdict(t, err))
			return t.refused
		}
	}
	go func() { t.finish(w.verdict(t, w.live(t))) }()
	return nil
}

func (t *turn) finish(err error) {
	t.err = err
	cause := err
	if cause == nil {
		cause = ErrStopped
	}
	t.stop(cause)
	t.abort(cause)
	close(t.ended)
}

// attempt runs the work once, and cuts it off when the patience is over.
func (w *Worker) attempt(t *turn) error {
	done := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() { done <- err }()
		err = safely(func() error { return w.work(t.intake, t.work) })
	}()
	select {
	case err := <-done:
		return err
	case <-t.intake.Done():
	}
	if w.patience < 0 {
		return <-done
	}
	timer := w.clock.NewTimer(w.patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C():
	}
	t.abort(ErrUnfinished)
	err := <-done
	if err != nil && onlyStop(err, ErrUnfinished) {
		return fmt.Errorf("%w: the stop was %s ago", ErrUnfinished, w.patience)
	}
	return err
}

// verdict tells a stop from a failure.
func (w *Worker) verdict(t *turn, err error) error {
	switch {
	case t.intake.Err() != nil:
		if err == nil || onlyStop(err, context.Cause(t.intake)) {
			return nil
		}
	case err == nil && w.mayEnd:
		return nil
	case err == nil:
		err = ErrEnded
	}
	return &Failure{w.name, err}
}

// safely makes an error of a panic.
func safely(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{value, debug.Stack()}
		}
	}()
	return f()
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
