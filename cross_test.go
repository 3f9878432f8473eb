package vigia_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/vigiaguard/vigia"
)

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
