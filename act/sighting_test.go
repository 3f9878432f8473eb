package act_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/act"
)

func unanswered(id vigia.ExecutionID, amount vigia.Sats) *act.Suspect {
	return &act.Suspect{Execution: signedAtNoon(id, vigia.ActionAddMargin, amount)}
}

func look(at time.Duration, trade vigia.Trade) act.Sighting {
	return act.Sighting{Begun: later(at), Trade: trade}
}

// told is the settlements in short: "a done, b failed".
func verdicts(settled []vigia.Settlement) string {
	var out []string
	for _, s := range settled {
		out = append(out, fmt.Sprintf("%s %s", s.Execution, s.To))
	}
	return strings.Join(out, ", ")
}

func TestOneReadSaysWhatBecameOfAnAdd(t *testing.T) {
	t.Parallel()
	const soon, lapsed = 5 * time.Second, 31 * time.Second
	ended := func(t *vigia.Trade) { t.State = vigia.TradeClosed }
	for name, c := range map[string]struct {
		seen  act.Sighting
		known []act.Add
		want  string
	}{
		"nothing came":              {look(soon, tenfold()), nil, ""},
		"nothing came, once only":   {look(lapsed, tenfold()), nil, ""},
		"the amount is ours":        {look(soon, holding(120_000)), nil, "a done"},
		"at once":                   {look(0, holding(120_000)), nil, "a done"},
		"more is ours and a hand's": {look(soon, holding(150_000)), nil, "a done"},
		"less is undecided":         {look(soon, holding(110_000)), nil, ""},
		"less margin is undecided":  {look(soon, holding(90_000)), nil, ""},
		"the amount with funding paid in between": {
			look(soon, changed(func(t *vigia.Trade) { t.Margin, t.Funding = 119_300, 700 })), nil, "a done"},
		"funding alone is nothing": {
			look(soon, changed(func(t *vigia.Trade) { t.Margin, t.Funding = 99_300, 700 })), nil, ""},
		"funding received goes to the wallet": {
			look(soon, changed(func(t *vigia.Trade) { t.Margin, t.Funding = 120_000, -700 })), nil, "a done"},
		"a hand cashed in what we added": {
			look(soon, changed(func(t *vigia.Trade) { t.CashInMargin = 20_000 })), nil, "a done"},
		"a hand cashed in, nothing came": {
			look(soon, changed(func(t *vigia.Trade) { t.Margin, t.CashInMargin = 80_000, 20_000 })), nil, ""},
		"a cash-in of profit moves a sat": {
			look(soon, changed(func(t *vigia.Trade) { t.Margin, t.CashInPL = 119_999, 3_000 })), nil, "a done"},
		"a sat less without a cash-in is undecided": {look(soon, holding(119_999)), nil, ""},
		"what came is another add of ours": {
			look(soon, holding(120_000)), []act.Add{{Amount: 20_000, At: later(time.Second)}}, ""},
		"another add of ours and this one": {
			look(soon, holding(140_000)), []act.Add{{Amount: 20_000, At: later(time.Second)}}, "a done"},
		"an add known before it was signed is in the trade": {
			look(soon, holding(120_000)), []act.Add{{Amount: 20_000, At: noon}}, "a done"},
		"the trade ended with it":    {look(soon, changed(func(t *vigia.Trade) { ended(t); t.Margin = 120_000 })), nil, "a done"},
		"the trade ended without it": {look(soon, changed(ended)), nil, "a gone"},
		"the trade ended, and more is unexplained": {
			look(soon, changed(func(t *vigia.Trade) { ended(t); t.Margin = 110_000 })), nil, "a gone"},
		"the trade is not found":                  {act.Sighting{Begun: later(soon), Trade: tenfold(), Unseen: true}, nil, ""},
		"the trade is not found after the window": {act.Sighting{Begun: later(lapsed), Trade: tenfold(), Unseen: true}, nil, "a gone"},
		"a read begun before the signing":         {look(-time.Millisecond, holding(120_000)), nil, ""},
		"an end read before the signing":          {look(-time.Millisecond, changed(ended)), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := unanswered("a", 20_000)
			settled := act.Reconcile([]*act.Suspect{s}, c.known, c.seen, tolerance)
			if got := verdicts(settled); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if s.MayRepeat {
				t.Error("one read lets it be repeated")
			}
		})
	}
}

