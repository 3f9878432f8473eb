package vigia

import "fmt"

// CrossFill is what one order on the cross position cost and realised. Unless
// the margin ran out, it changed by PL − Fee.
type CrossFill struct {
	Fee Sats
	// PL is realised profit, negative for a loss; 0 for an order that only adds
	// or whose loss stays in the entry price.
	PL Sats
}

// Order fills q dollars at a price and says what the exchange makes of the
// position (reference 7.8, order effects). A refused order changes nothing.
func (b CrossBook) Order(side Side, q USD, at Price, rate FeeRate) (CrossBook, CrossFill, error) {
	if err := CheckOrderQuantity(q); err != nil {
		return b, CrossFill{}, err
	}
	change := USD(side) * q
	if b.Quantity+change == 0 {
		next, fill := b.Close(at, rate)
		return next, fill, nil
	}
	next, realised := b.filled(change, at)
	fill := CrossFill{Fee: Fee(q, at, rate), PL: realised}
	next.Margin += fill.PL - fill.Fee
	if err := next.Check(); err != nil {
		return b, CrossFill{}, err
	}
	return next, fill, nil
}

// Close fills the opposite order of the position's own size, which may be more
// than a single order's. Margin that the loss and the fee exceed is gone, not
// owed.
func (b CrossBook) Close(at Price, rate FeeRate) (CrossBook, CrossFill) {
	if b.Quantity == 0 {
		return b, CrossFill{}
	}
	fill := CrossFill{Fee: Fee(b.Size(), at, rate), PL: b.PL(at)}
	return CrossBook{Margin: max(0, b.Margin+fill.PL-fill.Fee), Leverage: b.Leverage}, fill
}

// Liquidate closes at the liquidation price. What the maintenance margin leaves
// stays in the margin (reference 10).
func (b CrossBook) Liquidate(rate FeeRate) (CrossBook, CrossFill) {
	return b.Close(b.Liquidation(), rate)
}

// SetLeverage changes what the position binds, not its margin or its entry
// (reference 7.8). It is refused when the margin would not carry it.
func (b CrossBook) SetLeverage(lev Leverage) (CrossBook, error) {
	if err := CheckLeverage(lev); err != nil {
		return b, err
	}
	next := b
	next.Leverage = lev
	if err := next.Check(); err != nil {
		return b, err
	}
	return next, nil
}

// Deposit adds to the margin.
func (b CrossBook) Deposit(amount Sats) CrossBook {
	b.Margin += amount
	return b
}

// Withdraw takes from the margin: at most what is free at the mark, and never
// so much that the position would not be accepted any more (reference 7.8).
func (b CrossBook) Withdraw(amount Sats, mark Price) (CrossBook, error) {
	if free := b.FreeMargin(mark); amount > free {
		return b, fmt.Errorf("%w: %d sats asked, %d free", ErrFreeMarginTooLow, amount, max(0, free))
	}
	next := b
	next.Margin -= amount
	if err := next.Check(); err != nil {
		return b, err
	}
	return next, nil
}

// CrossFunding is what a settlement took: Fee is positive when paid; Close is
// the fill of a position that could not pay it.
type CrossFunding struct {
	Fee    Sats
	Closed bool
	Close  CrossFill
}

// SettleFunding takes the fee from the margin, or adds it (reference 7.7). What
// the exchange does with a position whose free margin does not cover the fee is
// not known: it is closed at the mark first (the policy of flemosr/quantoxide,
// vector cross_sequences-12).
func (b CrossBook) SettleFunding(fixing Price, rate FundingRate, mark Price, fees FeeRate) (CrossBook, CrossFunding) {
	if b.Quantity == 0 {
		return b, CrossFunding{}
	}
	out := CrossFunding{Fee: FundingFee(b.Side(), b.Size(), fixing, rate)}
	next := b
	if out.Fee > 0 && out.Fee >= b.FreeMargin(mark) {
		out.Closed = true
		next, out.Close = b.Close(mark, fees)
	}
	next.Margin = max(0, next.Margin-out.Fee)
	return next, out
}

// filled applies a signed change that does not end flat: the new quantity and
// entry, and what is realised.
func (b CrossBook) filled(change USD, at Price) (next CrossBook, realised Sats) {
	next = b
	next.Quantity += change
	switch {
	case b.Quantity == 0:
		next.Entry = at
	case sideOf(change) == b.Side():
		next.Entry = b.averaged(change, at)
	case next.Side() != b.Side():
		next.Entry = at
		return next, b.PL(at)
	default:
		realised = PL(b.Side(), USD(abs(int64(change))), b.Entry, at)
		if realised >= 0 {
			return next, realised
		}
		if entry, ok := b.carried(next.Quantity, at); ok {
			next.Entry = entry
			return next, 0
		}
	}
	return next, realised
}

// averaged is the entry after adding on the same side: ΣQ/Σ(Q/P), on the tick.
func (b CrossBook) averaged(change USD, at Price) Price {
	had, added := int64(b.Size()), abs(int64(change))
	top := mul(had+added, int64(b.Entry)).times(int64(at))
	return clampPrice(top.overNearest(mul(had, int64(at)).plus(mul(added, int64(b.Entry)))))
}

// carried is the entry at which the rest of a reduced position has the loss of
// all of it: 1/entry' = 1/mark + s·P&L/(K·Q_rest), on the tick. There is none
// when no entry on the grid would make the rest lose so much; then the part's
// loss is realised, which is our choice and not known of the exchange.
func (b CrossBook) carried(rest USD, at Price) (Price, bool) {
	all, left := int64(b.Size()), abs(int64(rest))
	whole, cut := mul(all, int64(at)), mul(all-left, int64(b.Entry))
	if whole.cmp(cut) <= 0 {
		return 0, false
	}
	entry := Price(mul(left, int64(b.Entry)).times(int64(at)).overNearest(whole.minus(cut)))
	return entry, entry.Valid()
}
