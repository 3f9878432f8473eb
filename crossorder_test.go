package vigia_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

func anyOrder(t *rapid.T, book vigia.CrossBook) (vigia.CrossBook, vigia.CrossFill, vigia.Price, error) {
	at := anyPrice.Draw(t, "at")
	if rapid.Bool().Draw(t, "near") {
		at = max(vigia.MinPrice, min(vigia.MaxPrice, book.Entry+pricesBetween(-book.Entry/10, book.Entry/10).Draw(t, "off")))
	}
	next, fill, err := book.Order(anySide.Draw(t, "order side"), anyQuantity.Draw(t, "order"), at, vigia.ReserveRate)
	return next, fill, at, err
}

// exactEquity is what the book would be worth, closed at a price without a fee.
func exactEquity(b vigia.CrossBook, at vigia.Price) *big.Rat {
	if b.Quantity == 0 {
		return whole(b.Margin)
	}
	return add(whole(b.Margin), exactPL(b.Side(), b.Size(), b.Entry, at))
}

// halfTick is what the rounding of the entry may add or take.
func halfTick(b vigia.CrossBook) *big.Rat {
	if b.Quantity == 0 {
		return new(big.Rat)
	}
	quarter := big.NewRat(1, 4)
	value := multiply(whole(int64(vigia.SatsPerBTC)), whole(b.Size()))
	return subtract(divide(value, subtract(dollars(b.Entry), quarter)), divide(value, dollars(b.Entry)))
}

func TestCrossOrderCostsItsFeeAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book := anyBook.Draw(t, "book")
		next, fill, at, err := anyOrder(t, book)
		if err != nil {
			same(t, "book", next, book)
			return
		}
		if next.Quantity == 0 && next.Margin == 0 {
			return // the loss was more than the margin
		}
		same(t, "margin", next.Margin, book.Margin+fill.PL-fill.Fee)
		cost := subtract(subtract(exactEquity(book, at), exactEquity(next, at)), whole(fill.Fee))
		if allowed := add(halfTick(next), whole(int64(1))); cost.Abs(cost).Cmp(allowed) > 0 {
			t.Fatalf("%+v became %+v: %s sats went elsewhere", book, next, cost.FloatString(3))
		}
	})
}

func TestCrossBookIsAcceptedAfterEveryOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book := anyBook.Draw(t, "book")
		same(t, "accepted before", book.Check(), nil)
		for range rapid.IntRange(1, 8).Draw(t, "orders") {
			next, _, at, err := anyOrder(t, book)
			if err != nil {
				continue
			}
			same(t, "accepted", next.Check(), nil)
			same(t, "entry when flat", next.Quantity == 0, next.Entry == 0)
			if next.Quantity != 0 && !next.Entry.Valid() {
				t.Fatalf("entry %s after an order at %s", next.Entry, at)
			}
			book = next
			if book.Quantity == 0 {
				return
			}
		}
	})
}

func TestCrossLeverageChangesWhatIsBoundAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book, leverage := anyBook.Draw(t, "book"), anyLeverage.Draw(t, "new leverage")
		next, err := book.SetLeverage(leverage)
		if err != nil {
			same(t, "book", next, book)
			return
		}
		same(t, "accepted", next.Check(), nil)
		same(t, "liquidation", next.Liquidation(), book.Liquidation())
		next.Leverage = book.Leverage
		same(t, "the rest", next, book)
	})
}

func TestCrossLiquidationIsTouchedAtItsPriceAndLeavesNoDebt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book := anyBook.Draw(t, "book")
		at := book.Liquidation()
		same(t, "liquidated at its liquidation", book.LiquidatedAt(at), true)
		same(t, "liquidated a tick before", book.LiquidatedAt(at+vigia.Price(book.Side())), false)
		next, fill := book.Liquidate(vigia.ReserveRate)
		same(t, "book", next, vigia.CrossBook{Margin: next.Margin, Leverage: book.Leverage})
		same(t, "margin", next.Margin, max(0, book.Margin+fill.PL-fill.Fee))
	})
}

func TestCrossFundingThatDoesNotFitClosesThePosition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book, mark, fixing := anyBook.Draw(t, "book"), anyPrice.Draw(t, "mark"), anyPrice.Draw(t, "fixing")
		rate := vigia.FundingRate(rapid.Int64Range(-1e9, 1e9).Draw(t, "rate"))
		next, funding := book.SettleFunding(fixing, rate, mark, vigia.ReserveRate)
		same(t, "fee", funding.Fee, vigia.FundingFee(book.Side(), book.Size(), fixing, rate))
		same(t, "closed", funding.Closed, funding.Fee > 0 && funding.Fee >= book.FreeMargin(mark))
		same(t, "flat", next.Quantity == 0, funding.Closed)
		if !funding.Closed {
			same(t, "margin", next.Margin, book.Margin-funding.Fee)
			same(t, "accepted", next.Check(), nil)
		}
	})
}

