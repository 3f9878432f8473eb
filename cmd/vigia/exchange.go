package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/guard"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// exchange is the guard's way to one account over the SDK.
type exchange struct {
	*lnmarkets.Client
	offset *lnmarkets.Offset
}

// Prepare says in the guard's words that nothing was signed. The time of the
// signature is given by this machine's clock, as those of the reads are that it
// is compared with.
func (e exchange) Prepare(ctx context.Context, order vigia.Order) (vigia.PreparedCall, error) {
	call, err := e.Client.Prepare(ctx, order)
	if err != nil {
		return call, fmt.Errorf("%w: %w", guard.ErrNotPrepared, err)
	}
	call.SignedAt = call.SignedAt.Add(-e.offset.Last().Ahead)
	return call, nil
}

func (e exchange) Running(ctx context.Context) ([]vigia.Trade, time.Time, error) {
	trades, begun, err := e.Client.Running(ctx)
	return trades, begun, refused(err)
}

func (e exchange) Balance(ctx context.Context) (guard.Balance, time.Time, error) {
	account, begun, err := e.Client.Account(ctx)
	if err != nil {
		return guard.Balance{}, begun, refused(err)
	}
	return guard.Balance{Free: account.Free(), FeeTier: int(account.FeeTier)}, begun, nil
}

func (e exchange) Cross(ctx context.Context) (vigia.CrossPosition, time.Time, error) {
	position, begun, err := e.CrossPosition(ctx)
	return position, begun, refused(err)
}

// lookBack is how many closed trades are searched for one that just ended.
const lookBack = 100

// Ended searches the newest closed trades, no further back than since.
func (e exchange) Ended(ctx context.Context, trade vigia.TradeID, since time.Time) (vigia.Trade, time.Time, bool, error) {
	begun := time.Time{}
	for closed, err := range e.Closed(ctx, lnmarkets.Window{Limit: lookBack}) {
		if err != nil {
			return vigia.Trade{}, begun, false, refused(err)
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

// refused marks the exchange's word that it does not take the key.
func refused(err error) error {
	var answer *lnmarkets.Error
	if errors.As(err, &answer) && answer.KeyRefused() {
		return fmt.Errorf("%w: %w", guard.ErrKeyRefused, err)
	}
	return err
}

// ticker reads the price for the feed.
type ticker struct{ *lnmarkets.Public }

func (t ticker) Ticker(ctx context.Context) (vigia.Market, error) {
	wire, begun, err := t.Public.Ticker(ctx)
	if err != nil {
		return vigia.Market{}, err
	}
	return wire.Vigia(begun)
}
