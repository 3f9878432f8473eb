package lnmarkets

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/vigiaguard/vigia"
)

// Options set up a Client or a Public. BaseURL and Clock are required, and
// Credentials for a Client; everything else has a default.
type Options struct {
	// BaseURL ends with the version: Mainnet().REST.
	BaseURL     string
	Credentials vigia.Credentials
	Clock       vigia.Clock
	// HTTP is best made by NewHTTPClient and shared; another one cannot prove
	// that a request was not written, and such calls become unknown.
	HTTP *http.Client
	// Budget defaults to one of its own at the strict published rate. The one of
	// Public is to be shared by the process.
	Budget *Budget
	// Offset corrects signatures; one that was never measured corrects nothing.
	Offset    *Offset
	UserAgent string
	// ReadWithin bounds each attempt of a method's call; 10 s when 0.
	ReadWithin time.Duration
	// SendWithin bounds Client.Send; 3 s when 0.
	SendWithin time.Duration
}

// Public makes the calls that need no key.
type Public struct{ rest *rest }

// NewPublic makes a client of the public calls. Give all of a process the same
// Budget: the rate counts per address.
func NewPublic(o Options) (*Public, error) {
	r, err := newRest(&o)
	if err != nil {
		return nil, err
	}
	if r.budget == nil {
		r.budget = NewPublicBudget(o.Clock)
	}
	return &Public{rest: r}, nil
}

// Ping says whether the exchange answers.
func (p *Public) Ping(ctx context.Context) error {
	answer, _, err := do[string](ctx, p.rest, &request{call: callPing})
	if err != nil {
		return err
	}
	if answer != "pong" {
		return fmt.Errorf("%w: ping was answered with %q", ErrUnreadable, answer)
	}
	return nil
}

// Time is the exchange's clock, some milliseconds ago.
func (p *Public) Time(ctx context.Context) (time.Time, error) {
	server, _, err := do[ServerTime](ctx, p.rest, &request{call: callTime})
	return server.Time.Time, err
}

// Ticker is the market as the exchange writes it, with the ladder of prices by
// size, and the start of the request that was answered.
func (p *Public) Ticker(ctx context.Context) (Ticker, time.Time, error) {
	return do[Ticker](ctx, p.rest, &request{call: callTicker})
}

// Market is the last price and the coming funding, confirmed at the start of the
// request.
func (p *Public) Market(ctx context.Context) (vigia.Market, error) {
	ticker, begun, err := p.Ticker(ctx)
	if err != nil {
		return vigia.Market{}, err
	}
	return ticker.Vigia(begun)
}

// Candles goes through the candles of a window, newest first. The exchange wants
// From. The newest candle is still forming.
func (p *Public) Candles(ctx context.Context, length CandleRange, w Window) iter.Seq2[Candle, error] {
	query := url.Values{}
	if length != "" {
		query.Set("range", string(length))
	}
	return pages[Candle](ctx, p.rest, callCandles, query, w)
}

// FundingSettlements goes through the settlements of the market, newest first.
func (p *Public) FundingSettlements(ctx context.Context, w Window) iter.Seq2[FundingSettlement, error] {
	return pages[FundingSettlement](ctx, p.rest, callFundingSettlements, url.Values{}, w)
}
