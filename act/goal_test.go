package act_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

const stopBefore, stopWanted = vigia.Price(180_000), vigia.Price(182_000)

func TestWhatIsOlderOrWasNeverExecutedChangesNothingRemembered(t *testing.T) {
	t.Parallel()
	was := vigia.AutomationState{LastAt: later(time.Minute), LastOutcome: vigia.OutcomePartial, LastPrice: 7, OurStop: stopBefore}
	add := signedAtNoon("e", vigia.ActionAddMargin, 20_000)
	if got := act.Remember(was, &add, &vigia.Settlement{To: vigia.ExecutionDone}, later(59*time.Second)); !reflect.DeepEqual(got, was) {
		t.Errorf("an older fact made %+v of %+v", got, was)
	}
	if got := act.Remember(was, &add, &vigia.Settlement{To: vigia.ExecutionDone}, was.LastAt); got.LastOutcome != vigia.OutcomeDone {
		t.Errorf("a fact as old as the last is %s, want done", got.LastOutcome)
	}
	for _, action := range []vigia.Action{vigia.ActionClose, vigia.ActionSetStop, vigia.ActionRemoveStop} {
		e := signedAtNoon("e", action, 0)
		e.Stop = stopWanted
		// A read begun after the timestamp lapsed shows neither the close nor the stop.
		settled := act.Reconcile([]*act.Suspect{{Execution: e}}, nil,
			act.Sighting{Begun: later(time.Hour), Trade: changed(func(t *vigia.Trade) { t.StopLoss = stopBefore })}, tolerance)
		if len(settled) != 1 || settled[0].To != vigia.ExecutionFailed {
			t.Fatalf("%s: got %+v, want it failed", action, settled)
		}
		if got := act.Remember(was, &e, &settled[0], later(time.Hour)); !reflect.DeepEqual(got, was) {
			t.Errorf("%s never executed made %+v of %+v", action, got, was)
		}
	}
}

func TestTheGoalOfACallThatIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	ended := func(t *vigia.Trade) { t.State = vigia.TradeClosed }
	stop := func(p vigia.Price) func(*vigia.Trade) { return func(t *vigia.Trade) { t.StopLoss = p } }
	trailing := func(t *vigia.Trade) { t.StopLoss, t.Trailing = stopWanted, vigia.OnePercent }
	for name, c := range map[string]struct {
		action vigia.Action
		trade  vigia.Trade
		want   vigia.ExecutionState
	}{
		"a close of what runs":           {vigia.ActionClose, tenfold(), ""},
		"a close of what ended":          {vigia.ActionClose, changed(ended), vigia.ExecutionSuperseded},
		"a stop on what ended":           {vigia.ActionSetStop, changed(ended), vigia.ExecutionGone},
		"a stop taken off what ended":    {vigia.ActionRemoveStop, changed(ended), vigia.ExecutionGone},
		"the stop rests there":           {vigia.ActionSetStop, changed(stop(stopWanted)), vigia.ExecutionSuperseded},
		"a stop rests elsewhere":         {vigia.ActionSetStop, changed(stop(stopBefore)), ""},
		"a trailing stop passes by":      {vigia.ActionSetStop, changed(trailing), ""},
		"no stop rests":                  {vigia.ActionSetStop, tenfold(), ""},
		"no stop rests, as was wanted":   {vigia.ActionRemoveStop, tenfold(), vigia.ExecutionSuperseded},
		"a stop still rests":             {vigia.ActionRemoveStop, changed(stop(stopBefore)), ""},
		"an add has no goal to look for": {vigia.ActionAddMargin, holding(120_000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := signedAtNoon("e", c.action, 20_000)
			e.Stop = stopWanted
			if got := act.Goal(&e, &c.trade); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
