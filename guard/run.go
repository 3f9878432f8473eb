package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

func isFenced(err error) bool { return errors.Is(err, vigia.ErrFenced) }

// drainFor is how long a stop waits for a store that is gone to take the
// settlements of calls that were made. What it does not take, a restart reconciles.
const drainFor = 5 * time.Second

var errDrained = errors.New("the guard has stopped")

// Run guards until ctx ends, then takes in nothing new, lets the calls on their
// way be answered or time out, and stops the recorder last.
func (g *Guard) Run(ctx context.Context) error {
	settling, stopSettling := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopSettling(errDrained)
	recorder, stopRecorder := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRecorder()
	g.ctx, g.settling = ctx, settling
	var recording, working sync.WaitGroup
	recording.Go(func() { _ = g.actor.Run(recorder) })
	recording.Go(func() { g.keeper.run(recorder) })
	err := g.start(ctx)
	if err == nil {
		g.work(ctx, &working)
		<-ctx.Done()
	}
	working.Wait()
	g.drain(stopSettling)
	stopRecorder()
	recording.Wait()
	return err
}

// start reads the record; without it there is nothing to guard.
func (g *Guard) start(ctx context.Context) error {
	revision, err := g.o.Store.Revision(ctx)
	if err != nil {
		return fmt.Errorf("the guard could not start: %w", err)
	}
	g.revision = revision
	if err := g.loadAll(ctx); err != nil {
		return fmt.Errorf("the guard could not start: %w", err)
	}
	if err := g.takeCommands(ctx); err != nil {
		return fmt.Errorf("the guard could not start: %w", err)
	}
	return nil
}

// work starts all that takes work in.
func (g *Guard) work(ctx context.Context, working *sync.WaitGroup) {
	for range g.o.Workers {
		working.Go(func() { g.takeTurns(ctx) })
	}
	working.Go(func() { g.clockwork(ctx) })
	working.Go(func() { g.every(ctx, g.lookForCommands) })
	working.Go(func() { g.every(ctx, g.lookForChanges) })
	working.Go(func() { g.read(ctx) })
	working.Go(func() { g.sayStatus(ctx) })
}

// drain waits for the calls under way and their settlements.
func (g *Guard) drain(stopSettling context.CancelCauseFunc) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.calls.Wait()
	}()
	timer := g.clock.NewTimer(drainFor)
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C():
	}
	stopSettling(errDrained)
	<-done
}

// every looks at something every Options.Every until ctx ends.
func (g *Guard) every(ctx context.Context, look func(context.Context)) {
	for {
		look(ctx)
		timer := g.clock.NewTimer(g.o.Every)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// lookForCommands looks for the halt file and for a person's commands.
func (g *Guard) lookForCommands(ctx context.Context) {
	g.lookForHalt()
	g.reached(ctx, g.takeCommands(ctx))
}

// lookForChanges looks for changed accounts, automations, stop modes and leases.
func (g *Guard) lookForChanges(ctx context.Context) { g.reached(ctx, g.refresh(ctx)) }

// reached says of a read of the record how it went.
func (g *Guard) reached(ctx context.Context, err error) {
	switch {
	case err == nil:
		g.storeReads()
	case ctx.Err() == nil:
		g.storeUnread(err)
	}
}

// lookForHalt notices that the halt file came or went.
func (g *Guard) lookForHalt() {
	if g.halt(g.o.Halted()) {
		g.AllDue()
	}
}

// halt takes the path of the halt file, empty for none, and says whether that is
// news.
func (g *Guard) halt(path string) bool {
	if *g.halted.Swap(&path) == path {
		return false
	}
	if path != "" {
		g.log.Warn("the halt file exists: nothing acts until it is removed", "file", path)
	} else {
		g.log.Info("the halt file is gone: automations act again")
	}
	return true
}

// refresh takes over the accounts whose rows changed. Only one goroutine runs it.
func (g *Guard) refresh(ctx context.Context) error {
	revision, err := g.o.Store.Revision(ctx)
	if err != nil {
		return fmt.Errorf("reading the revision: %w", err)
	}
	changed := revision != g.revision
	if !changed && !g.anyOutdated() {
		return nil
	}
	if err := g.reloadAll(ctx, changed); err != nil {
		return err
	}
	g.revision = revision
	return nil
}

// takeCommands gives commands to their accounts.
func (g *Guard) takeCommands(ctx context.Context) error {
	requested, err := g.o.Store.Requested(ctx)
	if err != nil {
		return fmt.Errorf("reading commands: %w", err)
	}
	byAccount := map[vigia.AccountID][]vigia.Execution{}
	for _, e := range requested {
		byAccount[e.Account] = append(byAccount[e.Account], e)
	}
	g.everyWard(func(w *ward) {
		if w.inbox.put(byAccount[w.id]) {
			g.queue.put(w)
		}
	})
	return nil
}
