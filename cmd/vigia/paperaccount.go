package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

type paperAccounts struct {
	New     paperAccountNew     `cmd:"" help:"Make an account and print its key."`
	List    paperAccountList    `cmd:"" help:"The accounts there are."`
	Deposit paperAccountDeposit `cmd:"" help:"Give an account more sats."`
}

type paperAccountNew struct {
	onPaper
	Balance string   `help:"Sats it begins with." required:"" placeholder:"SATS"`
	Scopes  []string `help:"What its key may do; everything but withdrawing when not given." placeholder:"SCOPE"`
}

// Help has the example.
func (c *paperAccountNew) Help() string {
	return `The secret and the passphrase are shown this once.

  vigia paper account new --balance 1000000 --json |
      jq -r '.key,.secret,.passphrase' | vigia account add --label drill --network paper`
}

// newPaperKey is a new account's key as scripts get it.
type newPaperKey struct {
	Key        string          `json:"key"`
	Secret     string          `json:"secret"`
	Passphrase string          `json:"passphrase"`
	ID         vigia.AccountID `json:"id"`
}

// Run makes an account.
func (c *paperAccountNew) Run(ctx context.Context, env environment) error {
	balance, err := positiveSats("balance", c.Balance)
	if err != nil {
		return err
	}
	body := map[string]any{"balance_sats": balance}
	if len(c.Scopes) > 0 {
		body["scopes"] = c.Scopes
	}
	var made paper.AccountForm
	if err := c.call(ctx, http.MethodPost, "/accounts", body, &made); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, newPaperKey{Key: made.Key, Secret: made.Secret, Passphrase: made.Passphrase, ID: made.ID})
	}
	out := &printout{w: env.out}
	out.line("key         %s\nsecret      %s\npassphrase  %s\n", made.Key, made.Secret, made.Passphrase)
	out.line("A paper account with %s sats, id %s. The secret is not shown again.", made.Balance.Grouped(), made.ID)
	out.line("Guard it:  vigia account add --label paper --network paper")
	return out.err
}

func positiveSats(field, text string) (vigia.Sats, error) {
	amount, err := vigia.ParseSats(text)
	if err != nil || amount < 0 || amount > vigia.MaxWalletSats {
		return 0, vigia.Invalid(field, fmt.Sprintf("got %q; it takes a whole number of sats, up to %s", text, vigia.MaxWalletSats.Grouped()))
	}
	return amount, nil
}

type paperAccountList struct {
	onPaper
}

// Run lists the accounts.
func (c *paperAccountList) Run(ctx context.Context, env environment) error {
	accounts := []paper.AccountForm{}
	if err := c.call(ctx, http.MethodGet, "/accounts", nil, &accounts); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, accounts)
	}
	out := &printout{w: env.out}
	if len(accounts) == 0 {
		out.line("There is no account. Make one:  vigia paper account new --balance 1000000")
		return out.err
	}
	var rows [][]string
	for i := range accounts {
		a := &accounts[i]
		rows = append(rows, []string{string(a.ID), a.Key, a.Balance.Grouped(), strings.Join(a.Scopes, " ")})
	}
	out.table([]string{"id", "key", " sats free", "may"}, rows)
	return out.err
}

type paperAccountDeposit struct {
	onPaper
	Account string `help:"Its id on the exchange." required:"" placeholder:"ID"`
	Sats    string `help:"How much." required:"" placeholder:"SATS"`
}

// Run gives an account sats.
func (c *paperAccountDeposit) Run(ctx context.Context, env environment) error {
	amount, err := positiveSats("sats", c.Sats)
	if err != nil {
		return err
	}
	var after struct {
		Balance vigia.Sats `json:"balance_sats"`
	}
	if err := c.call(ctx, http.MethodPost, "/accounts/"+url.PathEscape(c.Account)+"/deposit", map[string]vigia.Sats{"amount_sats": amount}, &after); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, after)
	}
	out := &printout{w: env.out}
	out.line("It has %s sats now.", after.Balance.Grouped())
	return out.err
}
