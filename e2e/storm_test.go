package e2e

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// storm is bad weather over a world: a price that falls and jumps, and an exchange
// that misbehaves in every way it can. All of it follows from the seed, but for
// when exactly things happen.
type storm struct {
	*world
	draw *rand.Rand
	last int64 // dollars
	ends chan struct{}
	blew sync.WaitGroup
}

func newStorm(w *world, seed uint64) *storm {
	return &storm{world: w, draw: rand.New(rand.NewPCG(seed, 1)), last: 100_000}
}

// between draws a time.
func (s *storm) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.draw.Int64N(int64(to-from)))
}

// percent draws a chance.
func (s *storm) percent(from, to int64) vigia.Percent {
	return vigia.Percent(from+s.draw.Int64N(to-from)) * vigia.OnePercent
}

// kinds are all faults, as strong as the weather may be.
func (s *storm) faults() []paper.Fault {
	return []paper.Fault{
		{Kind: paper.FaultTooMany, Chance: s.percent(5, 30)},
		{Kind: paper.FaultUnavailable, Chance: s.percent(5, 30)},
		{Kind: paper.FaultReadsFail, Chance: s.percent(10, 60)},
		{Kind: paper.FaultSlow, Chance: s.percent(10, 40), Delay: s.between(50*time.Millisecond, 3*s.terms.timeout/2)},
		{Kind: paper.FaultReset, Chance: s.percent(5, 20)},
		{Kind: paper.FaultLost, Chance: s.percent(10, 40), Call: paper.AllWrites, Hang: s.draw.IntN(2) == 0},
		{Kind: paper.FaultLate, Chance: s.percent(10, 40), Call: paper.AllWrites, Hang: s.draw.IntN(2) == 0,
			Delay: s.between(s.terms.window/10, s.terms.window*19/20)},
		{Kind: paper.FaultStaleRead, Chance: s.percent(5, 30)},
		{Kind: paper.FaultStalePrice, Chance: s.percent(10, 50)},
		{Kind: paper.FaultStreamDrop, Chance: s.percent(1, 20)},
		{Kind: paper.FaultStreamSilent, Chance: s.percent(10, 60), Pings: s.draw.IntN(2) == 0},
		// Within what is allowed for a clock that drifted since it was compared.
		{Kind: paper.FaultClockOff, Shift: s.between(-s.terms.window/25, s.terms.window/25)},
	}
}

// begin lets the weather loose: about half of all faults, and the price.
func (s *storm) begin() {
	s.past.trouble()
	for _, f := range s.faults() {
		if s.draw.IntN(2) == 0 && (f.Kind != paper.FaultClockOff || f.Shift != 0) {
			s.fault(f)
		}
	}
	s.ends = make(chan struct{})
	moves := rand.New(rand.NewPCG(s.draw.Uint64(), 2))
	floor := s.last * 96 / 100
	s.blew.Go(func() {
		pace := time.NewTicker(25 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-s.ends:
				return
			case <-pace.C:
			}
			s.last = max(floor, s.last*(100_000+moves.Int64N(300)-190)/100_000)
			if moves.IntN(50) == 0 {
				s.last = max(floor, s.last*(1_000-moves.Int64N(15))/1_000)
			}
			s.price(s.last)
		}
	})
}

// end stops the price where it is; the faults go on.
func (s *storm) end() {
	close(s.ends)
	s.blew.Wait()
}

// trade opens trades until there are so many, most of them long. A trader who has
// lost too much for that gets some sats more.
func (s *storm) trade(most int) {
	s.t.Helper()
	if s.engine.Wallet(s.trader.ID) < 100_000*vigia.Sats(most) {
		if err := s.engine.Deposit(s.trader.ID, 500_000); err != nil {
			s.t.Fatal(err)
		}
	}
	for range most - len(s.engine.Running(s.trader.ID)) {
		side := vigia.Long
		if s.draw.IntN(5) == 0 {
			side = vigia.Short
		}
		s.open(side, vigia.USD(200+s.draw.Int64N(1_000)), 10+s.draw.Int64N(20))
	}
}

// meddle lets a person, or the exchange, do something at the same time.
func (s *storm) meddle() {
	running := s.engine.Running(s.trader.ID)
	if len(running) == 0 {
		return
	}
	id := running[s.draw.IntN(len(running))].ID
	switch s.draw.IntN(8) {
	case 0:
		_ = s.past.adds(id, vigia.Sats(1_000+s.draw.Int64N(5_000)), func(amount vigia.Sats) error {
			_, err := s.engine.AddMargin(s.trader.ID, id, amount)
			return err
		}) // refused when it ended
	case 1:
		_, _ = s.engine.CashIn(s.trader.ID, id, vigia.Sats(100+s.draw.Int64N(500))) // refused when it ended
	case 2:
		_, _ = s.engine.Close(s.trader.ID, id) // refused when it ended
	}
}
