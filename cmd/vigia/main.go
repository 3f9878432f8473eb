// Command vigia is the one binary of Vigia: it watches LN Markets positions tick
// by tick and acts before the exchange liquidates them.
//
// The command line is the operator's interface. This package reads the settings
// once, opens what they name, hands each part its neighbours, and starts and stops
// them in order; what a command means is decided elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

// version is set when a release is built.
var version = "dev"

func main() {
	http.DefaultClient.Timeout = notify.SendTimeout // some channels' libraries use it as it is
	os.Exit(vigiaMain(os.Args[1:], environment{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ(), clock: vigia.WallClock{}}))
}

// environment is what a command reads from and writes to.
type environment struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
	clock    vigia.Clock
}

type commands struct {
	Config string `help:"A YAML file with the same keys as the flags." placeholder:"FILE" type:"path"`

	Serve      serveCommand    `cmd:"" help:"Run the guard: watch the accounts in DATA and act on their rules."`
	Status     statusCommand   `cmd:"" help:"One look: what is held down to where, and is somebody watching."`
	Account    accountCommands `cmd:"" help:"Exchange keys: add, list, prove, remove."`
	Automation automationGroup `cmd:"" help:"Rules: presets, preview, create, go live."`
	Execution  executionGroup  `cmd:"" help:"What was done, and how it ended."`
	Decision   decisionGroup   `cmd:"" help:"What the rules said, doing nothing included."`
	Stop       stopCommand     `cmd:"" help:"Stop all automations, the guard too, until you release them."`
	Doctor     doctorCommand   `cmd:"" help:"Check clock, disk, database, keys, feed and proof, and say what to do."`
	Drill      drillCommand    `cmd:"" help:"Drop the price of a paper account and watch the guard."`
	Paper      paperGroup      `cmd:"" help:"A paper exchange of your own: the same calls, no money."`
	Journal    journalGroup    `cmd:"" help:"The hash-chained record of everything decided and done."`
	Backup     backupCommand   `cmd:"" help:"Copy the database while the guard runs."`
	Restore    restoreCommand  `cmd:"" help:"Put a backup in the place of a stopped guard's database."`
	Version    versionCommand  `cmd:"" help:"Print the version."`
}

// vigiaMain is main without the process: arguments and streams in, exit status out.
func vigiaMain(args []string, env environment) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("vigia"), kong.Description(description),
		kong.Writers(env.out, env.err), kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(env), kong.Resolvers(&settings{environ: env.environ}))
	if err != nil {
		return fail(env.err, err)
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	var refused *vigia.Error
	if errors.As(err, &refused) { // said in full already, whichever flag it was met at
		err = refused
	}
	if err != nil {
		return fail(env.err, err)
	}
	if err := parsed.Run(); err != nil {
		return fail(env.err, err)
	}
	return 0
}

const description = `Vigia watches your LN Markets positions tick by tick and acts before the exchange liquidates them.

Start here: "vigia serve" in an empty folder runs everything on a paper exchange with three demo trades.
Every setting is a flag, a variable VIGIA_NAME, or a key of one YAML file, in that order of strength;
secrets also as VIGIA_NAME_FILE, the path of a file that holds them.`

// fail prints an error as one sentence and says what to do where that is known.
func fail(w io.Writer, err error) int {
	_, _ = fmt.Fprintf(w, "vigia: %s\n", err)
	var public *vigia.Error
	if errors.As(err, &public) && public.Help != "" {
		_, _ = fmt.Fprintf(w, "       %s\n", public.Help)
	}
	return 1
}

type versionCommand struct {
	JSON bool `help:"Print JSON."`
}

func (c *versionCommand) Run(env environment) error {
	if c.JSON {
		return printJSON(env.out, map[string]string{"version": version})
	}
	_, err := fmt.Fprintln(env.out, "vigia", version)
	return err
}
