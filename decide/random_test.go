package decide_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// world draws facts. What a field leaves out is drawn anew each time.
type world struct {
	t *rapid.T
	// around is the middle of the prices, in dollars.
	around int64
	trades int
	rules  int
	// plain leaves out what only slows or holds back: calls under way, old
	// sightings, stops, questions open.
	plain bool
	// limitless leaves the limits out.
	limitless bool
}

func (w *world) int(low, high int64, label string) int64 {
	return rapid.Int64Range(low, high).Draw(w.t, label)
}

func (w *world) once(in int64, label string) bool { return w.int(1, in, label) == 1 }

func (w *world) ago(longest time.Duration, label string) time.Time {
	return noon.Add(-time.Duration(w.int(0, int64(longest/time.Millisecond), label)) * time.Millisecond)
}

func (w *world) facts() *decide.Facts {
	fresh := noon.Add(-time.Second)
	f := &decide.Facts{
		Now: noon,
		Account: vigia.Account{ID: "account", Status: vigia.AccountActive, ProvedAt: noon.Add(-time.Hour),
			Scopes: []string{vigia.ScopeIsolatedWrite}},
		Market: vigia.Market{ConfirmedAt: noon},
		Snapshot: &vigia.Snapshot{Account: "account", TradesBegun: fresh, FreeBegun: fresh,
			Free: vigia.Sats(w.int(0, 400_000, "free"))},
	}
	for i := range w.int(1, int64(w.trades), "trades") {
		f.Snapshot.Trades = append(f.Snapshot.Trades, w.trade(i, fresh))
	}
	f.Market.Last = w.price(&f.Snapshot.Trades[0].Trade)
	for i := range w.int(1, int64(w.rules), "rules") {
		f.Automations = append(f.Automations, w.rule(i))
	}
	for i := range f.Automations {
		for j := range f.Snapshot.Trades {
			w.state(f, &f.Automations[i], &f.Snapshot.Trades[j])
		}
	}
	for range w.int(0, 4, "reserves") {
		f.Reserves = append(f.Reserves, w.reserve(f))
	}
	if !w.plain {
		w.trouble(f)
	}
	return f
}

func (w *world) trade(i int64, seen time.Time) vigia.Seen {
	side := vigia.Long
	if w.once(2, "short") {
		side = vigia.Short
	}
	entry := vigia.Dollars(w.around) + vigia.Price(w.int(-w.around/20, w.around/20, "entry"))
	quantity := vigia.USD(w.around / 100 * w.int(1, 5, "quantity"))
	leverage := vigia.Leverage(w.int(4, 50, "leverage")) * vigia.OneX
	t := vigia.Trade{ID: vigia.TradeID(fmt.Sprintf("t%d", i)), State: vigia.TradeRunning, Side: side, Quantity: quantity,
		Price: entry, EntryPrice: entry, EntryMargin: vigia.MarginFor(quantity, entry, leverage),
		FilledAt: w.ago(3*time.Hour, "filled")}
	return vigia.Seen{Trade: t.WithMargin(t.EntryMargin), Begun: seen}
}

// price lies on the way from a trade's entry to its liquidation, most often near
// the end.
func (w *world) price(t *vigia.Trade) vigia.Price {
	way := t.Liquidation - t.Price
	part := vigia.Price(w.int(0, 99, "part"))
	if w.once(2, "near") {
		part = 50 + part/2
	}
	return t.Price + way*part/100
}

func (w *world) rule(i int64) vigia.Automation {
	a := vigia.Automation{ID: vigia.AutomationID(fmt.Sprintf("g%d", i)), Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive,
		ArmedAt: noon.Add(-2 * time.Hour), Guard: w.config()}
	if w.once(3, "dry") {
		a.Mode = vigia.ModeDryRun
	}
	if w.once(6, "one side") {
		a.Scope.Side = vigia.Long
	}
	if w.once(4, "ordered") {
		a.Scope.Order = []vigia.TradeID{"t1", "t0"}
	}
	a.Limits = vigia.Limits{PerAction: vigia.NoLimit, PerTrade: vigia.NoLimit, PerDay: vigia.NoLimit}
	if w.limitless {
		return a
	}
	if w.once(3, "per action") {
		a.Limits.PerAction = vigia.Sats(w.int(0, 60_000, "per action"))
	}
	if w.once(3, "per trade") {
		a.Limits.PerTrade = vigia.Sats(w.int(0, 100_000, "per trade"))
	}
	if w.once(3, "per day") {
		a.Limits.PerDay = vigia.Sats(w.int(0, 150_000, "per day"))
	}
	if w.once(3, "per margin") {
		a.Limits.PerTradeMargin = vigia.Percent(w.int(1, 200, "per margin")) * vigia.OnePercent
	}
	if w.once(3, "untouched") {
		a.Limits.Untouched = vigia.Sats(w.int(0, 200_000, "untouched"))
	}
	a.Limits.ActionsPerHour = int(w.int(0, 3, "actions"))
	return a
}

