package act_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

func TestWhatCameBackSettlesTheCall(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	either := []vigia.ExecutionState{vigia.ExecutionIntent, vigia.ExecutionUnknown}
	before := tenfold()
	for name, c := range map[string]struct {
		action vigia.Action
		result vigia.CallResult
		want   vigia.Settlement
	}{
		"an add": {vigia.ActionAddMargin, vigia.CallResult{Outcome: vigia.CallDone, Trade: holding(120_000)},
			vigia.Settlement{To: vigia.ExecutionDone, Cost: before.AddCost(20_000), Proved: true}},
		"a proof": {vigia.ActionProve, vigia.CallResult{Outcome: vigia.CallDone, Trade: holding(120_000)},
			vigia.Settlement{To: vigia.ExecutionDone, Cost: before.AddCost(20_000), Proved: true}},
		"a close proves no add": {vigia.ActionClose, vigia.CallResult{Outcome: vigia.CallDone},
			vigia.Settlement{To: vigia.ExecutionDone}},
		"refused": {vigia.ActionAddMargin, vigia.CallResult{Outcome: vigia.CallRefused, Code: "400", Message: "too much"},
			vigia.Settlement{To: vigia.ExecutionFailed, Class: vigia.ExchangeError, Detail: "400: too much"}},
		"unsent": {vigia.ActionAddMargin, vigia.CallResult{Outcome: vigia.CallUnsent, Err: cause},
			vigia.Settlement{To: vigia.ExecutionFailed, Class: vigia.AppError, Detail: "connection refused"}},
		"no answer is unknown, never failed": {vigia.ActionAddMargin, vigia.CallResult{},
			vigia.Settlement{To: vigia.ExecutionUnknown, Class: vigia.ExchangeError, Detail: "no answer"}},
		"an outcome nobody knows is unknown": {vigia.ActionAddMargin, vigia.CallResult{Outcome: 99, Code: "500"},
			vigia.Settlement{To: vigia.ExecutionUnknown, Class: vigia.ExchangeError, Detail: "500"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := signedAtNoon("e", c.action, 20_000)
			c.result.SentAt, c.result.AnsweredAt, c.result.Raw = later(time.Second), later(2*time.Second), []byte("raw")
			c.want.Execution, c.want.From, c.want.After = "e", slices.Clone(either), c.result.Trade
			c.want.SentAt, c.want.AnsweredAt, c.want.Raw = c.result.SentAt, c.result.AnsweredAt, c.result.Raw
			if c.want.To == vigia.ExecutionUnknown {
				c.want.From = either[:1] // what somebody else found out stands
			}
			if got := act.Answered(&e, &c.result); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestTheOutcomeThatDecidingAgainNeeds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to      vigia.ExecutionState
		class   vigia.ErrorClass
		partial bool
		before  vigia.ActionOutcome
		want    vigia.ActionOutcome
	}{
		"done":                       {vigia.ExecutionDone, "", false, "", vigia.OutcomeDone},
		"done in part":               {vigia.ExecutionDone, "", true, "", vigia.OutcomePartial},
		"superseded":                 {vigia.ExecutionSuperseded, "", false, "", vigia.OutcomeDone},
		"gone":                       {vigia.ExecutionGone, "", true, "", vigia.OutcomeDone},
		"unsent":                     {vigia.ExecutionFailed, vigia.AppError, false, vigia.OutcomeRefused, vigia.OutcomeUnsent},
		"refused for the first time": {vigia.ExecutionFailed, vigia.ExchangeError, false, "", vigia.OutcomeRefused},
		"refused again":              {vigia.ExecutionFailed, vigia.ExchangeError, false, vigia.OutcomeRefused, vigia.OutcomeFailed},
	} {
		e := vigia.Execution{Partial: c.partial}
		if got := act.Outcome(&e, &vigia.Settlement{To: c.to, Class: c.class}, c.before); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestWhatARuleKeepsOfEachEnd(t *testing.T) {
	t.Parallel()
	was := vigia.AutomationState{OurStop: stopBefore, StopRefused: 1, LastAt: noon, LastOutcome: vigia.OutcomeRefused, LastPrice: 5}
	type change = func(*vigia.AutomationState)
	keep := func(*vigia.AutomationState) {}
	last := func(o vigia.ActionOutcome) change {
		return func(s *vigia.AutomationState) {
			s.LastOutcome, s.LastAt, s.LastPrice = o, later(time.Second), vigia.Dollars(93_000)
		}
	}
	rests := func(s *vigia.AutomationState) { s.OurStop, s.StopRefused = stopWanted, 0 }
	refused := func(s *vigia.AutomationState) { s.StopRefused = stopWanted }
	none := func(s *vigia.AutomationState) { s.OurStop = 0 }
	ends := []vigia.Settlement{{To: vigia.ExecutionDone}, {To: vigia.ExecutionFailed, Class: vigia.ExchangeError},
		{To: vigia.ExecutionFailed, Class: vigia.AppError}, {To: vigia.ExecutionSuperseded}, {To: vigia.ExecutionGone},
		{To: vigia.ExecutionUnknown, Class: vigia.ExchangeError}}
	called := []change{last(vigia.OutcomeDone), last(vigia.OutcomeFailed), last(vigia.OutcomeUnsent),
		last(vigia.OutcomeDone), last(vigia.OutcomeDone), keep}
	for action, changes := range map[vigia.Action][]change{
		vigia.ActionAddMargin:  called,
		vigia.ActionClose:      called,
		vigia.ActionSetStop:    {rests, refused, keep, rests, keep, keep},
		vigia.ActionRemoveStop: {none, keep, keep, none, none, keep},
	} {
		e := signedAtNoon("e", action, 20_000)
		e.Stop = stopWanted
		for i := range ends {
			want := was
			changes[i](&want)
			if got := act.Remember(was, &e, &ends[i], later(time.Second)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s %s %s:\ngot  %+v\nwant %+v", action, ends[i].To, ends[i].Class, got, want)
			}
		}
	}
}