func TestAnAddSeenLaterCostsTheDearerReading(t *testing.T) {
	t.Parallel()
	s := unanswered("a", 20_000)
	settled := act.Reconcile([]*act.Suspect{s}, nil, look(5*time.Second, holding(120_000)), tolerance)
	if len(settled) != 1 || !settled[0].Proved || settled[0].After != holding(120_000) {
		t.Fatalf("got %+v, want one that proves writing and carries the trade", settled)
	}
	if least := s.Before.AddCost(20_000); settled[0].Cost < least {
		t.Errorf("cost %d, want at least %d", settled[0].Cost, least)
	}
}

func TestWhatNobodyCanTellCountsAsSpent(t *testing.T) {
	t.Parallel()
	unseen := act.Sighting{Begun: later(time.Minute), Trade: tenfold(), Unseen: true}
	half := look(time.Minute, changed(func(t *vigia.Trade) { t.State, t.Margin = vigia.TradeClosed, 110_000 }))
	unmoved := look(time.Minute, changed(func(t *vigia.Trade) { t.State = vigia.TradeClosed }))
	for name, c := range map[string]struct {
		seen act.Sighting
		want vigia.Sats
	}{"not found": {unseen, 20_500}, "ended with an unexplained change": {half, 20_500}, "ended unchanged": {unmoved, 0}} {
		settled := act.Reconcile([]*act.Suspect{unanswered("a", 20_000)}, nil, c.seen, tolerance)
		if len(settled) != 1 || settled[0].To != vigia.ExecutionGone || settled[0].Cost != c.want {
			t.Errorf("%s: got %+v, want it gone at %d", name, settled, c.want)
		}
	}
}

// Of two, one that seems to have come may be the other, and come later: they are
// settled together, when both show or neither can come any more.
func TestTwoUnknownAddsShareWhatCameIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b   vigia.Sats
		margin vigia.Sats
		want   string // after both windows
		atOnce bool
	}{
		"different amounts, none":          {20_000, 5_000, 100_000, "a failed, b failed", false},
		"different amounts, the older":     {20_000, 5_000, 120_000, "a done, b failed", false},
		"different amounts, the newer":     {20_000, 5_000, 105_000, "a failed, b done", false},
		"different amounts, both":          {20_000, 5_000, 125_000, "a done, b done", true},
		"different amounts, both and more": {20_000, 5_000, 140_000, "a done, b done", true},
		"different amounts, part of one":   {20_000, 5_000, 104_000, "a failed, b failed", false},
		"different amounts, not their sum": {20_000, 5_000, 107_000, "a failed, b done", false},
		"the same, one of them: the older": {20_000, 20_000, 120_000, "a done, b failed", false},
		"the same, both":                   {20_000, 20_000, 140_000, "a done, b done", true},
		"the same, one and a hand's":       {20_000, 20_000, 130_000, "a done, b failed", false},
		"a proof and a rescue, the rescue": {1, 20_000, 120_000, "a failed, b done", false},
		"a hand's: what there is room for": {20_000, 15_000, 133_000, "a done, b failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := unanswered("a", c.a), unanswered("b", c.b)
			b.SignedAt, b.CreatedAt = later(10*time.Second), later(10*time.Second)
			for _, at := range []time.Duration{20 * time.Second, 35 * time.Second, 41 * time.Second} {
				// The newer is handed in first: the order is the signing's.
				settled := act.Reconcile([]*act.Suspect{b, a}, nil, look(at, holding(c.margin)), tolerance)
				last := c.atOnce || at > 40*time.Second
				if got := verdicts(settled); last && got != c.want || !last && got != "" {
					t.Errorf("after %s: got %q, want %q when both are known", at, got, c.want)
				}
				if last {
					return
				}
			}
		})
	}
}

// While the older may still come, a further attempt may start once two reads agree
// that the newer did not.
func TestTheNewerOfTwoMayBeRepeated(t *testing.T) {
	t.Parallel()
	for margin, want := range map[vigia.Sats]bool{100_000: true, 104_000: true, 120_000: true, 105_000: false, 107_000: false} {
		a, b := unanswered("a", 20_000), unanswered("b", 5_000)
		b.SignedAt, b.CreatedAt = later(10*time.Second), later(10*time.Second)
		for _, at := range []time.Duration{15 * time.Second, 16 * time.Second} {
			act.Reconcile([]*act.Suspect{a, b}, nil, look(at, holding(margin)), tolerance)
		}
		if b.MayRepeat != want {
			t.Errorf("at a margin of %d: got may repeat %t, want %t", margin, b.MayRepeat, want)
		}
	}
}

