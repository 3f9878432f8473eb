package vigia

import (
	"fmt"
	"time"
)

// GuardConfigVersion is the version of the margin guard's configuration.
const GuardConfigVersion = 1

// GuardConfig is version 1 of a margin guard.
type GuardConfig struct {
	// Steps go from the shallowest trigger to the deepest; the deepest whose
	// trigger holds is the one that acts.
	Steps []GuardStep `json:"steps"`
	// Hysteresis ends "true when armed", quiets alerts, and with the trigger
	// is the distance called survival.
	Hysteresis Percent `json:"hysteresis_pct"`
	// IfShort decides when the money, or a limit, does not reach the target.
	IfShort IfShort `json:"if_short"`
	// CoolDownSeconds is how long a failed or partial action waits, unless the
	// price comes nearer to liquidation.
	CoolDownSeconds int64 `json:"cool_down_s"`
	// Limits as the user wrote them; the automation holds them in sats.
	Limits GuardLimits `json:"limits"`
	// TightConfirmed is the typed yes to a trigger under 1.5 %.
	TightConfirmed bool `json:"tight_confirmed,omitempty"`
	// TrueConfirmed is the yes to acting at once on trades whose condition holds
	// already when the rule goes live. Trades that come later are judged anew.
	TrueConfirmed bool `json:"true_confirmed,omitempty"`
	// HedgeConfirmed is the yes to guarding both legs of a hedge.
	HedgeConfirmed bool `json:"hedge_confirmed,omitempty"`
}

// CoolDown is the configured wait.
func (c *GuardConfig) CoolDown() time.Duration {
	return time.Duration(c.CoolDownSeconds) * time.Second
}

// GuardStep is one rung of the ladder.
type GuardStep struct {
	Trigger TriggerKind `json:"trigger"`
	// At is the distance (at most) or the path used (at least) that fires it.
	At     Percent     `json:"at_pct"`
	Action GuardAction `json:"action"`
	// Target is the distance an add restores; 0 for other actions.
	Target Percent `json:"target_pct,omitempty"`
}

// Holds says whether the step's condition is true for a trade at a price.
func (s *GuardStep) Holds(t *Trade, p Price) bool {
	if s.Trigger == TriggerPathUsed {
		return PathReached(t.Price, p, t.Liquidation, s.At)
	}
	return WithinDistance(t.Side, p, t.Liquidation, s.At)
}

// FiresAt is the first price on the way to liquidation at which Holds.
func (s *GuardStep) FiresAt(t *Trade) Price {
	if s.Trigger == TriggerPathUsed {
		return PriceAtPath(t.Price, t.Liquidation, s.At)
	}
	return PriceAtDistance(t.Side, t.Liquidation, s.At)
}

// ClearAt is the first price back from liquidation at which the step's
// condition has been left by the hysteresis: what ends "true when armed".
func (s *GuardStep) ClearAt(t *Trade, hysteresis Percent) Price {
	if s.Trigger == TriggerPathUsed {
		return PriceAtPath(t.Price, t.Liquidation, s.At-hysteresis) + Price(t.Side)
	}
	return PriceAtDistance(t.Side, t.Liquidation, s.At+hysteresis) + Price(t.Side)
}

// TriggerKind is what a step watches.
type TriggerKind string

// The triggers of a margin guard.
const (
	TriggerDistance TriggerKind = "distance"
	TriggerPathUsed TriggerKind = "path_used"
)

// GuardAction is what a step does.
type GuardAction string

// The actions of a step.
const (
	// GuardAddMargin adds margin up to the target.
	GuardAddMargin GuardAction = "add_margin"
	// GuardClose lets the exchange's own stop rest at the trigger price.
	GuardClose GuardAction = "close"
	// GuardNotify tells and touches nothing.
	GuardNotify GuardAction = "notify"
)

// IfShort decides when the target is out of reach.
type IfShort string

// What can be done when the target is out of reach.
const (
	ShortClose IfShort = "close"
	ShortAdd   IfShort = "add_what_there_is"
	ShortLeave IfShort = "leave"
)

