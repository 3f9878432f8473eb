package vigia_test

import (
	"errors"
	"testing"

	"github.com/vigiaguard/vigia"
)

// The inputs that most groups share; a group reads those it needs.
type sized struct {
	Quantity vigia.USD      `json:"quantity_usd"`
	Price    vigia.Price    `json:"price_usd"`
	Leverage vigia.Leverage `json:"leverage"`
	Margin   vigia.Sats     `json:"margin_sats"`
}

type marginWanted struct {
	Margin vigia.Sats `json:"margin_sats"`
}

func marginFromQuantity(t *testing.T, in sized, want marginWanted) {
	same(t, "margin", vigia.MarginFor(in.Quantity, in.Price, in.Leverage), want.Margin)
}

type quantityWanted struct {
	Quantity vigia.USD `json:"quantity_usd"`
	Error    string    `json:"error"`
}

func quantityFromMargin(t *testing.T, in sized, want quantityWanted) {
	got := vigia.QuantityFor(in.Margin, in.Price, in.Leverage)
	err := vigia.CheckOrderQuantity(got)
	switch want.Error {
	case "":
		same(t, "quantity", got, want.Quantity)
		same(t, "error", err, nil)
	case "quantity_too_low":
		same(t, "too low", errors.Is(err, vigia.ErrQuantityTooLow), true)
	case "quantity_too_high":
		same(t, "too high", errors.Is(err, vigia.ErrQuantityTooHigh), true)
	default:
		t.Fatalf("unknown error %s", want.Error)
	}
}

type leverageWanted struct {
	Leverage shown `json:"leverage"`
}

// Our leverage is a whole number of millionths: it equals the float of the
// vector on that grid.
func leverageFromMargin(t *testing.T, in sized, want leverageWanted) {
	same(t, "leverage", vigia.LeverageOf(in.Quantity, in.Margin, in.Price), want.Leverage.leverage())
}

type positioned struct {
	Side     orderSide      `json:"side"`
	Quantity vigia.USD      `json:"quantity_usd"`
	Entry    vigia.Price    `json:"entry_price_usd"`
	Leverage vigia.Leverage `json:"leverage"`
	Margin   vigia.Sats     `json:"margin_sats"`
}

type liquidationWanted struct {
	Liquidation vigia.Price `json:"liquidation_usd"`
}

func liquidationFromLeverage(t *testing.T, in positioned, want liquidationWanted) {
	margin := vigia.FlooredMargin(in.Quantity, in.Entry, in.Leverage)
	same(t, "liquidation", vigia.Liquidation(in.Side.Side, in.Quantity, in.Entry, margin), want.Liquidation)
}

func liquidationFromMargin(t *testing.T, in positioned, want liquidationWanted) {
	same(t, "liquidation", vigia.Liquidation(in.Side.Side, in.Quantity, in.Entry, in.Margin), want.Liquidation)
}

type moved struct {
	Side     orderSide   `json:"side"`
	Quantity vigia.USD   `json:"quantity_usd"`
	Entry    vigia.Price `json:"entry_price_usd"`
	Exit     vigia.Price `json:"exit_price_usd"`
	Mark     vigia.Price `json:"mark_price_usd"`
}

type plWanted struct {
	PL vigia.Sats `json:"pl_sats"`
}

func plFloored(t *testing.T, in moved, want plWanted) {
	same(t, "pl", vigia.PL(in.Side.Side, in.Quantity, in.Entry, in.Exit), want.PL)
}

func plRunning(t *testing.T, in moved, want plWanted) {
	same(t, "pl", vigia.RunningPL(in.Side.Side, in.Quantity, in.Entry, in.Mark), want.PL)
}

// feeRate is a percentage on the wire and the same number in our unit.
func feeRate(p vigia.Percent) vigia.FeeRate { return vigia.FeeRate(p) }

type feeCharged struct {
	Fee      vigia.Percent `json:"fee_percent"`
	Quantity vigia.USD     `json:"quantity_usd"`
	Price    vigia.Price   `json:"price_usd"`
}

type feeWanted struct {
	Fee vigia.Sats `json:"fee_sats"`
}

func tradingFee(t *testing.T, in feeCharged, want feeWanted) {
	same(t, "fee", vigia.Fee(in.Quantity, in.Price, feeRate(in.Fee)), want.Fee)
}

type reserved struct {
	positioned
	Tier1 vigia.Percent `json:"tier1_fee_percent"`
}

type reserveWanted struct {
	Opening vigia.Sats `json:"opening_fee_reserved_sats"`
	Closing vigia.Sats `json:"closing_fee_reserved_sats"`
	Both    vigia.Sats `json:"maintenance_margin_before_fill_sats"`
}

func isolatedFeeReserve(t *testing.T, in reserved, want reserveWanted) {
	same(t, "tier 1", feeRate(in.Tier1), vigia.ReserveRate)
	margin := vigia.FlooredMargin(in.Quantity, in.Entry, in.Leverage)
	opening := vigia.Fee(in.Quantity, in.Entry, vigia.ReserveRate)
	closing := vigia.ClosingReserve(in.Quantity, vigia.Liquidation(in.Side.Side, in.Quantity, in.Entry, margin))
	same(t, "opening reserve", opening, want.Opening)
	same(t, "closing reserve", closing, want.Closing)
	same(t, "reserve", opening+closing, want.Both)
}

