package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/guard"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/run"
	"github.com/vigiaguard/vigia/watch"
)

// network is one exchange network in this process: one price, one clock offset,
// one budget of public calls, and the guard of its accounts.
type network struct {
	name   vigia.Network
	hosts  lnmarkets.Hosts
	server *server
	public *lnmarkets.Public
	http   *http.Client
	offset *lnmarkets.Offset
	feed   *watch.Feed
	stream *lnmarkets.Stream
	guard  *guard.Guard
	log    *slog.Logger

	check *clockCheck

	mu      sync.Mutex
	clients map[vigia.AccountID]*client
}

// client is one account's way out, kept while its key stays the same.
type client struct {
	exchange exchange
	key      string
	stop     context.CancelFunc
}

// newNetwork wires one network; its services are started by the group it returns.
func newNetwork(s *server, name vigia.Network, hosts lnmarkets.Hosts) (*network, error) {
	n := &network{name: name, hosts: hosts, server: s, log: s.log.With("network", string(name)),
		offset: lnmarkets.NewOffset(s.clock), clients: map[vigia.AccountID]*client{}}
	n.check = &clockCheck{network: n}
	n.http = lnmarkets.NewHTTPClient(lnmarkets.HTTPOptions{Clock: s.clock})
	var err error
	n.public, err = lnmarkets.NewPublic(lnmarkets.Options{BaseURL: hosts.REST, Clock: s.clock, HTTP: n.http, UserAgent: agent()})
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	n.feed = watch.NewFeed(watch.FeedConfig{Clock: s.clock, Ticker: ticker{n.public}, Tick: n.onTick, News: n.onNews})
	n.stream, err = lnmarkets.NewStream(lnmarkets.StreamOptions{URL: hosts.Stream, Clock: s.clock, Offset: n.offset,
		Topics:     []lnmarkets.Topic{lnmarkets.TopicLastPrice, lnmarkets.TopicFunding},
		ClientName: "vigia", ClientVersion: version})
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	n.offset.OnChange(n.onOffset)
	n.guard = guard.New(guard.Options{Clock: s.clock, Store: s.store, Exchange: n.exchangeOf, Leases: s.leases,
		ShardOf: s.shardOf, Market: n.feed.Market, Source: n.source, Window: s.window(), Halted: s.halted,
		Direct: s.direct, Log: n.log, Step: s.step, Network: name, Holder: s.holder, Version: version})
	return n, nil
}

func agent() string { return "vigia/" + version }

// services are what runs for a network, in the order they are started.
func (n *network) services() run.Service {
	clock := run.OnClock(n.server.clock)
	again := run.Restarting(run.Restart{Report: func(f *run.Failure, wait time.Duration) {
		n.log.Error("a service failed and begins again", "error", f, "in", wait.String())
	}})
	return run.NewGroup(string(n.name),
		run.Func("guard", n.guard.Run, clock),
		run.Func("feed", n.feed.Run, clock),
		run.Func("stream", func(ctx context.Context) error { return n.stream.Run(ctx, n.onStream) }, clock, again),
		run.Func("clock", n.measureClock, clock, again),
	)
}

func (n *network) onTick(t vigia.Tick) { n.guard.OnTick(t) }

// source names where the price comes from.
func (n *network) source() string {
	if n.feed.Status().Streaming {
		return "stream"
	}
	return "rest"
}

func (n *network) onNews(news watch.News) {
	attributes := []any{"news", news.Kind.String(), "for", news.For.Round(time.Millisecond).String()}
	if news.Err != nil {
		attributes = append(attributes, "error", news.Err)
	}
	switch news.Kind {
	case watch.NewsBlind, watch.NewsStreamStale, watch.NewsSlept, watch.NewsClockSetBack:
		n.log.Warn("the feed", attributes...)
	default:
		n.log.Info("the feed", attributes...)
	}
	if news.Kind == watch.NewsStreamStale {
		n.stream.Drop(errors.New("the stream repeats an old price"))
	}
	n.guard.AllDue()
}

// onStream takes the public stream.
func (n *network) onStream(e lnmarkets.Event) {
	switch e := e.(type) {
	case lnmarkets.Connected:
		n.feed.OnUp()
	case lnmarkets.Confirmed:
		n.feed.OnConfirm(e.At)
	case lnmarkets.Closed:
		n.feed.OnDown()
		if e.RetryIn > 0 {
			n.log.Warn("the public stream is down; the price is read meanwhile", "cause", e.Cause, "retry_in", e.RetryIn.String())
		}
	case lnmarkets.Update[lnmarkets.StreamLastPrice]:
		n.feed.OnTick(vigia.Price(e.Data.LastPrice), e.At)
	case lnmarkets.Update[lnmarkets.StreamFundingNow]:
		if f := e.Data.Current; f.Rate != nil && f.Time != nil {
			n.feed.OnFunding(vigia.FundingRateFromFloat(*f.Rate), f.Time.Time())
		}
	}
}