// GuardLimits are the limits as written: in sats, or as a share that is fixed
// in sats when the rule goes live. Nil is no limit.
type GuardLimits struct {
	PerAction      *Sats   `json:"per_action_sats,omitempty"`
	PerTrade       *Sats   `json:"per_trade_sats,omitempty"`
	PerTradeMargin Percent `json:"per_trade_margin_pct,omitempty"`
	PerDay         *Sats   `json:"per_day_sats,omitempty"`
	PerDayOfFree   Percent `json:"per_day_of_free_pct,omitempty"`
	Untouched      *Sats   `json:"untouched_sats,omitempty"`
	UntouchedShare Percent `json:"untouched_of_free_pct,omitempty"`
	ActionsPerHour int     `json:"actions_per_hour,omitempty"`
}

// Resolve fixes the limits in sats against the free balance of now.
func (l *GuardLimits) Resolve(free Sats) Limits {
	share := func(p Percent) Sats {
		return Sats(mul(max(0, int64(free)), int64(p)).over(one(int64(HundredPercent))))
	}
	out := Limits{PerAction: NoLimit, PerTrade: NoLimit, PerTradeMargin: l.PerTradeMargin,
		PerDay: NoLimit, ActionsPerHour: l.ActionsPerHour}
	lower := func(limit *Sats, by *Sats) {
		if by != nil {
			*limit = min(*limit, *by)
		}
	}
	lower(&out.PerAction, l.PerAction)
	lower(&out.PerTrade, l.PerTrade)
	lower(&out.PerDay, l.PerDay)
	if l.PerDayOfFree > 0 {
		out.PerDay = min(out.PerDay, share(l.PerDayOfFree))
	}
	if l.Untouched != nil {
		out.Untouched = *l.Untouched
	}
	out.Untouched = max(out.Untouched, share(l.UntouchedShare))
	return out
}

// TightestWithoutYes is the trigger below which a typed yes is needed: in
// eleven real days the price moved 1.6 % within one minute.
const TightestWithoutYes Percent = 1_500

// LeastHysteresis keeps a target clear of its trigger by more than the rounding
// of a liquidation to the tick.
const LeastHysteresis Percent = 100

// Validate says the first thing that is wrong, naming the field, what it got
// and what it takes.
func (c *GuardConfig) Validate() error {
	if len(c.Steps) == 0 || len(c.Steps) > MaxGuardSteps {
		return Invalid("steps", fmt.Sprintf("got %d steps; a guard takes 1 to %d", len(c.Steps), MaxGuardSteps))
	}
	if c.Hysteresis < LeastHysteresis || c.Hysteresis > 10*OnePercent {
		return Invalid("hysteresis_pct", fmt.Sprintf("got %s; it takes %s to 10", c.Hysteresis, LeastHysteresis))
	}
	switch c.IfShort {
	case ShortClose, ShortAdd, ShortLeave:
	default:
		return Invalid("if_short", fmt.Sprintf("got %q; it takes close, add_what_there_is or leave", c.IfShort))
	}
	if c.CoolDownSeconds < 0 || c.CoolDownSeconds > 86_400 {
		return Invalid("cool_down_s", fmt.Sprintf("got %d; it takes 0 to 86400", c.CoolDownSeconds))
	}
	for i := range c.Steps {
		if err := c.validateStep(i); err != nil {
			return err
		}
	}
	return c.Limits.validate()
}

// MaxGuardSteps bounds a ladder.
const MaxGuardSteps = 8

func (c *GuardConfig) validateStep(i int) error {
	step, field := &c.Steps[i], func(name string) string { return fmt.Sprintf("steps[%d].%s", i, name) }
	switch step.Trigger {
	case TriggerDistance:
		if step.At <= 0 || step.At > 50*OnePercent {
			return Invalid(field("at_pct"), fmt.Sprintf("got %s; a distance takes more than 0 and at most 50", step.At))
		}
		if step.At < TightestWithoutYes && !c.TightConfirmed {
			return &Error{Code: CodeNeedsConfirmation, Field: field("at_pct"),
				Message: fmt.Sprintf("got %s; a trigger under 1.5 needs tight_confirmed: in eleven real days the price moved 1.6 %% within one minute", step.At)}
		}
	case TriggerPathUsed:
		if step.At <= 0 || step.At >= HundredPercent {
			return Invalid(field("at_pct"), fmt.Sprintf("got %s; path used takes more than 0 and less than 100", step.At))
		}
	default:
		return Invalid(field("trigger"), fmt.Sprintf("got %q; it takes distance or path_used", step.Trigger))
	}
	if err := c.validateAction(step, field); err != nil {
		return err
	}
	if i == 0 {
		return nil
	}
	before := &c.Steps[i-1]
	if before.Trigger != step.Trigger {
		return Invalid(field("trigger"), fmt.Sprintf("got %s after %s; all steps of one guard watch the same", step.Trigger, before.Trigger))
	}
	if deeper := (step.At < before.At) == (step.Trigger == TriggerDistance) && step.At != before.At; !deeper {
		return Invalid(field("at_pct"), fmt.Sprintf("got %s after %s; each step must lie nearer to liquidation than the one before", step.At, before.At))
	}
	return nil
}