type cashing struct {
	positioned
	Mark   vigia.Price `json:"market_price_usd"`
	Stop   vigia.Price `json:"stoploss_usd"`
	Amount vigia.Sats  `json:"amount_sats"`
}

type tradeWanted struct {
	Price       vigia.Price `json:"price_usd"`
	Margin      vigia.Sats  `json:"margin_sats"`
	Leverage    shown       `json:"leverage"`
	Liquidation vigia.Price `json:"liquidation_usd"`
	Stop        vigia.Price `json:"stoploss_usd"`
}

func cashIn(t *testing.T, in cashing, want tradeWanted) {
	got := vigia.CashIn(in.Side.Side, in.Quantity, in.Entry, in.Margin, in.Stop, in.Mark, in.Amount)
	stop := in.Stop
	if got.StopDropped {
		stop = 0
	}
	same(t, "price", got.Price, want.Price)
	same(t, "margin", got.Margin, want.Margin)
	same(t, "leverage", vigia.LeverageOf(in.Quantity, got.Margin, got.Price), want.Leverage.leverage())
	same(t, "liquidation", got.Liquidation, want.Liquidation)
	same(t, "stop", stop, want.Stop)
}

type adding struct {
	positioned
	Amount vigia.Sats `json:"amount_sats"`
}

func addMargin(t *testing.T, in adding, want tradeWanted) {
	margin := in.Margin + in.Amount
	same(t, "price", in.Entry, want.Price)
	same(t, "margin", margin, want.Margin)
	same(t, "leverage", vigia.LeverageOf(in.Quantity, margin, in.Entry), want.Leverage.leverage())
	same(t, "liquidation", vigia.Liquidation(in.Side.Side, in.Quantity, in.Entry, margin), want.Liquidation)
}

type aiming struct {
	positioned
	Liquidation vigia.Price `json:"liquidation_usd"`
	Mark        vigia.Price `json:"market_price_usd"`
	Target      vigia.Price `json:"target_liquidation_usd"`
}

type deltaWanted struct {
	Delta vigia.Sats `json:"delta_sats"`
}

// Besides the figure, its note is checked: what the delta makes of the trade is
// within a dollar of the target.
func collateralDelta(t *testing.T, in aiming, want deltaWanted) {
	side, q := in.Side.Side, in.Quantity
	same(t, "liquidation before", vigia.Liquidation(side, q, in.Entry, in.Margin), in.Liquidation)
	delta := vigia.CollateralDelta(side, q, in.Entry, in.Margin, in.Mark, in.Target)
	same(t, "delta", delta, want.Delta)
	after := vigia.Liquidation(side, q, in.Entry, in.Margin+delta)
	if delta < 0 {
		after = vigia.CashIn(side, q, in.Entry, in.Margin, 0, in.Mark, -delta).Liquidation
	}
	if off := after - in.Target; off < -vigia.Dollars(1) || off > vigia.Dollars(1) {
		t.Errorf("liquidation after it is %s, want %s within a dollar", after, in.Target)
	}
}

type rate float64

func (r rate) funding() vigia.FundingRate { return vigia.FundingRateFromFloat(float64(r)) }

type settling struct {
	Side     orderSide      `json:"side"`
	Quantity vigia.USD      `json:"quantity_usd"`
	Price    vigia.Price    `json:"price_usd"`
	Leverage vigia.Leverage `json:"leverage"`
	Margin   vigia.Sats     `json:"margin_sats"`
	Fixing   vigia.Price    `json:"fixing_price_usd"`
	Rate     rate           `json:"funding_rate"`
}

func fundingFee(t *testing.T, in settling, want feeWanted) {
	same(t, "fee", vigia.FundingFee(in.Side.Side, in.Quantity, in.Fixing, in.Rate.funding()), want.Fee)
}

type fundingWanted struct {
	Fee         vigia.Sats   `json:"fee_sats"`
	Margin      vigia.Sats   `json:"margin_sats"`
	Leverage    shown        `json:"leverage"`
	Liquidation *vigia.Price `json:"liquidation_usd"`
	ToWallet    *vigia.Sats  `json:"wallet_balance_delta_sats"`
}

func fundingEffect(t *testing.T, in settling, want fundingWanted) {
	side, q := in.Side.Side, in.Quantity
	fee := vigia.FundingFee(side, q, in.Fixing, in.Rate.funding())
	margin, toWallet := vigia.SettleFunding(in.Margin, fee)
	same(t, "fee", fee, want.Fee)
	same(t, "margin", margin, want.Margin)
	shown := max(vigia.MinLeverage, vigia.LeverageOf(q, margin, in.Price))
	same(t, "leverage", shown, want.Leverage.leverage())
	if want.Liquidation != nil {
		same(t, "liquidation", vigia.Liquidation(side, q, in.Price, margin), *want.Liquidation)
	}
	if want.ToWallet != nil {
		same(t, "to wallet", toWallet, *want.ToWallet)
	}
}