// Order effects that the vectors show for longs, for shorts, and the loss that
// the rest of a position cannot carry.
func TestCrossOrderEffects(t *testing.T) {
	t.Parallel()
	book := func(q vigia.USD) vigia.CrossBook {
		return vigia.CrossBook{Margin: 499_000, Leverage: 10 * vigia.OneX, Quantity: q, Entry: vigia.Dollars(100_000)}
	}
	for _, c := range []struct {
		name     string
		book     vigia.CrossBook
		side     vigia.Side
		quantity vigia.USD
		at       vigia.Price
		want     vigia.CrossBook
		fill     vigia.CrossFill
	}{
		{
			"short adds", book(-1_000), vigia.Short, 1_000, vigia.Dollars(200_000),
			vigia.CrossBook{Margin: 498_500, Quantity: -2_000, Entry: vigia.Dollars(133_333) + 1}, vigia.CrossFill{Fee: 500},
		},
		{
			"short takes profit of a part", book(-1_000), vigia.Long, 400, vigia.Dollars(90_000),
			vigia.CrossBook{Margin: 543_000, Quantity: -600, Entry: vigia.Dollars(100_000)}, vigia.CrossFill{Fee: 444, PL: 44_444},
		},
		{
			"short carries the loss of a part", book(-1_000), vigia.Long, 400, vigia.Dollars(110_000),
			vigia.CrossBook{Margin: 498_637, Quantity: -600, Entry: vigia.Dollars(94_286) - 1}, vigia.CrossFill{Fee: 363},
		},
		{
			"short turns long", book(-1_000), vigia.Long, 1_500, vigia.Dollars(110_000),
			vigia.CrossBook{Margin: 499_000 - 1_363 - 90_910, Quantity: 500, Entry: vigia.Dollars(110_000)}, vigia.CrossFill{Fee: 1_363, PL: -90_910},
		},
		{
			"short closes", book(-1_000), vigia.Long, 1_000, vigia.Dollars(90_000),
			vigia.CrossBook{Margin: 499_000 - 1_111 + 111_111}, vigia.CrossFill{Fee: 1_111, PL: 111_111},
		},
		{
			"long whose rest cannot carry the loss realises the part's", book(1_000), vigia.Short, 950, vigia.Dollars(90_000),
			vigia.CrossBook{Margin: 499_000 - 1_055 - 105_556, Quantity: 50, Entry: vigia.Dollars(100_000)}, vigia.CrossFill{Fee: 1_055, PL: -105_556},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, fill, err := c.book.Order(c.side, c.quantity, c.at, vigia.ReserveRate)
			c.want.Leverage = c.book.Leverage
			same(t, "error", err, nil)
			same(t, "book", got, c.want)
			same(t, "fill", fill, c.fill)
		})
	}
}

func TestRefusedCrossOrderLeavesTheBookAsItWas(t *testing.T) {
	t.Parallel()
	book := vigia.CrossBook{Margin: 101_501, Leverage: 10 * vigia.OneX, Quantity: 1_000, Entry: vigia.Dollars(100_000)}
	refusals := map[string]func() (vigia.CrossBook, error){
		"order without margin": func() (vigia.CrossBook, error) {
			next, _, err := book.Order(vigia.Long, 1, vigia.Dollars(100_000), vigia.ReserveRate)
			return next, err
		},
		"order of nothing": func() (vigia.CrossBook, error) {
			next, _, err := book.Order(vigia.Long, 0, vigia.Dollars(100_000), vigia.ReserveRate)
			return next, err
		},
		"order beyond the limit": func() (vigia.CrossBook, error) {
			next, _, err := book.Order(vigia.Short, 500_001, vigia.Dollars(100_000), vigia.ReserveRate)
			return next, err
		},
		"leverage under 1":       func() (vigia.CrossBook, error) { return book.SetLeverage(vigia.OneX - 1) },
		"leverage over 100":      func() (vigia.CrossBook, error) { return book.SetLeverage(100*vigia.OneX + 1) },
		"withdrawal beyond free": func() (vigia.CrossBook, error) { return book.Withdraw(2, vigia.Dollars(100_000)) },
		"withdrawal of all free": func() (vigia.CrossBook, error) { return book.Withdraw(1, vigia.Dollars(100_000)) },
	}
	known := []error{
		vigia.ErrCrossMarginTooLow, vigia.ErrQuantityTooLow, vigia.ErrQuantityTooHigh, vigia.ErrLeverage, vigia.ErrFreeMarginTooLow,
	}
	for name, refuse := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next, err := refuse()
			same(t, "book", next, book)
			if !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}
