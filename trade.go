package vigia

import "time"

// TradeState is where an isolated trade stands in its life.
type TradeState string

// The states of a trade; exactly one holds.
const (
	TradeOpen     TradeState = "open"
	TradeRunning  TradeState = "running"
	TradeClosed   TradeState = "closed"
	TradeCanceled TradeState = "canceled"
)

// Trade is one isolated-margin futures trade as the exchange shows it.
type Trade struct {
	ID       TradeID    `json:"id"`
	State    TradeState `json:"state"`
	Side     Side       `json:"side"`
	Quantity USD        `json:"quantity_usd"`
	// Margin is the collateral now, EntryMargin the one at order time.
	Margin      Sats     `json:"margin_sats"`
	EntryMargin Sats     `json:"entry_margin_sats"`
	Leverage    Leverage `json:"leverage"`
	// Price is E of the formulas: the exchange's reference price, moved by
	// cash-in. EntryPrice is the fill.
	Price       Price `json:"price_usd"`
	EntryPrice  Price `json:"entry_price_usd"`
	Liquidation Price `json:"liquidation_usd"`
	// StopLoss and TakeProfit are 0 when not set.
	StopLoss   Price `json:"stop_loss_usd"`
	TakeProfit Price `json:"take_profit_usd"`
	// Trailing is the distance of a trailing stop, 0 when the stop is fixed.
	Trailing  Percent `json:"trailing_pct"`
	ExitPrice Price   `json:"exit_price_usd"`
	// PL excludes trading fees and funding.
	PL         Sats `json:"pl_sats"`
	OpeningFee Sats `json:"opening_fee_sats"`
	ClosingFee Sats `json:"closing_fee_sats"`
	// FeeReserve is the exchange's maintenanceMargin: unspent fees, negative
	// when a closed short cost more than was reserved.
	FeeReserve Sats `json:"fee_reserve_sats"`
	// Funding is positive when paid in total.
	Funding      Sats      `json:"funding_sats"`
	CashInPL     Sats      `json:"cash_in_pl_sats"`
	CashInMargin Sats      `json:"cash_in_margin_sats"`
	CreatedAt    time.Time `json:"created_at"`
	FilledAt     time.Time `json:"filled_at,omitzero"`
	ClosedAt     time.Time `json:"closed_at,omitzero"`
	ClientID     string    `json:"client_id,omitempty"`
}

// Running says whether the trade is a position.
func (t *Trade) Running() bool { return t.State == TradeRunning }

// WithMargin is the trade with another margin: its liquidation, leverage and
// closing reserve follow, as they do on the exchange.
func (t Trade) WithMargin(margin Sats) Trade {
	before := ClosingReserve(t.Quantity, t.Liquidation)
	t.Margin = margin
	t.Liquidation = Liquidation(t.Side, t.Quantity, t.Price, margin)
	t.Leverage = LeverageOf(t.Quantity, margin, t.Price)
	t.FeeReserve += ClosingReserve(t.Quantity, t.Liquidation) - before
	return t
}

// AddCost is what the wallet loses when margin is added: the amount and the
// change of the fee reserve (reference 7.4), which can be negative for a short.
func (t *Trade) AddCost(amount Sats) Sats {
	after := Liquidation(t.Side, t.Quantity, t.Price, t.Margin+amount)
	return amount + ClosingReserve(t.Quantity, after) - ClosingReserve(t.Quantity, t.Liquidation)
}

// MaxAdd is the most margin the exchange takes before leverage falls under 1.
func (t *Trade) MaxAdd() Sats {
	return max(0, MarginAtLeverageOne(t.Quantity, t.Price)-t.Margin)
}

// CrossPosition is the account's single cross-margin position.
type CrossPosition struct {
	// Quantity is signed: negative is short, 0 flat.
	Quantity    USD      `json:"quantity_usd"`
	Margin      Sats     `json:"margin_sats"`
	Leverage    Leverage `json:"leverage"`
	EntryPrice  Price    `json:"entry_price_usd"`
	Liquidation Price    `json:"liquidation_usd"`
	Running     Sats     `json:"running_margin_sats"`
	Maintenance Sats     `json:"maintenance_margin_sats"`
	Initial     Sats     `json:"initial_margin_sats"`
	TotalPL     Sats     `json:"total_pl_sats"`
	DeltaPL     Sats     `json:"delta_pl_sats"`
	// Funding and Fees are cumulative, positive when paid.
	Funding Sats `json:"funding_sats"`
	Fees    Sats `json:"fees_sats"`
}

// Side is the side of the net quantity; 0 when flat.
func (c *CrossPosition) Side() Side {
	switch {
	case c.Quantity > 0:
		return Long
	case c.Quantity < 0:
		return Short
	}
	return 0
}
