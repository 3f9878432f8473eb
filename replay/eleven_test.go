package replay_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/replay"
)

// The whole of it on eleven days of real minutes, where they are beside the clone.
func TestElevenDaysOfRealMinutes(t *testing.T) {
	t.Parallel()
	testElevenDays(t, realMinutes(t))
}

// The same on a crash of our own making, which every clone has.
func TestElevenDaysOfAnOwnCrash(t *testing.T) {
	t.Parallel()
	testElevenDays(t, ownCrash(t, crashSeed))
}

// eleven are the scenes played on one engine, side by side.
type eleven struct {
	*walk
	// bare are the trades of three and of ten without a rule.
	bareOfThree, bareOfTen *scene
	// every are all sides and leverages on all days, without a rule.
	every []*scene
	// guarded are the matrix in a wallet of three and one of ten.
	guarded []*scene
	// pairs are live and dry side by side, unanswered, scarce and ample.
	pairs []pair
}

type pair struct{ live, dry *scene }

func playEleven(t *testing.T, m *market) *eleven {
	t.Helper()
	e := &eleven{
		bareOfThree: &scene{name: "3 trades, no rule", orders: threeTrades(), wallet: scarceOfThree},
		bareOfTen:   &scene{name: "10 trades, no rule", orders: tenTrades(), wallet: scarceOfTen},
	}
	scenes := []*scene{e.bareOfThree, e.bareOfTen}
	for _, side := range []vigia.Side{vigia.Long, vigia.Short} {
		for _, leverage := range []int64{5, 10, 20, 25, 50} {
			e.every = append(e.every, &scene{orders: everyTrade(side, leverage), wallet: ample})
		}
	}
	matrix(func(preset vigia.GuardPreset, ifShort vigia.IfShort) {
		three := sceneOf(threeTrades(), scarceOfThree, preset, ifShort)
		ten := sceneOf(tenTrades(), scarceOfTen, preset, ifShort)
		three.answered, ten.answered = true, true
		e.guarded = append(e.guarded, three, ten)
		if preset != vigia.PresetCalm {
			own := sceneOf(tenTrades(), scarceOfTen, preset, ifShort)
			own.name, own.answered, own.limits = own.name+", limits of their own", true, strict()
			e.guarded = append(e.guarded, own)
		}
		wallets := []vigia.Sats{ample}
		if preset == vigia.PresetStandard {
			wallets = append(wallets, scarceOfTen)
		}
		for _, wallet := range wallets {
			live := sceneOf(tenTrades(), wallet, preset, ifShort)
			dry := sceneOf(tenTrades(), wallet, preset, ifShort)
			dry.dry = true
			e.pairs = append(e.pairs, pair{live, dry})
		}
	})
	scenes = append(append(scenes, e.every...), e.guarded...)
	for _, p := range e.pairs {
		scenes = append(scenes, p.live, p.dry)
	}
	e.walk = play(t, m, m.walk(), scenes)
	return e
}

func testElevenDays(t *testing.T, m *market) {
	e := playEleven(t, m)
	t.Logf("%d prices, %d accounts on one engine", e.ticks, len(e.scenes))
	t.Run("the books agree", func(t *testing.T) {
		if err := e.engine.CheckLedger(); err != nil {
			t.Error(err)
		}
	})
	t.Run("without rules those that must be liquidated are", func(t *testing.T) { e.checkWithoutRules(t) })
	t.Run("what happened is what the rules say", func(t *testing.T) {
		for _, s := range e.guarded {
			t.Run(s.name, func(t *testing.T) { checkScene(t, e.walk, s) })
		}
		for _, p := range e.pairs {
			t.Run(p.live.name+", unanswered", func(t *testing.T) { checkScene(t, e.walk, p.live) })
		}
	})
	t.Run("every limit has bitten", e.checkSeen)
	t.Run("dry runs decide like live and touch nothing", func(t *testing.T) {
		for _, p := range e.pairs {
			t.Run(p.live.name, func(t *testing.T) { e.checkPair(t, p) })
		}
	})
	t.Run("dry runs have gone on, closed and outlived", func(t *testing.T) { e.checkShadowsSeen(t) })
	e.print(t)
}

// print shows every table under -v, the sums first.
func (e *eleven) print(t *testing.T) {
	t.Helper()
	var out, lines strings.Builder
	fmt.Fprintln(&lines, "rule\tliquidated\tclosed\tstopped\trun\tsaved\tadded\tstill in\tP&L\tagainst no rule\tof them lose more")
	scenes := append([]*scene{e.bareOfThree, e.bareOfTen}, e.guarded...)
	var tables []*replay.Table
	for _, s := range scenes {
		without := e.bareOfTen
		if len(s.orders) == 3 {
			without = e.bareOfThree
		}
		table := e.table(t, s, without)
		tables = append(tables, table)
		fmt.Fprintln(&lines, sumOf(table))
	}
	sums := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(sums, lines.String())
	if err = errors.Join(err, sums.Flush()); err != nil {
		t.Error(err)
	}
	for _, table := range tables {
		fmt.Fprintf(&out, "\n%s", table)
	}
	fmt.Fprint(&out, "\n10 trades, standard, close, in dry run: what would have been\n")
	for _, s := range e.pairs[0].dry.guard.Shadows {
		trade, _, _ := e.engine.Trade(e.pairs[0].dry.key.ID, s.Trade)
		fmt.Fprintf(&out, "%-5s of %s: liquidated at %s; would have been saved %d× and held to %s\n", trade.Side,
			trade.FilledAt.Format("02 Jan"), s.Exit.Grouped(), s.Would.Saves, s.HeldTo.Grouped())
	}
	t.Logf("\n%s", out.String())
}

func sumOf(table *replay.Table) string {
	ends := map[vigia.EndedBy]int{}
	var saves, worse int
	var added, stillIn, net, against vigia.Sats
	for i := range table.Rows {
		r := &table.Rows[i]
		ends[r.EndedBy]++
		saves += r.Saves
		added += r.Added
		stillIn += r.StillIn
		net += r.Net
		if r.Compared {
			against += r.Against()
			if r.Against() < 0 {
				worse++
			}
		}
	}
	return fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%d", table.Title, ends[vigia.EndedLiquidated],
		ends[vigia.EndedByUs], ends[vigia.EndedStopped], ends[""], saves, added.Grouped(), stillIn.Grouped(),
		net.Grouped(), against.Grouped(), worse)
}
