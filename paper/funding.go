package paper

import (
	"crypto/sha256"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// FundingInterval is the time between settlements, at 00:00, 08:00 and 16:00
// UTC (reference 7.7).
const FundingInterval = 8 * time.Hour

// NextFunding is the first settlement after a time.
func NextFunding(at time.Time) time.Time {
	return at.UTC().Truncate(FundingInterval).Add(FundingInterval)
}

// Settlement is one settlement of funding.
type Settlement struct {
	ID     string            `json:"id"`
	At     time.Time         `json:"at"`
	Rate   vigia.FundingRate `json:"rate"`
	Fixing vigia.Price       `json:"fixing"`
}

// FundingFee is what one trade paid at a settlement; negative when it received.
type FundingFee struct {
	// At is the settlement's time; where a trader has more than one trade they
	// follow by milliseconds, so that each row has a time of its own.
	At         time.Time     `json:"at"`
	Settlement string        `json:"settlement"`
	Trade      vigia.TradeID `json:"trade"`
	Fee        vigia.Sats    `json:"fee"`
}

// SetFundingRate announces the rate of the next settlement.
func (e *Engine) SetFundingRate(rate vigia.FundingRate) error {
	_, err := e.do(command{Op: opRate, Rate: rate})
	return err
}

// Settlements are all there were, the last first.
func (e *Engine) Settlements() []Settlement {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := slices.Clone(e.settlements)
	slices.Reverse(out)
	return out
}

// FundingFees are what an account's trades paid and received, the last first.
func (e *Engine) FundingFees(id vigia.AccountID) []FundingFee {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.accounts[id]
	if a == nil {
		return nil
	}
	out := slices.Clone(a.fees)
	slices.Reverse(out)
	return out
}

// settleFunding charges and credits every running trade at the index of this
// moment, announces the next rate, and works off the liquidations it moved into
// the price.
func (e *Engine) settleFunding() error {
	s := Settlement{ID: settlementID(e.nextFunding), At: e.nextFunding, Rate: e.rate, Fixing: e.index}
	e.settlements = append(e.settlements, s)
	e.nextFunding = s.At.Add(FundingInterval)
	if e.rules.FundingSeed != 0 {
		e.rate = drawnRate(e.rules.FundingRate, e.rules.FundingSeed, e.nextFunding)
	}
	for _, a := range e.order {
		at := s.At
		for _, t := range slices.Clone(a.live) {
			if t.State != vigia.TradeRunning {
				continue
			}
			if err := e.fund(t, s, at); err != nil {
				return err
			}
			at = at.Add(time.Millisecond)
		}
	}
	return e.happen()
}

// fund settles one trade: paid from its margin, received into the wallet. The
// fee reserve stays as it is. A margin that cannot pay ends the trade at
// market, and the fee comes out of what that leaves.
func (e *Engine) fund(t *trade, s Settlement, at time.Time) error {
	a := t.owner
	fee := vigia.FundingFee(t.Side, t.Quantity, s.Fixing, s.Rate)
	if fee == 0 {
		return nil
	}
	if fee > 0 && !e.carries(t, t.Margin-fee) {
		before := t.Funding
		if err := e.finish(t, EventClosed, e.mark(t.Side, t.Quantity), fee); err != nil {
			return err
		}
		a.fees = append(a.fees, FundingFee{At: at, Settlement: s.ID, Trade: t.ID, Fee: t.Funding - before})
		return nil
	}
	margin, received := vigia.SettleFunding(t.Margin, fee)
	if margin != t.Margin {
		t.Margin = margin
		t.Liquidation = vigia.Liquidation(t.Side, t.Quantity, t.Price, margin)
		t.Leverage = shownLeverage(&t.Trade)
		e.waiting.arm(t)
	}
	t.Funding += fee
	a.fees = append(a.fees, FundingFee{At: at, Settlement: s.ID, Trade: t.ID, Fee: fee})
	err := e.ledger.post("funding", e.now, a.ID, t.ID,
		line{BookIsolatedMargin, -(fee + received)}, line{BookWallet, received}, line{BookFunding, fee})
	if err != nil {
		return err
	}
	e.say(EventFunding, t, at, fee)
	return e.checkHeld("funding", t)
}

// carries says whether a margin still carries a trade after funding.
func (e *Engine) carries(t *trade, margin vigia.Sats) bool {
	if margin < 1 {
		return false
	}
	return e.rules.FundAnyLeverage || vigia.LeverageOf(t.Quantity, margin, t.Price) <= vigia.MaxLeverage
}

// drawnRate is within 0.05 % of the middle, the same for a seed and a time.
func drawnRate(middle vigia.FundingRate, seed uint64, at time.Time) vigia.FundingRate {
	const widest = 5_000_000
	from := mathrand.New(mathrand.NewPCG(seed, uint64(at.Unix())))
	return middle + vigia.FundingRate(from.Int64N(2*widest+1)-widest)
}

// settlementID names a settlement by its time, on every engine alike.
func settlementID(at time.Time) string {
	sum := sha256.Sum256([]byte("settlement " + at.UTC().Format(time.RFC3339)))
	return uuid([16]byte(sum[:16]), 4)
}
