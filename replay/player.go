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
func NewPlayer(engine *paper.Engine) *Player { return &Player{engine: engine} }

// Account is one account of the engine and the rules over it.
type Account struct {
	id          vigia.AccountID
	automations []vigia.Automation
	states      []vigia.AutomationState
	reserves    []vigia.Reserve
	running     map[vigia.TradeID]vigia.Trade
	due         []decide.Due
	// Acts are what was done, in order; Dry what dry runs would have.
	Acts []Act
	Dry  []Act
	// closedByUs are the trades the rules closed.
	closedByUs map[vigia.TradeID]bool
	stale      bool
}

// Act is one decision that was carried out, and when.
type Act struct {
	vigia.Decision
	At time.Time
}

// Guard puts an account under rules.
func (p *Player) Guard(id vigia.AccountID, automations ...vigia.Automation) *Account {
	a := &Account{id: id, automations: automations, stale: true,
		running: map[vigia.TradeID]vigia.Trade{}, closedByUs: map[vigia.TradeID]bool{}}
	p.accounts = append(p.accounts, a)
	return a
}

// Changed says that an account's trades or wallet were changed by hand: it is
// decided again at the next price.
func (a *Account) Changed() { a.stale = true }

// State is what an automation remembers of a trade.
func (a *Account) State(id vigia.AutomationID, trade vigia.TradeID) (vigia.AutomationState, bool) {
	for _, s := range a.states {
		if s.Automation == id && s.Subject == vigia.TradeSubject(trade) {
			return s, true
		}
	}
	return vigia.AutomationState{}, false
}

// EndedBy is how a closed trade of the account ended.
func (a *Account) EndedBy(t *vigia.Trade) vigia.EndedBy { return vigia.Ended(t, a.closedByUs[t.ID]) }

// Tick lets one price happen on the exchange and then lets the rules act on it.
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

func (a *Account) isDue(price vigia.Price, at time.Time) bool {
	if a.stale {
		return true
	}
	for i := range a.due {
		d := &a.due[i]
		if d.Below != 0 && price <= d.Below || d.Above != 0 && price >= d.Above ||
			!d.At.IsZero() && !at.Before(d.At) {
			return true
		}
	}
	return false
}

// mostRounds bounds how often one account is decided at one price: each round
// acts once, and no rule acts twice on a trade at one price.
const mostRounds = 4 * vigia.MaxTradesPerAccount

func (p *Player) play(a *Account) error {
	for range mostRounds {
		facts := p.facts(a)
		result := p.decider.Decide(&facts)
		a.keep(&result, p.now)
		decision, ok := result.Acting()
		if !ok {
			a.due = append(a.due[:0], p.decider.NextDue()...)
			a.stale = false
			return nil
		}
		if err := p.carryOut(a, decision); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", decision.Action, decision.Subject, p.last, err)
		}
	}
	return fmt.Errorf("account %s decides without end at %s", a.id, p.last)
}

// facts are what the guard would know: everything fresh.
func (p *Player) facts(a *Account) decide.Facts {
	snapshot := &vigia.Snapshot{Account: a.id, TradesBegun: p.now, Free: p.engine.Wallet(a.id), FreeBegun: p.now,
		Cross: p.engine.Cross(a.id), CrossBegun: p.now}
	before := a.running
	a.running = make(map[vigia.TradeID]vigia.Trade, len(before))
	for _, t := range p.engine.Running(a.id) {
		snapshot.Trades = append(snapshot.Trades, vigia.Seen{Trade: t, Begun: p.now})
		a.running[t.ID] = t
	}
	return decide.Facts{Now: p.now, Snapshot: snapshot, States: a.states, Reserves: a.reserves,
		Automations: a.automations, Ended: p.ended(a, before),
		Account: vigia.Account{ID: a.id, Network: vigia.Paper, Status: vigia.AccountActive, ProvedAt: p.now,
			Scopes: []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite}},
		Market: vigia.Market{Last: p.last, ConfirmedAt: p.now}}
}

func (p *Player) ended(a *Account, before map[vigia.TradeID]vigia.Trade) []decide.Ended {
	var out []decide.Ended
	for id := range before {
		if _, running := a.running[id]; running {
			continue
		}
		if t, _, ok := p.engine.Trade(a.id, id); ok {
			out = append(out, decide.Ended{Trade: t, By: a.EndedBy(&t)})
		}
	}
	return out
}

// keep takes over the states and notes what dry runs would have done.
func (a *Account) keep(result *decide.Result, now time.Time) {
	for _, s := range result.States {
		a.remember(s)
	}
	for _, d := range result.Decisions {
		if d.DryRun && d.Acts() {
			a.Dry = append(a.Dry, Act{d, now})
		}
	}
}

func (a *Account) remember(s vigia.AutomationState) {
	for i := range a.states {
		if a.states[i].Automation == s.Automation && a.states[i].Subject == s.Subject {
			a.states[i] = s
			return
		}
	}
	a.states = append(a.states, s)
}

func (p *Player) carryOut(a *Account, d vigia.Decision) error {
	state, _ := a.State(d.Automation, d.Subject.Trade)
	state.Automation, state.Subject = d.Automation, d.Subject
	trade := d.Subject.Trade
	var err error
	switch d.Action {
	case vigia.ActionAddMargin:
		_, err = p.engine.AddMargin(a.id, trade, d.Amount)
		state.LastOutcome = vigia.OutcomeDone
		if d.Partial {
			state.LastOutcome = vigia.OutcomePartial
		}
		a.spend(d, p.now)
	case vigia.ActionClose:
		_, err = p.engine.Close(a.id, trade)
		a.closedByUs[trade] = true
	case vigia.ActionSetStop:
		_, err = p.engine.SetStop(a.id, trade, d.Stop)
		state.OurStop = d.Stop
	case vigia.ActionRemoveStop:
		_, err = p.engine.SetStop(a.id, trade, 0)
		state.OurStop = 0
	default:
		return fmt.Errorf("no way to carry out %s", d.Action)
	}
	if refused := (*paper.Refusal)(nil); errors.As(err, &refused) {
		return fmt.Errorf("the exchange refused: %w", refused)
	}
	if err != nil {
		return err
	}
	if d.Action.Lane() == vigia.LaneMargin {
		state.LastAt, state.LastPrice = p.now, p.last
	}
	a.remember(state)
	a.Acts = append(a.Acts, Act{d, p.now})
	return nil
}

// spend notes a reserve as spent: calls answer at once here.
func (a *Account) spend(d vigia.Decision, now time.Time) {
	kept := a.reserves[:0]
	for _, r := range a.reserves {
		_, running := a.running[r.Subject.Trade]
		if running || now.Sub(r.SettledAt) < 24*time.Hour {
			kept = append(kept, r)
		}
	}
	// The wallet read that follows begins at the same moment and has it already.
	a.reserves = append(kept, vigia.Reserve{Account: a.id, Subject: d.Subject, State: vigia.ReserveSpent,
		Cost: d.Cost, Counts: true, At: now, SettledAt: now.Add(-time.Nanosecond)})
}
