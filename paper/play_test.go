package paper_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// player does random things to an engine and watches what holds always.
type player struct {
	*rapid.T
	e        *paper.Engine
	accounts []vigia.AccountID
	last     vigia.Price
	at       time.Time
	answered int
}

func newPlayer(t *rapid.T, e *paper.Engine) *player {
	p := &player{T: t, e: e, at: midnight.Add(7 * time.Hour)}
	p.move(vigia.Dollars(100_000), 0)
	p.join(5_000_000)
	return p
}

func (p *player) move(to vigia.Price, by time.Duration) {
	p.last, p.at = to, p.at.Add(by)
	if err := p.e.Tick(to, p.at); err != nil {
		p.Fatal(err)
	}
	p.answered++
}

func (p *player) join(balance vigia.Sats) {
	key, err := p.e.NewAccount(balance)
	if err != nil {
		p.Fatal(err)
	}
	p.accounts = append(p.accounts, key.ID)
	p.answered++
}

// near is a price within a share of the last one.
func (p *player) near(share int64, label string) vigia.Price {
	reach := int64(p.last) / share
	return p.last + vigia.Price(rapid.Int64Range(-reach, reach).Draw(p.T, label))
}

func (p *player) who() vigia.AccountID { return rapid.SampledFrom(p.accounts).Draw(p.T, "account") }

// which is a trade of the account, or one that nobody has.
func (p *player) which(acc vigia.AccountID) vigia.TradeID {
	ids := []vigia.TradeID{"00000000-0000-4000-8000-000000000000"}
	for _, t := range append(p.e.Running(acc), p.e.OpenOrders(acc)...) {
		ids = append(ids, t.ID)
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(p.T, "trade")]
}

func (p *player) sats(most int64) vigia.Sats {
	return vigia.Sats(rapid.Int64Range(-1, most).Draw(p.T, "sats"))
}

// settle takes an answer: done or refused, nothing else.
func (p *player) settle(err error) {
	var refusal *paper.Refusal
	if err != nil && !errors.As(err, &refusal) {
		p.Fatal(err)
	}
	p.answered++
}

func (p *player) order() paper.NewTrade {
	n := paper.NewTrade{
		Side:     rapid.SampledFrom([]vigia.Side{vigia.Long, vigia.Short}).Draw(p.T, "side"),
		Leverage: vigia.Leverage(rapid.Int64Range(1, 100).Draw(p.T, "leverage")) * vigia.OneX,
	}
	if rapid.Bool().Draw(p.T, "by margin") {
		n.Margin = vigia.Sats(rapid.Int64Range(1, 1_000_000).Draw(p.T, "margin"))
	} else {
		n.Quantity = vigia.USD(rapid.Int64Range(1, 5000).Draw(p.T, "quantity"))
	}
	if rapid.Bool().Draw(p.T, "limit") {
		n.Type, n.Price = paper.Limit, p.near(20, "limit price")
	}
	if rapid.Bool().Draw(p.T, "with stops") {
		n.StopLoss, n.TakeProfit = p.near(50, "stop"), p.near(50, "target")
	}
	return n
}

// act does one thing.
func (p *player) act() {
	acc := p.who()
	switch rapid.SampledFrom([]string{
		"tick", "tick", "tick", "leap", "open", "open", "open", "add", "cash in", "close", "cancel", "cancel all",
		"stop", "trail", "take profit", "deposit", "withdraw", "rate", "join",
	}).Draw(p.T, "act") {
	case "tick":
		p.move(p.near(100, "price"), time.Minute)
	case "leap":
		p.move(p.near(5, "far price"), 3*time.Hour)
	case "open":
		_, err := p.e.Open(acc, p.order())
		p.settle(err)
	case "add":
		_, err := p.e.AddMargin(acc, p.which(acc), p.sats(200_000))
		p.settle(err)
	case "cash in":
		_, err := p.e.CashIn(acc, p.which(acc), p.sats(100_000))
		p.settle(err)
	case "close":
		_, err := p.e.Close(acc, p.which(acc))
		p.settle(err)
	case "cancel":
		_, err := p.e.Cancel(acc, p.which(acc))
		p.settle(err)
	case "cancel all":
		_, err := p.e.CancelAll(acc)
		p.settle(err)
	case "stop":
		_, err := p.e.SetStop(acc, p.which(acc), p.near(20, "stop"))
		p.settle(err)
	case "trail":
		_, err := p.e.SetTrailingStop(acc, p.which(acc), vigia.Percent(rapid.Int64Range(50, 8000).Draw(p.T, "trailing")))
		p.settle(err)
	case "take profit":
		_, err := p.e.SetTakeProfit(acc, p.which(acc), p.near(20, "target"))
		p.settle(err)
	case "deposit":
		p.settle(p.e.Deposit(acc, p.sats(1_000_000)))
	case "withdraw":
		p.settle(p.e.Withdraw(acc, p.sats(1_000_000)))
	case "rate":
		p.settle(p.e.SetFundingRate(vigia.FundingRate(rapid.Int64Range(-50_000_000, 50_000_000).Draw(p.T, "rate"))))
	case "join":
		p.join(max(0, p.sats(5_000_000)))
	}
}

