package replay_test

import (
	"slices"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/replay"
)

// checkScene holds what was done in a scene to what the rules say.
func checkScene(t *testing.T, w *walk, s *scene) {
	t.Helper()
	for _, fault := range s.observer.faults {
		t.Error(fault)
	}
	rule, ok := s.guard.Automation(ruleID)
	if !ok {
		t.Fatal("the rule is lost")
	}
	for i := range s.guard.Acts {
		checkAct(t, w, s, &rule, i)
	}
	checkEnds(t, w, s, &rule)
	checkLimits(t, w, s, &rule)
	checkConserved(t, w, s)
}

// checkAct holds one act to the price it was made at and to the purse of then.
func checkAct(t *testing.T, w *walk, s *scene, rule *vigia.Automation, i int) {
	t.Helper()
	act := &s.guard.Acts[i]
	trade, step := &act.Before, &rule.Guard.Steps[0]
	if c := w.market.at(act.At); act.Last < c.Low || act.Last > c.High {
		t.Errorf("act %d at %s: price %s is not of the minute's %s to %s", i, act.At, act.Last, c.Low, c.High)
	}
	fresh := freshLiquidation(trade.Side, trade.Quantity, trade.EntryPrice, leverageOf(s, trade.ID))
	if moved := liquidationAt(trade.Side, trade.Quantity, trade.Price, trade.Margin); trade.Liquidation != moved &&
		(trade.Liquidation != fresh || trade.Margin != trade.EntryMargin) {
		t.Errorf("act %d: the exchange has the liquidation at %s, reckoned %s or fresh %s", i, trade.Liquidation, moved, fresh)
	}
	// The observer looks at the corners; between two of them the act's own price
	// says whether the hysteresis was left.
	waited := s.observer.waits[trade.ID] || act.At.Before(s.observer.clearedAt[trade.ID])
	if waited && within(trade.Side, act.Last, trade.Liquidation, step.At+rule.Guard.Hysteresis) {
		t.Errorf("act %d: %s of %s at %s, while its condition waits for an answer", i, act.Action, trade.ID, act.At)
	}
	purse := purseOf(s, act.At, act.Free, i)
	holds := within(trade.Side, act.Last, trade.Liquidation, step.At)
	switch act.Action {
	case vigia.ActionAddMargin:
		if !holds {
			t.Errorf("act %d: add at %s, and %s is not within %s of it", i, act.Last, trade.Liquidation, step.At)
		}
		checkAdd(t, s, rule, i, purse)
	case vigia.ActionClose:
		need := neededAt(trade, act.Last, step.Target) - trade.Margin
		if !holds || s.ifShort != vigia.ShortClose {
			t.Errorf("act %d: close at %s under %s, trigger holds: %t", i, act.Last, s.ifShort, holds)
		}
		if purse.wallet -= promisedBeside(s, i); purse.reaches(trade, &rule.Limits, need) {
			t.Errorf("act %d: closed at %s, and the %d sats to the target were there", i, act.Last, need)
		}
		s.observer.bit(purse, trade, rule)
	case vigia.ActionSetStop, vigia.ActionRemoveStop:
		checkStop(t, s, rule, i, purse)
	default:
		t.Errorf("act %d is %s", i, act.Action)
	}
}

func leverageOf(s *scene, id vigia.TradeID) int64 {
	return s.orders[slices.Index(s.trades, id)].leverage
}

// promisedBeside is what the adds of the same moment after act i cost: the purse is
// given out to all, then each is done.
func promisedBeside(s *scene, i int) vigia.Sats {
	sum, acts := vigia.Sats(0), s.guard.Acts
	for _, later := range acts[i+1:] {
		if !later.At.Equal(acts[i].At) {
			break
		}
		sum += max(0, later.Cost)
	}
	return sum
}

