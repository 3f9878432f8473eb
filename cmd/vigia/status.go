package main

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

type statusCommand struct {
	onServer
	Watch bool `help:"A live view, redrawn each second; q ends it."`
	JSON  bool `help:"Print JSON."`
}

// Help has the examples.
func (c *statusCommand) Help() string {
	return `What each position is held down to, and whether somebody is really watching.

  vigia status            one look
  vigia status --watch    a live view of the same, until q
  vigia status --json     for scripts`
}

// Run shows what the guards say of themselves.
func (c *statusCommand) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	if c.Watch {
		return watchStatus(ctx, env, r)
	}
	report, err := readStatus(ctx, r, env.clock.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.out, report)
	}
	out := &printout{w: env.out}
	report.show(out, env.styles())
	return out.err
}

// statusReport is the proof of life of all guards of a server together.
type statusReport struct {
	At       time.Time       `json:"at"`
	Armed    int             `json:"armed"`
	Networks []networkStatus `json:"networks"`
	Stops    vigia.Stops     `json:"stops"`
	Accounts []accountStatus `json:"accounts"`
	// Last is the last execution that was sent, by whichever process.
	Last *vigia.LastExecution `json:"last_execution,omitempty"`
}

// networkStatus is one guard's.
type networkStatus struct {
	Holder        string        `json:"holder"`
	Version       string        `json:"version"`
	Network       vigia.Network `json:"network"`
	Last          vigia.Price   `json:"last_usd"`
	PriceAgeMS    *int64        `json:"price_age_ms"`
	Source        string        `json:"source"`
	Blind         bool          `json:"blind"`
	Armed         int           `json:"armed"`
	ClockOffsetMS int64         `json:"clock_offset_ms"`
	StoreError    string        `json:"store_error,omitempty"`
	// SaidMS is how long ago the process said this.
	SaidMS int64 `json:"said_ms"`
}

// accountStatus is one account at one look.
type accountStatus struct {
	vigia.WatchedAccount
	Last          vigia.Price           `json:"last_usd"`
	PriceAgeMS    *int64                `json:"price_age_ms"`
	SnapshotAgeMS *int64                `json:"snapshot_age_ms"`
	Worst         *vigia.Percent        `json:"worst_distance_pct"`
	HeldTo        *vigia.Price          `json:"held_to_usd"`
	Protection    vigia.ProtectionLevel `json:"protection"`
	Gaps          []vigia.Gap           `json:"protection_reasons"`
	ProofAgeMS    *int64                `json:"proof_age_ms"`
}

// ageMS is an age for scripts; null where it never was.
func ageMS(now, t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := max(0, vigia.Age(now, t)).Milliseconds()
	return &ms
}

// readStatus asks the server, and adds the accounts that no guard speaks of: that
// nobody watches them is what must be seen first.
func readStatus(ctx context.Context, r *remote, now time.Time) (*statusReport, error) {
	var answer struct {
		Guards []vigia.GuardStatus `json:"guards"`
	}
	if err := r.get(ctx, "/status", &answer); err != nil {
		return nil, err
	}
	accounts, err := pages[vigia.Account](ctx, r, "/accounts", url.Values{}, 0)
	if err != nil {
		return nil, err
	}
	return makeReport(answer.Guards, accounts, now), nil
}

func makeReport(guards []vigia.GuardStatus, accounts []vigia.Account, now time.Time) *statusReport {
	out := &statusReport{At: now, Networks: []networkStatus{}, Accounts: []accountStatus{}}
	for i := range guards {
		out.addGuard(&guards[i], now)
	}
	for i := range accounts {
		a := &accounts[i]
		known := slices.ContainsFunc(out.Accounts, func(s accountStatus) bool { return s.Account == a.ID })
		if !known {
			out.Accounts = append(out.Accounts, accountStatus{Protection: vigia.Unprotected, Gaps: []vigia.Gap{vigia.GapStale},
				WatchedAccount: vigia.WatchedAccount{Account: a.ID, Owner: a.Owner, Label: a.Label, Network: a.Network,
					Status: a.Status, Detail: a.Detail, ProvedAt: a.ProvedAt, Trades: []vigia.WatchedTrade{}}})
		}
	}
	slices.SortStableFunc(out.Accounts, func(a, b accountStatus) int { return a.urgency() - b.urgency() })
	return out
}

