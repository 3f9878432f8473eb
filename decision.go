package vigia

// Action is what a decision wants done.
type Action string

// The actions. None is a decision to do nothing, with its reason.
const (
	ActionNone       Action = "none"
	ActionAddMargin  Action = "add_margin"
	ActionClose      Action = "close"
	ActionSetStop    Action = "set_stop"
	ActionRemoveStop Action = "remove_stop"
	ActionCashIn     Action = "cash_in"
	ActionNotify     Action = "notify"
	// ActionProve adds one sat to show that writing works.
	ActionProve Action = "prove"
)

// Lane is the lane of an action's call; empty where there is no call.
func (a Action) Lane() Lane {
	switch a {
	case ActionAddMargin, ActionCashIn, ActionProve:
		return LaneMargin
	case ActionClose:
		return LaneClose
	case ActionSetStop, ActionRemoveStop:
		return LaneStop
	}
	return ""
}

// SafeToRepeat says whether a second send of the action does nothing that the
// first has not done: a refusal then means done or gone.
func (a Action) SafeToRepeat() bool {
	return a == ActionClose || a == ActionSetStop || a == ActionRemoveStop
}

// Reason is why a decision is what it is: a closed list, kept and shown.
type Reason string

// The reasons. Those of actions come first.
const (
	ReasonTrigger       Reason = "trigger_reached"
	ReasonShortClose    Reason = "closed_because_short"
	ReasonShortAdd      Reason = "added_what_there_was"
	ReasonCoverMissing  Reason = "cover_missing"
	ReasonCoverReturned Reason = "cover_returned"
	ReasonStopRests     Reason = "stop_rests_at_trigger"
	ReasonStopMoved     Reason = "stop_follows_trigger"
	ReasonCommand       Reason = "asked_by_hand"
	ReasonAlert         Reason = "alert"
	ReasonTopUp         Reason = "topped_up_to_target"

	ReasonNotReached      Reason = "not_reached"
	ReasonNoLongerTrue    Reason = "no_longer_true"
	ReasonTrueWhenArmed   Reason = "true_when_armed"
	ReasonCoolingDown     Reason = "cooling_down"
	ReasonLimitReached    Reason = "limit_reached"
	ReasonLeverageFloor   Reason = "leverage_floor"
	ReasonStopComesFirst  Reason = "stop_comes_first"
	ReasonShortOfSats     Reason = "short_of_sats"
	ReasonAwaitingUnknown Reason = "awaiting_unknown"
	ReasonInFlight        Reason = "in_flight"
	ReasonStaleSnapshot   Reason = "stale_snapshot"
	ReasonBlind           Reason = "blind"
	ReasonStopped         Reason = "stopped"
	ReasonHalted          Reason = "halted"
	ReasonReadOnlyKey     Reason = "read_only_key"
	ReasonKeyRefused      Reason = "key_refused"
	ReasonExpired         Reason = "expired"
	ReasonGone            Reason = "gone"
	ReasonShadowClosed    Reason = "shadow_closed"
	ReasonNotSafeToProve  Reason = "not_safe_to_prove"
)

var sentences = map[Reason]string{
	ReasonTrigger:       "The trigger price was reached.",
	ReasonShortClose:    "The target was out of reach, and the rule says to close then.",
	ReasonShortAdd:      "The target was out of reach, and the rule says to add what there is.",
	ReasonCoverMissing:  "There is not enough for one full rescue, so the exchange's own stop rests at the trigger price.",
	ReasonCoverReturned: "There is enough for one full rescue again, so our stop was taken away.",
	ReasonStopRests:     "The rule says to close: the exchange's own stop rests at the trigger price.",
	ReasonStopMoved:     "The trigger price moved, and our stop moved with it.",
	ReasonCommand:       "A person asked for it.",
	ReasonAlert:         "The condition of the alert holds.",
	ReasonTopUp:         "After every trade was safe, this one was brought to its target.",

	ReasonNotReached:      "The trigger price has not been reached.",
	ReasonNoLongerTrue:    "The condition no longer held when it was looked at again.",
	ReasonTrueWhenArmed:   "The condition was true already when the rule was armed; it waits for your answer.",
	ReasonCoolingDown:     "The last action failed or was partial; the cool-down runs unless the price comes nearer to liquidation.",
	ReasonLimitReached:    "A limit of the rule is used up.",
	ReasonLeverageFloor:   "More margin would bring the leverage under 1, which the exchange refuses.",
	ReasonStopComesFirst:  "A stop-loss that Vigia did not set lies between the price and the liquidation.",
	ReasonShortOfSats:     "The free balance does not reach.",
	ReasonAwaitingUnknown: "An earlier call was not answered; its sats are held until it is known.",
	ReasonInFlight:        "A call for this trade is under way.",
	ReasonStaleSnapshot:   "The positions have to be read again first.",
	ReasonBlind:           "There is no fresh price.",
	ReasonStopped:         "Automations are stopped.",
	ReasonHalted:          "The halt file exists.",
	ReasonReadOnlyKey:     "The key cannot write.",
	ReasonKeyRefused:      "The exchange refuses the key.",
	ReasonExpired:         "The request was not begun within 30 seconds.",
	ReasonGone:            "The trade had ended.",
	ReasonShadowClosed:    "The dry run closed it earlier.",
	ReasonNotSafeToProve:  "A trade stands within its trigger; the proof waits until all are safe.",
}

// Sentence explains the reason to a person.
func (r Reason) Sentence() string { return sentences[r] }

// Reasons lists all there are.
func Reasons() []Reason {
	out := make([]Reason, 0, len(sentences))
	for r := range sentences {
		out = append(out, r)
	}
	return out
}

// Decision is what the rules say now about a subject.
type Decision struct {
	Automation AutomationID `json:"automation,omitempty"`
	Subject    Subject      `json:"subject"`
	Action     Action       `json:"action"`
	Reason     Reason       `json:"reason"`
	// Step is the rung of the ladder, from 0.
	Step int `json:"step"`
	// Amount is what an add puts into the trade, Cost what the wallet loses
	// by it: the amount and the change of the fee reserve.
	Amount Sats `json:"amount_sats,omitempty"`
	Cost   Sats `json:"cost_sats,omitempty"`
	// Stop is the price of a stop to be set.
	Stop Price `json:"stop_usd,omitempty"`
	// Last is the price the decision was made at.
	Last Price `json:"last_usd,omitempty"`
	// LiquidationAfter is where an add brings the liquidation.
	LiquidationAfter Price `json:"liquidation_after_usd,omitempty"`
	// Partial says that the target is not reached by it.
	Partial bool `json:"partial,omitempty"`
	DryRun  bool `json:"dry_run,omitempty"`
	// Command is the requested execution this decision carries out.
	Command ExecutionID `json:"command,omitempty"`
	// Replaces is the unknown execution that gives up its claim to this one;
	// it stays unknown and its sats stay held.
	Replaces ExecutionID `json:"replaces,omitempty"`
}

// Acts says whether a call or, in dry run, a shadow of one follows.
func (d *Decision) Acts() bool { return d.Action.Lane() != "" }
