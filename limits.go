package vigia

import (
	"errors"
	"fmt"
)

// Why the exchange refuses a size. The errors that carry them name the limit.
var (
	ErrQuantityTooLow  = errors.New("quantity too low")
	ErrQuantityTooHigh = errors.New("quantity too high")
	ErrLeverage        = errors.New("leverage out of range")
)

// CheckOrderQuantity refuses what no single order may have, isolated or cross:
// 1 to 500,000 USD (reference 7.10). A cross position may grow beyond it.
func CheckOrderQuantity(q USD) error {
	switch {
	case q < 1:
		return fmt.Errorf("%w: %d USD, an order has at least 1", ErrQuantityTooLow, q)
	case q > MaxIsolatedQuantity:
		return fmt.Errorf("%w: %d USD, an order has at most %d", ErrQuantityTooHigh, q, MaxIsolatedQuantity)
	}
	return nil
}

// CheckLeverage refuses a leverage outside 1 to 100 (reference 7.10).
func CheckLeverage(lev Leverage) error {
	if lev < MinLeverage || lev > MaxLeverage {
		return fmt.Errorf("%w: %s, the exchange takes %s to %s", ErrLeverage, lev, MinLeverage, MaxLeverage)
	}
	return nil
}

// StopLossAllowed says whether the exchange takes a stop-loss (reference 7.9):
// at the liquidation or on this side of it, and worse than the reference price,
// which is the market for a running trade and its limit price for an open one.
func StopLossAllowed(side Side, reference, liquidation, stop Price) bool {
	return side.Worse(stop, reference) && !side.Worse(stop, liquidation)
}

// TakeProfitAllowed says whether the exchange takes a take-profit: better than
// the reference price, which is StopLossAllowed's (reference 7.9).
func TakeProfitAllowed(side Side, reference, target Price) bool {
	return side.Worse(reference, target)
}
