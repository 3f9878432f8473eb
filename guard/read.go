package guard

import (
	"context"
	"errors"
	"sync"

	"github.com/vigiaguard/vigia/watch"
)

// readers bounds the reads under way at a time.
const readers = 64

// read does what the schedule says, side by side, until ctx ends.
func (g *Guard) read(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	places := make(chan struct{}, readers)
	for ctx.Err() == nil {
		next, wait := g.schedule.Next(g.clock.Now())
		if wait > 0 {
			timer := g.clock.NewTimer(wait)
			select {
			case <-timer.C():
			case <-g.schedule.Woken():
			case <-ctx.Done():
			}
			timer.Stop()
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			g.schedule.Done(next, context.Cause(ctx))
			return
		}
		under.Go(func() {
			defer func() { <-places }()
			g.readOne(ctx, next)
		})
	}
}

func (g *Guard) readOne(ctx context.Context, next watch.Read) {
	w := g.ward(next.Account)
	if w == nil {
		g.schedule.Remove(next.Account)
		return
	}
	w.mu.Lock()
	exchange := w.exchange
	w.mu.Unlock()
	if exchange == nil {
		g.schedule.Refused(next, g.clock.Now())
		return
	}
	err := g.look(ctx, exchange, next)
	switch {
	case errors.Is(err, ErrKeyRefused):
		g.keyRefused(next.Account, err.Error())
		g.schedule.Refused(next, g.clock.Now())
		return
	case err == nil:
		g.callSucceeded(w)
	case ctx.Err() == nil:
		g.log.Warn("a read failed; it is tried again", "account", next.Account, "read", next.What.String(), "error", err)
	}
	g.schedule.Done(next, err)
}

func (g *Guard) look(ctx context.Context, exchange Exchange, next watch.Read) error {
	switch next.What {
	case watch.ReadRunning:
		trades, begun, err := exchange.Running(ctx)
		if err == nil {
			g.sawRunning(ctx, next.Account, begun, trades)
		}
		return err
	case watch.ReadAccount:
		balance, begun, err := exchange.Balance(ctx)
		if err == nil {
			g.sawAccount(next.Account, begun, balance)
		}
		return err
	default:
		position, begun, err := exchange.Cross(ctx)
		if err == nil {
			g.sawCross(next.Account, begun, position)
		}
		return err
	}
}