func (c *GuardConfig) validateAction(step *GuardStep, field func(string) string) error {
	switch step.Action {
	case GuardAddMargin:
	case GuardClose, GuardNotify:
		if step.Target != 0 {
			return Invalid(field("target_pct"), fmt.Sprintf("got %s; only add_margin takes a target", step.Target))
		}
		return nil
	default:
		return Invalid(field("action"), fmt.Sprintf("got %q; it takes add_margin, close or notify", step.Action))
	}
	if step.Target <= 0 || step.Target > 90*OnePercent {
		return Invalid(field("target_pct"), fmt.Sprintf("got %s; it takes more than 0 and at most 90", step.Target))
	}
	if least := step.At + 2*c.Hysteresis; step.Trigger == TriggerDistance && step.Target < least {
		return Invalid(field("target_pct"), fmt.Sprintf("got %s; it takes at least trigger + 2 × hysteresis = %s", step.Target, least))
	}
	return nil
}

func (l *GuardLimits) validate() error {
	for _, limit := range []struct {
		field string
		value *Sats
	}{
		{"limits.per_action_sats", l.PerAction}, {"limits.per_trade_sats", l.PerTrade},
		{"limits.per_day_sats", l.PerDay}, {"limits.untouched_sats", l.Untouched},
	} {
		if limit.value != nil && (*limit.value < 0 || *limit.value > MaxWalletSats) {
			return Invalid(limit.field, fmt.Sprintf("got %s; it takes 0 to %s", *limit.value, MaxWalletSats))
		}
	}
	for _, share := range []struct {
		field string
		value Percent
		most  Percent
	}{
		{"limits.per_trade_margin_pct", l.PerTradeMargin, 10_000 * OnePercent},
		{"limits.per_day_of_free_pct", l.PerDayOfFree, HundredPercent},
		{"limits.untouched_of_free_pct", l.UntouchedShare, HundredPercent},
	} {
		if share.value < 0 || share.value > share.most {
			return Invalid(share.field, fmt.Sprintf("got %s; it takes 0 to %s", share.value, share.most))
		}
	}
	if l.ActionsPerHour < 0 || l.ActionsPerHour > 3600 {
		return Invalid("limits.actions_per_hour", fmt.Sprintf("got %d; it takes 0 (no limit) to 3600", l.ActionsPerHour))
	}
	return nil
}

// MaxWalletSats is all the bitcoin there will be.
const MaxWalletSats Sats = 21_000_000 * SatsPerBTC

// GuardPreset names a ready-made configuration.
type GuardPreset string

// The presets.
const (
	PresetStandard GuardPreset = "standard"
	PresetCalm     GuardPreset = "calm"
	PresetTight    GuardPreset = "tight"
)

// GuardPresets lists them in the order they are offered.
func GuardPresets() []GuardPreset { return []GuardPreset{PresetStandard, PresetCalm, PresetTight} }

// Config is the configuration of a preset.
func (p GuardPreset) Config() (GuardConfig, error) {
	var trigger, target, hysteresis Percent
	switch p {
	case PresetStandard:
		trigger, target, hysteresis = 2_000, 4_000, 500
	case PresetCalm:
		trigger, target, hysteresis = 4_000, 8_000, 1_000
	case PresetTight:
		trigger, target, hysteresis = 1_500, 3_000, 500
	default:
		return GuardConfig{}, Invalid("preset", fmt.Sprintf("got %q; it takes standard, calm or tight", p))
	}
	return GuardConfig{
		Steps:           []GuardStep{{Trigger: TriggerDistance, At: trigger, Action: GuardAddMargin, Target: target}},
		Hysteresis:      hysteresis,
		IfShort:         ShortClose,
		CoolDownSeconds: 30,
		Limits: GuardLimits{PerTradeMargin: HundredPercent, PerDayOfFree: 50 * OnePercent,
			UntouchedShare: 20 * OnePercent, ActionsPerHour: 6},
	}, nil
}