func TestOnlyTwoAgreeingReadsLetACallBeRepeated(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		reads []act.Sighting
		may   bool
		want  string
	}{
		"two, a second apart": {[]act.Sighting{look(3*time.Second, tenfold()), look(4*time.Second, tenfold())}, true, ""},
		"two, closer":         {[]act.Sighting{look(3*time.Second, tenfold()), look(3999*ms, tenfold())}, false, ""},
		"closer, then a third": {[]act.Sighting{look(3*time.Second, tenfold()), look(3999*ms, tenfold()),
			look(4*time.Second, tenfold())}, true, ""},
		"one begun before the time-out":  {[]act.Sighting{look(2999*ms, tenfold()), look(10*time.Second, tenfold())}, false, ""},
		"both begun before the time-out": {[]act.Sighting{look(0, tenfold()), look(2*time.Second, tenfold())}, false, ""},
		"with another margin":            {[]act.Sighting{look(3*time.Second, tenfold()), look(5*time.Second, holding(99_000))}, false, ""},
		"another margin twice": {[]act.Sighting{look(3*time.Second, tenfold()), look(5*time.Second, holding(99_000)),
			look(6*time.Second, holding(99_000))}, true, ""},
		"out of order":                       {[]act.Sighting{look(9*time.Second, tenfold()), look(5*time.Second, tenfold())}, false, ""},
		"before the signing":                 {[]act.Sighting{look(-5*time.Second, tenfold()), look(5*time.Second, tenfold())}, false, ""},
		"at the last moment of the window":   {[]act.Sighting{look(5*time.Second, tenfold()), look(30*time.Second, tenfold())}, true, ""},
		"begun after the window it failed":   {[]act.Sighting{look(5*time.Second, tenfold()), look(30*time.Second+1, tenfold())}, true, "a failed"},
		"after the window one is not enough": {[]act.Sighting{look(31*time.Second, tenfold())}, false, ""},
		"after the window they must agree": {[]act.Sighting{look(31*time.Second, tenfold()),
			look(33*time.Second, holding(99_000))}, false, ""},
		"seen by the third after all": {[]act.Sighting{look(4*time.Second, tenfold()), look(6*time.Second, tenfold()),
			look(8*time.Second, holding(120_000))}, true, "a done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := unanswered("a", 20_000)
			var settled []vigia.Settlement
			for _, seen := range c.reads {
				settled = append(settled, act.Reconcile([]*act.Suspect{s}, nil, seen, tolerance)...)
			}
			if s.MayRepeat != c.may {
				t.Errorf("may be repeated: %t, want %t", s.MayRepeat, c.may)
			}
			if got := verdicts(settled); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.want == "a failed" && (settled[0].Class != vigia.ExchangeError || settled[0].Cost != 0 || settled[0].Detail == "") {
				t.Errorf("failed as %+v, want the exchange's, with its reason and no cost", settled[0])
			}
		})
	}
}

func TestTheExchangesClockCountsWhenARequestWasSigned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead, created, sent, want time.Duration
	}{
		"the clocks agree":                       {0, 0, 0, 0},
		"ahead: signed in its time":              {2 * time.Second, -2 * time.Second, -time.Second, -time.Second},
		"behind: signed in its time":             {-2 * time.Second, 0, time.Second, 2 * time.Second},
		"an estimate never makes it earlier":     {time.Minute, -time.Second, 0, 0},
		"nor earlier than the row, when unsent":  {time.Minute, -time.Second, -time.Hour, -time.Second},
		"a row written later, call not stamped":  {0, time.Second, -time.Hour, time.Second},
		"sent late, it was signed at the latest": {0, 0, 3 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := unanswered("a", 20_000)
			s.CreatedAt, s.SentAt = later(c.created), later(c.sent)
			w := tolerance
			w.Ahead = c.ahead
			if got, want := s.Signed(w), later(c.want); !got.Equal(want) {
				t.Fatalf("signed at %s, want %s", got, want)
			}
			// Both reads are begun after the window; one a moment earlier does not do.
			end := c.want + w.Clock
			if got := verdicts(act.Reconcile([]*act.Suspect{s}, nil, look(end-2*time.Second, tenfold()), w)); got != "" {
				t.Errorf("got %q before the window's end", got)
			}
			if got := verdicts(act.Reconcile([]*act.Suspect{s}, nil, look(end, tenfold()), w)); got != "" {
				t.Errorf("got %q at the window's end", got)
			}
			if got := verdicts(act.Reconcile([]*act.Suspect{s}, nil, look(end+1, tenfold()), w)); got != "a failed" {
				t.Errorf("got %q after the window, want it failed", got)
			}
		})
	}
}

