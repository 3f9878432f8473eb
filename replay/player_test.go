package replay_test

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/replay"
)

// stage is one account on an engine, played by hand.
type stage struct {
	t      *testing.T
	engine *paper.Engine
	player *replay.Player
	key    paper.AccountKey
	now    time.Time
}

func newStage(t *testing.T, rules paper.Rules, wallet vigia.Sats) *stage {
	t.Helper()
	engine := paper.New(rules)
	s := &stage{t: t, engine: engine, player: replay.NewPlayer(engine), now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	s.tick(vigia.Dollars(100_000))
	key, err := engine.NewAccount(wallet)
	if err != nil {
		t.Fatal(err)
	}
	s.key = key
	return s
}

// tick lets a second pass and a price happen.
func (s *stage) tick(prices ...vigia.Price) {
	s.t.Helper()
	for _, p := range prices {
		s.now = s.now.Add(time.Second)
		if err := s.player.Tick(p, s.now); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stage) open(side vigia.Side, leverage int64) vigia.TradeID {
	s.t.Helper()
	trade, err := s.engine.Open(s.key.ID, paper.NewTrade{Side: side, Quantity: 1000, Leverage: vigia.Leverage(leverage) * vigia.OneX})
	if err != nil {
		s.t.Fatal(err)
	}
	return trade.ID
}

func actions(acts []replay.Act) []vigia.Action {
	var out []vigia.Action
	for _, act := range acts {
		out = append(out, act.Action)
	}
	return out
}

func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
}

// A 50× long under 2 % is true when armed and never acts by itself; a 50× short
// stands 2.04 % away and does.
func TestFiftyTimesUnderTwoPercent(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		side     vigia.Side
		answered bool
		want     []vigia.Action
	}{
		{"a long waits for an answer", vigia.Long, false, nil},
		{"an answered long acts at once", vigia.Long, true, []vigia.Action{vigia.ActionAddMargin}},
		{"a short was not true when armed", vigia.Short, false, []vigia.Action{vigia.ActionAddMargin}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, paper.Frictionless(), 1_000_000)
			guard := s.player.Guard(s.key.ID, guardOf(t, vigia.PresetStandard, vigia.ShortAdd, s.now.Add(-time.Minute)))
			id := s.open(tc.side, 50)
			if tc.answered {
				if err := s.player.GoLive(guard, "guard"); err != nil {
					t.Fatal(err)
				}
			}
			s.tick(vigia.Dollars(100_000) - vigia.Price(tc.side)*2*41)
			same(t, "acts", actions(guard.Acts), tc.want)
			state, ok := guard.State("guard", id)
			if waits := ok && state.TrueWhenArmed != 0; waits != (tc.want == nil) {
				t.Errorf("waits for an answer: %t", waits)
			}
		})
	}
}

// Going live drops the shadow: what it would have added is added for real.
func TestGoingLiveDropsTheShadow(t *testing.T) {
	t.Parallel()
	s := newStage(t, paper.Frictionless(), 1_000_000)
	rule := guardOf(t, vigia.PresetStandard, vigia.ShortClose, s.now.Add(-time.Minute))
	rule.Mode = vigia.ModeDryRun
	guard := s.player.Guard(s.key.ID, rule)
	id := s.open(vigia.Long, 20)
	s.tick(vigia.Dollars(97_000))
	same(t, "dry acts", actions(guard.Dry), []vigia.Action{vigia.ActionAddMargin})
	same(t, "acts", actions(guard.Acts), nil)
	if state, _ := guard.State("guard", id); state.Shadow.Margin != guard.Dry[0].Amount {
		t.Errorf("the shadow has %d sats, the dry run added %d", state.Shadow.Margin, guard.Dry[0].Amount)
	}
	if err := s.player.GoLive(guard, "guard"); err != nil {
		t.Fatal(err)
	}
	s.tick(vigia.Dollars(97_000))
	same(t, "acts", actions(guard.Acts), []vigia.Action{vigia.ActionAddMargin})
	if state, _ := guard.State("guard", id); state.Shadow.Margin != 0 || guard.Acts[0].Amount != guard.Dry[0].Amount {
		t.Errorf("a shadow of %d sats is left, %d were added where the dry run had %d", state.Shadow.Margin, guard.Acts[0].Amount, guard.Dry[0].Amount)
	}
	live, ok := guard.Automation("guard")
	if !ok || live.Mode != vigia.ModeLive || !live.ArmedAt.Equal(s.now.Add(-time.Second)) {
		t.Errorf("the rule is %s since %s", live.Mode, live.ArmedAt)
	}
}

