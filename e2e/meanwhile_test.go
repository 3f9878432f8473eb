package e2e

import (
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
	"github.com/vigiaguard/vigia/paper"
)

// TestAHandAtTheSameMoment lets a person add, take out or close on the exchange
// itself while vigia stands at a step of its own add, answered or not.
func TestAHandAtTheSameMoment(t *testing.T) {
	t.Parallel()
	hands := []struct {
		name string
		act  func(w *world, id vigia.TradeID)
	}{
		{"adds", func(w *world, id vigia.TradeID) { w.addByHand(id, 7_777) }},
		{"adds as much", func(w *world, id vigia.TradeID) {
			t := w.now(id)
			target := w.rule.Guard.Steps[0].Target
			w.addByHand(id, vigia.MarginAtDistance(t.Side, t.Quantity, t.EntryPrice, w.engine.Last(), target)-t.EntryMargin)
		}},
		{"cashes in", func(w *world, id vigia.TradeID) {
			if _, err := w.engine.CashIn(w.trader.ID, id, 1_111); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"closes", func(w *world, id vigia.TradeID) {
			if _, err := w.engine.Close(w.trader.ID, id); err != nil {
				w.t.Fatal(err)
			}
		}},
	}
	for _, hand := range hands {
		for _, lost := range []bool{false, true} {
			for _, step := range []act.Step{act.StepDecided, act.StepSent, act.StepAnswered} {
				name := hand.name + " at " + string(step)
				if lost {
					name += ", the answer lost"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w, trade, p := steppedWorld(t, lost, step)
					hand.act(w, trade.ID)
					p.steps.goOn()
					w.rest(p)
					w.check(p)
					w.tick(trade.Liquidation - vigia.Dollars(10))
					if now := w.now(trade.ID); !now.Running() && hand.name != "closes" {
						t.Errorf("the trade is %s", now.State)
					}
				})
			}
		}
	}
}

// steppedWorld is a world whose vigia stands at a step of an add.
func steppedWorld(t *testing.T, lost bool, step act.Step) (*world, vigia.Trade, *process) {
	t.Helper()
	w := newWorld(t, worldOptions{store: "sqlite", balance: 10_000_000})
	trade := w.long(1_000, 20)
	p := w.start("data")
	w.join(p)
	w.protect(p, guardConfig(vigia.ShortClose))
	if lost {
		w.fault(paper.Fault{Kind: paper.FaultLost, Call: "add-margin", Count: 1})
	}
	p.holdAt(step, 0)
	w.tick(w.firesAt(&trade) - vigia.Dollars(50))
	if err := p.held(patience); err != nil {
		t.Fatal(err)
	}
	return w, trade, p
}

// TestAFundingSettlementInBetween settles funding while vigia does not know
// whether its add arrived: what funding took is told apart from what was added.
func TestAFundingSettlementInBetween(t *testing.T) {
	t.Parallel()
	for _, rate := range []vigia.FundingRate{50_000_000, -50_000_000} {
		for _, kill := range []bool{false, true} {
			for _, step := range []act.Step{act.StepDecided, act.StepSent, act.StepAnswered} {
				name := "paid"
				if rate < 0 {
					name = "received"
				}
				if kill {
					name += ", then killed"
				}
				t.Run(name+" at "+string(step), func(t *testing.T) {
					t.Parallel()
					w, trade, p := steppedWorld(t, true, step)
					if err := w.engine.SetFundingRate(rate); err != nil {
						t.Fatal(err)
					}
					w.fund()
					if kill {
						w.past.trouble()
						p.kill()
						p = w.start("data")
					} else {
						p.steps.goOn()
					}
					w.survives(p, &trade)
				})
			}
		}
	}
}

// fund moves the market past the next settlement.
func (w *world) fund() {
	w.t.Helper()
	at := w.engine.Ticker()
	w.ahead += at.FundingAt.Sub(at.At) + 1
	w.tick(at.Last)
	if len(w.engine.Settlements()) == 0 {
		w.t.Fatal("no settlement happened")
	}
}
