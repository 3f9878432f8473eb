package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

type paperTrades struct {
	Open paperTradeOpen `cmd:"" help:"Open a trade at the market."`
	List paperTradeList `cmd:"" help:"The running trades of an account."`
}

type paperTradeOpen struct {
	onPaper
	Account  string `help:"Its id on the exchange: vigia paper account list." required:"" placeholder:"ID"`
	Side     string `help:"long or short." enum:"long,short" default:"long"`
	Quantity string `help:"In dollars." required:"" placeholder:"USD"`
	Leverage string `help:"1 to 100." required:"" placeholder:"X"`
	Stop     string `help:"A stop-loss of your own." placeholder:"USD"`
}

// Help has the example.
func (c *paperTradeOpen) Help() string {
	return `Filled at once at the price of now.

  vigia paper trade open --account ID --side long --quantity 1000 --leverage 20`
}

// Run opens a trade.
func (c *paperTradeOpen) Run(ctx context.Context, env environment) error {
	order, err := c.order(env)
	if err != nil {
		return err
	}
	var made lnmarkets.Trade
	if err := c.call(ctx, http.MethodPost, c.path(c.Account), order, &made); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, made)
	}
	out := &printout{w: env.out}
	out.line("%s is open: %s %s USD at %s, liquidated at %s, %s sats of margin.", made.ID, c.Side, c.Quantity,
		vigia.Price(made.Price).Grouped(), vigia.Price(made.Liquidation).Grouped(), vigia.Sats(made.Margin).Grouped())
	return out.err
}

func (o *onPaper) path(account string) string {
	return "/accounts/" + url.PathEscape(account) + "/trades"
}

func (c *paperTradeOpen) order(env environment) (*lnmarkets.NewTrade, error) {
	quantity, err := vigia.ParseUSD(c.Quantity)
	if err == nil {
		err = vigia.CheckOrderQuantity(quantity)
	}
	if err != nil {
		return nil, vigia.Invalid("quantity", err.Error())
	}
	leverage, err := vigia.ParseLeverage(c.Leverage)
	if err == nil {
		err = vigia.CheckLeverage(leverage)
	}
	if err != nil {
		return nil, vigia.Invalid("leverage", err.Error())
	}
	var stop vigia.Price
	if err := given("stop", c.Stop, "a price in steps of half a dollar", vigia.ParsePrice, &stop); err != nil {
		return nil, err
	}
	side := lnmarkets.Buy
	if c.Side == vigia.Short.String() {
		side = lnmarkets.Sell
	}
	return &lnmarkets.NewTrade{Type: lnmarkets.Market, Side: side, Leverage: leverage.Float(), Quantity: lnmarkets.Int(quantity),
		Stoploss: lnmarkets.Price(stop), ClientID: vigia.NewID(env.clock.Now())}, nil
}

type paperTradeList struct {
	onPaper
	Account string `help:"Its id on the exchange: vigia paper account list." required:"" placeholder:"ID"`
}

// Run lists trades: all states for scripts, the running ones for people.
func (c *paperTradeList) Run(ctx context.Context, env environment) error {
	trades := map[vigia.TradeState][]lnmarkets.Trade{}
	if err := c.call(ctx, http.MethodGet, c.path(c.Account), nil, &trades); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, trades)
	}
	out := &printout{w: env.out}
	var rows [][]string
	for i := range trades[vigia.TradeRunning] {
		t := &trades[vigia.TradeRunning][i]
		rows = append(rows, []string{t.ID, string(t.Side), strconv.FormatInt(int64(t.Quantity), 10), fmt.Sprintf("%.1f×", t.Leverage),
			vigia.Price(t.Price).Grouped(), vigia.Price(t.Liquidation).Grouped(), vigia.Sats(t.Margin).Grouped(), vigia.Sats(t.PL).Grouped()})
	}
	if len(rows) == 0 {
		out.line("No trade runs.")
		return out.err
	}
	out.table([]string{"id", "side", " USD", " leverage", " entered", " liquidated at", " margin", " P&L"}, rows)
	return out.err
}