// Where the exchange does not take the stop, because the bid is there already, the
// rule closes from here when the trigger is reached.
func TestARefusedStopIsClosedFromHere(t *testing.T) {
	t.Parallel()
	rules := paper.Frictionless()
	rules.Ladder = []paper.Rung{{UpTo: vigia.MaxIsolatedQuantity, Half: 40}}
	s := newStage(t, rules, 51_000)
	guard := s.player.Guard(s.key.ID, guardOf(t, vigia.PresetStandard, vigia.ShortClose, s.now.Add(-time.Minute)))
	id := s.open(vigia.Long, 20)
	trade, _, _ := s.engine.Trade(s.key.ID, id)
	fires := firstWithin(vigia.Long, trade.Liquidation, 2000)
	s.tick(fires + 20)
	if len(guard.Refusals) != 1 || guard.Refusals[0].Stop != fires || guard.Refusals[0].Why == "" {
		t.Fatalf("refusals %+v, want one of a stop at %s", guard.Refusals, fires)
	}
	same(t, "acts before the trigger", actions(guard.Acts), nil)
	s.tick(fires+10, fires)
	same(t, "acts", actions(guard.Acts), []vigia.Action{vigia.ActionClose})
	outcome, err := s.player.Outcome(guard, id)
	if err != nil {
		t.Fatal(err)
	}
	if outcome.EndedBy != vigia.EndedByUs || outcome.Trade.ExitPrice != fires-40 {
		t.Errorf("ended %s at %s, want closed by us at the bid %s", outcome.EndedBy, outcome.Trade.ExitPrice, fires-40)
	}
}

// What the exchange does to a trade is seen while the price stands: a settlement of
// funding moves the liquidation, and the rule acts on the new one at once.
func TestFundingIsSeenWhileThePriceStands(t *testing.T) {
	t.Parallel()
	rules := paper.Frictionless()
	rules.FundingRate = 50 * paper.DefaultFundingRate
	s := newStage(t, rules, 1_000_000)
	guard := s.player.Guard(s.key.ID, guardOf(t, vigia.PresetStandard, vigia.ShortClose, s.now.Add(-time.Minute)))
	id := s.open(vigia.Long, 20)
	trade, _, _ := s.engine.Trade(s.key.ID, id)
	before := firstWithin(vigia.Long, trade.Liquidation, 2000) + 1
	s.tick(before)
	same(t, "acts before funding", actions(guard.Acts), nil)
	s.now = paper.NextFunding(s.now).Add(-time.Second)
	s.tick(before)
	same(t, "acts at the settlement", actions(guard.Acts), []vigia.Action{vigia.ActionAddMargin})
	if got := guard.Acts[0].Before.Margin; got >= trade.Margin {
		t.Errorf("decided on a margin of %d, funding left less than %d", got, trade.Margin)
	}
}

// A step past trigger and liquidation alike is too late for any rule; a stop that
// rests at the exchange is not.
func TestAStepPastTheLiquidation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		wallet vigia.Sats
		want   vigia.EndedBy
	}{
		{"with cover nothing rests", 1_000_000, vigia.EndedLiquidated},
		{"without cover our stop does", 51_000, vigia.EndedStopped},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, paper.Frictionless(), tc.wallet)
			guard := s.player.Guard(s.key.ID, guardOf(t, vigia.PresetStandard, vigia.ShortClose, s.now.Add(-time.Minute)))
			id := s.open(vigia.Long, 20)
			s.tick(vigia.Dollars(99_000), vigia.Dollars(90_000))
			outcome, err := s.player.Outcome(guard, id)
			if err != nil {
				t.Fatal(err)
			}
			if outcome.EndedBy != tc.want {
				t.Errorf("ended %s at %s, want %s", outcome.EndedBy, outcome.Trade.ExitPrice, tc.want)
			}
		})
	}
}

// What a trade came to is what the wallet felt of it, a cash-in included.
func TestOutcomeFollowsTheSats(t *testing.T) {
	t.Parallel()
	for _, last := range []vigia.Price{vigia.Dollars(103_000), vigia.Dollars(99_000), vigia.Dollars(80_000)} {
		s := newStage(t, paper.DefaultRules(), 1_000_000)
		guard := s.player.Guard(s.key.ID)
		id := s.open(vigia.Long, 10)
		s.tick(vigia.Dollars(104_000))
		if _, err := s.engine.CashIn(s.key.ID, id, 50_000); err != nil {
			t.Fatal(err)
		}
		guard.Changed()
		s.tick(last)
		if trade, _, _ := s.engine.Trade(s.key.ID, id); trade.Running() {
			if _, err := s.engine.Close(s.key.ID, id); err != nil {
				t.Fatal(err)
			}
		}
		outcome, err := s.player.Outcome(guard, id)
		if err != nil {
			t.Fatal(err)
		}
		if felt := s.engine.Wallet(s.key.ID) - 1_000_000; outcome.Net < felt-1 || outcome.Net > felt+1 {
			t.Errorf("%s at %s: the wallet felt %d, the outcome says %d", outcome.EndedBy, last, felt, outcome.Net)
		}
	}
}

// What is not there is said, and so is a price the exchange refuses.
func TestWhatCannotBePlayedIsSaid(t *testing.T) {
	t.Parallel()
	s := newStage(t, paper.Frictionless(), 1_000_000)
	guard := s.player.Guard(s.key.ID)
	if err := s.player.GoLive(guard, "guard"); err == nil {
		t.Error("a rule that is not there went live")
	}
	if _, err := s.player.Outcome(guard, "none"); err == nil {
		t.Error("a trade that is not there came to something")
	}
	if _, ok := guard.Automation("guard"); ok {
		t.Error("a rule that is not there was found")
	}
	if err := s.player.Tick(vigia.Dollars(100_000), s.now.Add(-time.Hour)); err == nil {
		t.Error("time went back")
	}
	if err := s.player.Tick(0, s.now); err == nil {
		t.Error("no price was taken as one")
	}
}
