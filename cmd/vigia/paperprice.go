package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/vigiaguard/vigia"
)

type paperPrice struct {
	onPaper
	Set    string        `help:"Put the price there at once." placeholder:"USD"`
	Drop   string        `help:"Let it fall by this share; a negative one lets it rise." placeholder:"PERCENT"`
	Over   time.Duration `help:"With --drop: within what time." default:"60s"`
	Freeze bool          `help:"Hold it where it is."`
	Thaw   bool          `help:"Let it go on from there."`
}

// Help has the examples.
func (c *paperPrice) Help() string {
	return `Without a flag it shows the price.

  vigia paper price --set 95000
  vigia paper price --drop 5% --over 30s
  vigia paper price --freeze`
}

// paperMarket is the market as the admin port shows it.
type paperMarket struct {
	Last        vigia.Price       `json:"last_usd"`
	Index       vigia.Price       `json:"index_usd"`
	FundingRate vigia.FundingRate `json:"funding_rate_e10"`
	FundingAt   time.Time         `json:"funding_at"`
	At          time.Time         `json:"at"`
}

// Run moves the price, or shows it.
func (c *paperPrice) Run(ctx context.Context, env environment) error {
	asked := 0
	for _, given := range []bool{c.Set != "", c.Drop != "", c.Freeze, c.Thaw} {
		if given {
			asked++
		}
	}
	if asked > 1 {
		return vigia.Invalid("price", "got several of --set, --drop, --freeze and --thaw; it takes one at a time")
	}
	if c.Drop != "" {
		return c.fall(ctx, env)
	}
	method, path, body, err := c.request()
	if err != nil {
		return err
	}
	var market paperMarket
	if err := c.call(ctx, method, path, body, &market); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, market)
	}
	out := &printout{w: env.out}
	out.line("The paper price is %s (index %s); next funding %s at %s.", market.Last.Grouped(), market.Index.Grouped(),
		market.FundingRate, market.FundingAt.Local().Format("15:04"))
	return out.err
}

func (c *paperPrice) request() (method, path string, body any, err error) {
	switch {
	case c.Set != "":
		usd, err := vigia.ParsePrice(c.Set)
		if err != nil {
			return "", "", nil, vigia.Invalid("set", err.Error())
		}
		return http.MethodPut, "/price", map[string]vigia.Price{"usd": usd}, nil
	case c.Freeze:
		return http.MethodPost, "/freeze", nil, nil
	case c.Thaw:
		return http.MethodPost, "/thaw", nil, nil
	}
	return http.MethodGet, "/price", nil, nil
}

func (c *paperPrice) fall(ctx context.Context, env environment) error {
	drop, err := vigia.ParsePercent(c.Drop)
	if err != nil {
		return vigia.Invalid("drop", fmt.Sprintf("got %q; it takes %s", c.Drop, takesPercent))
	}
	var way struct {
		From vigia.Price `json:"from_usd"`
		To   vigia.Price `json:"to_usd"`
	}
	if err := c.call(ctx, http.MethodPost, "/drill", map[string]any{"drop_pct": drop, "over": c.Over.String()}, &way); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, way)
	}
	out := &printout{w: env.out}
	out.line("The paper price goes from %s to %s within %s.", way.From.Grouped(), way.To.Grouped(), c.Over)
	return out.err
}
