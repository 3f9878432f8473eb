package guard

import (
	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// event starts an event of an account about a trade.
func (w *ward) event(at vigia.Event, trade *vigia.Trade) vigia.Event {
	at.Owner, at.Account = w.account.Owner, w.id
	at.Facts.AccountLabel, at.Facts.Network = w.account.Label, w.account.Network
	if trade != nil && trade.ID != "" {
		at.Subject = vigia.TradeSubject(trade.ID)
		at.Facts.Side, at.Facts.Quantity = trade.Side, trade.Quantity
		at.Facts.LiquidationBefore = trade.Liquidation
	}
	return at
}

// eventsOf is what a settlement tells.
func (g *Guard) eventsOf(w *ward, e *vigia.Execution, s *vigia.Settlement) []vigia.Event {
	kind, level, ok := toldAs(e, s)
	if !ok {
		return nil
	}
	out := w.event(vigia.Event{At: g.clock.Now(), Kind: kind, Level: level}, &e.Before)
	f := &out.Facts
	f.Execution, f.Action, f.Reason = e.ID, e.Action, e.Reason
	f.Last, f.Stop, f.Amount, f.Cost = e.Last, e.Stop, e.Amount, s.Cost
	f.LiquidationAfter, f.PL, f.Detail = s.After.Liquidation, s.After.PL, s.Detail
	if !e.TickAt.IsZero() && !s.SentAt.IsZero() {
		f.TickToWire = s.SentAt.Sub(e.TickAt)
	}
	if auto := w.automation(e.Automation); auto != nil {
		f.Automation = auto.Name
	}
	if level == vigia.LevelCritical {
		out.Incident = string(kind) + ":" + e.Subject.String()
	}
	return []vigia.Event{out}
}

func toldAs(e *vigia.Execution, s *vigia.Settlement) (vigia.EventKind, vigia.Level, bool) {
	switch s.To {
	case vigia.ExecutionUnknown:
		return vigia.EventUnknown, vigia.LevelWarning, true
	case vigia.ExecutionFailed:
		// An unknown that never came was tried again as far as it was needed.
		if e.Action.Lane() == vigia.LaneStop || e.State == vigia.ExecutionUnknown {
			return vigia.EventFailed, vigia.LevelWarning, true
		}
		return vigia.EventFailed, vigia.LevelCritical, true
	case vigia.ExecutionDone, vigia.ExecutionSuperseded:
	default:
		return "", 0, false
	}
	if e.State == vigia.ExecutionUnknown && e.Action == vigia.ActionAddMargin {
		return vigia.EventSettled, vigia.LevelInfo, true
	}
	switch e.Action {
	case vigia.ActionAddMargin:
		return vigia.EventRescued, vigia.LevelWarning, true
	case vigia.ActionClose:
		return vigia.EventClosed, vigia.LevelCritical, true
	case vigia.ActionSetStop:
		return vigia.EventStopSet, vigia.LevelInfo, true
	case vigia.ActionRemoveStop:
		return vigia.EventStopRemoved, vigia.LevelInfo, true
	case vigia.ActionProve:
		return vigia.EventProved, vigia.LevelInfo, true
	}
	return "", 0, false
}

// decisionEvents is what a changed decision tells: above all that a rule wanted
// to act and could not, or only ran dry.
func (g *Guard) decisionEvents(w *ward, f *decide.Facts, d *vigia.Decision) []vigia.Event {
	var kind vigia.EventKind
	level := vigia.LevelCritical
	switch {
	case d.DryRun && d.Acts():
		kind = vigia.EventDryRun
		if d.Action.Lane() == vigia.LaneStop {
			level = vigia.LevelInfo
		}
	case d.DryRun:
		return nil
	case d.Reason == vigia.ReasonTrueWhenArmed:
		kind = vigia.EventTrueWhen
	case d.Reason == vigia.ReasonLimitReached, d.Reason == vigia.ReasonShortOfSats, d.Reason == vigia.ReasonLeverageFloor:
		kind = vigia.EventLimit
	default:
		return nil
	}
	return []vigia.Event{g.aboutDecision(w, f, d, kind, level)}
}

// sightEvents say once that live rules of an account are held back because there is
// no fresh price, and once that there is one again.
func (g *Guard) sightEvents(w *ward, f *decide.Facts, result *decide.Result) []vigia.Event {
	blind := false
	for i := range result.Decisions {
		d := &result.Decisions[i]
		auto := w.automation(d.Automation)
		blind = blind || d.Reason == vigia.ReasonBlind && !d.DryRun && auto != nil && auto.Guard != nil
	}
	if blind == w.blind || !blind && f.Market.Blind(f.Now) {
		return nil
	}
	w.blind = blind
	e := w.event(vigia.Event{At: f.Now, Kind: vigia.EventSighted, Level: vigia.LevelInfo, Subject: vigia.AccountSubject(),
		Incident: "blind:" + string(w.id)}, nil)
	if blind {
		e.Kind, e.Level = vigia.EventBlind, vigia.LevelCritical
	}
	e.Facts.Last = f.Market.Last
	return []vigia.Event{e}
}

// notifyEvent is what a notify step or an alert says, or how far a dry run would
// have held a trade that died.
func (g *Guard) notifyEvent(w *ward, f *decide.Facts, d *vigia.Decision) vigia.Event {
	if d.DryRun && d.Reason == vigia.ReasonGone {
		out := g.aboutDecision(w, f, d, vigia.EventDryEnded, vigia.LevelWarning)
		out.Facts.Held, out.Facts.LiquidationAfter = d.LiquidationAfter, 0
		out.Facts.Amount = w.state(d.Automation, d.Subject).Shadow.Margin
		return out
	}
	kind, level := vigia.EventNotify, vigia.LevelWarning
	if auto := w.automation(d.Automation); auto != nil && auto.Alert != nil {
		level = vigia.LevelCritical
		switch auto.Alert.When {
		case vigia.AlertUnprotected:
			kind = vigia.EventUnprotected
		case vigia.AlertVanished:
			kind = vigia.EventVanished
		case vigia.AlertBlind:
			kind = vigia.EventBlind
		}
	}
	return g.aboutDecision(w, f, d, kind, level)
}

func (g *Guard) aboutDecision(w *ward, f *decide.Facts, d *vigia.Decision, kind vigia.EventKind, level vigia.Level) vigia.Event {
	trade := findTrade(w, f, d.Subject)
	incident := string(kind) + ":" + string(w.id)
	if d.Subject.Kind == vigia.SubjectTrade {
		incident += ":" + d.Subject.String()
	}
	out := w.event(vigia.Event{At: f.Now, Kind: kind, Level: level, Subject: d.Subject, Incident: incident}, trade)
	out.Facts.Action, out.Facts.Reason, out.Facts.DryRun = d.Action, d.Reason, d.DryRun
	out.Facts.Last, out.Facts.Amount, out.Facts.Cost, out.Facts.Stop = d.Last, d.Amount, d.Cost, d.Stop
	out.Facts.LiquidationAfter = d.LiquidationAfter
	if auto := w.automation(d.Automation); auto != nil {
		out.Facts.Automation = auto.Name
	}
	if kind == vigia.EventUnprotected && trade != nil {
		for _, gap := range decide.Protect(f, trade).Reasons {
			out.Facts.Detail = gap.Sentence()
			break
		}
	}
	for i := range w.ended {
		if e := &w.ended[i]; kind == vigia.EventVanished && e.Trade.ID == d.Subject.Trade {
			out.Facts.Detail, out.Facts.PL = string(e.By), e.Trade.PL
			out.Facts.Last = e.Trade.ExitPrice
		}
	}
	return out
}

func findTrade(w *ward, f *decide.Facts, subject vigia.Subject) *vigia.Trade {
	if seen, ok := f.Snapshot.Trade(subject.Trade); ok {
		return &seen.Trade
	}
	for i := range w.ended {
		if w.ended[i].Trade.ID == subject.Trade {
			return &w.ended[i].Trade
		}
	}
	return nil
}
