package replay_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/replay"
)

// order is a trade of 1,000 USD at market, on a day counted from 1 and an hour.
type order struct {
	day, hour int
	side      vigia.Side
	leverage  int64
}

func (o *order) at(m *market) time.Time {
	return m.start.AddDate(0, 0, o.day-1).Add(time.Duration(o.hour) * time.Hour)
}

// tenTrades share one wallet. The first is opened before the rule goes live and its
// condition, true already under a trigger of 2 %, is answered; the other 50× long
// comes into scope later and nobody answers.
func tenTrades() []order {
	return []order{
		{1, 0, vigia.Long, 50}, {2, 0, vigia.Long, 20}, {3, 0, vigia.Short, 10}, {4, 0, vigia.Long, 25},
		{5, 0, vigia.Long, 10}, {6, 0, vigia.Long, 50}, {7, 0, vigia.Long, 5}, {8, 0, vigia.Short, 50},
		{9, 0, vigia.Long, 20}, {10, 11, vigia.Short, 25},
	}
}

func threeTrades() []order {
	return []order{{1, 0, vigia.Long, 50}, {4, 0, vigia.Long, 20}, {10, 11, vigia.Short, 25}}
}

// everyTrade is each side and leverage on each of the eleven days.
func everyTrade(side vigia.Side, leverage int64) []order {
	var out []order
	for day := 1; day <= 11; day++ {
		out = append(out, order{day, 0, side, leverage})
	}
	return out
}

// The wallets of the scenes, in sats. The scarce ones open every trade and reach
// for some rescues; in the ample one only the limit per trade is ever felt.
const (
	scarceOfThree vigia.Sats = 900_000
	scarceOfTen   vigia.Sats = 3_800_000
	ample         vigia.Sats = 100_000_000
)

// scene is one account: its wallet, its trades, its rule.
type scene struct {
	name   string
	wallet vigia.Sats
	orders []order
	// preset is empty for no rule.
	preset  vigia.GuardPreset
	ifShort vigia.IfShort
	dry     bool
	// limits, when set, take the place of the preset's.
	limits *vigia.GuardLimits
	// answered goes live by a confirmed preview once the first trade runs;
	// otherwise the rule is armed before any trade.
	answered bool

	key      paper.AccountKey
	guard    *replay.Account
	trades   []vigia.TradeID
	observer *observer
}

const ruleID vigia.AutomationID = "guard"

// strict are limits of a user's own: a trade may take twice its margin, but not in
// one act, not twice within an hour, and not all on one day.
func strict() *vigia.GuardLimits {
	action, day, rest := vigia.Sats(95_000), vigia.Sats(240_000), vigia.Sats(500_000)
	return &vigia.GuardLimits{PerAction: &action, PerTradeMargin: 2 * vigia.HundredPercent, PerDay: &day,
		Untouched: &rest, ActionsPerHour: 1}
}

// rule is the preset as the user saved it.
func (s *scene) rule(since time.Time) (vigia.Automation, error) {
	config, err := s.preset.Config()
	if err != nil {
		return vigia.Automation{}, err
	}
	config.IfShort = s.ifShort
	if s.limits != nil {
		config.Limits = *s.limits
	}
	if err := config.Validate(); err != nil {
		return vigia.Automation{}, err
	}
	mode := vigia.ModeLive
	if s.dry {
		mode = vigia.ModeDryRun
	}
	return vigia.Automation{ID: ruleID, Kind: vigia.KindMarginGuard, Mode: mode, Guard: &config,
		Limits: config.Limits.Resolve(s.wallet), ArmedAt: since}, nil
}

// walk plays all scenes of a market on one engine.
type walk struct {
	market *market
	engine *paper.Engine
	player *replay.Player
	scenes []*scene
	// ticks were played.
	ticks int
}

// play opens the scenes' trades when their time comes, and lets every price happen.
func play(t *testing.T, m *market, source paper.Source, scenes []*scene) *walk {
	t.Helper()
	engine := paper.New(paper.DefaultRules())
	w := &walk{market: m, engine: engine, player: replay.NewPlayer(engine), scenes: scenes}
	for _, s := range scenes {
		w.enter(t, s)
	}
	corners := m.points
	for next := (time.Time{}); ; {
		point, err := source.Next()
		if errors.Is(err, io.EOF) {
			return w
		}
		if err == nil {
			err = w.player.Tick(point.Price, point.At)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.ticks++
		if !point.At.Before(next) {
			next = w.openDue(t, point.At)
		}
		if len(corners) > 0 && point == corners[0] {
			corners = corners[1:]
			for _, s := range scenes {
				s.observer.look(point)
			}
		}
	}
}

func (w *walk) enter(t *testing.T, s *scene) {
	t.Helper()
	var err error
	if s.key, err = w.engine.NewAccount(s.wallet); err != nil {
		t.Fatal(err)
	}
	s.guard, s.trades = nil, nil
	if s.preset == "" {
		s.guard = w.player.Guard(s.key.ID)
	} else {
		rule, err := s.rule(w.market.start.Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		s.guard = w.player.Guard(s.key.ID, rule)
	}
	s.observer = newObserver(w, s)
	w.engine.Listen(s.observer.hear)
}

// openDue opens every trade whose time has come, and says when the next is due.
func (w *walk) openDue(t *testing.T, now time.Time) time.Time {
	t.Helper()
	next := now.AddDate(1, 0, 0)
	for _, s := range w.scenes {
		for len(s.trades) < len(s.orders) {
			o := &s.orders[len(s.trades)]
			if due := o.at(w.market); due.After(now) {
				if due.Before(next) {
					next = due
				}
				break
			}
			trade, err := w.engine.Open(s.key.ID, paper.NewTrade{Side: o.side, Quantity: 1000,
				Leverage: vigia.Leverage(o.leverage) * vigia.OneX})
			if err != nil {
				t.Fatalf("%s: opening %s %d× on day %d: %v", s.name, o.side, o.leverage, o.day, err)
			}
			s.trades = append(s.trades, trade.ID)
			s.guard.Changed()
			if s.answered && len(s.trades) == 1 {
				if err := w.player.GoLive(s.guard, ruleID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return next
}

// outcomes are what the trades of a scene came to, in the order of their opening.
func (w *walk) outcomes(t *testing.T, s *scene) []replay.Outcome {
	t.Helper()
	var out []replay.Outcome
	for _, id := range s.trades {
		o, err := w.player.Outcome(s.guard, id)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

// table is a scene beside the same trades with no rule.
func (w *walk) table(t *testing.T, s, without *scene) *replay.Table {
	t.Helper()
	table := &replay.Table{Title: s.name}
	bare := w.outcomes(t, without)
	for i, o := range w.outcomes(t, s) {
		table.Rows = append(table.Rows, replay.Row{Outcome: o, WithoutRule: bare[i].Net, Compared: s != without})
	}
	return table
}

// matrix are all presets and all answers to being short; one preset under the race
// detector.
func matrix(add func(preset vigia.GuardPreset, ifShort vigia.IfShort)) {
	for _, preset := range vigia.GuardPresets() {
		if underRace && preset != vigia.PresetStandard {
			continue
		}
		for _, ifShort := range []vigia.IfShort{vigia.ShortClose, vigia.ShortAdd, vigia.ShortLeave} {
			add(preset, ifShort)
		}
	}
}

func sceneOf(orders []order, wallet vigia.Sats, preset vigia.GuardPreset, ifShort vigia.IfShort) *scene {
	return &scene{name: fmt.Sprintf("%d trades, %s, %s", len(orders), preset, ifShort),
		orders: orders, wallet: wallet, preset: preset, ifShort: ifShort}
}