func drawnRules(t *rapid.T) paper.Rules {
	rules := paper.Rules{
		Cross: rapid.Bool().Draw(t, "cross"), FillAtMarket: rapid.Bool().Draw(t, "fill at market"),
		NoFees: rapid.Bool().Draw(t, "no fees"), NearestFees: rapid.Bool().Draw(t, "nearest fees"),
		KeepReserve: rapid.Bool().Draw(t, "keep reserve"), ReturnLeftover: rapid.Bool().Draw(t, "return leftover"),
		FundAnyLeverage: rapid.Bool().Draw(t, "fund any leverage"), FundingRate: paper.DefaultFundingRate, Seed: 5,
	}
	if rapid.Bool().Draw(t, "ladder") {
		rules.Ladder = paper.DefaultRules().Ladder
	}
	return rules
}

func TestNothingThatIsDoneBreaksTheLedger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPlayer(t, paper.New(drawnRules(t)))
		for range rapid.IntRange(1, 80).Draw(t, "acts") {
			p.act()
			if err := p.e.CheckLedger(); err != nil {
				t.Fatal(err)
			}
			for _, acc := range p.accounts {
				if w := p.e.Wallet(acc); w < 0 {
					t.Fatalf("a wallet of %d", w)
				}
			}
		}
	})
}

func TestLiquidationsHappenAtTheExchangesPriceAndNotBefore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPlayer(t, paper.New(paper.Rules{FundingRate: paper.DefaultFundingRate, Seed: 5}))
		p.e.Listen(func(ev paper.Event) {
			trade := ev.Trade
			switch ev.Kind {
			case paper.EventLiquidation:
				if trade.ExitPrice != trade.Liquidation || trade.PL > -trade.Margin {
					t.Errorf("liquidated at %s for %d, liquidation %s, margin %d", trade.ExitPrice, trade.PL, trade.Liquidation, trade.Margin)
				}
				if trade.StopLoss != 0 && trade.Side.Worse(trade.Liquidation, trade.StopLoss) && trade.Funding <= 0 {
					t.Errorf("liquidated at %s past a stop at %s", trade.Liquidation, trade.StopLoss)
				}
			case paper.EventStopLoss:
				if trade.ExitPrice != trade.StopLoss {
					t.Errorf("stopped at %s, stop %s", trade.ExitPrice, trade.StopLoss)
				}
			case paper.EventTakeProfit:
				if trade.ExitPrice != trade.TakeProfit {
					t.Errorf("took profit at %s, target %s", trade.ExitPrice, trade.TakeProfit)
				}
			}
		})
		for range rapid.IntRange(1, 80).Draw(t, "acts") {
			p.act()
			for _, acc := range p.accounts {
				for _, trade := range p.e.Running(acc) {
					if trade.Liquidation != vigia.NeverPrice && !trade.Side.Worse(trade.Liquidation, p.last) && !trade.FilledAt.After(p.at) && !freshlyUnder(trade) {
						t.Fatalf("%s runs at %s with its liquidation at %s", trade.Side, p.last, trade.Liquidation)
					}
				}
			}
		}
	})
}

// freshlyUnder is a trade so large against its margin's last sat that it stands
// on its liquidation from the start.
func freshlyUnder(t vigia.Trade) bool { return t.Liquidation == t.EntryPrice }

