package vigia_test

import (
	"errors"
	"testing"

	"github.com/vigiaguard/vigia"
)

type levered struct {
	Leverage vigia.Leverage `json:"leverage"`
}

type maxQuantityWanted struct {
	Max vigia.USD `json:"max_quantity_usd"`
}

func crossMaxQuantity(t *testing.T, in levered, want maxQuantityWanted) {
	same(t, "max quantity", vigia.MaxCrossQuantityAt(in.Leverage), want.Max)
}

type bound struct {
	Running  vigia.Sats     `json:"running_margin_sats"`
	Price    vigia.Price    `json:"price_usd"`
	Leverage vigia.Leverage `json:"leverage"`
}

func crossQuantity(t *testing.T, in bound, want quantityWanted) {
	same(t, "quantity", vigia.QuantityFor(in.Running, in.Price, in.Leverage), want.Quantity)
}

type exposureWanted struct {
	Running     vigia.Sats   `json:"running_margin_sats"`
	Maintenance vigia.Sats   `json:"maintenance_margin_sats"`
	Liquidation *vigia.Price `json:"liquidation_usd"`
	Error       string       `json:"error"`
	Max         vigia.USD    `json:"max_quantity_usd"`
}

func crossExposure(t *testing.T, in positioned, want exposureWanted) {
	book := vigia.CrossBook{
		Margin:   in.Margin,
		Leverage: in.Leverage,
		Quantity: vigia.USD(in.Side.Side) * in.Quantity,
		Entry:    in.Entry,
	}
	if want.Error != "" {
		same(t, "error", crossError(book.Check()), want.Error)
		if want.Max != 0 {
			same(t, "max quantity", vigia.MaxCrossQuantityAt(in.Leverage), want.Max)
		}
		return
	}
	same(t, "error", book.Check(), nil)
	same(t, "running margin", book.RunningMargin(), want.Running)
	same(t, "maintenance margin", book.Maintenance(), want.Maintenance)
	if want.Liquidation != nil {
		same(t, "liquidation", book.Liquidation(), *want.Liquidation)
	}
}

// crossError is the vectors' name of a refusal.
func crossError(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, vigia.ErrCrossMarginTooLow):
		return "cross_margin_too_low"
	case errors.Is(err, vigia.ErrCrossQuantityTooHigh):
		return "cross_quantity_too_high_for_leverage"
	case errors.Is(err, vigia.ErrFreeMarginTooLow):
		return "free_margin_too_low"
	}
	return err.Error()
}

type aggregating struct {
	Existing      vigia.USD   `json:"existing_quantity_usd"`
	ExistingEntry vigia.Price `json:"existing_entry_usd"`
	Added         vigia.USD   `json:"added_quantity_usd"`
	AddedPrice    vigia.Price `json:"added_price_usd"`
}

type entryWanted struct {
	Entry vigia.Price `json:"entry_price_usd"`
}

// The entry is the same for both sides.
func crossEntryAggregate(t *testing.T, in aggregating, want entryWanted) {
	for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
		book := vigia.CrossBook{
			Margin:   vigia.SatsPerBTC,
			Leverage: vigia.OneX,
			Quantity: vigia.USD(side) * in.Existing,
			Entry:    in.ExistingEntry,
		}
		next, _, err := book.Order(side, in.Added, in.AddedPrice, 0)
		same(t, "error", err, nil)
		same(t, "entry", next.Entry, want.Entry)
	}
}

type bracketing struct {
	positioned
	Field       string      `json:"field"`
	Value       vigia.Price `json:"value_usd"`
	Liquidation vigia.Price `json:"liquidation_usd"`
}

type validWanted struct {
	Valid bool `json:"valid"`
}

func stopValidation(t *testing.T, in bracketing, want validWanted) {
	side := in.Side.Side
	margin := vigia.FlooredMargin(in.Quantity, in.Entry, in.Leverage)
	same(t, "liquidation", vigia.Liquidation(side, in.Quantity, in.Entry, margin), in.Liquidation)
	switch in.Field {
	case "stoploss":
		same(t, "valid", vigia.StopLossAllowed(side, in.Entry, in.Liquidation, in.Value), want.Valid)
	case "takeprofit":
		same(t, "valid", vigia.TakeProfitAllowed(side, in.Entry, in.Value), want.Valid)
	default:
		t.Fatalf("unknown field %s", in.Field)
	}
}

type untickd struct {
	Value float64 `json:"value_usd"`
}

type priceWanted struct {
	Price vigia.Price `json:"price_usd"`
}

func tickRounding(t *testing.T, in untickd, want priceWanted) {
	same(t, "price", vigia.PriceFromFloat(in.Value), want.Price)
}

type swapping struct {
	Asset string      `json:"in_asset"`
	Sats  vigia.Sats  `json:"in_amount_sats"`
	USD   vigia.USD   `json:"in_amount_usd"`
	Bid   vigia.Price `json:"bid_price_usd"`
	Ask   vigia.Price `json:"ask_price_usd"`
}

type swapWanted struct {
	Asset string     `json:"out_asset"`
	Sats  vigia.Sats `json:"out_amount_sats"`
	USD   float64    `json:"out_amount_usd"`
}

func syntheticSwap(t *testing.T, in swapping, want swapWanted) {
	switch in.Asset + " to " + want.Asset {
	case "BTC to USD":
		same(t, "cents", vigia.SwapToUSD(in.Sats, in.Bid), vigia.Cents(want.USD*100))
	case "USD to BTC":
		same(t, "sats", vigia.SwapToSats(vigia.Cents(in.USD*100), in.Ask), want.Sats)
	default:
		t.Fatalf("unknown swap %s to %s", in.Asset, want.Asset)
	}
}
