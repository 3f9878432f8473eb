package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/api"
	"github.com/vigiaguard/vigia/lease"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/run"
	"github.com/vigiaguard/vigia/seal"
)

type serveCommand struct {
	Data      string   `help:"Folder that holds everything but the key." default:"vigia-data" placeholder:"DIR"`
	Listen    string   `help:"Address of the API." default:"127.0.0.1:8420" placeholder:"ADDR"`
	Metrics   string   `help:"Address of the Prometheus metrics; empty for none." default:"127.0.0.1:8421" placeholder:"ADDR"`
	KeyFile   string   `help:"File of the key that seals exchange keys; outside DATA (default: DATA.key)." placeholder:"FILE"`
	Database  string   `help:"PostgreSQL URL; an SQLite file in DATA when empty." secret:"" placeholder:"URL"`
	Notify    []string `help:"Where to tell you, in shoutrrr's words: ntfy://…, telegram://…, smtp://…" secret:"" sep:"none" placeholder:"URL"`
	Heartbeat string   `help:"URL pinged every minute while the guard is really alive." secret:"" placeholder:"URL"`
	NoDemo    bool     `help:"Start without the paper exchange and its three demo trades."`

	PaperListen string `help:"Address of the paper exchange inside." default:"127.0.0.1:8422" placeholder:"ADDR"`
	PaperAdmin  string `help:"Address of the paper exchange's admin port." default:"127.0.0.1:8423" placeholder:"ADDR"`
	PaperURL    string `help:"A paper exchange that runs elsewhere, in the place of the one inside: http://HOST:PORT." placeholder:"URL"`

	LeaseTerm   time.Duration `help:"How long a silent process keeps its accounts." default:"5s"`
	ClockWindow time.Duration `help:"How far a signature's time may be off before the exchange refuses it." default:"30s"`
	CallTimeout time.Duration `help:"How long an action is waited for until it counts as unknown." default:"3s"`
	Quiet       bool          `help:"Print warnings only, not what the guard does."`
}

// server is a running vigia: everything a command may ask of it.
type server struct {
	o      *serveCommand
	env    environment
	log    *slog.Logger
	clock  vigia.Clock
	holder string
	step   func(act.Step)

	// ctx lasts as long as the server works; background are goroutines that end
	// with it and are waited for.
	ctx        context.Context //nolint:containedctx // it is the life of the server itself
	background sync.WaitGroup

	lock   *lease.FileLock
	store  *record.Store
	sealer *seal.Sealer
	leases *lease.Keeper
	token  vigia.Secret
	paper  *paperExchange
	said   *sayer

	mu       sync.Mutex
	networks map[vigia.Network]*network
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, env environment) error {
	s := &server{o: c, env: env, clock: vigia.WallClock{}, networks: map[vigia.Network]*network{}, step: stepper()}
	s.log = slog.New(slog.NewTextHandler(env.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.holder = vigia.NewID(s.clock.Now())
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.ctx = background
	defer s.background.Wait()
	defer stop()
	return s.run(ctx)
}

func (s *server) run(ctx context.Context) (err error) {
	if err := s.o.check(); err != nil {
		return err
	}
	if s.o.KeyFile == "" {
		s.o.KeyFile = filepath.Clean(s.o.Data) + ".key"
	}
	if err := seal.Apart(s.o.KeyFile, s.o.Data); err != nil {
		return vigia.Invalid("key-file", fmt.Sprintf("%s: %v", s.o.KeyFile, err))
	}
	listeners, err := s.listen()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, listeners.close()) }()
	if err := os.MkdirAll(s.o.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder cannot be made: %w", err)
	}
	if err := s.stepForward(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.lock.Release()) }()
	if err := s.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	return s.serve(ctx, listeners)
}

// listeners are the ports, taken before anything is written.
type listeners struct {
	api, metrics, paper, admin net.Listener
}

