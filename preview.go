package vigia

// Preview is what a guard would do with the positions there are now: shown before
// it is saved or goes live.
type Preview struct {
	// Limits are those of the rule, fixed in sats against the free balance of
	// now.
	Limits Limits         `json:"limits"`
	Trades []PreviewTrade `json:"trades"`
	// TrueNow counts the trades whose condition holds already: going live acts on
	// them at once, after a yes.
	TrueNow int `json:"true_now"`
	// Net is the exposure of the covered trades, longs positive; Hedged says that
	// both legs would be guarded.
	Net    USD  `json:"net_exposure_usd"`
	Hedged bool `json:"hedged"`
	// LosesDown and LosesUp are the worst cases when the price goes one way.
	LosesDown Sats     `json:"loses_down_sats"`
	LosesUp   Sats     `json:"loses_up_sats"`
	Warnings  []string `json:"warnings,omitempty"`
}

// PreviewTrade is one trade of a preview.
type PreviewTrade struct {
	Subject     Subject `json:"subject"`
	Side        Side    `json:"side"`
	Quantity    USD     `json:"quantity_usd"`
	Liquidation Price   `json:"liquidation_usd"`
	// AfterFunding is the liquidation after the next settlement at the announced
	// rate.
	AfterFunding Price         `json:"liquidation_after_funding_usd"`
	TrueNow      bool          `json:"true_now"`
	Steps        []PreviewStep `json:"steps"`
	// HeldTo and By are from the straight path; Adds, Costs and Saves what the
	// rules do on it.
	HeldTo Price   `json:"held_to_usd"`
	By     EndedBy `json:"by"`
	Adds   Sats    `json:"adds_sats"`
	Costs  Sats    `json:"costs_sats"`
	Saves  int     `json:"saves"`
	// LosesNow is gone if it dies without the rule, LosesWorst after all steps
	// and limits are used.
	LosesNow   Sats `json:"loses_now_sats"`
	LosesWorst Sats `json:"loses_worst_sats"`
}

// PreviewStep is what one step does when it fires from here.
type PreviewStep struct {
	FiresAt Price       `json:"fires_at_usd"`
	Action  GuardAction `json:"action"`
	// Adds reaches the target at that price; Costs has the fee reserve's change
	// in it.
	Adds             Sats  `json:"adds_sats,omitempty"`
	Costs            Sats  `json:"costs_sats,omitempty"`
	ReserveChange    Sats  `json:"reserve_change_sats,omitempty"`
	LiquidationAfter Price `json:"liquidation_after_usd,omitempty"`
	// Loses is gone if the trade is liquidated after this step.
	Loses   Sats `json:"loses_if_it_still_dies_sats"`
	Covered bool `json:"covered"`
}
