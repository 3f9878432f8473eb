package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/vigiaguard/vigia"
)

type accountCommands struct {
	Add    accountAdd    `cmd:"" help:"Add an exchange key; it is asked for, never a flag."`
	List   accountList   `cmd:"" help:"The accounts, and what their keys may do."`
	Prove  accountProve  `cmd:"" help:"Add one sat to the safest trade, to prove that writing works."`
	Remove accountRemove `cmd:"" help:"Forget an account and its sealed key."`
}

// onAccount is what a command takes that is about one account.
type onAccount struct {
	onServer
	Account string `help:"The account's label, or its id." required:"" placeholder:"NAME"`
}

type accountList struct {
	onServer
	JSON bool `help:"Print JSON."`
}

// Run lists the accounts.
func (c *accountList) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	accounts, err := pages[vigia.Account](ctx, r, "/accounts", url.Values{}, 0)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, accounts)
	}
	out := &printout{w: env.out}
	if len(accounts) == 0 {
		out.line("There is no account yet. Add one:  vigia account add --label main --network mainnet")
		return out.err
	}
	var rows [][]string
	for i := range accounts {
		a := &accounts[i]
		rows = append(rows, []string{a.Label, string(a.Network), mayDo(a), since(env.clock.Now(), a.ProvedAt), string(a.ID)})
	}
	out.table([]string{"label", "network", "may", "write proved", "id"}, rows)
	for i := range accounts {
		if a := &accounts[i]; a.Status == vigia.AccountRefused {
			out.line("\n■ %s: %s", a.Label, wrap("the exchange refuses its key: "+a.Detail+". Make a new key, remove the account and add it again.", "  "))
		}
	}
	return out.err
}

// mayDo says in two words what an account is good for.
func mayDo(a *vigia.Account) string {
	switch {
	case a.Status == vigia.AccountRefused:
		return "nothing: refused"
	case a.Status == vigia.AccountWatchOnly:
		return "watch (our switch)"
	case a.CanWrite():
		return "watch and act"
	}
	return "watch (read-only key)"
}

type accountRemove struct {
	onAccount
	Yes bool `help:"Do not ask."`
}

// Help says what goes.
func (c *accountRemove) Help() string {
	return `Its rules and its sealed key go with it; trades on the exchange, and stops that rest there, stay as they are.
The journal keeps what was done.

  vigia account remove --account main`
}

// Run removes an account after its label was typed.
func (c *accountRemove) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	var account vigia.Account
	if err := r.get(ctx, accountPath(c.Account, ""), &account); err != nil {
		return err
	}
	if !c.Yes {
		question := fmt.Sprintf("This forgets %s (%s), its rules and its sealed key. Nobody watches its trades then;\n"+
			"what rests on the exchange stays there.", account.Label, account.Network)
		if err := env.prompter().yes(question, account.Label, "--yes"); err != nil {
			return err
		}
	}
	if err := r.call(ctx, http.MethodDelete, accountPath(string(account.ID), ""), nil, nil, nil); err != nil {
		return err
	}
	out := &printout{w: env.out}
	out.line("%s is forgotten. Delete the key on the exchange too, if nothing else uses it.", account.Label)
	return out.err
}

// scopeText says what a key needs and why.
type scopeText struct{ scope, why string }

func wantedScopes() []scopeText {
	return []scopeText{
		{vigia.ScopeAccountRead, "to see the free balance"},
		{vigia.ScopeIsolatedRead, "to see your trades and where they are liquidated"},
		{vigia.ScopeIsolatedWrite, "to add margin, to set our stop, to close; without it the account is only watched"},
		{vigia.ScopeCrossRead, "to show the cross position"},
	}
}

func scopesHelp() string {
	var out strings.Builder
	for _, s := range wantedScopes() {
		fmt.Fprintf(&out, "  %-24s %s\n", s.scope, s.why)
	}
	return out.String()
}
