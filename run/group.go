package run

import (
	"context"
	"errors"
	"slices"
)

// Group is services that start in order and stop in reverse, as one service. It
// ends when it is told to, when one of them fails, or when all are done.
type Group struct {
	*Worker
	services []Service
}

// NewGroup makes a group of services in the order in which they start.
func NewGroup(name string, services ...Service) *Group {
	g := &Group{services: slices.Clone(services)}
	g.Worker = newWorker(name, forEver, g.watch, []Option{MayEnd()})
	g.prepare = g.startAll
	return g
}

// Waiting names the services that have not ended, in the order of their start:
// what to say when a stop takes long.
func (g *Group) Waiting() []string {
	var names []string
	for _, s := range g.services {
		if !isClosed(s.Ended()) {
			names = append(names, s.Name())
		}
	}
	return names
}

// startAll starts the services under the work's context, so that the end of the
// parent reaches them through the group, in order.
func (g *Group) startAll(intake, work context.Context) error {
	for i, s := range g.services {
		err := context.Cause(intake)
		if err == nil {
			err = safely(func() error { return s.Start(work) })
		}
		if err != nil {
			return join(named(s, err), stopAll(g.services[:i], nil))
		}
	}
	return nil
}

// watch waits for the stop or for the first failure, then stops all.
func (g *Group) watch(intake, _ context.Context) error {
	ended := make(chan Service, len(g.services))
	for _, s := range g.services {
		go func() {
			<-s.Ended()
			ended <- s
		}()
	}
	for running := len(g.services); ; running-- {
		if running == 0 && len(g.services) > 0 {
			return nil
		}
		select {
		case <-intake.Done():
			return stopAll(g.services, nil)
		case s := <-ended:
			if err := s.Err(); err != nil {
				return join(named(s, err), stopAll(g.services, s))
			}
		}
	}
}

// stopAll stops services in reverse and gathers what went wrong, without what
// is known of one of them already.
func stopAll(services []Service, known Service) error {
	var wrong []error
	for _, s := range slices.Backward(services) {
		err := safely(func() error { s.Stop(); return nil })
		if err == nil && s != known {
			err = s.Err()
		}
		if err != nil {
			wrong = append(wrong, named(s, err))
		}
	}
	return join(wrong...)
}

// join is errors.Join that leaves a single error as it is.
func join(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// named makes sure that an error says which service it came from.
func named(s Service, err error) error {
	var failure *Failure
	if errors.As(err, &failure) && failure.Service == s.Name() {
		return err
	}
	return &Failure{s.Name(), err}
}
