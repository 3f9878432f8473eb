package vigia_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// anyBook is a cross position that the exchange accepts, up to the largest its
// leverage allows.
var anyBook = rapid.Custom(func(t *rapid.T) vigia.CrossBook {
	book := vigia.CrossBook{Leverage: anyLeverage.Draw(t, "leverage"), Entry: anyPrice.Draw(t, "entry")}
	most := int64(vigia.MaxCrossQuantityAt(book.Leverage))
	book.Quantity = vigia.USD(anySide.Draw(t, "side")) * vigia.USD(rapid.Int64Range(1, most).Draw(t, "quantity"))
	least := book.RunningMargin() + book.Maintenance() + 1
	book.Margin = satsBetween(least, 2*least+vigia.SatsPerBTC).Draw(t, "margin")
	return book
})

func TestMoreCrossMarginNeverBringsLiquidationCloser(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		less := anyBook.Draw(t, "book")
		more := less.Deposit(satsBetween(0, vigia.SatsPerBTC).Draw(t, "deposit"))
		if less.Side().Worse(less.Liquidation(), more.Liquidation()) {
			t.Fatalf("liquidation went from %s to %s", less.Liquidation(), more.Liquidation())
		}
	})
}

func TestFreeCrossMarginIsWhatMayBeWithdrawn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		book, mark := anyBook.Draw(t, "book"), anyPrice.Draw(t, "mark")
		free := book.FreeMargin(mark)
		if _, err := book.Withdraw(free+1, mark); !errors.Is(err, vigia.ErrFreeMarginTooLow) {
			t.Fatalf("one more than %d is refused with %v", free, err)
		}
		if free <= 0 {
			return
		}
		if book.Side().Worse(mark, book.Liquidation()) {
			t.Fatalf("%d free beyond the liquidation %s", free, book.Liquidation())
		}
		next, err := book.Withdraw(free-1, mark)
		same(t, "refusal of one less", err, nil)
		same(t, "free then", next.FreeMargin(mark), 1)
	})
}

func TestFlatCrossBookHasNothingBoundAndNothingToLose(t *testing.T) {
	t.Parallel()
	flat := vigia.CrossBook{Margin: 1_000, Leverage: vigia.OneX}
	mark := vigia.Dollars(100_000)
	same(t, "side", flat.Side(), 0)
	same(t, "liquidation", flat.Liquidation(), 0)
	same(t, "liquidated", flat.LiquidatedAt(vigia.MinPrice), false)
	same(t, "running and maintenance", flat.RunningMargin()+flat.Maintenance(), 0)
	same(t, "free", flat.FreeMargin(mark), 1_000)
	empty, err := flat.Withdraw(1_000, mark)
	same(t, "refusal", err, nil)
	same(t, "margin after taking all", empty.Margin, 0)
	closed, fill := flat.Close(mark, vigia.ReserveRate)
	same(t, "closed", closed, flat)
	same(t, "fill", fill, vigia.CrossFill{})
	settled, funding := flat.SettleFunding(mark, 1_000_000, mark, vigia.ReserveRate)
	same(t, "settled", settled, flat)
	same(t, "funding", funding, vigia.CrossFunding{})
}

func TestCrossBookWithoutALeverageIsRefused(t *testing.T) {
	t.Parallel()
	book := vigia.CrossBook{Margin: vigia.SatsPerBTC, Quantity: 1, Entry: vigia.Dollars(100_000)}
	if err := book.Check(); !errors.Is(err, vigia.ErrLeverage) {
		t.Errorf("refused with %v", err)
	}
}
