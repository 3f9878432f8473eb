package paper

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// stateVersion is raised when a state cannot be read by an older program.
const stateVersion = 1

// state is an engine as its file begins with it.
type state struct {
	Version     int               `json:"version"`
	Rules       Rules             `json:"rules"`
	Now         time.Time         `json:"now"`
	Last        vigia.Price       `json:"last"`
	Index       vigia.Price       `json:"index"`
	IndexApart  bool              `json:"index_apart,omitempty"`
	Rate        vigia.FundingRate `json:"rate"`
	NextFunding time.Time         `json:"next_funding"`
	Settlements []Settlement      `json:"settlements,omitempty"`
	Accounts    []accountState    `json:"accounts,omitempty"`
	Balances    []balanceState    `json:"balances,omitempty"`
	Op          uint64            `json:"op"`
	Candles     []minute          `json:"candles,omitempty"`
	Trades      uint64            `json:"trades"`
	Made        uint64            `json:"made"`
}

type accountState struct {
	ID       vigia.AccountID `json:"id"`
	Keys     keyTexts        `json:"keys"`
	Scopes   []string        `json:"scopes,omitempty"`
	Live     []tradeState    `json:"live,omitempty"`
	Ended    []tradeState    `json:"ended,omitempty"`
	Cross    vigia.CrossBook `json:"cross"`
	Fees     []FundingFee    `json:"fees,omitempty"`
	Volume   []fillVolume    `json:"volume,omitempty"`
	Stamped  time.Time       `json:"stamped,omitzero"`
	Postings []Posting       `json:"postings,omitempty"`
}

type tradeState struct {
	vigia.Trade
	Kind     OrderType   `json:"kind"`
	Seq      uint64      `json:"seq"`
	PlacedAt vigia.Price `json:"placed_at"`
	Best     vigia.Price `json:"best,omitempty"`
}

type balanceState struct {
	Owner  vigia.AccountID `json:"owner"`
	Book   Book            `json:"book"`
	Trade  vigia.TradeID   `json:"trade,omitempty"`
	Amount vigia.Sats      `json:"amount"`
}

// dump is the whole state; equal states make equal bytes.
func (e *Engine) dump() ([]byte, error) {
	s := state{
		Version: stateVersion, Rules: e.rules, Now: e.now, Last: e.last, Index: e.index, IndexApart: e.indexApart,
		Rate: e.rate, NextFunding: e.nextFunding, Settlements: e.settlements, Op: e.ledger.op,
		Candles: e.candles.minutes, Trades: e.trades, Made: e.made,
	}
	for _, a := range e.order {
		s.Accounts = append(s.Accounts, accountState{
			ID:     a.ID,
			Keys:   keyTexts{Key: a.Key, Secret: a.Secret.Reveal(), Passphrase: a.Passphrase.Reveal()},
			Scopes: a.Scopes, Live: stateOf(a.live), Ended: stateOf(a.ended), Cross: a.cross, Fees: a.fees, Volume: a.volume,
			Stamped: a.stamped, Postings: e.ledger.postings[a.ID],
		})
	}
	for at, amount := range e.ledger.balances {
		s.Balances = append(s.Balances, balanceState{Owner: at.owner, Book: at.book, Trade: at.trade, Amount: amount})
	}
	slices.SortFunc(s.Balances, func(a, b balanceState) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Book, b.Book), cmp.Compare(a.Trade, b.Trade))
	})
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return payload, nil
}

func stateOf(trades []*trade) []tradeState {
	var out []tradeState
	for _, t := range trades {
		out = append(out, tradeState{Trade: t.Trade, Kind: t.kind, Seq: t.seq, PlacedAt: t.placedAt, Best: t.best})
	}
	return out
}

// restore puts a dumped state into an engine that has none, and refuses one
// whose books do not agree.
func (e *Engine) restore(path string, payload []byte) error {
	var s state
	if err := json.Unmarshal(payload, &s); err != nil {
		return fmt.Errorf("%s: first record: %w", path, err)
	}
	if s.Version != stateVersion {
		return fmt.Errorf("%s is of version %d, this program reads %d", path, s.Version, stateVersion)
	}
	if err := s.Rules.Check(); err != nil {
		return fmt.Errorf("%s: rules: %w", path, err)
	}
	e.rules, e.now, e.last, e.index, e.indexApart = s.Rules, s.Now, s.Last, s.Index, s.IndexApart
	e.rate, e.nextFunding, e.settlements = s.Rate, s.NextFunding, s.Settlements
	e.candles.minutes, e.trades, e.made = s.Candles, s.Trades, s.Made
	e.ledger = newLedger(s.Rules.KeepPostings)
	e.ledger.op = s.Op
	for _, b := range s.Balances {
		e.ledger.balances[place{owner: b.Owner, book: b.Book, trade: b.Trade}] = b.Amount
		e.ledger.totals[b.Book] += b.Amount
	}
	for _, kept := range s.Accounts {
		e.enlist(restored(&kept))
		e.ledger.postings[kept.ID] = kept.Postings
	}
	e.rearmAll()
	if err := e.CheckLedger(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func restored(kept *accountState) *account {
	a := &account{
		AccountKey: AccountKey{
			ID: kept.ID, Key: kept.Keys.Key,
			Secret: vigia.NewSecret(kept.Keys.Secret), Passphrase: vigia.NewSecret(kept.Keys.Passphrase),
			Scopes: scopesOf(kept.Scopes),
		},
		trades: map[vigia.TradeID]*trade{}, cross: kept.Cross, fees: kept.Fees, volume: kept.Volume, stamped: kept.Stamped,
	}
	back := func(kept []tradeState) []*trade {
		var out []*trade
		for _, k := range kept {
			t := &trade{Trade: k.Trade, owner: a, kind: k.Kind, seq: k.Seq, placedAt: k.PlacedAt, best: k.Best}
			a.trades[t.ID] = t
			out = append(out, t)
		}
		return out
	}
	a.live, a.ended = back(kept.Live), back(kept.Ended)
	return a
}
