package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// What the preview of a step says is what is decided at the price it fires at.
func TestAPreviewIsWhatIsDecidedWhereItFires(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world{t: t, around: 20_000, trades: 1, rules: 1, plain: true}
		facts := w.facts()
		rule := facts.Automations[0]
		rule.Mode = vigia.ModeLive
		preview := decide.PreviewGuard(facts, rule)
		if len(preview.Trades) == 0 {
			return // out of scope
		}
		facts.Automations[0] = rule
		facts.States = []vigia.AutomationState{{Automation: rule.ID, Armed: rule.ArmedAt, Subject: preview.Trades[0].Subject}}
		for i, step := range preview.Trades[0].Steps {
			deepest := i == len(rule.Guard.Steps)-1 || !rule.Guard.Steps[i+1].Holds(&facts.Snapshot.Trades[0].Trade, step.FiresAt)
			if step.Action != vigia.GuardAddMargin || !deepest {
				continue
			}
			result := decide.Decide(at(facts, step.FiresAt, noon))
			d := result.Decisions[len(result.Decisions)-1]
			same := d.Action == vigia.ActionAddMargin && d.Amount == step.Adds && d.Cost == step.Costs &&
				d.LiquidationAfter == step.LiquidationAfter
			if same != step.Covered {
				t.Fatalf("preview %+v\ndecided %+v", step, d)
			}
		}
	})
}

// Every form shows, in sats, what a rule would do: fires at, adds, liquidation
// after, costs, what is lost if the trade still dies.
func TestPreviewOfTheWorkedExample(t *testing.T) {
	t.Parallel()
	s := sceneOf(t, `
price 98000
free 1,000,000
trade a long 1000 entry=100000 margin=50000
trade b short 1000 entry=100000 margin=50000
guard g mode=dry_run if_short=close per_trade_margin=100
step notify at=6
step add_margin at=2 target=4
step close at=1
`)
	s.facts.Market.FundingRate = 1_000_000 // 0.01 %
	got := decide.PreviewGuard(&s.facts, s.facts.Automations[0])
	row := got.Trades[0]
	want := vigia.PreviewStep{FiresAt: 194363, Action: vigia.GuardAddMargin, Adds: 21_878, Costs: 21_899, ReserveChange: 21,
		LiquidationAfter: 186588, Loses: 71_878, Covered: true}
	if row.Steps[1] != want {
		t.Errorf("the add is previewed as %+v, want %+v", row.Steps[1], want)
	}
	if closing := row.Steps[2]; closing.FiresAt != 192400 || closing.Loses != 39_502 || !closing.Covered {
		t.Errorf("the close is previewed as %+v", closing)
	}
	if !row.TrueNow || got.TrueNow != 1 {
		t.Errorf("the step that tells holds already for one trade, got %d", got.TrueNow)
	}
	// 102 sats of funding are paid from the margin of the long; the short receives.
	if row.AfterFunding <= row.Liquidation || got.Trades[1].AfterFunding != got.Trades[1].Liquidation {
		t.Errorf("after funding %s and %s, before %s and %s", row.AfterFunding, got.Trades[1].AfterFunding,
			row.Liquidation, got.Trades[1].Liquidation)
	}
	if row.LosesNow != 50_000 || row.HeldTo == 0 || row.By != vigia.EndedStopped || row.Adds > 50_000 {
		t.Errorf("previewed as %+v", row)
	}
	if !got.Hedged || got.Net != 0 || got.LosesDown != row.LosesWorst || got.LosesUp != got.Trades[1].LosesWorst {
		t.Errorf("both legs: %+v", got)
	}
}

// The preview warns of what its reader would be sorry for.
func TestPreviewWarnings(t *testing.T) {
	t.Parallel()
	const long = "trade a long 1000 entry=100000 margin=50000\n"
	for _, tc := range []struct {
		name, scene, says string
	}{
		{"true already", "price 97000\nfree 1,000,000\n" + long + "guard g\nstep add_margin at=2 target=4", "holds already for 1 of these"},
		{"both legs", "price 100000\nfree 1,000,000\n" + long + "trade b short 1000 entry=100000 margin=50000\nguard g\nstep add_margin at=2 target=4", "whipsaw"},
		{"tight", "price 100000\nfree 1,000,000\n" + long + "guard g\nstep add_margin at=1 target=4", "A trigger of 1 % is tighter than the worst minute"},
		{"not covered", "price 100000\nfree 1,000\n" + long + "guard g\nstep add_margin at=2 target=4", "cheapest way out is a stop at $97,181.50"},
		{"always", "price 100000\nfree 1,000,000\n" + long + "guard g\nstep add_margin at=2 target=4", "does not make a wrong position right"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := sceneOf(t, tc.scene)
			warnings := decide.PreviewGuard(&s.facts, s.facts.Automations[0]).Warnings
			if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, tc.says) }) {
				t.Errorf("warnings %q say nothing of %q", warnings, tc.says)
			}
		})
	}
}

