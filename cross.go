package vigia

import (
	"errors"
	"fmt"
)

// The arithmetic of the cross position, one net position per account with all
// of the cross margin behind it (reference 7.8). What orders make of it is in
// crossorder.go.

// Why the exchange refuses a change of the cross position.
var (
	ErrCrossMarginTooLow    = errors.New("cross margin too low")
	ErrCrossQuantityTooHigh = errors.New("cross quantity too high for its leverage")
	ErrFreeMarginTooLow     = errors.New("free margin too low")
)

// CrossBook is the part of a cross position that the arithmetic needs: each
// operation makes the next one of it and leaves it as it was.
type CrossBook struct {
	Margin   Sats
	Leverage Leverage
	// Quantity is signed: negative is short, 0 flat.
	Quantity USD
	// Entry is 0 when flat.
	Entry Price
}

// CrossMaintenance is floor(N·0.0015), N = K·|Q|/entry (reference 7.8).
func CrossMaintenance(q USD, entry Price) Sats {
	return Sats(mul(abs(notional(q)), 15).over(mul(int64(entry), 10_000)))
}

// CrossRunningMargin is floor(N/L) (reference 7.8).
func CrossRunningMargin(q USD, entry Price, lev Leverage) Sats {
	return FlooredMargin(USD(abs(int64(q))), entry, lev)
}

// CrossLiquidation is the liquidation of a net cross position, q signed
// (reference 7.8): the isolated one with the maintenance margin taken off.
func CrossLiquidation(q USD, entry Price, margin Sats) Price {
	return Liquidation(sideOf(q), USD(abs(int64(q))), entry, margin-CrossMaintenance(q, entry))
}

// MaxCrossQuantityAt is the largest net position a leverage allows, from
// 15,000,000 at 1× to 10,000,000 at 100×:
// ceil((15,000,000·99 − (L − 1)·5,000,000)/(99·5))·5 (reference 7.8).
func MaxCrossQuantityAt(lev Leverage) USD {
	const (
		steps  = 99 // from 1× to 100×
		lost   = 5_000_000
		rounds = 5
	)
	lev = max(MinLeverage, min(MaxLeverage, lev))
	room := mul(int64(MaxCrossQuantity)*steps, int64(OneX)).minus(mul(int64(lev-OneX), lost))
	return USD(rounds * room.overUp(mul(steps*rounds, int64(OneX))))
}

// Side is the side of the net quantity; 0 when flat.
func (b CrossBook) Side() Side { return sideOf(b.Quantity) }

// Size is the net quantity without its sign.
func (b CrossBook) Size() USD { return USD(abs(int64(b.Quantity))) }

// RunningMargin is what the position binds at its leverage; 0 when flat.
func (b CrossBook) RunningMargin() Sats {
	if b.Quantity == 0 {
		return 0
	}
	return CrossRunningMargin(b.Quantity, b.Entry, b.Leverage)
}

// Maintenance is what pays the fee of a liquidation; 0 when flat.
func (b CrossBook) Maintenance() Sats {
	if b.Quantity == 0 {
		return 0
	}
	return CrossMaintenance(b.Quantity, b.Entry)
}

// Liquidation is the price at which the margin is gone, 0 when flat.
func (b CrossBook) Liquidation() Price {
	if b.Quantity == 0 {
		return 0
	}
	return CrossLiquidation(b.Quantity, b.Entry, b.Margin)
}

// LiquidatedAt says whether a last price touches the liquidation.
func (b CrossBook) LiquidatedAt(p Price) bool {
	return b.Quantity != 0 && !b.Side().Worse(b.Liquidation(), p)
}

// PL is the profit of the whole position at a mark, floored; 0 when flat.
func (b CrossBook) PL(mark Price) Sats {
	if b.Quantity == 0 {
		return 0
	}
	return PL(b.Side(), b.Size(), b.Entry, mark)
}

// FreeMargin is what may be withdrawn at a mark: margin − running −
// maintenance − max(0, loss − running) (reference 7.8). All of it when flat;
// negative when the position is in trouble.
func (b CrossBook) FreeMargin(mark Price) Sats {
	running := b.RunningMargin()
	return b.Margin - running - b.Maintenance() - max(0, -b.PL(mark)-running)
}

// Check refuses what the exchange would not accept (reference 7.8): a leverage
// or a quantity beyond it, or margin − maintenance not above the running margin.
func (b CrossBook) Check() error {
	if b.Quantity == 0 {
		return nil
	}
	if err := CheckLeverage(b.Leverage); err != nil {
		return err
	}
	if most := MaxCrossQuantityAt(b.Leverage); b.Size() > most {
		return fmt.Errorf("%w: %d USD at %s×, at most %d", ErrCrossQuantityTooHigh, b.Size(), b.Leverage, most)
	}
	if least := b.RunningMargin() + b.Maintenance(); b.Margin <= least {
		return fmt.Errorf("%w: %d sats, the position needs more than %d", ErrCrossMarginTooLow, b.Margin, least)
	}
	return nil
}

func sideOf(q USD) Side {
	switch {
	case q > 0:
		return Long
	case q < 0:
		return Short
	}
	return 0
}
