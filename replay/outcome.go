package replay

import (
	"fmt"

	"github.com/vigiaguard/vigia"
)

// Outcome is what a trade has come to, the rules' part in it included.
type Outcome struct {
	// Trade is the trade as the exchange shows it now.
	Trade vigia.Trade
	// EndedBy is empty while it runs.
	EndedBy vigia.EndedBy
	// Saves counts the adds of the rules, Added is what they put in, and StillIn
	// the part of it that is in the trade now: all of it while it runs, nothing
	// once it was lost or paid back.
	Saves          int
	Added, StillIn vigia.Sats
	// Net is what the trade has won for its owner, fees and funding paid: what
	// the wallet got back less what it put in. A running trade is valued at its
	// mark, with the closing fee still to come. It is exact but for a sat that
	// each cash-in may round away.
	Net vigia.Sats
}

// Outcome tells what a trade of an account has come to.
func (p *Player) Outcome(a *Account, id vigia.TradeID) (Outcome, error) {
	t, _, ok := p.engine.Trade(a.id, id)
	if !ok {
		return Outcome{}, fmt.Errorf("account %s has no trade %s", a.id, id)
	}
	out := Outcome{Trade: t}
	for i := range a.Acts {
		if act := &a.Acts[i]; act.Action == vigia.ActionAddMargin && act.Subject == vigia.TradeSubject(id) {
			out.Saves++
			out.Added += act.Amount
		}
	}
	if t.Running() {
		out.StillIn = out.Added
	} else {
		out.EndedBy = a.EndedBy(&t)
	}
	out.Net = net(&t, out.EndedBy)
	return out, nil
}

// net follows the sats (reference 7.4): what went into the margin and was not
// taken by funding is in t.Margin still, FeeReserve is what the reserve has left
// after the fees, and a liquidation pays nothing back. What a cash-in took out of
// the margin came back and is not in it any more.
func net(t *vigia.Trade, by vigia.EndedBy) vigia.Sats {
	reserve := t.FeeReserve + t.ClosingFee
	back := max(0, t.Margin+t.PL+t.FeeReserve)
	switch {
	case t.Running():
		back = t.Margin + t.PL + t.FeeReserve
	case by == vigia.EndedLiquidated:
		back = 0
	}
	return back - t.Margin - reserve - t.OpeningFee - t.Funding + t.CashInPL
}
