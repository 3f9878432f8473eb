package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/run"
)

type paperServe struct {
	Listen      string        `help:"Address of the exchange: REST under /v3, the stream at /v1." default:"127.0.0.1:8422" placeholder:"ADDR"`
	Admin       string        `help:"Address of the admin port; on this machine only." default:"127.0.0.1:8423" placeholder:"ADDR"`
	State       string        `help:"File that keeps accounts, trades and ledger; nothing is kept without it." placeholder:"FILE"`
	Source      string        `help:"Where the price comes from: walk, walk:SEED, or csv:FILE with minutes as time,open,high,low,close,volume (.gz too)." default:"walk" placeholder:"SOURCE"`
	Path        string        `help:"The price's path inside a candle: by-colour (down candles open-high-low-close, up candles open-low-high-close), reversed, low-first, high-first." enum:"by-colour,reversed,low-first,high-first" default:"by-colour"`
	NoGaps      bool          `help:"Refuse a candle file with gaps."`
	Start       string        `help:"Price at which a walk begins on a new exchange." default:"100000" placeholder:"USD"`
	Rates       string        `help:"How many calls it takes: strict (as published, the lower figures), relaxed (the higher), none." enum:"strict,relaxed,none" default:"relaxed"`
	ClockWindow time.Duration `help:"How far a signature's time may be off." default:"30s"`
	JSON        bool          `help:"Print where it listens as JSON."`
}

// Help has the examples.
func (c *paperServe) Help() string {
	return `A simulated exchange with the arithmetic, the calls and the stream of the real one, and no money.

  vigia paper --state paper.state --source walk:7
  vigia paper --source csv:minutes.csv.gz --path low-first
  vigia paper account new --balance 1000000
  vigia paper price --drop 5% --over 30s
  vigia serve --paper-url http://127.0.0.1:8422`
}

// Run serves the exchange until it is told to stop.
func (c *paperServe) Run(ctx context.Context, env environment) (err error) {
	start, err := vigia.ParsePrice(c.Start)
	if err != nil {
		return vigia.Invalid("start", err.Error())
	}
	if c.ClockWindow <= 0 {
		return vigia.Invalid("clock-window", fmt.Sprintf("got %s; it takes a time above 0", c.ClockWindow))
	}
	ports, err := c.listen(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll(ports)) }()
	engine, err := c.engine()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Shut()) }()
	source, closer, err := c.source(env, engine, start)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	rates := c.rates()
	server := paper.NewServer(paper.ServerOptions{Engine: engine, Clock: env.clock, ClockWindow: c.ClockWindow, Rates: &rates})
	defer server.Close()
	runner, err := paper.NewRunner(paper.RunnerOptions{Engine: engine, Source: source, Clock: env.clock, Moved: server.Moved})
	if err != nil {
		return err
	}
	if err := c.announce(env, ports); err != nil {
		return err
	}
	return c.serve(ctx, ports, server, runner)
}

// listen takes the ports before anything is written.
func (c *paperServe) listen(ctx context.Context) ([]net.Listener, error) {
	var out []net.Listener
	for _, port := range []struct{ field, address string }{{"listen", c.Listen}, {"admin", c.Admin}} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", port.address)
		if err != nil {
			return nil, errors.Join(cannotListen(port.field, port.address, err), closeAll(out))
		}
		out = append(out, listener)
	}
	return out, nil
}

