package replay_test

import (
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/replay"
)

// purse is what a scene's rule has spent before a moment, counted again.
type purse struct {
	now    time.Time
	wallet vigia.Sats
	day    vigia.Sats
	// spent and hour are per trade; last is the last add.
	spent map[vigia.TradeID]vigia.Sats
	hour  map[vigia.TradeID]int
	last  map[vigia.TradeID]*replay.Act
}

// purseOf counts the first n acts, with what the wallet held after them.
func purseOf(s *scene, now time.Time, wallet vigia.Sats, n int) *purse {
	out := &purse{now: now, wallet: wallet, spent: map[vigia.TradeID]vigia.Sats{}, hour: map[vigia.TradeID]int{},
		last: map[vigia.TradeID]*replay.Act{}}
	for i := range s.guard.Acts[:n] {
		act := &s.guard.Acts[i]
		if act.Action != vigia.ActionAddMargin {
			continue
		}
		// That the cost is right is checkAdd's to say.
		cost := act.Cost
		out.spent[act.Before.ID] += cost
		if now.Sub(act.At) < 24*time.Hour {
			out.day += cost
		}
		if now.Sub(act.At) < time.Hour {
			out.hour[act.Before.ID]++
		}
		out.last[act.Before.ID] = act
	}
	return out
}

// room is what may still be spent on a trade in one act.
func (p *purse) room(t *vigia.Trade, l *vigia.Limits) vigia.Sats {
	if l.ActionsPerHour > 0 && p.hour[t.ID] >= l.ActionsPerHour {
		return 0
	}
	perTrade := min(l.PerTrade, t.EntryMargin*vigia.Sats(l.PerTradeMargin)/vigia.Sats(vigia.HundredPercent))
	return max(0, min(p.wallet-l.Untouched, l.PerDay-p.day, perTrade-p.spent[t.ID], l.PerAction))
}

// reaches says whether an amount can be added.
func (p *purse) reaches(t *vigia.Trade, l *vigia.Limits, amount vigia.Sats) bool {
	room := p.room(t, l)
	return room > 0 && t.Margin+amount <= mostMargin(t) && costOf(t, amount) <= room
}

// cools says whether a partial add still waits out its cool-down.
func (p *purse) cools(t *vigia.Trade, c *vigia.GuardConfig, price vigia.Price) bool {
	last := p.last[t.ID]
	return last != nil && last.Partial && p.now.Sub(last.At) < 30*time.Second && !t.Side.Worse(price, last.Last) &&
		c.CoolDownSeconds == 30
}