// What a closed trade moved in the wallet is its profit, what was cashed in of
// it, its fees and its funding, to the sat where nothing was cashed in.
func TestTheWalletAgreesWithWhatATradeSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPlayer(t, paper.New(paper.Rules{FundingRate: paper.DefaultFundingRate, Seed: 5}))
		for range rapid.IntRange(1, 80).Draw(t, "acts") {
			p.act()
		}
		for _, acc := range p.accounts {
			moved, cashed := map[vigia.TradeID]vigia.Sats{}, map[vigia.TradeID]vigia.Sats{}
			house := map[vigia.TradeID]vigia.Sats{}
			ops := map[uint64]bool{}
			for _, post := range p.e.Postings(acc) {
				if post.What == "cash_in" && !ops[post.Op] {
					ops[post.Op] = true
					cashed[post.Trade]++
				}
				switch {
				case post.Book == paper.BookWallet && post.Trade != "":
					moved[post.Trade] += post.Amount
				case post.Book == paper.BookHouse && post.What != "cash_in":
					house[post.Trade] = post.Amount
				}
			}
			for _, trade := range p.e.Closed(acc) {
				if house[trade.ID] != -trade.PL { // liquidated, or lost more than there was
					continue
				}
				says := trade.PL + trade.CashInPL - trade.OpeningFee - trade.ClosingFee - trade.Funding
				// Each cash-in puts the price on a tick, which is worth this much.
				most := cashed[trade.ID] * (2 + vigia.RunningPL(vigia.Long, trade.Quantity, trade.Price-1, trade.Price))
				if off := moved[trade.ID] - says; off > most || off < -most {
					t.Fatalf("the wallet moved by %d, the trade says %d: %+v", moved[trade.ID], says, trade)
				}
			}
		}
	})
}

// No level is jumped over or taken out of order by a large step.
func TestWalkingAndSteppingComeToTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := paper.Rules{NoFees: rapid.Bool().Draw(t, "no fees"), Seed: 5}
		stepping, walking := newPlayer(t, paper.New(rules)), newPlayer(t, paper.New(rules))
		for _, p := range []*player{stepping, walking} {
			if err := p.e.Deposit(p.accounts[0], 100_000_000); err != nil {
				t.Fatal(err)
			}
		}
		acc := stepping.accounts[0]
		for range rapid.IntRange(1, 12).Draw(t, "trades") {
			order := stepping.order()
			_, one := stepping.e.Open(acc, order)
			trade, two := walking.e.Open(walking.accounts[0], order)
			if (one == nil) != (two == nil) {
				t.Fatalf("%v, %v", one, two)
			}
			if distance := vigia.Percent(rapid.Int64Range(0, 3000).Draw(t, "trailing")); one == nil && distance > 500 {
				_, one = stepping.e.SetTrailingStop(acc, trade.ID, distance)
				_, two = walking.e.SetTrailingStop(walking.accounts[0], trade.ID, distance)
				if (one == nil) != (two == nil) {
					t.Fatalf("%v, %v", one, two)
				}
			}
		}
		points := []paper.Point{{Price: stepping.last, At: stepping.at}}
		for range rapid.IntRange(1, 6).Draw(t, "points") {
			stepping.last = stepping.near(40, "to")
			points = append(points, paper.Point{Price: stepping.last, At: points[len(points)-1].At.Add(time.Second)})
		}
		if err := paper.Play(stepping.e, paper.Points(points...), nil); err != nil {
			t.Fatal(err)
		}
		if err := paper.Play(walking.e, paper.HalfDollars(paper.Points(points...)), nil); err != nil {
			t.Fatal(err)
		}
		compareEnds(t, stepping.e, walking.e, acc)
	})
}

func compareEnds(t *rapid.T, a, b *paper.Engine, acc vigia.AccountID) {
	if got, want := a.Wallet(acc), b.Wallet(acc); got != want {
		t.Errorf("wallet: stepping %d, walking %d", got, want)
	}
	for _, trade := range append(append(a.Running(acc), a.OpenOrders(acc)...), a.Closed(acc)...) {
		other, _, ok := b.Trade(acc, trade.ID)
		if trade.ExitPrice == trade.TakeProfit { // a stop that trailed on the way to it
			other.StopLoss = trade.StopLoss
		}
		other.CreatedAt, other.FilledAt, other.ClosedAt = trade.CreatedAt, trade.FilledAt, trade.ClosedAt
		if !ok || other != trade {
			t.Errorf("stepping %+v\nwalking  %+v", trade, other)
		}
	}
}
