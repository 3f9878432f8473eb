package paper

import (
	"net/http"
	"time"

	"github.com/vigiaguard/vigia"
)

// priceForm is the market as the admin port shows it.
type priceForm struct {
	Last        vigia.Price       `json:"last_usd"`
	Index       vigia.Price       `json:"index_usd"`
	FundingRate vigia.FundingRate `json:"funding_rate_e10"`
	FundingAt   time.Time         `json:"funding_at"`
	At          time.Time         `json:"at"`
}

func (a *admin) price(*http.Request) (any, error) {
	t := a.engine.Ticker()
	return priceForm{Last: t.Last, Index: t.Index, FundingRate: t.Rate, FundingAt: t.FundingAt, At: t.At}, nil
}

func (a *admin) steered() error {
	if a.runner == nil {
		return &Refusal{Code: CodeBadRequest, Message: "Nothing drives the price of this exchange", Status: http.StatusConflict}
	}
	return nil
}

func (a *admin) setPrice(r *http.Request) (any, error) {
	in, err := adminBody[struct {
		USD vigia.Price `json:"usd"`
	}](r)
	if err == nil {
		err = a.steered()
	}
	if err != nil {
		return nil, err
	}
	if err := a.runner.SetPrice(in.USD); err != nil {
		return nil, err
	}
	return a.price(r)
}

func (a *admin) drill(r *http.Request) (any, error) {
	in, err := adminBody[struct {
		Drop vigia.Percent `json:"drop_pct"`
		Over string        `json:"over"`
	}](r)
	if err == nil {
		err = a.steered()
	}
	if err != nil {
		return nil, err
	}
	over, err := spanOf("over", in.Over)
	if err != nil {
		return nil, err
	}
	from, to, err := a.runner.Drop(in.Drop, over)
	if err != nil {
		return nil, err
	}
	return map[string]vigia.Price{"from_usd": from, "to_usd": to}, nil
}

func (a *admin) freeze(r *http.Request) (any, error) {
	if err := a.steered(); err != nil {
		return nil, err
	}
	if err := a.runner.Freeze(); err != nil {
		return nil, err
	}
	return a.price(r)
}

func (a *admin) thaw(r *http.Request) (any, error) {
	if err := a.steered(); err != nil {
		return nil, err
	}
	if err := a.runner.Thaw(); err != nil {
		return nil, err
	}
	return a.price(r)
}

func (a *admin) setFundingRate(r *http.Request) (any, error) {
	in, err := adminBody[struct {
		Rate float64 `json:"rate"`
	}](r)
	if err != nil {
		return nil, err
	}
	if !(in.Rate >= -0.1 && in.Rate <= 0.1) {
		return nil, refuse("rate: got %v; it takes a fraction from -0.1 to 0.1", in.Rate)
	}
	if err := a.engine.SetFundingRate(vigia.FundingRateFromFloat(in.Rate)); err != nil {
		return nil, err
	}
	return a.price(r)
}
