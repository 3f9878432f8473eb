package paper

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// The public calls and those about the account (reference 5.1, 5.3, 5.4).

func ping(*request) (any, error) { return "pong", nil }

func serverTime(q *request) (any, error) {
	return lnmarkets.ServerTime{Time: lnmarkets.At(q.server.Now())}, nil
}

func ticker(q *request) (any, error) {
	t := q.server.engine.Ticker()
	if t.Last == 0 {
		return nil, unavailable()
	}
	market := vigia.Market{Last: t.Last, FundingRate: t.Rate, FundingAt: t.FundingAt}
	return lnmarkets.TickerOf(&market, t.Index, ladder(&t)), nil
}

func ladder(t *Ticker) []lnmarkets.Bucket {
	out := make([]lnmarkets.Bucket, len(t.Quotes))
	for i, quote := range t.Quotes {
		bid, ask := lnmarkets.Price(quote.Bid), lnmarkets.Price(quote.Ask)
		out[i] = lnmarkets.Bucket{
			MinSize: lnmarkets.Int(quote.MinSize), MaxSize: lnmarkets.Int(quote.MaxSize), AskPrice: &ask, BidPrice: &bid,
		}
	}
	return out
}

func settlementPage(q *request) (any, error) {
	rows, err := q.span()
	if err != nil {
		return nil, err
	}
	found := []lnmarkets.FundingSettlement{}
	for _, s := range q.server.engine.Settlements() {
		if !rows.holds(s.At) {
			continue
		}
		found = append(found, lnmarkets.FundingSettlement{
			ID: s.ID, Time: lnmarkets.At(s.At), FundingRate: s.Rate.Float(), FixingPrice: s.Fixing.Float(),
		})
		if rows.full(len(found)) {
			break
		}
	}
	return pageOf(found, rows, func(s *lnmarkets.FundingSettlement) lnmarkets.Time { return s.Time }), nil
}

func candlePage(q *request) (any, error) {
	rows, err := q.span()
	if err != nil {
		return nil, err
	}
	length := lnmarkets.CandleRange(q.query.Get("range"))
	if length == "" {
		length = "1m"
	}
	if !slices.Contains(lnmarkets.CandleRanges(), length) {
		return nil, refuse("range must be one of %v", lnmarkets.CandleRanges())
	}
	found := q.server.engine.bars(length, rows)
	return pageOf(found, rows, func(c *lnmarkets.Candle) lnmarkets.Time { return c.Time }), nil
}

// bars are the candles of a range, newest first, made of the minutes that the
// engine remembers; the newest is still forming.
func (e *Engine) bars(length lnmarkets.CandleRange, rows span) []lnmarkets.Candle {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := []lnmarkets.Candle{}
	for _, m := range slices.Backward(e.candles.minutes) {
		begins := barBegins(length, time.Unix(m.At*60, 0).UTC())
		if !rows.from.IsZero() && begins.Before(rows.from) {
			break
		}
		if !rows.holds(begins) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Time.Equal(begins) {
			prepend(&out[n-1], &m)
			continue
		}
		if rows.full(len(out)) {
			break
		}
		out = append(out, lnmarkets.Candle{
			Time: lnmarkets.At(begins), Open: lnmarkets.Price(m.Open), High: lnmarkets.Price(m.High),
			Low: lnmarkets.Price(m.Low), Close: lnmarkets.Price(m.Close), Volume: lnmarkets.Int(m.Volume),
		})
	}
	return out
}

// prepend puts an earlier minute into a bar.
func prepend(c *lnmarkets.Candle, m *minute) {
	c.Open = lnmarkets.Price(m.Open)
	c.High, c.Low = max(c.High, lnmarkets.Price(m.High)), min(c.Low, lnmarkets.Price(m.Low))
	c.Volume += lnmarkets.Int(m.Volume)
}

// barBegins is the opening time of the bar that a minute belongs to: weeks begin
// on Monday, months and quarters with the calendar's.
func barBegins(length lnmarkets.CandleRange, at time.Time) time.Time {
	switch length {
	case "1w":
		day := at.Truncate(24 * time.Hour)
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case "1month":
		return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	case "3months":
		return time.Date(at.Year(), (at.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case "1d":
		return at.Truncate(24 * time.Hour)
	}
	// What is left are minutes and hours in Go's own writing.
	span, err := time.ParseDuration(string(length))
	if err != nil {
		return at
	}
	return at.Truncate(span)
}

func accountNow(q *request) (any, error) {
	a := lnmarkets.Account{
		ID: string(q.account.ID), Username: "paper-" + string(q.account.ID)[:8],
		Balance: lnmarkets.Int(q.server.engine.Wallet(q.account.ID)),
		FeeTier: lnmarkets.Int(q.server.engine.FeeTier(q.account.ID)),
	}
	if !q.server.noEmail {
		email := a.Username + "@paper.invalid"
		a.Email = &email
	}
	return a, nil
}

func crossPosition(q *request) (any, error) {
	position := q.server.engine.Cross(q.account.ID)
	// An account has one position; its id follows from the account's.
	id := identityOf("cross position of " + string(q.account.ID))
	return lnmarkets.CrossPositionOf(&position, id, q.server.engine.Ticker().At), nil
}

// identityOf is a UUID that follows from a text.
func identityOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return uuid([16]byte(sum[:16]), 4)
}
