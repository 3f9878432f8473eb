package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/vigiaguard/vigia"
)

type accountAdd struct {
	onServer
	Label            string `help:"What you call it." required:"" placeholder:"NAME"`
	Network          string `help:"Where it trades: mainnet, signet or paper." enum:"mainnet,signet,paper" default:"mainnet"`
	WatchOnly        bool   `help:"Watch, and never trade with it, whatever the key may do."`
	AllowWithdrawals bool   `help:"Take a key that could withdraw. Vigia never needs one."`
	JSON             bool   `help:"Print JSON."`
}

// Help says which key to make.
func (c *accountAdd) Help() string {
	return `Make an API key on the exchange with these scopes:

` + scopesHelp() + `
and none that withdraws: such a key is refused. Key, secret and passphrase are asked for, with the echo
off; in a script they are three lines on the standard input. They are sealed with a key that lies outside
the data folder, and never on disk in plain. What the key may do is read back before anything is kept.

  vigia account add --label main --network mainnet
  vigia paper account new --balance 1000000 --json |
      jq -r '.key,.secret,.passphrase' | vigia account add --label drill --network paper`
}

// Run asks for the key and hands it to the server.
func (c *accountAdd) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	ask := env.prompter()
	ask.say("The key of %s on %s. It takes these scopes:\n%sand none that withdraws.", c.Label, c.Network, scopesHelp())
	body := map[string]any{"label": c.Label, "network": c.Network}
	for _, part := range []struct{ field, label string }{{"key", "Key"}, {"secret", "Secret"}, {"passphrase", "Passphrase"}} {
		text, err := ask.secret(part.field, part.label)
		if err != nil {
			return err
		}
		body[part.field] = text.Reveal()
	}
	if c.AllowWithdrawals {
		body["allow_withdrawals"] = true
	}
	if c.WatchOnly {
		body["watch_only"] = true
	}
	ask.say("Asking the exchange what this key may do …")
	var account vigia.Account
	if err := r.post(ctx, "/accounts", body, &account); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, account)
	}
	out := &printout{w: env.out}
	printAdded(out, &account)
	return out.err
}

func printAdded(out *printout, a *vigia.Account) {
	out.line("%s is added. The exchange says its key may:\n  %s", a.Label, wrap(strings.Join(a.Scopes, ", "), "  "))
	for _, s := range wantedScopes() {
		if !a.Has(s.scope) {
			out.line("▲ %s is missing: it is there %s.", s.scope, s.why)
		}
	}
	if a.Has(vigia.ScopeWithdrawalWrite) {
		out.line("▲ This key could withdraw your money. Better make one that cannot.")
	}
	if !a.CanWrite() {
		out.line("It is watched, and nothing can act for it.\n\nNext:\n  vigia status")
		return
	}
	name := shellWord(a.Label)
	out.line("\nNext:\n  %s\n  %s\n  %s",
		"vigia account prove --account "+name,
		"vigia automation preview --account "+name+" --preset standard",
		"vigia automation create --account "+name+" --preset standard")
}

// shellWord quotes a name where a shell would take it apart.
func shellWord(name string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@"
	if name != "" && strings.Trim(name, plain) == "" {
		return name
	}
	return fmt.Sprintf("'%s'", strings.ReplaceAll(name, "'", `'\''`))
}
