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
	room, _ := p.tightest(t, l)
	return room
}

// The limits, as the checks name them.
const (
	perTrade       = "per trade"
	perDay         = "per day"
	perAction      = "per action"
	untouched      = "untouched"
	actionsPerHour = "actions per hour"
)

// tightest is the room and the limit that makes it as small as it is.
func (p *purse) tightest(t *vigia.Trade, l *vigia.Limits) (vigia.Sats, string) {
	if l.ActionsPerHour > 0 && p.hour[t.ID] >= l.ActionsPerHour {
		return 0, actionsPerHour
	}
	room, name := p.wallet-l.Untouched, untouched
	for _, bound := range []struct {
		name string
		sats vigia.Sats
	}{
		{perTrade, mostOfTrade(t, l) - p.spent[t.ID]}, {perDay, l.PerDay - p.day}, {perAction, l.PerAction},
	} {
		if bound.sats < room {
			room, name = bound.sats, bound.name
		}
	}
	return max(0, room), name
}

// mostOfTrade is what one trade may take in all.
func mostOfTrade(t *vigia.Trade, l *vigia.Limits) vigia.Sats {
	return min(l.PerTrade, t.EntryMargin*vigia.Sats(l.PerTradeMargin)/vigia.Sats(vigia.HundredPercent))
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
