package vigia_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/vigiaguard/vigia"
)

// vector is one published or derived figure of the exchange; what its inputs
// and expectations hold depends on the group.
type vector struct {
	ID         string            `json:"id"`
	Inputs     json.RawMessage   `json:"inputs"`
	Steps      []json.RawMessage `json:"steps"`
	Expected   json.RawMessage   `json:"expected"`
	FeePercent vigia.Percent     `json:"fee_percent"`
	Origin     string            `json:"origin"`
}

// exempt groups are about signatures: requests are signed in lnmarkets, whose
// sign_test.go runs them.
var exempt = map[string]string{
	"hmac_base64":              "signing: lnmarkets",
	"signature_rest_v3":        "signing: lnmarkets",
	"signature_stream_v1":      "signing: lnmarkets",
	"signature_rest_v2_legacy": "signing, switched off at the exchange: lnmarkets",
}

// groups says how the vectors of each group are checked.
var groups = map[string]func(*testing.T, vector){
	"margin_from_quantity":               checked(marginFromQuantity),
	"quantity_from_margin":               checked(quantityFromMargin),
	"leverage_from_margin":               checked(leverageFromMargin),
	"liquidation_from_leverage":          checked(liquidationFromLeverage),
	"liquidation_from_margin":            checked(liquidationFromMargin),
	"pl_floor":                           checked(plFloored),
	"pl_round_running":                   checked(plRunning),
	"trading_fee":                        checked(tradingFee),
	"isolated_fee_reserve":               checked(isolatedFeeReserve),
	"cash_in":                            checked(cashIn),
	"add_margin":                         checked(addMargin),
	"collateral_delta_for_liquidation":   checked(collateralDelta),
	"funding_fee":                        checked(fundingFee),
	"funding_effect_isolated":            checked(fundingEffect),
	"cross_max_quantity":                 checked(crossMaxQuantity),
	"cross_quantity_from_running_margin": checked(crossQuantity),
	"cross_exposure":                     checked(crossExposure),
	"cross_entry_aggregate":              checked(crossEntryAggregate),
	"stoploss_takeprofit_validation":     checked(stopValidation),
	"price_tick_rounding":                checked(tickRounding),
	"synthetic_usd_swap":                 checked(syntheticSwap),
	"cross_sequences":                    crossSequence,
	"isolated_sequences":                 isolatedSequence,
}

func TestVectorsOfTheExchange(t *testing.T) {
	t.Parallel()
	for name, vectors := range readVectors(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if why, ok := exempt[name]; ok {
				t.Skip("exempt at the root: " + why)
			}
			check, ok := groups[name]
			if !ok {
				t.Fatal("nobody checks this group of vectors")
			}
			for _, v := range vectors {
				t.Run(v.ID, func(t *testing.T) {
					t.Parallel()
					check(t, v)
				})
			}
		})
	}
}

func TestVectorGroupsAreAllInTheFile(t *testing.T) {
	t.Parallel()
	inFile := readVectors(t)
	for name := range groups {
		if len(inFile[name]) == 0 {
			t.Errorf("the file has no vectors of group %s", name)
		}
	}
	for name := range exempt {
		if len(inFile[name]) == 0 {
			t.Errorf("the file has no vectors of the exempt group %s", name)
		}
	}
}

func readVectors(t *testing.T) map[string][]vector {
	t.Helper()
	data, err := os.ReadFile("testdata/lnmarkets-math-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors map[string][]vector `json:"vectors"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// checked decodes a vector into what a group's check takes. A figure that the
// check does not know is a failure: none is passed over.
func checked[In, Out any](check func(*testing.T, In, Out)) func(*testing.T, vector) {
	return func(t *testing.T, v vector) {
		t.Helper()
		var in In
		var want Out
		strictly(t, v.Inputs, &in)
		strictly(t, v.Expected, &want)
		check(t, in, want)
	}
}

func strictly(t *testing.T, data []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

// orderSide reads the exchange's word for a side.
type orderSide struct{ vigia.Side }

func (s *orderSide) UnmarshalText(text []byte) error {
	switch string(text) {
	case "buy":
		s.Side = vigia.Long
	case "sell":
		s.Side = vigia.Short
	default:
		return fmt.Errorf("%q is not a side", text)
	}
	return nil
}

// shown is a leverage as the exchange shows it, in floating point.
type shown float64

func (s shown) leverage() vigia.Leverage { return vigia.LeverageFromFloat(float64(s)) }

// reporter is what *testing.T and *rapid.T have in common here.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

func same[T comparable](t reporter, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