// checkAdd: the whole target and not a sat more; less only where the rule adds what
// there is, and then at least trigger and hysteresis, and all there is.
func checkAdd(t *testing.T, s *scene, rule *vigia.Automation, i int, purse *purse) {
	t.Helper()
	act := &s.guard.Acts[i]
	trade, step := &act.Before, &rule.Guard.Steps[0]
	need := neededAt(trade, act.Last, step.Target) - trade.Margin
	survive := neededAt(trade, act.Last, step.At+rule.Guard.Hysteresis) - trade.Margin
	switch {
	case !act.Partial && act.Amount != need:
		t.Errorf("act %d: %d sats added, the target takes %d", i, act.Amount, need)
	case act.Partial && s.ifShort != vigia.ShortAdd:
		t.Errorf("act %d: a part was added under %s", i, s.ifShort)
	case act.Partial && (act.Amount < survive || act.Amount >= need):
		t.Errorf("act %d: %d sats added as a part; survival takes %d, the target %d", i, act.Amount, survive, need)
	case act.Partial && promisedBeside(s, i) == 0 && purse.reaches(trade, &rule.Limits, act.Amount+2):
		t.Errorf("act %d: %d sats added as what there is, and there was room for %d", i, act.Amount, purse.room(trade, &rule.Limits))
	case !purse.reaches(trade, &rule.Limits, act.Amount):
		t.Errorf("act %d: %d sats added, %d were there within the limits", i, act.Amount, purse.room(trade, &rule.Limits))
	}
	if act.Partial {
		s.observer.bit(purse, trade, rule)
	}
	if act.Cost != costOf(trade, act.Amount) {
		t.Errorf("act %d: the add was to cost %d, reckoned %d", i, act.Cost, costOf(trade, act.Amount))
	}
	want := trade.Margin + act.Amount
	if act.After.Margin != want || act.After.Liquidation != liquidationAt(trade.Side, trade.Quantity, trade.Price, want) {
		t.Errorf("act %d: the exchange answers margin %d and liquidation %s, want margin %d", i, act.After.Margin, act.After.Liquidation, want)
	}
	if act.LiquidationAfter != act.After.Liquidation {
		t.Errorf("act %d: the liquidation was to be %s and is %s", i, act.LiquidationAfter, act.After.Liquidation)
	}
}

// checkStop: our stop rests at the trigger price while cover for one full rescue is
// missing, and no longer.
func checkStop(t *testing.T, s *scene, rule *vigia.Automation, i int, purse *purse) {
	t.Helper()
	act := &s.guard.Acts[i]
	trade, step := &act.Before, &rule.Guard.Steps[0]
	fires := firstWithin(trade.Side, trade.Liquidation, step.At)
	need := neededAt(trade, fires, step.Target) - trade.Margin
	purse.wallet -= promisedBeside(s, i)
	covered := purse.reaches(trade, &rule.Limits, need)
	if !covered {
		s.observer.bit(purse, trade, rule)
	}
	switch {
	case s.ifShort != vigia.ShortClose:
		t.Errorf("act %d: %s under %s", i, act.Action, s.ifShort)
	case act.Action == vigia.ActionSetStop && (act.Stop != fires || act.After.StopLoss != fires):
		t.Errorf("act %d: stop at %s, the trigger price is %s", i, act.Stop, fires)
	case act.Action == vigia.ActionSetStop && act.Reason == vigia.ReasonCoverMissing && covered:
		t.Errorf("act %d: stop because cover is missing, and the %d sats are there", i, need)
	case act.Action == vigia.ActionRemoveStop && !covered:
		t.Errorf("act %d: stop taken away, and cover is missing", i)
	}
}

// checkEnds: with close, nothing guarded is liquidated but what waited for an
// answer; what closed, closed by the rule or at the rule's stop.
func checkEnds(t *testing.T, w *walk, s *scene, rule *vigia.Automation) {
	t.Helper()
	for i, o := range w.outcomes(t, s) {
		switch {
		case o.EndedBy == "", o.EndedBy == vigia.EndedByUs && s.ifShort == vigia.ShortClose:
		case o.EndedBy == vigia.EndedLiquidated:
			if s.ifShort == vigia.ShortClose && !s.observer.diedWaiting[o.Trade.ID] {
				t.Errorf("trade %d was liquidated at %s with if_short close", i, o.Trade.ExitPrice)
			}
		case o.EndedBy == vigia.EndedStopped && s.ifShort == vigia.ShortClose:
			if want := firstWithin(o.Trade.Side, o.Trade.Liquidation, rule.Guard.Steps[0].At); o.Trade.ExitPrice != want {
				t.Errorf("trade %d was stopped at %s, its trigger price is %s", i, o.Trade.ExitPrice, want)
			}
		default:
			t.Errorf("trade %d ended %s under %s", i, o.EndedBy, s.ifShort)
		}
	}
}

// spending is one add as the exchange's ledger has it.
type spending struct {
	op    uint64
	at    time.Time
	trade vigia.TradeID
	cost  vigia.Sats
	// left is the wallet after it.
	left vigia.Sats
}

// spendings are read from the wallet's postings alone.
func spendings(w *walk, s *scene) (adds []spending, others map[string]int) {
	others = map[string]int{}
	wallet := vigia.Sats(0)
	for _, p := range w.engine.Postings(s.key.ID) {
		if p.Book != paper.BookWallet {
			continue
		}
		wallet += p.Amount
		if p.What != "add_margin" {
			others[p.What]++
			continue
		}
		adds = append(adds, spending{op: p.Op, at: p.At, trade: p.Trade, cost: -p.Amount, left: wallet})
	}
	return adds, others
}

