package replay_test

import (
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// observer looks at a guarded account at every corner of the walk, which has all
// highs and lows in it, and says what the rules ought to have done by then.
type observer struct {
	walk  *walk
	scene *scene
	stale bool
	acts  int
	// running are the trades as they stand.
	running []vigia.Trade
	// waits are the trades whose condition was true when armed and is neither
	// answered nor left by the hysteresis; clearedAt is when it was left.
	waits     map[vigia.TradeID]bool
	clearedAt map[vigia.TradeID]time.Time
	// diedWaiting are the trades that ended before that.
	diedWaiting map[vigia.TradeID]bool
	// within counts the looks at a trade inside its trigger.
	within int
	// bites counts the limits that kept a rule from its target.
	bites  map[string]int
	faults []string
}

func newObserver(w *walk, s *scene) *observer {
	return &observer{walk: w, scene: s, waits: map[vigia.TradeID]bool{}, clearedAt: map[vigia.TradeID]time.Time{},
		diedWaiting: map[vigia.TradeID]bool{}, bites: map[string]int{}}
}

// bit notes the limit that kept a rule from its target.
func (o *observer) bit(p *purse, t *vigia.Trade, rule *vigia.Automation) {
	_, limit := p.tightest(t, &rule.Limits)
	o.bites[limit]++
}

func (o *observer) hear(e paper.Event) {
	if e.Account != o.scene.key.ID || o.scene.preset == "" {
		return
	}
	o.stale = true
	if e.Trade.State == vigia.TradeClosed {
		o.diedWaiting[e.Trade.ID] = o.waits[e.Trade.ID]
	}
}

func (o *observer) fault(format string, args ...any) {
	o.faults = append(o.faults, fmt.Sprintf(format, args...))
}

// look is called when everything at a price has happened.
func (o *observer) look(p paper.Point) {
	if o.scene.preset == "" || o.scene.dry {
		return
	}
	if o.stale || o.acts != len(o.scene.guard.Acts) {
		o.running = o.walk.engine.Running(o.scene.key.ID)
		o.stale, o.acts = false, len(o.scene.guard.Acts)
	}
	if len(o.running) == 0 {
		return
	}
	rule, _ := o.scene.guard.Automation(ruleID)
	for i := range o.running {
		t := &o.running[i]
		if _, known := o.waits[t.ID]; !known {
			o.arm(t, &rule)
		}
		step := &rule.Guard.Steps[0]
		if o.waits[t.ID] && !within(t.Side, p.Price, t.Liquidation, step.At+rule.Guard.Hysteresis) {
			o.waits[t.ID], o.clearedAt[t.ID] = false, p.At
		}
		if within(t.Side, p.Price, t.Liquidation, step.At) && !o.waits[t.ID] && p.At.After(t.FilledAt) {
			o.within++
			o.left(p, t, &rule)
		}
	}
}

// arm judges a new trade at its entry price and entry margin; what ran when the
// preview was confirmed is answered.
func (o *observer) arm(t *vigia.Trade, rule *vigia.Automation) {
	entry := liquidationAt(t.Side, t.Quantity, t.EntryPrice, t.EntryMargin)
	o.waits[t.ID] = t.FilledAt.After(rule.ArmedAt) && within(t.Side, t.EntryPrice, entry, rule.Guard.Steps[0].At)
}

// left checks that a trade still within its trigger is one the rule may leave so.
func (o *observer) left(p paper.Point, t *vigia.Trade, rule *vigia.Automation) {
	least := rule.Guard.Steps[0].Target
	switch rule.Guard.IfShort {
	case vigia.ShortClose:
		o.fault("%s %s runs on at %s within its trigger: it should be saved or closed", p.At, t.ID, p.Price)
		return
	case vigia.ShortAdd:
		least = rule.Guard.Steps[0].At + rule.Guard.Hysteresis
	}
	purse := purseOf(o.scene, p.At, o.walk.engine.Wallet(o.scene.key.ID), len(o.scene.guard.Acts))
	o.bit(purse, t, rule)
	if roughly(t, p.Price, least)-float64(t.Margin) > 1.01*float64(purse.room(t, &rule.Limits))+10 {
		return // far out of reach, which fractions would only say more slowly
	}
	amount := neededAt(t, p.Price, least) - t.Margin
	if purse.cools(t, rule.Guard, p.Price) || !purse.reaches(t, &rule.Limits, amount) {
		return
	}
	o.fault("%s %s is left at %s within its trigger, and %d sats would have been there", p.At, t.ID, p.Price, amount)
}
