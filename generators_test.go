package vigia_test

import (
	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

var (
	anySide     = rapid.SampledFrom([]vigia.Side{vigia.Long, vigia.Short})
	anyQuantity = rapid.Custom(func(t *rapid.T) vigia.USD {
		return vigia.USD(rapid.Int64Range(1, int64(vigia.MaxIsolatedQuantity)).Draw(t, "quantity"))
	})
	anyLeverage = rapid.Custom(func(t *rapid.T) vigia.Leverage {
		return vigia.Leverage(rapid.Int64Range(int64(vigia.MinLeverage), int64(vigia.MaxLeverage)).Draw(t, "leverage"))
	})
	// anyPrice is any the exchange can quote, half of them where markets are.
	anyPrice = rapid.OneOf(
		pricesBetween(vigia.MinPrice, vigia.MaxPrice),
		pricesBetween(vigia.Dollars(10_000), vigia.Dollars(200_000)),
	)
	// anyShare is over 0 and under 100 %.
	anyShare = rapid.Custom(func(t *rapid.T) vigia.Percent {
		return vigia.Percent(rapid.Int64Range(1, int64(vigia.HundredPercent)-1).Draw(t, "percent"))
	})
)

func pricesBetween(low, high vigia.Price) *rapid.Generator[vigia.Price] {
	return rapid.Custom(func(t *rapid.T) vigia.Price {
		return vigia.Price(rapid.Int64Range(int64(low), int64(high)).Draw(t, "ticks"))
	})
}

func satsBetween(low, high vigia.Sats) *rapid.Generator[vigia.Sats] {
	return rapid.Custom(func(t *rapid.T) vigia.Sats {
		return vigia.Sats(rapid.Int64Range(int64(low), int64(max(low, high))).Draw(t, "sats"))
	})
}

// position is a running isolated trade as far as the arithmetic goes.
type position struct {
	side     vigia.Side
	quantity vigia.USD
	entry    vigia.Price
	margin   vigia.Sats
}

func (p position) liquidation() vigia.Price {
	return vigia.Liquidation(p.side, p.quantity, p.entry, p.margin)
}

// leastMargin and mostMargin are those of leverage 100 and 1.
func (p position) leastMargin() vigia.Sats {
	return vigia.MarginFor(p.quantity, p.entry, vigia.MaxLeverage)
}

func (p position) mostMargin() vigia.Sats {
	return vigia.MarginAtLeverageOne(p.quantity, p.entry)
}

// anyPosition has a leverage of 1 to 100.
var anyPosition = rapid.Custom(func(t *rapid.T) position {
	p := position{
		side:     anySide.Draw(t, "side"),
		quantity: anyQuantity.Draw(t, "quantity"),
		entry:    anyPrice.Draw(t, "entry"),
	}
	p.margin = satsBetween(p.leastMargin(), p.mostMargin()).Draw(t, "margin")
	return p
})
