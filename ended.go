package vigia

// EndedBy is how a trade ended, inferred from where it ended (reference 5.2:
// REST has no reason field).
type EndedBy string

// How trades end.
const (
	EndedLiquidated EndedBy = "liquidated"
	EndedStopped    EndedBy = "stopped"
	EndedTookProfit EndedBy = "took_profit"
	// EndedByUs: our own close was settled on it.
	EndedByUs EndedBy = "closed_by_vigia"
	// EndedByHand: nothing else fits, so somebody closed it.
	EndedByHand EndedBy = "closed_by_hand"
)

// Ended infers how a closed trade ended. byUs says that our own close settled.
func Ended(t *Trade, byUs bool) EndedBy {
	switch {
	case t.ExitPrice == t.Liquidation && t.PL <= -t.Margin:
		return EndedLiquidated
	case byUs:
		return EndedByUs
	case t.StopLoss != 0 && t.ExitPrice == t.StopLoss:
		return EndedStopped
	case t.TakeProfit != 0 && t.ExitPrice == t.TakeProfit:
		return EndedTookProfit
	}
	return EndedByHand
}