// checkLimits counts the limits again from the wallet's postings: per trade, per
// rolling day, the balance left untouched, acts per hour.
func checkLimits(t *testing.T, w *walk, s *scene, rule *vigia.Automation) {
	t.Helper()
	adds, _ := spendings(w, s)
	l, trades, acted := &rule.Limits, map[vigia.TradeID]vigia.Sats{}, addsOf(s)
	if len(adds) != len(acted) {
		t.Fatalf("the ledger has %d adds, the rules made %d", len(adds), len(acted))
	}
	for i, add := range adds {
		if act := acted[i]; act.Subject != vigia.TradeSubject(add.trade) || !act.At.Equal(add.at) || act.Cost != add.cost {
			t.Errorf("add %d: the ledger has %v, the rule decided %s for %d at %s", i, add, act.Subject, act.Cost, act.At)
		}
		trades[add.trade] += add.cost
		day, hour := vigia.Sats(0), 0
		for _, before := range adds[:i+1] {
			if add.at.Sub(before.at) < 24*time.Hour {
				day += before.cost
			}
			if before.trade == add.trade && add.at.Sub(before.at) < time.Hour {
				hour++
			}
		}
		trade, _, _ := w.engine.Trade(s.key.ID, add.trade)
		for _, bound := range []struct {
			limit     string
			got, most int64
		}{
			{perTrade, int64(trades[add.trade]), int64(mostOfTrade(&trade, l))},
			{perDay, int64(day), int64(l.PerDay)},
			{perAction, int64(add.cost), int64(l.PerAction)},
			{untouched, -int64(add.left), -int64(l.Untouched)},
			{actionsPerHour, int64(hour), int64(l.ActionsPerHour)},
		} {
			if bound.got > bound.most {
				t.Errorf("add %d at %s goes beyond the limit %s: %d, at most %d", i, add.at, bound.limit, bound.got, bound.most)
			}
		}
	}
}

func addsOf(s *scene) []replay.Act {
	return slices.DeleteFunc(slices.Clone(s.guard.Acts), func(a replay.Act) bool { return a.Action != vigia.ActionAddMargin })
}

// checkConserved: no sat appears or is lost, and the table's results are the
// wallet's.
func checkConserved(t *testing.T, w *walk, s *scene) {
	t.Helper()
	sum := vigia.Sats(0)
	for _, book := range []paper.Book{paper.BookWallet, paper.BookIsolatedMargin, paper.BookIsolatedReserve,
		paper.BookFees, paper.BookFunding, paper.BookHouse, paper.BookOutside} {
		sum += w.engine.Balance(s.key.ID, book)
	}
	if sum != 0 {
		t.Errorf("the books of the account add up to %d, want 0", sum)
	}
	if got := -w.engine.Balance(s.key.ID, paper.BookOutside); got != s.wallet {
		t.Errorf("%d sats came from outside, want %d", got, s.wallet)
	}
	worth := w.engine.Wallet(s.key.ID)
	perTrade := map[vigia.TradeID]vigia.Sats{}
	for _, p := range w.engine.Postings(s.key.ID) {
		if p.Book == paper.BookWallet {
			perTrade[p.Trade] += p.Amount
		}
	}
	for _, trade := range w.engine.Running(s.key.ID) {
		worth += trade.Margin + trade.FeeReserve + trade.PL
		perTrade[trade.ID] += trade.Margin + trade.FeeReserve + trade.PL
	}
	for i, o := range w.outcomes(t, s) {
		worth -= o.Net
		if o.Net != perTrade[o.Trade.ID] {
			t.Errorf("trade %d: the table has %d sats, the ledger %d", i, o.Net, perTrade[o.Trade.ID])
		}
	}
	if worth != s.wallet {
		t.Errorf("wallet and trades less their results are %d sats, want the %d there were", worth, s.wallet)
	}
}

// checkSeen: between them the scenes have shown what the checks are about.
func (e *eleven) checkSeen(t *testing.T) {
	t.Helper()
	seen := map[string]int{}
	for _, s := range e.guarded {
		for i := range s.guard.Acts {
			act := &s.guard.Acts[i]
			seen[string(act.Action)]++
			if act.Partial {
				seen["a part added"]++
			}
		}
		for limit, n := range s.observer.bites {
			seen[limit] += n
		}
		seen["within the trigger"] += s.observer.within
		for _, waited := range s.observer.diedWaiting {
			if waited {
				seen["died unanswered"]++
			}
		}
	}
	t.Log(seen)
	for _, what := range []string{string(vigia.ActionAddMargin), string(vigia.ActionClose), string(vigia.ActionSetStop),
		string(vigia.ActionRemoveStop), "a part added", "within the trigger", "died unanswered",
		perTrade, perDay, perAction, untouched, actionsPerHour} {
		if seen[what] == 0 && !underRace {
			t.Errorf("nothing of %q was seen", what)
		}
	}
}