func TestACashInIsSeenByTheTradesOwnCount(t *testing.T) {
	t.Parallel()
	cashed := func(pl, m vigia.Sats) vigia.Trade {
		return changed(func(t *vigia.Trade) { t.CashInPL, t.CashInMargin, t.Margin = pl, m, t.Margin-m })
	}
	ended := changed(func(t *vigia.Trade) { t.State = vigia.TradeClosed })
	for name, c := range map[string]struct {
		reads []act.Sighting
		want  string
	}{
		"out of the margin":                 {[]act.Sighting{look(5*time.Second, cashed(0, 20_000))}, "a done"},
		"out of profit first":               {[]act.Sighting{look(5*time.Second, cashed(15_000, 5_000))}, "a done"},
		"less is not ours":                  {[]act.Sighting{look(5*time.Second, cashed(0, 19_999))}, ""},
		"the trade ended":                   {[]act.Sighting{look(5*time.Second, ended)}, "a gone"},
		"nothing, twice, within the window": {[]act.Sighting{look(5*time.Second, tenfold()), look(9*time.Second, tenfold())}, ""},
		"nothing, twice, after the window":  {[]act.Sighting{look(5*time.Second, tenfold()), look(31*time.Second, tenfold())}, "a failed"},
		"before the signing":                {[]act.Sighting{look(-1, cashed(0, 20_000))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &act.Suspect{Execution: signedAtNoon("a", vigia.ActionCashIn, 20_000)}
			var settled []vigia.Settlement
			for _, seen := range c.reads {
				settled = append(settled, act.Reconcile([]*act.Suspect{s}, nil, seen, tolerance)...)
			}
			if got := verdicts(settled); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestACallThatIsSafeToRepeatIsSettledByItsGoal(t *testing.T) {
	t.Parallel()
	ended := changed(func(t *vigia.Trade) { t.State = vigia.TradeClosed })
	stopped := changed(func(t *vigia.Trade) { t.StopLoss = stopWanted })
	for name, c := range map[string]struct {
		action vigia.Action
		seen   act.Sighting
		want   string
	}{
		"the trade closed":             {vigia.ActionClose, look(0, ended), "a superseded"},
		"closed before we signed":      {vigia.ActionClose, look(-1, ended), ""},
		"it still runs":                {vigia.ActionClose, look(30*time.Second, tenfold()), ""},
		"it runs after the window":     {vigia.ActionClose, look(30*time.Second+1, tenfold()), "a failed"},
		"the stop rests":               {vigia.ActionSetStop, look(0, stopped), "a superseded"},
		"no stop yet":                  {vigia.ActionSetStop, look(9*time.Second, tenfold()), ""},
		"no stop after the window":     {vigia.ActionSetStop, look(time.Minute, tenfold()), "a failed"},
		"the stop's trade ended":       {vigia.ActionSetStop, look(0, ended), "a gone"},
		"the stop is off":              {vigia.ActionRemoveStop, look(0, tenfold()), "a superseded"},
		"it is on after the window":    {vigia.ActionRemoveStop, look(time.Minute, stopped), "a failed"},
		"taken off a trade that ended": {vigia.ActionRemoveStop, look(0, ended), "a gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &act.Suspect{Execution: signedAtNoon("a", c.action, 0)}
			s.Stop = stopWanted
			if got := verdicts(act.Reconcile([]*act.Suspect{s}, nil, c.seen, tolerance)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSumsAcrossTwoFundingSettlementsCountAsOurs(t *testing.T) {
	t.Parallel()
	// Received and paid settlements hide a part of the add: 20,000 came, 700 were
	// paid and 700 received, so the sum of funding stands where it stood.
	hidden := holding(119_300)
	s := unanswered("a", 20_000)
	if got := verdicts(act.Reconcile([]*act.Suspect{s}, nil, look(time.Minute, hidden), tolerance)); got != "" {
		t.Errorf("got %q within one funding period, want it undecided", got)
	}
	if got := verdicts(act.Reconcile([]*act.Suspect{s}, nil, look(13*time.Hour, hidden), tolerance)); got != "a done" {
		t.Errorf("got %q after two settlements, want it done", got)
	}
}