func (r *statusReport) addGuard(g *vigia.GuardStatus, now time.Time) {
	r.Armed += g.Armed
	r.Networks = append(r.Networks, networkStatus{Holder: g.Holder, Version: g.Version, Network: g.Network, Last: g.Feed.Last,
		PriceAgeMS: ageMS(now, g.Feed.ConfirmedAt), Source: g.Feed.Source, Blind: g.Feed.Blind, Armed: g.Armed,
		ClockOffsetMS: g.ClockOffset.Milliseconds(), StoreError: g.StoreError, SaidMS: max(0, vigia.Age(now, g.At)).Milliseconds()})
	r.Stops.Automations = r.Stops.Automations || g.Stops.Automations
	r.Stops.Entries = r.Stops.Entries || g.Stops.Entries
	if g.Stops.HaltFile != "" {
		r.Stops.HaltFile = g.Stops.HaltFile
	}
	if g.Last != nil && (r.Last == nil || g.Last.SentAt.After(r.Last.SentAt)) {
		r.Last = g.Last
	}
	for i := range g.Accounts {
		next := watchedAccount(&g.Accounts[i], g, now)
		at := slices.IndexFunc(r.Accounts, func(s accountStatus) bool { return s.Account == next.Account })
		switch {
		case at < 0:
			r.Accounts = append(r.Accounts, next)
		case next.SnapshotBegun.After(r.Accounts[at].SnapshotBegun): // a lease that just moved
			r.Accounts[at] = next
		}
	}
}

// watchedAccount lays an account out; its trades stand in the order in which they
// would end.
func watchedAccount(w *vigia.WatchedAccount, g *vigia.GuardStatus, now time.Time) accountStatus {
	out := accountStatus{WatchedAccount: *w, Last: g.Feed.Last, PriceAgeMS: ageMS(now, g.Feed.ConfirmedAt),
		SnapshotAgeMS: ageMS(now, w.SnapshotBegun), ProofAgeMS: ageMS(now, w.ProvedAt)}
	protection := w.Protection()
	if w.SnapshotBegun.IsZero() { // its trades are not known, so none is protected
		protection = vigia.Protection{Level: vigia.Unprotected, Reasons: []vigia.Gap{vigia.GapStale}}
	}
	out.Protection, out.Gaps = protection.Level, append([]vigia.Gap{}, protection.Reasons...)
	out.Trades = append([]vigia.WatchedTrade{}, w.Trades...)
	slices.SortStableFunc(out.Trades, func(a, b vigia.WatchedTrade) int {
		return int(away(&a, g.Feed.Last) - away(&b, g.Feed.Last))
	})
	if worst, ok := w.Worst(); ok {
		out.Worst, out.HeldTo = &worst.Distance, &out.Trades[0].HeldTo
	}
	return out
}

// away is how far the price is from where a trade first ends, in ticks.
func away(t *vigia.WatchedTrade, last vigia.Price) vigia.Price {
	d := last - t.HeldTo
	return max(d, -d)
}

// urgency puts accounts with the least protected positions first, and those
// without positions last.
func (a *accountStatus) urgency() int {
	switch {
	case a.SnapshotAgeMS == nil || a.Status == vigia.AccountRefused:
		return 0
	case len(a.Trades) == 0 && a.Cross.Quantity == 0:
		return 4
	case a.Protection == vigia.Unprotected:
		return 1
	case a.Protection == vigia.InNameOnly:
		return 2
	}
	return 3
}

// first is the trade of all that ends first, by share of its price.
func (r *statusReport) first() (*accountStatus, *vigia.WatchedTrade) {
	var account *accountStatus
	var first *vigia.WatchedTrade
	share := func(a *accountStatus, t *vigia.WatchedTrade) float64 {
		return float64(away(t, a.Last)) / float64(max(1, a.Last))
	}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		for j := range a.Trades {
			if t := &a.Trades[j]; first == nil || share(a, t) < share(account, first) {
				account, first = a, t
			}
		}
	}
	return account, first
}
