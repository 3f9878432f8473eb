package bench

import (
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/replay"
)

// BenchmarkReplay plays a random walk by every half dollar over ten accounts, each
// with a 20× trade under the standard guard, opened anew when it ends: exchange,
// rules and what they do.
func BenchmarkReplay(b *testing.B) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	walk, err := paper.NewRandomWalk(paper.WalkOptions{Seed: 7, Start: market, From: start})
	if err != nil {
		b.Fatal(err)
	}
	prices, engine := paper.HalfDollars(walk), paper.New(paper.DefaultRules())
	player := replay.NewPlayer(engine)
	next := func() {
		point, err := prices.Next()
		if err == nil {
			err = player.Tick(point.Price, point.At)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	next()
	var idle []vigia.AccountID
	for range 10 {
		idle = append(idle, guardOne(b, engine, player, start))
	}
	engine.Listen(func(e paper.Event) {
		if e.Trade.State == vigia.TradeClosed {
			idle = append(idle, e.Account)
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		for _, id := range idle {
			openLong(b, engine, id)
		}
		idle = idle[:0]
		next()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "prices/s")
}

const purse vigia.Sats = 100 * vigia.SatsPerBTC

func guardOne(b *testing.B, engine *paper.Engine, player *replay.Player, since time.Time) vigia.AccountID {
	b.Helper()
	key, err := engine.NewAccount(purse)
	if err != nil {
		b.Fatal(err)
	}
	config, err := vigia.PresetStandard.Config()
	if err != nil {
		b.Fatal(err)
	}
	player.Guard(key.ID, vigia.Automation{ID: "guard", Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive, Guard: &config,
		Limits: config.Limits.Resolve(purse), ArmedAt: since})
	return key.ID
}

func openLong(b *testing.B, engine *paper.Engine, id vigia.AccountID) {
	b.Helper()
	if _, err := engine.Open(id, paper.NewTrade{Side: vigia.Long, Quantity: 1000, Leverage: 20 * vigia.OneX}); err != nil {
		b.Fatal(err)
	}
}