func (s *server) listen() (*listeners, error) {
	out := &listeners{}
	wanted := []struct {
		field, address string
		to             *net.Listener
	}{{"listen", s.o.Listen, &out.api}, {"metrics", s.o.Metrics, &out.metrics}}
	if !s.o.NoDemo && s.o.PaperURL == "" {
		wanted = append(wanted, []struct {
			field, address string
			to             *net.Listener
		}{{"paper-listen", s.o.PaperListen, &out.paper}, {"paper-admin", s.o.PaperAdmin, &out.admin}}...)
	}
	for _, w := range wanted {
		if w.address == "" {
			continue
		}
		var err error
		if *w.to, err = (&net.ListenConfig{}).Listen(s.ctx, "tcp", w.address); err != nil {
			return nil, errors.Join(cannotListen(w.field, w.address, err), out.close())
		}
	}
	return out, nil
}

func cannotListen(field, address string, err error) error {
	return &vigia.Error{Code: vigia.CodeInvalid, Field: field, Cause: err,
		Message: fmt.Sprintf("%s cannot be listened on: %v", address, rootCause(err)),
		Help:    "Something else may run there; choose another address, HOST:PORT, with --" + field + "."}
}

func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func (l *listeners) close() error {
	var err error
	for _, listener := range []net.Listener{l.api, l.metrics, l.paper, l.admin} {
		if listener != nil {
			if closed := listener.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
				err = errors.Join(err, closed)
			}
		}
	}
	return err
}

// stepForward waits until no other process guards from this folder.
func (s *server) stepForward(ctx context.Context) error {
	path := filepath.Join(s.o.Data, "lock")
	waiting := func(held *lease.HeldError) {
		s.say("Another process guards from %s (%s). Standing by: this one takes over the moment that one is gone.", s.o.Data, held.Error())
	}
	var err error
	if s.o.Database != "" {
		// Processes on a server share it by leases; each has a folder of its own.
		s.lock, err = lease.TryLock(path)
	} else {
		s.lock, err = lease.Lock(ctx, s.clock, path, 200*time.Millisecond, waiting)
	}
	if err != nil {
		return fmt.Errorf("the data folder %s: %w", s.o.Data, err)
	}
	return nil
}

// open opens key file, record and token.
func (s *server) open(ctx context.Context) error {
	database := s.o.Database
	if database == "" {
		database = filepath.Join(s.o.Data, "vigia.db")
	}
	fresh, err := s.nothingSealed(ctx)
	if err != nil {
		return err
	}
	if s.sealer, err = openKey(s.o.KeyFile, fresh); err != nil {
		return err
	}
	signer, err := signingKey(s.o.KeyFile + ".journal")
	if err != nil {
		return err
	}
	s.store, err = record.Open(ctx, record.Config{Database: database, Clock: s.clock, Signer: signer, SpareBytes: 8 << 20})
	if err != nil {
		return err
	}
	if s.token, err = tokenFile(filepath.Join(s.o.Data, "token")); err != nil {
		return errors.Join(err, s.store.Close())
	}
	s.leases = lease.New(lease.Options{Clock: s.clock, Store: s.store, Holder: s.holder, Term: s.o.LeaseTerm,
		Alone: s.o.Database == "", Failed: func(err error) {
			if err != nil {
				s.log.Warn("the leases could not be renewed", "error", err)
			}
		}})
	return nil
}

// nothingSealed says whether there is nothing yet that a key file was needed for.
func (s *server) nothingSealed(ctx context.Context) (bool, error) {
	if s.o.Database == "" {
		return !exists(filepath.Join(s.o.Data, "vigia.db")), nil
	}
	store, err := record.Open(ctx, record.Config{Database: s.o.Database, Clock: s.clock})
	if err != nil {
		return false, err
	}
	accounts, err := store.Accounts(ctx)
	return len(accounts) == 0, errors.Join(err, store.Close())
}

