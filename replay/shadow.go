package replay

import (
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// Shadow is the end of a dry run: its real trade ended.
type Shadow struct {
	Automation vigia.AutomationID
	Trade      vigia.TradeID
	// At is when the real trade was seen to have ended, By how, and Exit where.
	At   time.Time
	By   vigia.EndedBy
	Exit vigia.Price
	// Would is what the dry run would have done until then.
	Would vigia.Shadow
	// HeldTo is the price it would have held the trade to: where it closed it, or,
	// of a trade that was liquidated, where the rule first ends it when it goes on
	// along a straight path from there. 0 where neither can be said.
	HeldTo vigia.Price
}

// shadowed is a trade as a dry run sees it.
func shadowed(t vigia.Trade, s *vigia.AutomationState) vigia.Trade {
	if s.Shadow.Margin > 0 {
		t = t.WithMargin(t.Margin + s.Shadow.Margin)
	}
	if s.Shadow.Stop != 0 {
		t.StopLoss = s.Shadow.Stop
	}
	return t
}

// endShadows ends the dry runs over a trade that has ended.
func (a *Account) endShadows(ended *decide.Ended, now time.Time) {
	for i := range a.automations {
		auto, t := &a.automations[i], &ended.Trade
		state, seen := a.State(auto.ID, t.ID)
		if auto.Mode != vigia.ModeDryRun || auto.Guard == nil || !seen {
			continue
		}
		a.Shadows = append(a.Shadows, Shadow{Automation: auto.ID, Trade: t.ID, At: now, By: ended.By,
			Exit: t.ExitPrice, Would: state.Shadow, HeldTo: state.Shadow.ClosedAt})
	}
}

// wouldHaveHeld takes what a dry run says of a trade that was liquidated.
func (a *Account) wouldHaveHeld(d *vigia.Decision) {
	for i := range a.Shadows {
		s := &a.Shadows[i]
		if s.Automation == d.Automation && d.Subject == vigia.TradeSubject(s.Trade) && s.HeldTo == 0 {
			s.HeldTo = d.LiquidationAfter
		}
	}
}
