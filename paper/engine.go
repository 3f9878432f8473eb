package paper

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Engine is the exchange. Make it with [New] or [Load]; all methods may be
// called from any goroutine.
type Engine struct {
	mu sync.RWMutex // guards everything below it

	rules Rules
	now   time.Time
	last  vigia.Price
	// index is the spot price; it follows the last price unless it is set.
	index      vigia.Price
	indexApart bool

	rate        vigia.FundingRate
	nextFunding time.Time
	settlements []Settlement

	accounts map[vigia.AccountID]*account
	keys     map[string]*account
	order    []*account // oldest first
	ledger   *Ledger
	waiting  *waiting
	candles  candles

	// trades counts orders, so that limits fill in the order of their making;
	// made counts what was drawn from the seed.
	trades, made uint64

	file      *file // nil in memory
	records   uint64
	replaying bool
	broken    error
	unsaid    []said

	telling sync.Mutex // held while events are delivered; taken before mu
	sinks   []func(Event)
}

// New makes an exchange in memory, without a price: until the first
// [Engine.Tick] it trades nothing. Rules that [Rules.Check] refuses make an
// engine that refuses everything.
func New(rules Rules) *Engine {
	e := &Engine{
		rules:    rules,
		rate:     rules.FundingRate,
		accounts: map[vigia.AccountID]*account{},
		keys:     map[string]*account{},
		ledger:   newLedger(rules.KeepPostings),
		waiting:  newWaiting(rules.Cross),
	}
	if err := rules.Check(); err != nil {
		e.broken = fmt.Errorf("rules: %w", err)
	}
	return e
}

// Rules are the switches that count now.
func (e *Engine) Rules() Rules {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.rules
}

// The operations, as they are kept in the file and named in the ledger.
const (
	opAccount    = "account"
	opDeposit    = "deposit"
	opWithdraw   = "withdraw"
	opTick       = "tick"
	opIndex      = "index"
	opRate       = "rate"
	opOpen       = "open"
	opCancel     = "cancel"
	opCancelAll  = "cancel_all"
	opClose      = "close"
	opAddMargin  = "add_margin"
	opCashIn     = "cash_in"
	opStop       = "stop"
	opTakeProfit = "take_profit"
	opRules      = "rules"
)

// command is one change as it is asked for and kept: applied again in the same
// order to the same state it does the same.
type command struct {
	Op      string            `json:"op"`
	Account vigia.AccountID   `json:"account,omitempty"`
	Trade   vigia.TradeID     `json:"trade,omitempty"`
	Amount  vigia.Sats        `json:"amount,omitempty"`
	Price   vigia.Price       `json:"price,omitempty"`
	Percent vigia.Percent     `json:"percent,omitempty"`
	Rate    vigia.FundingRate `json:"rate,omitempty"`
	At      time.Time         `json:"at,omitzero"`
	New     *NewTrade         `json:"new,omitempty"`
	Keys    *keyTexts         `json:"keys,omitempty"`
	Scopes  []string          `json:"scopes,omitempty"`
	Rules   *Rules            `json:"rules,omitempty"`
}

// whole says whether a command that was read carries what its operation needs.
func (c *command) whole() bool {
	switch c.Op {
	case opAccount:
		return c.Keys != nil
	case opOpen:
		return c.New != nil
	case opRules:
		return c.Rules != nil && c.Rules.Check() == nil
	case opTick:
		return c.Price.Valid()
	}
	return true
}

// outcome is what a command answers; one of them is set.
type outcome struct {
	account *account
	trade   *trade
	trades  []*trade
	// shown is the trade as it is after the command, copied under the lock.
	shown []vigia.Trade
}

// do carries a command out: apply, write, sync, tell, answer.
func (e *Engine) do(c command) (outcome, error) {
	e.mu.Lock()
	done, record, err := e.carryOut(&c)
	e.mu.Unlock()
	if err != nil {
		return outcome{}, err
	}
	return done, e.settleRecord(record, true)
}