// serve starts everything in order and stops it in reverse.
func (s *server) serve(ctx context.Context, l *listeners) (err error) {
	if err := s.openPaper(ctx, l); err != nil {
		return err
	}
	if err := s.writeClientFile(l); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.removeClientFile()) }()
	tellers, err := s.tellers()
	if err != nil {
		return err
	}
	clock := run.OnClock(s.clock)
	services := []run.Service{run.Func("outbox", s.numberOutbox, clock)}
	services = append(services, tellers...)
	if s.paper != nil {
		services = append(services, s.paper.services(l)...)
	}
	services = append(services, run.Func("leases", s.leases.Run, clock), run.Func("networks", s.keepNetworks, clock),
		s.httpService("api", l.api, api.Handler(api.Options{Store: s.store, Desk: s, Clock: s.clock, Token: s.token, Version: version})))
	if l.metrics != nil {
		services = append(services, s.httpService("metrics", l.metrics, s.metrics()))
	}
	if s.paper != nil && s.paper.demo != nil {
		services = append(services, run.Func("demo", s.paper.demo.play, clock, run.MayEnd()))
	}
	group := run.NewGroup("vigia", services...)
	if err := group.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.greet(l)
	select {
	case <-ctx.Done():
	case <-group.Ended():
	}
	group.Stop()
	return group.Err()
}

// httpService serves until it is stopped, and lets requests finish.
func (s *server) httpService(name string, l net.Listener, h http.Handler) run.Service {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	return run.Draining(name, 5*time.Second, func(intake, work context.Context) error {
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		select {
		case err := <-served:
			return err
		case <-intake.Done():
		}
		err := server.Shutdown(work)
		if late := <-served; !errors.Is(late, http.ErrServerClosed) {
			err = errors.Join(err, late)
		}
		return err
	}, run.OnClock(s.clock))
}

// keepNetworks guards every network that has accounts, from the moment it has.
func (s *server) keepNetworks(ctx context.Context) error {
	var started []run.Service
	defer func() {
		for _, service := range started {
			service.Stop()
		}
	}()
	for {
		accounts, err := s.store.Accounts(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("the accounts could not be read", "error", err)
		}
		for i := range accounts {
			service, err := s.startNetwork(accounts[i].Network)
			if err != nil {
				return err
			}
			if service != nil {
				started = append(started, service)
			}
		}
		timer := s.clock.NewTimer(time.Second / 2)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// startNetwork starts a network that is not started yet.
func (s *server) startNetwork(name vigia.Network) (run.Service, error) {
	if s.network(name) != nil {
		return nil, nil
	}
	hosts, ok := s.hostsOf(name)
	if !ok {
		return nil, nil
	}
	n, err := newNetwork(s, name, hosts)
	if err != nil {
		return nil, err
	}
	service := n.services()
	if err := service.Start(s.ctx); err != nil {
		return nil, err
	}
	s.background.Go(func() {
		<-service.Ended()
		if err := service.Err(); err != nil {
			s.log.Error("a network stopped", "network", name, "error", err)
		}
	})
	s.mu.Lock()
	s.networks[name] = n
	s.mu.Unlock()
	return service, nil
}

func (s *server) network(name vigia.Network) *network {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.networks[name]
}

// hostsOf is where a network is reached.
func (s *server) hostsOf(name vigia.Network) (lnmarkets.Hosts, bool) {
	if name == vigia.Paper {
		return s.paperHosts()
	}
	return lnmarkets.HostsOf(name)
}

func (s *server) shardOf(id vigia.AccountID) int { return lease.ShardOf(id) }

// window is a little wider than the exchange's: the difference of the clocks is
// measured, and may be off by half a round trip.
func (s *server) window() act.Window {
	return act.Window{Clock: s.o.ClockWindow + s.o.ClockWindow/20, Timeout: s.o.CallTimeout}
}

// halted looks for the halt file.
func (s *server) halted() string {
	path := filepath.Join(s.o.Data, "halt")
	if exists(path) {
		return path
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (s *server) say(format string, args ...any) {
	if !s.o.Quiet {
		_, _ = fmt.Fprintf(s.env.out, format+"\n", args...)
	}
}
