package decide

import (
	"time"

	"github.com/vigiaguard/vigia"
)

const (
	day  = 24 * time.Hour
	hour = time.Hour
)

// purse is what may still be spent: the real one of an account, or the shadow
// one of a dry run.
type purse struct {
	// free is the wallet less what is held or was spent since it was read;
	// unknown is the part of that which unanswered calls hold.
	free, unknown vigia.Sats
	// day is what went in 24 hours, dayUnknown its unanswered part.
	day, dayUnknown vigia.Sats
	trades          []tradeTally
}

// tradeTally is what went into one trade.
type tradeTally struct {
	subject        vigia.Subject
	spent, unknown vigia.Sats
	acts           int
}

func (p *purse) trade(subject vigia.Subject) *tradeTally {
	for i := range p.trades {
		if p.trades[i].subject == subject {
			return &p.trades[i]
		}
	}
	p.trades = append(p.trades, tradeTally{subject: subject})
	return &p.trades[len(p.trades)-1]
}

// fill counts the reserves of an account.
func (p *purse) fill(f *Facts) {
	*p = purse{free: f.Snapshot.Free, trades: p.trades[:0]}
	for i := range f.Reserves {
		r := &f.Reserves[i]
		if r.State == vigia.ReserveReleased {
			continue
		}
		held := r.State == vigia.ReserveHeld
		// What a call may bring in counts when it has; limits count gross.
		gross := max(0, r.Cost)
		unknown := vigia.Sats(0)
		if held && r.Unknown {
			unknown = gross
		}
		switch {
		case held:
			p.free -= gross
			p.unknown += unknown
		case !r.SettledAt.Before(f.Snapshot.FreeBegun):
			p.free -= r.Cost
		}
		if r.ByHand {
			continue
		}
		if held || f.Now.Sub(r.SettledAt) < day {
			p.day += gross
			p.dayUnknown += unknown
		}
		if r.Subject.Kind != vigia.SubjectTrade {
			continue
		}
		t := p.trade(r.Subject)
		t.spent += gross
		t.unknown += unknown
		if r.Counts && (held || f.Now.Sub(r.At) < hour) {
			t.acts++
		}
	}
}

// bound is a room and the reason that made it as small as it is.
type bound struct {
	sats   vigia.Sats
	reason vigia.Reason
}

func (b *bound) lower(sats vigia.Sats, reason vigia.Reason) {
	if sats < b.sats {
		b.sats, b.reason = sats, reason
	}
}

// room is what an automation may still spend on a trade in one action, the fee
// reserve's change included. With unknown, sats held by unanswered calls count as
// if they were there.
func (p *purse) room(limits *vigia.Limits, t *vigia.Trade, tally *tradeTally, unknown bool) bound {
	free, dayLeft, tradeLeft := p.free, limits.PerDay-p.day, limits.ForTrade(t)-tally.spent
	if unknown {
		free, dayLeft, tradeLeft = free+p.unknown, dayLeft+p.dayUnknown, tradeLeft+tally.unknown
	}
	room := bound{free - limits.Untouched, vigia.ReasonShortOfSats}
	room.lower(dayLeft, vigia.ReasonLimitReached)
	room.lower(tradeLeft, vigia.ReasonLimitReached)
	room.lower(limits.PerAction, vigia.ReasonLimitReached)
	if limits.ActionsPerHour > 0 && tally.acts >= limits.ActionsPerHour {
		room.lower(0, vigia.ReasonLimitReached)
	}
	return room
}

// take counts a cost as held.
func (p *purse) take(tally *tradeTally, cost vigia.Sats, acts int) {
	p.free -= cost
	p.day += cost
	tally.spent += cost
	tally.acts += acts
}

// affords says whether a room reaches an amount of margin, its fee reserve's
// change included, and the leverage stays at least 1; if not, what stands in the
// way.
func affords(t *vigia.Trade, amount vigia.Sats, room bound) (bool, vigia.Reason) {
	most := t.MaxAdd()
	if room.sats > 0 && amount <= most && t.AddCost(amount) <= room.sats {
		return true, ""
	}
	if most < room.sats {
		return false, vigia.ReasonLeverageFloor
	}
	return false, room.reason
}

// amountWithin is the most margin that can be added for a cost of at most room.
// Cost follows the amount but for a thousandth, so that a few corrections find it.
func amountWithin(t *vigia.Trade, room bound) vigia.Sats {
	if room.sats <= 0 {
		return 0
	}
	most := t.MaxAdd()
	amount := min(room.sats, most)
	for range 4 {
		left := room.sats - t.AddCost(amount)
		if left == 0 {
			return amount
		}
		amount = max(0, min(most, amount+left))
	}
	for amount > 0 && t.AddCost(amount) > room.sats {
		amount = max(0, amount-max(1, t.AddCost(amount)-room.sats))
	}
	return amount
}
