package lnmarkets_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

func TestTopicsCanBeChangedWhileItRuns(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t))
	s := f.proved(96_000)
	if err := f.Subscribe(f.ctx, lnmarkets.TopicTicker, lnmarkets.TopicCandles("1m")); err != nil {
		t.Fatal(err)
	}
	f.socket() // the venue hands it over at each subscribe
	if err := f.Unsubscribe(f.ctx, lnmarkets.TopicTicker); err != nil {
		t.Fatal(err)
	}
	if got := s.methods(); !slices.Equal(got, []string{"hello", "subscribe", "subscribe", "unsubscribe"}) {
		t.Errorf("said %v", got)
	}
	for _, bad := range []error{
		f.Unsubscribe(f.ctx, lnmarkets.TopicLastPrice), f.Subscribe(f.ctx, lnmarkets.TopicDeposit),
		f.Subscribe(f.ctx, lnmarkets.TopicCandles("7m")), f.Subscribe(f.ctx, "nonsense"),
	} {
		if bad == nil {
			t.Error("a topic that cannot be was taken")
		}
	}
	f.Drop(errors.New("REST says otherwise"))
	closed := await[lnmarkets.Closed](f)
	if !strings.Contains(closed.Cause.Error(), "REST says otherwise") {
		t.Errorf("closed: %+v", closed)
	}
	if err := f.Subscribe(f.ctx, lnmarkets.TopicIndex); err != nil {
		t.Fatal(err)
	}
	f.passBackoff(closed)
	next := f.proved(96_000)
	_, subscribe := <-next.frames, <-next.frames
	if want := `{"topics":["futures/inverse/btc_usd/lastPrice","futures/inverse/btc_usd/ohlc/1m","futures/inverse/btc_usd/index"]}`; string(subscribe.Params) != want {
		t.Errorf("subscribed to %s", subscribe.Params)
	}
}

func TestCallsOnTheSocket(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t), private)
	f.proved(96_000)
	who, err := f.Whoami(f.ctx)
	if err != nil || who.UserID != "u" || len(who.Permissions) != 2 {
		t.Errorf("whoami: %+v, %v", who, err)
	}
	if at, err := f.Time(f.ctx); err != nil || !at.Equal(testStart.Add(1250*time.Millisecond)) {
		t.Errorf("time: %s, %v", at, err)
	}
	if trip, err := f.Ping(f.ctx); err != nil || trip != 0 {
		t.Errorf("ping: %s, %v", trip, err)
	}
}

func TestCallsWithoutASocket(t *testing.T) {
	t.Parallel()
	s, err := lnmarkets.NewStream(lnmarkets.StreamOptions{URL: lnmarkets.Signet().Stream, Clock: newSteeredClock()})
	if err != nil {
		t.Fatal(err)
	}
	_, whoami := s.Whoami(t.Context())
	_, now := s.Time(t.Context())
	_, ping := s.Ping(t.Context())
	for _, err := range []error{whoami, now, ping} {
		if !errors.Is(err, lnmarkets.ErrNotConnected) {
			t.Errorf("got %v", err)
		}
	}
	s.Drop(nil)
	if err := errors.Join(s.Subscribe(t.Context(), lnmarkets.TopicIndex), s.Unsubscribe(t.Context(), lnmarkets.TopicIndex)); err != nil {
		t.Error(err)
	}
}

// Ten messages a second and socket, and less when the exchange says so.
func TestTheSocketsRateIsKept(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t))
	f.proved(96_000) // two messages
	for range 8 {
		if _, err := f.Ping(f.ctx); err != nil {
			t.Fatal(err)
		}
	}
	eleventh := make(chan error, 1)
	go func() { eleventh <- third(ignoring(f.Ping(f.ctx))) }()
	f.clock.await(f.ctx, t, exactly(100*time.Millisecond))
	f.clock.Advance(100 * time.Millisecond)
	if err := <-eleventh; err != nil {
		t.Error(err)
	}
}

func ignoring[A any](a A, err error) (A, struct{}, error) { return a, struct{}{}, err }

func TestTheSocketsRateIsAsTheExchangeSays(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t, func(v *venue) { v.left = -1 }))
	f.clock.await(f.ctx, t, exactly(time.Second)) // after hello nothing was left
	f.clock.Advance(time.Second)
	f.proved(96_000)
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := follow(t, newVenue(t))
	f.proved(96_000)
	if err := f.Run(f.ctx, func(lnmarkets.Event) {}); err == nil {
		t.Error("a second Run was let in")
	}
	stop := errors.New("the guard stops")
	f.stop(stop)
	closed := await[lnmarkets.Closed](f)
	if !errors.Is(closed.Cause, stop) || closed.RetryIn != 0 {
		t.Errorf("closed: %+v", closed)
	}
	if err := <-f.ended; !errors.Is(err, stop) {
		t.Errorf("ended with %v", err)
	}
}

func TestIdentifySaysWhatAKeyMayDo(t *testing.T) {
	t.Parallel()
	v := newVenue(t)
	key := credentials()
	o := lnmarkets.StreamOptions{URL: v.url, Clock: newSteeredClock(), Credentials: &key}
	who, err := lnmarkets.Identify(safety(t), o)
	if err != nil || !slices.Equal(who.Permissions, []string{"account:read", "futures:isolated:write"}) {
		t.Errorf("got %+v, %v", who, err)
	}
	key.Secret = vigia.NewSecret("another")
	if _, err := lnmarkets.Identify(safety(t), o); !errors.Is(err, lnmarkets.ErrKeyRefused) {
		t.Errorf("a wrong key: %v", err)
	}
	o.Credentials = nil
	if _, err := lnmarkets.Identify(safety(t), o); err == nil {
		t.Error("no key was accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.Credentials = &key
	if _, err := lnmarkets.Identify(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context ended: %v", err)
	}
}

func TestStreamsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	for _, o := range []lnmarkets.StreamOptions{
		{URL: lnmarkets.Mainnet().Stream},
		{Clock: clock, URL: "https://stream.lnmarkets.com/v1"},
		{Clock: clock, URL: "wss://"},
		{Clock: clock, URL: lnmarkets.Mainnet().Stream, Topics: []lnmarkets.Topic{lnmarkets.TopicIsolatedTrades}},
		{Clock: clock, URL: lnmarkets.Mainnet().Stream, Topics: []lnmarkets.Topic{"nonsense"}},
	} {
		if _, err := lnmarkets.NewStream(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