// config is a valid ladder whose closing step, where it has one, is the deepest.
func (w *world) config() *vigia.GuardConfig {
	c := &vigia.GuardConfig{Hysteresis: vigia.Percent(w.int(200, 1000, "hysteresis")), CoolDownSeconds: w.int(0, 60, "cool"),
		IfShort: rapid.SampledFrom([]vigia.IfShort{vigia.ShortClose, vigia.ShortAdd, vigia.ShortLeave}).Draw(w.t, "if_short"),
		// Told once, tests may go as tight as they like.
		TightConfirmed: true}
	path, steps := w.once(4, "path"), w.int(1, 3, "steps")
	trigger := vigia.Percent(w.int(500, 3000, "trigger"))
	for i := range steps {
		// From the deepest to the shallowest, put in front.
		step := vigia.GuardStep{Trigger: vigia.TriggerDistance, At: trigger, Action: vigia.GuardAddMargin}
		if path {
			step.Trigger, step.At = vigia.TriggerPathUsed, vigia.HundredPercent-10*trigger
		}
		switch {
		case w.once(5, "notify"):
			step.Action = vigia.GuardNotify
		case i == 0 && w.once(4, "close"):
			step.Action = vigia.GuardClose
		default:
			step.Target = trigger + 2*c.Hysteresis + vigia.Percent(w.int(0, 3000, "target"))
		}
		c.Steps = append([]vigia.GuardStep{step}, c.Steps...)
		trigger += vigia.Percent(w.int(100, 2000, "between"))
	}
	if err := c.Validate(); err != nil {
		w.t.Fatalf("drew a rule that is refused: %v", err)
	}
	return c
}

// state is drawn for most pairs; the others are armed when they are decided.
func (w *world) state(f *decide.Facts, a *vigia.Automation, seen *vigia.Seen) {
	if w.once(5, "no state") {
		return
	}
	s := vigia.AutomationState{Automation: a.ID, Subject: vigia.TradeSubject(seen.ID), Armed: a.ArmedAt}
	if !w.plain {
		if w.once(5, "true") {
			s.TrueWhenArmed = uint32(w.int(0, 7, "bits"))
		}
		s.Told = uint32(w.int(0, 7, "told"))
		if w.once(3, "acted") {
			s.LastAt = w.ago(time.Minute, "last")
			s.LastOutcome = rapid.SampledFrom([]vigia.ActionOutcome{vigia.OutcomeDone, vigia.OutcomePartial,
				vigia.OutcomeFailed, vigia.OutcomeUnsent, vigia.OutcomeRefused}).Draw(w.t, "outcome")
			s.LastPrice = f.Market.Last + vigia.Price(w.int(-20, 20, "last price"))
		}
		w.stop(f, &s, a, seen)
	}
	if a.Mode == vigia.ModeDryRun && w.once(2, "shadow") {
		s.Shadow = w.shadow(&seen.Trade, f.Market.Last)
	}
	f.States = append(f.States, s)
}

func (w *world) stop(f *decide.Facts, s *vigia.AutomationState, a *vigia.Automation, seen *vigia.Seen) {
	deepest := &a.Guard.Steps[len(a.Guard.Steps)-1]
	switch w.int(1, 6, "stop") {
	case 1:
		s.OurStop = deepest.FiresAt(&seen.Trade)
		seen.StopLoss = s.OurStop
	case 2:
		seen.StopLoss = f.Market.Last - vigia.Price(seen.Side)*vigia.Price(w.int(-40, 400, "stop at"))
	case 3:
		s.StopRefused = deepest.FiresAt(&seen.Trade)
	}
}

func (w *world) shadow(t *vigia.Trade, last vigia.Price) vigia.Shadow {
	s := vigia.Shadow{Margin: vigia.Sats(w.int(0, int64(t.MaxAdd()/2), "shadow margin"))}
	s.Spent = t.AddCost(s.Margin)
	if s.Margin > 0 {
		s.Saves, s.Spends = 1, []vigia.ShadowSpend{{At: w.ago(26*time.Hour, "spend"), Cost: s.Spent}}
	}
	if w.once(5, "shadow stop") {
		s.Stop = last - vigia.Price(t.Side)*vigia.Price(w.int(-40, 400, "shadow stop"))
	}
	if w.once(8, "shadow closed") {
		s.ClosedAt = last
	}
	return s
}

func (w *world) reserve(f *decide.Facts) vigia.Reserve {
	r := vigia.Reserve{Account: "account", Subject: w.subject(f), Cost: vigia.Sats(w.int(0, 50_000, "cost")),
		At: w.ago(26*time.Hour, "reserved"), Counts: w.once(2, "counts"), ByHand: w.once(4, "by hand"),
		State: rapid.SampledFrom([]vigia.ReserveState{vigia.ReserveSpent, vigia.ReserveSpent, vigia.ReserveHeld,
			vigia.ReserveReleased}).Draw(w.t, "reserve")}
	switch {
	case w.plain && r.State == vigia.ReserveHeld:
		r.State = vigia.ReserveSpent
		fallthrough
	case r.State == vigia.ReserveSpent:
		r.SettledAt = r.At
	case r.State == vigia.ReserveHeld:
		r.Unknown = w.once(2, "unknown")
	}
	return r
}

func (w *world) subject(f *decide.Facts) vigia.Subject {
	return vigia.TradeSubject(f.Snapshot.Trades[w.int(0, int64(len(f.Snapshot.Trades)-1), "subject")].ID)
}