// settleRecord waits for the disk where there is one and delivers the events.
func (e *Engine) settleRecord(record uint64, durable bool) error {
	if e.file != nil && durable {
		if err := e.file.syncTo(record); err != nil {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.breakWith(err)
		}
	}
	e.tell(record)
	return nil
}

// carryOut applies one command and writes it to the file, under the lock.
func (e *Engine) carryOut(c *command) (outcome, uint64, error) {
	if e.broken != nil {
		return outcome{}, 0, e.broken
	}
	switch c.Op {
	case opAccount:
		c.Account, c.Keys = vigia.AccountID(e.newIdentity()), e.newKeys()
	case opOpen:
		c.Trade = vigia.TradeID(e.newIdentity())
	}
	e.records++
	done, err := e.apply(c)
	if err != nil {
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			e.records--
			return outcome{}, 0, refusal
		}
		return outcome{}, 0, e.breakWith(err)
	}
	if e.file != nil {
		if err := e.write(c); err != nil {
			return outcome{}, 0, e.breakWith(err)
		}
	}
	e.show(&done)
	return done, e.records, nil
}

// breakWith stops the engine for good: memory and file, or two sides of a book,
// do not agree any more.
func (e *Engine) breakWith(err error) error {
	if e.broken == nil {
		e.broken = fmt.Errorf("the paper exchange stopped: %w", err)
	}
	return e.broken
}

// show copies the trades of an answer while the lock is held.
func (e *Engine) show(done *outcome) {
	if done.trade != nil {
		done.shown = []vigia.Trade{e.shown(done.trade)}
	}
	for _, t := range done.trades {
		done.shown = append(done.shown, e.shown(t))
	}
}

// apply is the whole state machine: a refusal leaves everything as it was.
func (e *Engine) apply(c *command) (outcome, error) {
	switch c.Op {
	case opTick:
		return outcome{}, e.tick(c.Price, c.At)
	case opIndex:
		e.index, e.indexApart = c.Price, c.Price != 0
		if !e.indexApart {
			e.index = e.last
		}
		return outcome{}, nil
	case opRate:
		e.rate = c.Rate
		return outcome{}, nil
	case opAccount:
		return e.newAccount(c)
	case opDeposit, opWithdraw:
		return e.moveOutside(c)
	case opOpen:
		return e.open(c)
	case opCancelAll:
		return e.cancelAll(c)
	case opRules:
		e.setRules(*c.Rules)
		return outcome{}, nil
	}
	t, err := e.owned(c)
	if err != nil {
		return outcome{}, err
	}
	switch c.Op {
	case opCancel:
		err = e.cancel(t)
	case opClose:
		err = e.closeByHand(t)
	case opAddMargin:
		err = e.addMargin(t, c.Amount)
	case opCashIn:
		err = e.cashIn(t, c.Amount)
	case opStop:
		err = e.setStop(t, c.Price, c.Percent)
	case opTakeProfit:
		err = e.setTakeProfit(t, c.Price)
	default:
		err = fmt.Errorf("%q is not an operation of this version", c.Op)
	}
	return outcome{trade: t}, err
}

func (e *Engine) setRules(rules Rules) {
	e.rules = rules
	e.ledger.keep = newLedger(rules.KeepPostings).keep
	e.rearmAll()
}

// owned finds the trade a command is about, and refuses to trade without a
// price.
func (e *Engine) owned(c *command) (*trade, error) {
	a, err := e.account(c.Account)
	if err != nil {
		return nil, err
	}
	if e.last == 0 {
		return nil, unavailable()
	}
	t := a.trades[c.Trade]
	if t == nil {
		return nil, notYours()
	}
	return t, nil
}

// doOne carries out a command about one trade.
func (e *Engine) doOne(c command) (vigia.Trade, error) {
	done, err := e.do(c)
	if err != nil {
		return vigia.Trade{}, err
	}
	return done.shown[0], nil
}
