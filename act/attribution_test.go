package act_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

// sea is one trade with calls of ours of which some are never answered, some
// arrive late and some never do, and a hand that acts beside them.
type sea struct {
	t        *rapid.T
	now      time.Time
	trade    vigia.Trade
	suspects []*act.Suspect
	known    []act.Add
	late     map[vigia.ExecutionID]time.Time // until when the exchange still takes it
	settled  map[vigia.ExecutionID]vigia.ExecutionState
	calls    int
	executed vigia.Sats
	credited vigia.Sats
	byHand   vigia.Sats
	generous bool // a hand adds too
}

func (s *sea) pass(most time.Duration) {
	s.now = s.now.Add(time.Duration(rapid.Int64Range(1, int64(most)).Draw(s.t, "pass")))
}

func (s *sea) execute(amount vigia.Sats) {
	s.trade = s.trade.WithMargin(s.trade.Margin + amount)
	s.executed += amount
}

// call begins an add as the guard may: no other is unsettled, or all may be
// repeated, and the trade as it was is the one that was just read.
func (s *sea) call() {
	if slices.ContainsFunc(s.suspects, func(u *act.Suspect) bool { return !u.MayRepeat }) {
		return
	}
	if s.read(); slices.ContainsFunc(s.suspects, func(u *act.Suspect) bool { return !u.MayRepeat }) {
		return
	}
	s.calls++
	id := vigia.ExecutionID(fmt.Sprintf("e%d", s.calls))
	amount := vigia.Sats(rapid.IntRange(1, 5_000).Draw(s.t, "amount"))
	e := vigia.Execution{ID: id, Action: vigia.ActionAddMargin, Amount: amount, Cost: amount, Before: s.trade,
		State: vigia.ExecutionUnknown, CreatedAt: s.now, SignedAt: s.now, SentAt: s.now}
	signed := s.now
	s.pass(time.Second)
	switch fate := rapid.SampledFrom([]string{"answered", "unanswered", "late", "never"}).Draw(s.t, "fate"); fate {
	case "answered":
		s.execute(amount)
		s.settle(&e, act.Answered(&e, &vigia.CallResult{Outcome: vigia.CallDone, Trade: s.trade}))
		s.known = append(s.known, act.Add{Amount: amount, At: s.now})
		return
	case "unanswered":
		s.execute(amount)
	case "late":
		s.late[id] = signed.Add(tolerance.Clock)
	}
	s.suspects = append(s.suspects, &act.Suspect{Execution: e})
	// The guard knows of no answer only after the time-out.
	s.now = s.now.Add(tolerance.Timeout)
}

// arrive lets one late call be executed, if its timestamp still holds.
func (s *sea) arrive() {
	for _, u := range s.suspects {
		until, ok := s.late[u.ID]
		if delete(s.late, u.ID); ok && !s.now.After(until) {
			s.execute(u.Amount)
			return
		}
	}
}

func (s *sea) hand() {
	amount := vigia.Sats(rapid.IntRange(1, 5_000).Draw(s.t, "by hand"))
	switch rapid.SampledFrom([]string{"cash in", "stop", "funding", "add"}).Draw(s.t, "act") {
	case "cash in":
		s.trade = s.trade.WithMargin(s.trade.Margin - amount)
		s.trade.CashInMargin += amount
	case "stop":
		s.trade.StopLoss = vigia.Price(180_000 + amount)
	case "funding":
		s.trade = s.trade.WithMargin(s.trade.Margin - amount)
		s.trade.Funding += amount
	case "add":
		if s.generous {
			s.trade = s.trade.WithMargin(s.trade.Margin + amount)
			s.byHand += amount
		}
	}
}

func (s *sea) read() {
	s.pass(4 * time.Second)
	for _, settlement := range act.Reconcile(s.suspects, s.known, act.Sighting{Begun: s.now, Trade: s.trade}, tolerance) {
		i := slices.IndexFunc(s.suspects, func(u *act.Suspect) bool { return u.ID == settlement.Execution })
		if i < 0 {
			s.t.Fatalf("%s was settled, and is no suspect", settlement.Execution)
		}
		e := s.suspects[i].Execution
		s.suspects = slices.Delete(s.suspects, i, i+1)
		s.settle(&e, settlement)
	}
}

func (s *sea) settle(e *vigia.Execution, settlement vigia.Settlement) {
	if was, ok := s.settled[e.ID]; ok {
		s.t.Fatalf("%s was settled as %s, and again as %s", e.ID, was, settlement.To)
	}
	s.settled[e.ID] = settlement.To
	if settlement.To == vigia.ExecutionDone {
		s.credited += e.Amount
	}
}

func navigate(t *rapid.T, generous bool) *sea {
	s := &sea{t: t, now: noon, trade: tenfold().WithMargin(600_000), generous: generous,
		late: map[vigia.ExecutionID]time.Time{}, settled: map[vigia.ExecutionID]vigia.ExecutionState{}}
	for range rapid.IntRange(1, 30).Draw(t, "acts") {
		switch rapid.SampledFrom([]string{"call", "arrive", "hand", "read", "read", "pass"}).Draw(t, "next") {
		case "call":
			if s.calls < 8 {
				s.call()
			}
		case "arrive":
			s.arrive()
		case "hand":
			s.hand()
		case "read":
			s.read()
		case "pass":
			s.pass(10 * time.Second)
		}
		if !generous && s.credited > s.executed {
			t.Fatalf("%d sats count as ours, %d were executed", s.credited, s.executed)
		}
	}
	// No timestamp holds any more; what is quiet then is read until it is known.
	s.now = s.now.Add(2 * tolerance.Clock)
	for range 2*s.calls + 2 {
		s.now = s.now.Add(act.Apart)
		s.read()
	}
	if len(s.suspects) != 0 || len(s.settled) != s.calls {
		t.Fatalf("%d of %d requests are settled, want each once", len(s.settled), s.calls)
	}
	return s
}

func TestWhatIsAttributedIsWhatWasExecuted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		if s := navigate(t, false); s.credited != s.executed {
			t.Fatalf("%d sats count as ours, %d were executed", s.credited, s.executed)
		}
	})
}

func TestBesideAHandsAddsNothingExecutedIsMissed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := navigate(t, true)
		if s.credited < s.executed || s.credited > s.executed+s.byHand {
			t.Fatalf("%d sats count as ours, %d were executed and %d came by hand", s.credited, s.executed, s.byHand)
		}
	})
}
