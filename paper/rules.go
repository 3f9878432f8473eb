package paper

import (
	"errors"
	"fmt"

	"github.com/vigiaguard/vigia"
)

// Rules are the switches of the exchange: what is not known of the real one has
// the default of reference 10 as its zero value.
type Rules struct {
	// Cross wants a price to go beyond a level; a touch is enough by default.
	Cross bool `json:"cross,omitempty"`
	// FillAtMarket fills what was triggered at bid or ask instead of at the
	// level itself.
	FillAtMarket bool `json:"fill_at_market,omitempty"`
	// NoFees takes and reserves no trading fees.
	NoFees bool `json:"no_fees,omitempty"`
	// NearestFees rounds fees to the nearest sat instead of down.
	NearestFees bool `json:"nearest_fees,omitempty"`
	// KeepReserve leaves the fee reserve alone when add-margin and cash-in move
	// the liquidation.
	KeepReserve bool `json:"keep_reserve,omitempty"`
	// ReturnLeftover pays out what a liquidation leaves of margin and reserve.
	ReturnLeftover bool `json:"return_leftover,omitempty"`
	// FundAnyLeverage lets funding push a leverage above 100 as long as there is
	// a sat of margin; by default such a trade is closed at market.
	FundAnyLeverage bool `json:"fund_any_leverage,omitempty"`
	// Ladder is the spread by size, smallest size first; none means bid and ask
	// are the last price. A quantity beyond it takes the last rung.
	Ladder []Rung `json:"ladder,omitempty"`
	// FundingRate is announced for the first settlement and kept after it,
	// unless FundingSeed draws another each time.
	FundingRate vigia.FundingRate `json:"funding_rate,omitempty"`
	// FundingSeed, when set, draws each settlement's rate within 0.05 % around
	// FundingRate.
	FundingSeed uint64 `json:"funding_seed,omitempty"`
	// Seed makes ids and keys from a seed, for tests that must repeat; 0 makes
	// them from the system's randomness.
	Seed uint64 `json:"seed,omitempty"`
	// KeepPostings bounds the postings remembered per account; 0 is 10,000.
	KeepPostings int `json:"keep_postings,omitempty"`
}

// Rung is the spread for orders of up to UpTo dollars.
type Rung struct {
	UpTo vigia.USD `json:"up_to"`
	// Half is the distance of bid and of ask from the last price, in ticks.
	Half int64 `json:"half"`
}

// The defaults of what has no useful zero.
const (
	defaultKeepPostings = 10_000
	// MaxTotalQuantity bounds the open and running trades of an account
	// together (reference 7.10).
	MaxTotalQuantity vigia.USD = 10_000_000
	// DefaultFundingRate is 0.01 %.
	DefaultFundingRate vigia.FundingRate = 1_000_000
)

// DefaultRules is the exchange as far as it is known, with a narrow ladder.
func DefaultRules() Rules {
	return Rules{
		FundingRate: DefaultFundingRate,
		Ladder: []Rung{
			{UpTo: 10_000, Half: 1},
			{UpTo: 100_000, Half: 3},
			{UpTo: vigia.MaxIsolatedQuantity, Half: 10},
		},
	}
}

// Frictionless is the exchange without fees, spread and funding: what worked
// examples and tables are reckoned on.
func Frictionless() Rules { return Rules{NoFees: true} }

// Check refuses a ladder that cannot be quoted from.
func (r *Rules) Check() error {
	below := vigia.USD(0)
	for i, rung := range r.Ladder {
		if rung.UpTo <= below {
			return fmt.Errorf("rung %d of the ladder ends at %d USD, not above the one before (%d)", i+1, rung.UpTo, below)
		}
		if rung.Half < 0 {
			return fmt.Errorf("rung %d of the ladder has a negative spread", i+1)
		}
		below = rung.UpTo
	}
	if r.KeepPostings < 0 {
		return errors.New("the number of postings to keep is negative")
	}
	return nil
}

// half is the distance of bid and ask from the last price for a quantity.
func (r *Rules) half(q vigia.USD) vigia.Price {
	for _, rung := range r.Ladder {
		if q <= rung.UpTo {
			return vigia.Price(rung.Half)
		}
	}
	if len(r.Ladder) > 0 {
		return vigia.Price(r.Ladder[len(r.Ladder)-1].Half)
	}
	return 0
}

// fee is the fee of a fill. Nearest is floor(x + 1/2), which is half of
// floor(2x) + 1.
func (r *Rules) fee(q vigia.USD, p vigia.Price, rate vigia.FeeRate) vigia.Sats {
	switch {
	case r.NoFees:
		return 0
	case r.NearestFees:
		return (vigia.Fee(q, p, 2*rate) + 1) / 2
	}
	return vigia.Fee(q, p, rate)
}

// closingReserve is the part of the fee reserve kept for the close at the
// liquidation.
func (r *Rules) closingReserve(q vigia.USD, liquidation vigia.Price) vigia.Sats {
	return r.fee(q, liquidation, vigia.ReserveRate)
}
