package vigia

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// AutomationKind is the kind of a rule. A kind is added with its configuration
// and its decisions, never ahead of them.
type AutomationKind string

// The kinds there are.
const (
	KindMarginGuard AutomationKind = "margin_guard"
	KindAlert       AutomationKind = "alert"
)

// Mode says how far a rule goes.
type Mode string

// The modes. A new automation starts in dry run.
const (
	ModeOff    Mode = "off"
	ModeDryRun Mode = "dry_run"
	ModeLive   Mode = "live"
)

// Automation is a rule the user owns.
type Automation struct {
	ID      AutomationID   `json:"id"`
	Owner   UserID         `json:"owner"`
	Account AccountID      `json:"account"`
	Name    string         `json:"name"`
	Kind    AutomationKind `json:"kind"`
	Mode    Mode           `json:"mode"`
	Scope   Scope          `json:"scope"`
	// ConfigVersion is the version of the kind's configuration.
	ConfigVersion int `json:"config_version"`
	// Guard is set for margin_guard, Alert for alert.
	Guard *GuardConfig `json:"guard,omitempty"`
	Alert *AlertConfig `json:"alert,omitempty"`
	// Limits are the guard's, resolved to sats when it last went live or, in
	// dry run, when it was saved.
	Limits Limits `json:"limits"`
	// ArmedAt is the last save that changed trigger, scope or mode: what was
	// true already then never acts by itself.
	ArmedAt   time.Time `json:"armed_at"`
	CreatedAt time.Time `json:"created_at"`
	// Version counts saves.
	Version int64 `json:"version"`
}

// Scope is the set of trades a rule is about: the chosen ones, or all of the
// account that pass the filters.
type Scope struct {
	// Trades chooses; when empty, the filters below apply.
	Trades []TradeID `json:"trades,omitempty"`
	// Side, when set, keeps longs or shorts only.
	Side Side `json:"side,omitempty"`
	// MaxLeverage, when set, leaves out trades entered above it.
	MaxLeverage Leverage `json:"max_leverage,omitempty"`
	// MinMargin leaves out trades whose entry margin is smaller, in sats.
	MinMargin Sats `json:"min_margin_sats,omitempty"`
	// Except are trades the user lets die.
	Except []TradeID `json:"except,omitempty"`
	// Order is the user's order of rescue, most important first; trades not
	// named follow, worst first.
	Order []TradeID `json:"order,omitempty"`
}

// Covers says whether a trade is in scope. Leverage and margin are judged at
// entry, so that a rescue does not move a trade in or out.
func (s *Scope) Covers(t *Trade) bool {
	if contains(s.Except, t.ID) {
		return false
	}
	if len(s.Trades) > 0 {
		return contains(s.Trades, t.ID)
	}
	if s.Side != 0 && t.Side != s.Side {
		return false
	}
	if t.EntryMargin < s.MinMargin {
		return false
	}
	return s.MaxLeverage == 0 || LeverageOf(t.Quantity, t.EntryMargin, t.EntryPrice) <= s.MaxLeverage
}

// Rank is the place of a trade in the user's order; those not named come last.
func (s *Scope) Rank(id TradeID) int {
	for i, have := range s.Order {
		if have == id {
			return i
		}
	}
	return math.MaxInt
}

func contains(ids []TradeID, id TradeID) bool {
	for _, have := range ids {
		if have == id {
			return true
		}
	}
	return false
}

// NoLimit is the value of a limit that was not set.
const NoLimit Sats = math.MaxInt64

// Limits bound what the wallet may lose to automations, the change of the fee
// reserve included. Acts by hand count against nothing.
type Limits struct {
	PerAction Sats `json:"per_action_sats"`
	PerTrade  Sats `json:"per_trade_sats"`
	// PerTradeMargin bounds a trade by a share of its entry margin; 0 is none.
	PerTradeMargin Percent `json:"per_trade_margin_pct"`
	// PerDay bounds the account in a rolling 24 hours, gross.
	PerDay Sats `json:"per_day_sats"`
	// Untouched is the free balance that stays whatever happens.
	Untouched Sats `json:"untouched_sats"`
	// ActionsPerHour bounds the calls per trade; protective closes and moves
	// of our own stop are exempt. 0 is none.
	ActionsPerHour int `json:"actions_per_hour"`
}

// ForTrade is the limit in sats for one trade in total.
func (l *Limits) ForTrade(t *Trade) Sats {
	limit := l.PerTrade
	if l.PerTradeMargin > 0 {
		limit = min(limit, Sats(mul(int64(t.EntryMargin), int64(l.PerTradeMargin)).over(one(int64(HundredPercent)))))
	}
	return limit
}

// AlertConfig is version 1 of an alert: notify only.
type AlertConfig struct {
	When AlertWhen `json:"when"`
}

// AlertWhen is the condition of an alert.
type AlertWhen string

// The conditions there are.
const (
	// AlertUnprotected: a running trade without effective live protection.
	AlertUnprotected AlertWhen = "unprotected"
	// AlertVanished: a trade ended, and not by the user's own hand.
	AlertVanished AlertWhen = "vanished"
	// AlertBlind: no fresh price while a position is open.
	AlertBlind AlertWhen = "blind"
)

// Validate refuses a condition that does not exist.
func (c *AlertConfig) Validate() error {
	switch c.When {
	case AlertUnprotected, AlertVanished, AlertBlind:
		return nil
	}
	return Invalid("alert.when", fmt.Sprintf("got %q; it takes unprotected, vanished or blind", c.When))
}

// SameTriggers says whether a change leaves trigger, scope and mode alone, so that
// the armed state is kept.
func SameTriggers(a, b *Automation) bool {
	if a.Mode != b.Mode || !a.Scope.same(&b.Scope) || (a.Guard == nil) != (b.Guard == nil) {
		return false
	}
	if a.Guard == nil {
		return a.Alert != nil && b.Alert != nil && *a.Alert == *b.Alert
	}
	return slices.Equal(a.Guard.Steps, b.Guard.Steps)
}

func (s *Scope) same(other *Scope) bool {
	return s.Side == other.Side && s.MaxLeverage == other.MaxLeverage && s.MinMargin == other.MinMargin &&
		slices.Equal(s.Trades, other.Trades) && slices.Equal(s.Except, other.Except)
}
