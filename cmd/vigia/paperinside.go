package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/run"
)

// paperExchange is a paper exchange in this process, reached like any other.
type paperExchange struct {
	engine *paper.Engine
	server *paper.Server
	runner *paper.Runner
	hosts  lnmarkets.Hosts
	admin  string
	demo   *demo
}

// openPaper opens the paper exchange inside, unless there is to be none.
func (s *server) openPaper(ctx context.Context, l *listeners) error {
	if l.paper == nil {
		return nil
	}
	engine, err := paper.Load(filepath.Join(s.o.Data, "paper.state"), paper.DefaultRules())
	if err != nil {
		return fmt.Errorf("the paper exchange: %w", err)
	}
	walk, err := livelyWalk(s.clock, engine, uint64(s.clock.Now().UnixNano()))
	if err != nil {
		return err
	}
	address := l.paper.Addr().String()
	rates := paper.RelaxedRates()
	server := paper.NewServer(paper.ServerOptions{Engine: engine, Clock: s.clock, ClockWindow: s.o.ClockWindow, Rates: &rates})
	runner, err := paper.NewRunner(paper.RunnerOptions{Engine: engine, Source: walk, Clock: s.clock, Moved: server.Moved,
		Beat: time.Second / 4})
	if err != nil {
		return err
	}
	s.paper = &paperExchange{engine: engine, runner: runner, server: server, admin: l.admin.Addr().String(),
		hosts: lnmarkets.Hosts{REST: "http://" + address + "/v3", Stream: "ws://" + address + "/v1"}}
	accounts, err := s.store.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		s.paper.demo = &demo{server: s, paper: s.paper}
	}
	return nil
}

// livelyWalk is a seeded walk from where the exchange stands, four steps a second.
func livelyWalk(clock vigia.Clock, engine *paper.Engine, seed uint64) (*paper.RandomWalk, error) {
	walk, err := paper.NewRandomWalk(paper.WalkOptions{Seed: seed, Start: engine.Last(), From: clock.Now(),
		Step: time.Second / 4, Volatility: 15})
	if err != nil {
		return nil, fmt.Errorf("the paper price: %w", err)
	}
	return walk, nil
}

// services are the exchange's: its price, its two ports.
func (p *paperExchange) services(l *listeners) []run.Service {
	return []run.Service{
		run.Func("paper price", p.runner.Run),
		run.Func("paper", func(ctx context.Context) error {
			err := paper.Serve(ctx, l.paper, p.server)
			p.server.Close()
			return errors.Join(err, p.engine.Shut())
		}),
		run.Func("paper admin", func(ctx context.Context) error {
			return paper.Serve(ctx, l.admin, paper.NewAdmin(p.server, p.runner))
		}),
	}
}

// paperHosts is where accounts on paper trade.
func (s *server) paperHosts() (lnmarkets.Hosts, bool) {
	if base, ok := strings.CutPrefix(s.o.PaperURL, "http://"); ok {
		base = strings.TrimSuffix(base, "/")
		return lnmarkets.Hosts{REST: "http://" + base + "/v3", Stream: "ws://" + base + "/v1"}, true
	}
	if s.paper == nil {
		return lnmarkets.Hosts{}, false
	}
	return s.paper.hosts, true
}

// Drill drops the price of the paper exchange inside.
func (s *server) Drill(_ context.Context, drop vigia.Percent, over time.Duration) error {
	if s.paper == nil {
		return &vigia.Error{Code: vigia.CodeForbidden, Message: "this server has no paper exchange inside",
			Help: "Use the admin port of the one it trades on: vigia paper price --admin ADDR --drop …"}
	}
	if _, _, err := s.paper.runner.Drop(drop, over); err != nil {
		return vigia.Invalid("drop_pct", err.Error())
	}
	return nil
}
