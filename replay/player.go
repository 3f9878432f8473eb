package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
	"github.com/vigiaguard/vigia/paper"
)

// Player plays prices against the rules of the accounts it was given. It is not
// safe for concurrent use.
type Player struct {
	engine   *paper.Engine
	decider  decide.Decider
	accounts []*Account
	last     vigia.Price
	now      time.Time
}

// NewPlayer plays on an engine; its accounts, trades and wallets are the caller's.
func NewPlayer(engine *paper.Engine) *Player {
	p := &Player{engine: engine}
	engine.Listen(p.hear)
	return p
}

// hear makes an account due whose trades the exchange touched: a fill, a
// settlement of funding, or an end moves what was armed and what is free.
func (p *Player) hear(e paper.Event) {
	for _, a := range p.accounts {
		if a.id == e.Account {
			a.stale = true
		}
	}
}

// Guard puts an account under rules, none of which may be a rule of another
// Guard call: they are decided together.
func (p *Player) Guard(id vigia.AccountID, automations ...vigia.Automation) *Account {
	a := &Account{id: id, automations: automations, stale: true, closedByUs: map[vigia.TradeID]bool{}}
	p.accounts = append(p.accounts, a)
	return a
}

// Tick lets one price happen on the exchange and then lets the rules act on it.
// Errors are of a price the exchange refuses, or of rules and exchange that do
// not agree on what can be done: nothing later can be relied on then.
func (p *Player) Tick(price vigia.Price, at time.Time) error {
	if err := p.engine.Tick(price, at); err != nil {
		return fmt.Errorf("playing %s at %s: %w", price, at.Format(time.RFC3339), err)
	}
	p.last, p.now = price, at
	for _, a := range p.accounts {
		if !a.isDue(price, at) {
			continue
		}
		if err := p.play(a); err != nil {
			return err
		}
	}
	return nil
}

// mostRounds bounds how often one account is decided at one price: each round
// acts once, and no rule acts twice on a trade at one price.
const mostRounds = 4 * vigia.MaxTradesPerAccount

func (p *Player) play(a *Account) error {
	for range mostRounds {
		facts := p.facts(a)
		result := p.decider.Decide(&facts)
		a.keep(&facts, &result)
		decision, ok := result.Acting()
		if !ok {
			a.arm(p.decider.NextDue())
			return nil
		}
		if err := p.carryOut(a, decision); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", decision.Action, decision.Subject, p.last, err)
		}
	}
	return fmt.Errorf("account %s decides without end at %s", a.id, p.last)
}

// facts are what the guard would know: everything fresh. The exchange is read
// again after what changes it only.
func (p *Player) facts(a *Account) decide.Facts {
	facts := decide.Facts{Now: p.now, Snapshot: &a.snapshot, States: a.states, Reserves: a.reserves,
		Automations: a.automations,
		Account: vigia.Account{ID: a.id, Network: vigia.Paper, Status: vigia.AccountActive, ProvedAt: p.now,
			Scopes: []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite}},
		Market: vigia.Market{Last: p.last, ConfirmedAt: p.now}}
	s := &a.snapshot
	s.TradesBegun, s.FreeBegun, s.CrossBegun = p.now, p.now, p.now
	if a.stale {
		a.stale = false
		p.read(a, &facts)
	}
	for i := range s.Trades {
		s.Trades[i].Begun = p.now
	}
	return facts
}

// read takes an account as the exchange has it, and notes what has ended.
func (p *Player) read(a *Account, facts *decide.Facts) {
	before := a.snapshot.Trades
	s := &a.snapshot
	s.Account, s.Free, s.Cross, s.Trades = a.id, p.engine.Wallet(a.id), p.engine.Cross(a.id), nil
	for _, t := range p.engine.Running(a.id) {
		s.Trades = append(s.Trades, vigia.Seen{Trade: t, Begun: p.now})
	}
	for i := range before {
		id := before[i].ID
		if _, running := s.Trade(id); running {
			continue
		}
		if t, _, ok := p.engine.Trade(a.id, id); ok {
			ended := decide.Ended{Trade: t, By: a.EndedBy(&t)}
			facts.Ended = append(facts.Ended, ended)
			a.endShadows(&ended, p.now)
		}
	}
}

// carryOut does what was decided on the exchange, at the price it was decided at.
func (p *Player) carryOut(a *Account, d vigia.Decision) error {
	done := Act{Decision: d, At: p.now, Before: a.trade(d.Subject), Free: a.snapshot.Free}
	state, _ := a.State(d.Automation, d.Subject.Trade)
	state.Automation, state.Subject = d.Automation, d.Subject
	trade := d.Subject.Trade
	a.stale = true
	var err error
	switch d.Action {
	case vigia.ActionAddMargin:
		done.After, err = p.engine.AddMargin(a.id, trade, d.Amount)
		state.LastAt, state.LastPrice, state.LastOutcome = p.now, p.last, vigia.OutcomeDone
		if d.Partial {
			state.LastOutcome = vigia.OutcomePartial
		}
	case vigia.ActionClose:
		done.After, err = p.engine.Close(a.id, trade)
	case vigia.ActionSetStop:
		done.After, err = p.engine.SetStop(a.id, trade, d.Stop)
		if refused := (*paper.Refusal)(nil); errors.As(err, &refused) {
			// What is left is to close at the trigger from here.
			state.StopRefused = d.Stop
			a.remember(state)
			a.Refusals = append(a.Refusals, Refusal{Act: done, Why: refused.Message})
			return nil
		}
		state.OurStop, state.StopRefused = d.Stop, 0
	case vigia.ActionRemoveStop:
		done.After, err = p.engine.SetStop(a.id, trade, 0)
		state.OurStop = 0
	default:
		return fmt.Errorf("no way to carry out %s", d.Action)
	}
	if err != nil {
		return fmt.Errorf("the exchange: %w", err)
	}
	a.done(&done, state)
	return nil
}
