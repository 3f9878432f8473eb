package vigia

import "time"

// How old facts may be (product: "fresh", "stale means careful, not idle").
const (
	// FreshFor is how old a price, and the start of a snapshot, may be.
	FreshFor = 15 * time.Second
	// SeenRunningFor is how long ago a trade must have been seen running for
	// margin to be added to it.
	SeenRunningFor = 10 * time.Minute
)

// Seen is a trade and the start of the request that showed it.
type Seen struct {
	Trade
	// Begun is the version: of two sightings the later begun counts.
	Begun time.Time `json:"begun"`
}

// Snapshot is what is known of an account: immutable, and versioned by the
// start of the requests that made it.
type Snapshot struct {
	Account AccountID `json:"account"`
	// Trades are the running ones, in the exchange's order.
	Trades []Seen `json:"trades"`
	// TradesBegun is the start of the last whole read of the running list.
	TradesBegun time.Time `json:"trades_begun"`
	// Free is the wallet's balance in that read; margins are not in it.
	Free      Sats          `json:"free_sats"`
	FreeBegun time.Time     `json:"free_begun"`
	Cross     CrossPosition `json:"cross"`
	// CrossBegun is zero while the cross position was never read.
	CrossBegun time.Time `json:"cross_begun,omitzero"`
	FeeTier    int       `json:"fee_tier"`
	// Provisional marks what was read before the last start of the program.
	Provisional bool `json:"provisional"`
}

// Trade finds a running trade.
func (s *Snapshot) Trade(id TradeID) (*Seen, bool) {
	for i := range s.Trades {
		if s.Trades[i].ID == id {
			return &s.Trades[i], true
		}
	}
	return nil, false
}

// Market is the price everything is judged by: the futures last price, the
// reference for liquidation and triggers.
type Market struct {
	Last Price `json:"last_usd"`
	// ConfirmedAt is when the price was last known to hold: a tick, or a ping
	// answered on a subscribed socket, or a read.
	ConfirmedAt time.Time   `json:"confirmed_at"`
	FundingRate FundingRate `json:"funding_rate"`
	FundingAt   time.Time   `json:"funding_at"`
}

// Blind says whether the price is too old to act on.
func (m *Market) Blind(now time.Time) bool {
	return m.Last == 0 || Age(now, m.ConfirmedAt) > FreshFor
}

// Tick is one last price.
type Tick struct {
	Last Price
	// At is when it reached this machine.
	At time.Time
}
