package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/guard"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// exchange is the guard's way to one account over the SDK.
type exchange struct {
	*lnmarkets.Client
	clock *clockCheck
}

// Prepare says in the guard's words that nothing was signed.
func (e exchange) Prepare(ctx context.Context, order vigia.Order) (vigia.PreparedCall, error) {
	call, err := e.Client.Prepare(ctx, order)
	if err != nil {
		return call, fmt.Errorf("%w: %w", guard.ErrNotPrepared, err)
	}
	return call, nil
}

func (e exchange) Running(ctx context.Context) ([]vigia.Trade, time.Time, error) {
	trades, begun, err := e.Client.Running(ctx)
	return trades, begun, e.refused(ctx, err)
}

func (e exchange) Balance(ctx context.Context) (guard.Balance, time.Time, error) {
	account, begun, err := e.Account(ctx)
	if err != nil {
		return guard.Balance{}, begun, e.refused(ctx, err)
	}
	return guard.Balance{Free: account.Free(), FeeTier: int(account.FeeTier)}, begun, nil
}

func (e exchange) Cross(ctx context.Context) (vigia.CrossPosition, time.Time, error) {
	position, begun, err := e.CrossPosition(ctx)
	return position, begun, e.refused(ctx, err)
}

// lookBack is how many closed trades are searched for one that just ended.
const lookBack = 100

// Ended searches the newest closed trades, no further back than since.
func (e exchange) Ended(ctx context.Context, trade vigia.TradeID, since time.Time) (vigia.Trade, time.Time, bool, error) {
	begun := time.Time{}
	for closed, err := range e.Closed(ctx, lnmarkets.Window{Limit: lookBack}) {
		if err != nil {
			return vigia.Trade{}, begun, false, e.refused(ctx, err)
		}
		if closed.ID == trade {
			return closed, begun, true, nil
		}
		if !closed.ClosedAt.IsZero() && closed.ClosedAt.Before(since) {
			break
		}
	}
	return vigia.Trade{}, begun, false, nil
}

// refused marks the exchange's word that it does not take the key. A clock that
// jumped looks the same: the clocks are compared first, and only where they agree
// is the key to blame.
func (e exchange) refused(ctx context.Context, err error) error {
	var answer *lnmarkets.Error
	if !errors.As(err, &answer) || !answer.KeyRefused() {
		return err
	}
	if e.clock.jumped(ctx) {
		return fmt.Errorf("the clocks were apart, which is corrected now: %w", err)
	}
	return fmt.Errorf("%w: %w", guard.ErrKeyRefused, err)
}

// clockCheck measures the clocks again when a key is refused, at most once in a
// while however many keys are.
type clockCheck struct {
	network *network
	mu      sync.Mutex
	at      time.Time
	moved   bool
}

// checkEvery bounds the measurements: the public calls are few.
const checkEvery = 5 * time.Second

// jumped says whether the clocks were found apart by more than is tolerated since
// they were last compared. A clock that cannot be read is no reason to blame a key.
func (c *clockCheck) jumped(ctx context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.network
	now := n.server.clock.Now()
	if !c.at.IsZero() && vigia.Age(now, c.at) < checkEvery {
		return c.moved
	}
	before := n.offset.Last()
	after, err := n.public.MeasureOffset(ctx, n.offset, 1)
	c.at = n.server.clock.Now()
	c.moved = err != nil || (after.Ahead-before.Ahead).Abs() > lnmarkets.WarnOffset
	if c.moved && err == nil {
		n.log.Warn("the clocks had moved apart; signatures are corrected from now on", "ahead_of_us", after.Ahead.String())
	}
	return c.moved
}

// ticker reads the price for the feed.
type ticker struct{ *lnmarkets.Public }

func (t ticker) Ticker(ctx context.Context) (vigia.Market, error) { return t.Market(ctx) }