// A preview of a rule that is saved already counts it once, keeps the others, and
// leaves trades out of scope out.
func TestPreviewAmongOtherRules(t *testing.T) {
	t.Parallel()
	s := sceneOf(t, `
price 100000
free 30,000
trade a long 1000 entry=100000 margin=50000
trade b long 1000 entry=100000 margin=50000
guard g if_short=leave trades=a
step add_margin at=2 target=4
guard h if_short=leave trades=b
step add_margin at=2 target=4
`)
	alone := decide.PreviewGuard(&s.facts, s.facts.Automations[0])
	if len(alone.Trades) != 1 || alone.Trades[0].Saves != 1 {
		t.Errorf("one save for the first of two trades, got %+v", alone.Trades)
	}
	third := s.facts.Automations[0]
	third.ID, third.Scope.Trades = "new", []vigia.TradeID{"b"}
	if got := decide.PreviewGuard(&s.facts, third); len(got.Trades) != 1 || got.Trades[0].Saves != 0 {
		t.Errorf("the wallet is used up by those before, got %+v", got.Trades)
	}
}

// A short that cannot be liquidated, a price that is not known, a payer whose margin
// is used up: nothing is made up for them.
func TestPreviewAtTheEdges(t *testing.T) {
	t.Parallel()
	s := sceneOf(t, "free 1,000,000\ntrade a long 1000 entry=100000 margin=50\nguard g\nstep add_margin at=2 target=4")
	blind := decide.PreviewGuard(&s.facts, s.facts.Automations[0]).Trades[0]
	if blind.TrueNow || blind.AfterFunding != blind.Liquidation {
		t.Errorf("without a price: %+v", blind)
	}
	s.facts.Market.Last, s.facts.Market.FundingRate = vigia.Dollars(100_000), 1_000_000_0
	if used := decide.PreviewGuard(&s.facts, s.facts.Automations[0]).Trades[0]; used.AfterFunding != used.Liquidation {
		t.Errorf("funding takes all of the margin: %+v", used)
	}
}

// The next price at which a rule does something is that of its first step ahead.
func TestNextAct(t *testing.T) {
	t.Parallel()
	const ladder = "step notify at=6\nstep add_margin at=4 target=6\nstep close at=2\n"
	for _, tc := range []struct {
		name, scene string
		at          vigia.Price
		act         vigia.Act
	}{
		{"the first step ahead", "price 100000\ntrade a long 1000 entry=100000 margin=50000\nguard g\n" + ladder,
			vigia.Dollars(99_206), vigia.Act{Action: vigia.GuardAddMargin, Adds: 22_345}},
		{"past it, the next", "price 99000\ntrade a long 1000 entry=100000 margin=50000\nguard g\n" + ladder,
			194363, vigia.Act{Action: vigia.GuardClose}},
		{"past a question, the next", "price 100000\ntrade a long 1000 entry=100000 margin=50000\nguard g\n" + ladder + "state g a true=1",
			194363, vigia.Act{Action: vigia.GuardClose}},
		{"past all, none", "price 96000\ntrade a long 1000 entry=100000 margin=50000\nguard g\n" + ladder, 0, vigia.Act{}},
		{"from the shadow's margin", "price 100000\ntrade a long 1000 entry=100000 margin=50000\nguard g mode=dry_run\nstep close at=2\nstate g a shadow_margin=23,884",
			vigia.Dollars(95_020), vigia.Act{Action: vigia.GuardClose}},
		{"a shadow that closed has none", "price 100000\ntrade a long 1000 entry=100000 margin=50000\nguard g mode=dry_run\nstep close at=2\nstate g a shadow_closed=97000",
			0, vigia.Act{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := sceneOf(t, tc.scene)
			at, act := decide.NextAct(&s.facts.Automations[0], &s.facts.States[0], &s.facts.Snapshot.Trades[0].Trade, s.facts.Market.Last)
			if at != tc.at || act != tc.act {
				t.Errorf("at %s %+v, want at %s %+v", at, act, tc.at, tc.act)
			}
		})
	}
}

func sceneOf(t *testing.T, text string) *scene {
	t.Helper()
	s, err := readScene(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Straight paths are taken from facts as they are: what was spent since the balance
// was read is gone from it, and nothing else is.
func TestHeldCountsEverySatOnce(t *testing.T) {
	t.Parallel()
	for _, spent := range []time.Duration{-3 * time.Second, -time.Second} {
		s := sceneOf(t, `
price 97000
free 50,000 read=-2s
trade a long 1000 entry=100000 margin=50000
guard g if_short=leave
step add_margin at=2 target=4
`)
		s.facts.Reserves = []vigia.Reserve{{Subject: vigia.TradeSubject("b"), State: vigia.ReserveSpent, Cost: 27_000,
			At: noon.Add(spent), SettledAt: noon.Add(spent)}}
		want := 0
		if spent == -3*time.Second {
			want = 2 // the balance was read after it
		}
		if got := decide.Held(&s.facts)[0].Saves; got != want {
			t.Errorf("spent at %s, read at -2s: %d saves, want %d", spent, got, want)
		}
	}
}
