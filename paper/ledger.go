package paper

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// Book is an account of the ledger.
type Book string

// The books. Those of a trader come first; the others are the exchange's own
// side and the world outside.
const (
	BookWallet          Book = "wallet"
	BookIsolatedMargin  Book = "isolated_margin"
	BookIsolatedReserve Book = "isolated_reserve"
	BookCrossMargin     Book = "cross_margin"
	BookFees            Book = "fees"
	BookFunding         Book = "funding"
	BookHouse           Book = "house"
	BookOutside         Book = "outside"
)

// Posting is one line of an operation: Amount went into the book, or out of it
// when negative. The lines of one Op add up to zero.
type Posting struct {
	Op    uint64          `json:"op"`
	What  string          `json:"what"`
	At    time.Time       `json:"at,omitzero"`
	Owner vigia.AccountID `json:"owner"`
	Book  Book            `json:"book"`
	// Trade is set in the books of isolated margin and reserve, which are kept
	// per trade, and wherever a trade was the cause.
	Trade  vigia.TradeID `json:"trade,omitempty"`
	Amount vigia.Sats    `json:"amount"`
}

// place is one balance: an owner's book, and within margin and reserve a
// trade's part.
type place struct {
	owner vigia.AccountID
	book  Book
	trade vigia.TradeID
}

// Ledger keeps every balance and the newest postings of each owner. Balances
// count all postings ever made.
type Ledger struct {
	balances map[place]vigia.Sats
	totals   map[Book]vigia.Sats
	postings map[vigia.AccountID][]Posting
	keep     int
	op       uint64
}

func newLedger(keep int) *Ledger {
	if keep == 0 {
		keep = defaultKeepPostings
	}
	return &Ledger{
		balances: map[place]vigia.Sats{}, totals: map[Book]vigia.Sats{},
		postings: map[vigia.AccountID][]Posting{}, keep: keep,
	}
}

// line is a posting without what all lines of the operation share.
type line struct {
	book   Book
	amount vigia.Sats
}

// post makes one balanced operation of an owner, about a trade or none.
func (l *Ledger) post(what string, at time.Time, owner vigia.AccountID, trade vigia.TradeID, lines ...line) error {
	sum := vigia.Sats(0)
	for _, ln := range lines {
		sum += ln.amount
	}
	if sum != 0 {
		return &InvariantError{Op: what, What: "the sum of its postings", Got: sum, Want: 0}
	}
	l.op++
	for _, ln := range lines {
		if ln.amount == 0 {
			continue
		}
		l.add(ln.book, owner, trade, ln.amount)
		l.remember(Posting{Op: l.op, What: what, At: at, Owner: owner, Book: ln.book, Trade: trade, Amount: ln.amount})
	}
	return l.checkPosted(what, owner, trade)
}

func (l *Ledger) add(book Book, owner vigia.AccountID, trade vigia.TradeID, amount vigia.Sats) {
	at := place{owner: owner, book: book}
	if book == BookIsolatedMargin || book == BookIsolatedReserve {
		at.trade = trade
	}
	if after := l.balances[at] + amount; after == 0 && at.trade != "" {
		delete(l.balances, at)
	} else {
		l.balances[at] = after
	}
	l.totals[book] += amount
}

// remember drops the older half when there are twice as many as are kept, so
// that the cost is spread.
func (l *Ledger) remember(p Posting) {
	have := append(l.postings[p.Owner], p)
	if len(have) >= 2*l.keep {
		have = slices.Clone(have[len(have)-l.keep:])
	}
	l.postings[p.Owner] = have
}

// checkPosted is run after every operation. A reserve may be negative: fees of
// a fill that came out dearer than the order are owed until the close.
func (l *Ledger) checkPosted(what string, owner vigia.AccountID, trade vigia.TradeID) error {
	sum := vigia.Sats(0)
	for _, total := range l.totals {
		sum += total
	}
	if sum != 0 {
		return &InvariantError{Op: what, What: "the sum of all books", Got: sum, Want: 0}
	}
	for _, at := range []place{
		{owner: owner, book: BookWallet},
		{owner: owner, book: BookCrossMargin},
		{owner: owner, book: BookIsolatedMargin, trade: trade},
	} {
		if have := l.balances[at]; have < 0 {
			return &InvariantError{Op: what, What: "the " + string(at.book), Got: have, Want: 0}
		}
	}
	return nil
}

func (l *Ledger) wallet(owner vigia.AccountID) vigia.Sats {
	return l.balances[place{owner: owner, book: BookWallet}]
}

func (l *Ledger) held(owner vigia.AccountID, book Book, trade vigia.TradeID) vigia.Sats {
	return l.balances[place{owner: owner, book: book, trade: trade}]
}

// Balance is what an owner's operations have put into a book in all: for the
// trader's own books what is there, for fees and funding what was paid, for the
// house what it won from the owner, for outside what was withdrawn less what
// was deposited.
func (e *Engine) Balance(owner vigia.AccountID, book Book) vigia.Sats {
	e.mu.RLock()
	defer e.mu.RUnlock()
	sum := vigia.Sats(0)
	for at, amount := range e.ledger.balances {
		if at.owner == owner && at.book == book {
			sum += amount
		}
	}
	return sum
}

// Postings are the newest postings of an owner, oldest first: at least the
// number that the rules keep, if there were as many.
func (e *Engine) Postings(owner vigia.AccountID) []Posting {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Clone(e.ledger.postings[owner])
}

// CheckLedger counts everything again: every book against its total, the sum of
// all, and the margins and reserves of live trades against what the ledger
// holds for them. After each operation only its own part is checked.
func (e *Engine) CheckLedger() error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	totals, held := map[Book]vigia.Sats{}, map[Book]vigia.Sats{}
	for at, amount := range e.ledger.balances {
		totals[at.book] += amount
		if amount < 0 && (at.book == BookWallet || at.book == BookIsolatedMargin || at.book == BookCrossMargin) {
			return &InvariantError{Op: "check", What: "the " + string(at.book) + " of " + string(at.owner), Got: amount}
		}
	}
	for book, want := range e.ledger.totals {
		if totals[book] != want {
			return &InvariantError{Op: "check", What: "the total of " + string(book), Got: totals[book], Want: want}
		}
	}
	for _, a := range e.order {
		for _, t := range a.live {
			if err := e.checkHeld("check", t); err != nil {
				return err
			}
			held[BookIsolatedMargin] += t.Margin
			held[BookIsolatedReserve] += t.FeeReserve
		}
	}
	for _, book := range []Book{BookIsolatedMargin, BookIsolatedReserve} {
		want := held[book]
		if got := e.ledger.totals[book]; got != want {
			return &InvariantError{Op: "check", What: "all of " + string(book), Got: got, Want: want}
		}
	}
	return nil
}

// checkHeld compares a trade with what the ledger holds for it.
func (e *Engine) checkHeld(what string, t *trade) error {
	margin, reserve := t.Margin, t.FeeReserve
	if t.ended() {
		margin, reserve = 0, 0
	}
	if got := e.ledger.held(t.owner.ID, BookIsolatedMargin, t.ID); got != margin {
		return &InvariantError{Op: what, What: "the margin held for " + string(t.ID), Got: got, Want: margin}
	}
	if got := e.ledger.held(t.owner.ID, BookIsolatedReserve, t.ID); got != reserve {
		return &InvariantError{Op: what, What: "the reserve held for " + string(t.ID), Got: got, Want: reserve}
	}
	return nil
}