func (n *network) onOffset(m lnmarkets.Measured) {
	n.guard.ClockOffset(m.Ahead)
	if m.Warn() {
		n.log.Warn("this machine's clock is off; signatures are corrected, but set it right", "ahead_of_us", m.Ahead.String())
	}
}

// clockEvery is how often the exchange's clock is looked at.
const clockEvery = 10 * time.Minute

func (n *network) measureClock(ctx context.Context) error {
	for {
		wait := clockEvery
		if _, err := n.public.MeasureOffset(ctx, n.offset, 3); err != nil {
			wait = 30 * time.Second
			if ctx.Err() == nil {
				n.log.Warn("the exchange's clock could not be read", "error", err)
			}
		}
		timer := n.server.clock.NewTimer(wait)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// exchangeOf opens an account's way, or gives the one that is open.
func (n *network) exchangeOf(ctx context.Context, a vigia.Account) (guard.Exchange, error) { //nolint:contextcheck // the stream it opens outlives the call
	credentials, err := n.server.unseal(ctx, &a)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.clients[a.ID]; c != nil && c.key == credentials.Key.Reveal() {
		return c.exchange, nil
	}
	opened, err := lnmarkets.New(lnmarkets.Options{BaseURL: n.hosts.REST, Credentials: credentials, Clock: n.server.clock,
		HTTP: n.http, Offset: n.offset, SendWithin: n.server.o.CallTimeout, UserAgent: agent()})
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.Label, err)
	}
	if old := n.clients[a.ID]; old != nil {
		old.stop()
	}
	listen, stop := context.WithCancel(n.server.ctx)
	c := &client{exchange: exchange{opened, n.check}, key: credentials.Key.Reveal(), stop: stop}
	n.clients[a.ID] = c
	n.server.background.Go(func() { n.listen(listen, a, credentials) })
	return c.exchange, nil
}

// listen keeps an account's private stream: it only makes things quicker, reads
// alone are enough.
func (n *network) listen(ctx context.Context, a vigia.Account, credentials vigia.Credentials) {
	stream, err := lnmarkets.NewStream(lnmarkets.StreamOptions{URL: n.hosts.Stream, Clock: n.server.clock, Offset: n.offset,
		Credentials: &credentials, Topics: privateTopics(), ClientName: "vigia", ClientVersion: version})
	if err != nil {
		n.log.Error("an account's stream could not be made; it is read instead", "account", a.Label, "error", err)
		return
	}
	_ = stream.Run(ctx, func(e lnmarkets.Event) { n.onPrivate(ctx, a.ID, e) }) // returns the cause of ctx
}

func privateTopics() []lnmarkets.Topic {
	return []lnmarkets.Topic{lnmarkets.TopicLastPrice, lnmarkets.TopicIsolatedTrades, lnmarkets.TopicCrossPosition,
		lnmarkets.TopicDeposit, lnmarkets.TopicWithdrawal}
}

var isolatedEvents = map[string]watch.EventKind{"open": watch.EventOpened, "filled": watch.EventFilled,
	"closed": watch.EventClosed, "stoploss": watch.EventStopped, "takeprofit": watch.EventTookProfit,
	"liquidation": watch.EventLiquidated, "canceled": watch.EventCanceled, "funding": watch.EventFunded}

func (n *network) onPrivate(ctx context.Context, account vigia.AccountID, e lnmarkets.Event) {
	switch e := e.(type) {
	case lnmarkets.Update[lnmarkets.StreamLastPrice]:
		n.feed.OnWitness(vigia.Price(e.Data.LastPrice))
	case lnmarkets.Update[lnmarkets.StreamTrade]:
		if kind, ok := isolatedEvents[string(e.Data.Event)]; ok {
			n.guard.Heard(ctx, account, watch.Event{Kind: kind, Trade: vigia.TradeID(e.Data.Trade.ID), At: e.At})
		}
	case lnmarkets.Update[lnmarkets.StreamCrossPosition]:
		n.guard.Heard(ctx, account, watch.Event{Kind: watch.EventCross, At: e.At})
	case lnmarkets.Update[lnmarkets.StreamTransfer]:
		n.guard.Heard(ctx, account, watch.Event{Kind: watch.EventWallet, At: e.At})
	case lnmarkets.Gap:
		n.guard.LookAgain(account)
	case lnmarkets.Malformed:
		n.guard.LookAgain(account)
	}
}
