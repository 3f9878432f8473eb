package watch

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// AccountReader reads an account at the exchange with its key. Each call is one
// request, and ends when its context does.
type AccountReader interface {
	// Running is the whole list of running isolated trades.
	Running(ctx context.Context, account vigia.AccountID) ([]vigia.Trade, error)
	// Account is the free balance and the fee tier.
	Account(ctx context.Context, account vigia.AccountID) (free vigia.Sats, feeTier int, err error)
	// Cross is the cross position.
	Cross(ctx context.Context, account vigia.AccountID) (vigia.CrossPosition, error)
}

// PollerConfig is what a poller is made of. All but Workers is needed.
type PollerConfig struct {
	Clock     vigia.Clock
	Reader    AccountReader
	Schedule  *Schedule
	Snapshots *Snapshots
	// Changed gets what every read changed, from the goroutine that read.
	Changed func(Change)
	// Failed gets the reads that failed. True says that the exchange refuses
	// the key: then the account is left alone for a while.
	Failed func(Read, error) (refused bool)
	// Workers bounds the reads under way at a time: 64.
	Workers int
}

// Poller does what a schedule says and merges what it reads.
type Poller struct {
	config PollerConfig
	slots  chan struct{}
}

// NewPoller makes a poller.
func NewPoller(config PollerConfig) *Poller {
	return &Poller{config: config, slots: make(chan struct{}, cmp.Or(config.Workers, 64))}
}

// Run reads until the context ends; then it waits for the reads under way, which
// end with it, and returns nil.
func (p *Poller) Run(ctx context.Context) error {
	var under sync.WaitGroup
	defer under.Wait()
	for {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		read, ok := p.next(ctx)
		if !ok {
			return nil
		}
		under.Go(func() {
			defer func() { <-p.slots }()
			p.do(ctx, read)
		})
	}
}

// next waits for a read to be due; false when the context ends first.
func (p *Poller) next(ctx context.Context) (Read, bool) {
	for ctx.Err() == nil {
		read, wait := p.config.Schedule.Next(p.config.Clock.Now())
		if wait == 0 {
			return read, true
		}
		timer := p.config.Clock.NewTimer(wait)
		select {
		case <-timer.C():
		case <-p.config.Schedule.Woken():
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return Read{}, false
}

// do does one read. What the shutdown cut off is no failure.
func (p *Poller) do(ctx context.Context, read Read) {
	change, err := p.sight(ctx, read, p.config.Clock.Now())
	switch {
	case err == nil:
		for _, wanted := range change.Wanted {
			p.config.Schedule.Want(read.Account, wanted.What, wanted.At)
		}
		p.config.Schedule.Done(read, nil)
		p.config.Changed(change)
	case ctx.Err() != nil:
		p.config.Schedule.Done(read, err)
	case p.config.Failed(read, err):
		p.config.Schedule.Refused(read, p.config.Clock.Now())
	default:
		p.config.Schedule.Done(read, err)
	}
}

func (p *Poller) sight(ctx context.Context, read Read, begun time.Time) (Change, error) {
	reader, to := p.config.Reader, p.config.Snapshots
	switch read.What {
	case ReadRunning:
		trades, err := reader.Running(ctx, read.Account)
		if err != nil {
			return Change{}, fmt.Errorf("reading the running trades: %w", err)
		}
		return to.SawRunning(read.Account, begun, trades), nil
	case ReadAccount:
		free, tier, err := reader.Account(ctx, read.Account)
		if err != nil {
			return Change{}, fmt.Errorf("reading the account: %w", err)
		}
		return to.SawAccount(read.Account, begun, free, tier), nil
	}
	position, err := reader.Cross(ctx, read.Account)
	if err != nil {
		return Change{}, fmt.Errorf("reading the cross position: %w", err)
	}
	return to.SawCross(read.Account, begun, position), nil
}