func closeAll(listeners []net.Listener) error {
	var failed []error
	for _, l := range listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (c *paperServe) engine() (*paper.Engine, error) {
	if c.State == "" {
		return paper.New(paper.DefaultRules()), nil
	}
	engine, err := paper.Load(c.State, paper.DefaultRules())
	if err != nil {
		return nil, &vigia.Error{Code: vigia.CodeInvalid, Field: "state", Message: err.Error(), Cause: err,
			Help: "Name a file that it can make and keep to itself, or put back a whole one."}
	}
	return engine, nil
}

func (c *paperServe) rates() paper.Rates {
	switch c.Rates {
	case "strict":
		return paper.StrictRates()
	case "none":
		return paper.NoRates()
	}
	return paper.RelaxedRates()
}

// source opens what the price comes from; closer is what to close afterwards.
func (c *paperServe) source(env environment, engine *paper.Engine, start vigia.Price) (paper.Source, io.Closer, error) {
	kind, rest, given := strings.Cut(c.Source, ":")
	switch {
	case kind == "walk":
		seed := uint64(env.clock.Now().UnixNano())
		if given {
			var err error
			if seed, err = strconv.ParseUint(rest, 10, 64); err != nil {
				return nil, nil, vigia.Invalid("source", fmt.Sprintf("got %q; a walk's seed is a whole number from 0, such as walk:7", c.Source))
			}
		}
		if last := engine.Last(); last != 0 { // it goes on from where it stood
			start = last
		}
		walk, err := paper.NewRandomWalk(paper.WalkOptions{Seed: seed, Start: start, From: env.clock.Now()})
		if err != nil {
			return nil, nil, vigia.Invalid("source", err.Error())
		}
		return walk, io.NopCloser(nil), nil
	case kind == "csv" && rest != "":
		return c.candles(env, rest)
	}
	return nil, nil, vigia.Invalid("source", fmt.Sprintf("got %q; it takes walk, walk:SEED or csv:FILE", c.Source))
}

// candles reads the whole file once before anything trades on it: a broken line
// is refused by its number, and gaps are said.
func (c *paperServe) candles(env environment, path string) (paper.Source, io.Closer, error) {
	options := paper.CandleOptions{Path: candlePath(c.Path), Strict: c.NoGaps}
	read := func(err error) error {
		return &vigia.Error{Code: vigia.CodeInvalid, Field: "source", Message: fmt.Sprintf("%s: %v", path, err), Cause: err,
			Help: "It takes rows of time,open,high,low,close,volume with times like 2023-03-01T00:00:00Z, one after the other."}
	}
	first, err := paper.OpenCandles(path, options)
	if err != nil {
		return nil, nil, vigia.Invalid("source", fmt.Sprintf("%s cannot be read: %v", path, rootCause(err)))
	}
	rows := 0
	for ; err == nil; rows++ {
		_, err = first.Candle()
	}
	gaps := first.Gaps()
	if closed := first.Close(); !errors.Is(err, io.EOF) || closed != nil {
		return nil, nil, read(errors.Join(notEOF(err), closed))
	}
	if rows == 1 {
		return nil, nil, read(errors.New("there is no candle in it"))
	}
	if len(gaps) > 0 {
		_, _ = fmt.Fprintf(env.err, "vigia: %s has %d gaps, the first before line %d: nothing between %s and %s; the price stands still there\n",
			path, len(gaps), gaps[0].Line, gaps[0].From.Format(time.RFC3339), gaps[0].To.Format(time.RFC3339))
	}
	again, err := paper.OpenCandles(path, options)
	if err != nil {
		return nil, nil, read(err)
	}
	return again, again, nil
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func candlePath(name string) paper.Path {
	switch name {
	case "reversed":
		return paper.PathReversed
	case "low-first":
		return paper.PathLowFirst
	case "high-first":
		return paper.PathHighFirst
	}
	return paper.PathByColour
}

// announce says where it is reached.
func (c *paperServe) announce(env environment, ports []net.Listener) error {
	listen, admin := reachable(ports[0].Addr()), reachable(ports[1].Addr())
	if c.JSON {
		return printJSON(env.out, map[string]string{"url": "http://" + listen, "rest": "http://" + listen + "/v3",
			"stream": "ws://" + listen + "/v1", "admin": admin})
	}
	out := &printout{w: env.out}
	out.line("A PAPER exchange: no money. REST http://%s/v3, stream ws://%s/v1, admin %s", listen, listen, admin)
	if c.State == "" {
		out.line("Nothing is kept when it ends; --state FILE keeps it.")
	}
	out.line("\nAn account on it:    vigia paper account new --admin %s --balance 1000000\n"+
		"A guard on it:       vigia serve --paper-url http://%s\n"+
		"Let the price fall:  vigia paper price --admin %s --drop 5%% --over 30s", admin, listen, admin)
	return out.err
}

// serve runs the price and both ports, and ends with the first that fails.
func (c *paperServe) serve(ctx context.Context, ports []net.Listener, server *paper.Server, runner *paper.Runner) error {
	group := run.NewGroup("paper",
		run.Func("price", runner.Run),
		run.Func("exchange", func(ctx context.Context) error {
			err := paper.Serve(ctx, ports[0], server)
			server.Close()
			return err
		}),
		run.Func("admin", func(ctx context.Context) error { return paper.Serve(ctx, ports[1], paper.NewAdmin(server, runner)) }))
	if err := group.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-group.Ended():
	}
	group.Stop()
	return group.Err()
}
