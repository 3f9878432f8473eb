package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// demo is the first minute of somebody who wants to see what this does: three
// trades on a paper exchange, one guarded, one guarded in dry run, one not, and a
// price that falls.
type demo struct {
	server *server
	paper  *paperExchange
}

// The demo's story.
const (
	demoLabel    = "demo"
	demoBalance  = 2_000_000
	demoQuantity = 1_000
	demoDrop     = 4_850 // thousandths of a percent: beyond the two that nobody saves
	demoOver     = 25 * time.Second
)

// play opens the trades and the rules, and lets the price fall.
func (d *demo) play(ctx context.Context) error {
	s := d.server
	account, trades, err := d.open(ctx)
	if err != nil {
		return fmt.Errorf("the demo: %w", err)
	}
	if err := d.rule(ctx, account, trades[0], "protects the first trade", vigia.ModeLive); err != nil {
		return err
	}
	if err := d.rule(ctx, account, trades[1], "would protect the second", vigia.ModeDryRun); err != nil {
		return err
	}
	s.say("\nThree trades are open, each long $%s at %s with 20× leverage; each dies at about %s.", vigia.Sats(demoQuantity).Grouped(),
		trades[0].Price.Grouped(), trades[0].Liquidation.Grouped())
	s.say("  1  is guarded: within 2 %% of its liquidation the guard adds margin until it stands 4 %% away.")
	s.say("  2  has the same rule in dry run: it decides, and touches nothing.")
	s.say("  3  has no rule.")
	if !pause(ctx, s.clock, 3*time.Second) {
		return nil
	}
	if err := d.prove(ctx, account); err != nil {
		return err
	}
	if !pause(ctx, s.clock, 5*time.Second) {
		return nil
	}
	s.say("\nNow the price falls %s %% within %s. Watch.", vigia.Percent(demoDrop), demoOver)
	if _, _, err := d.paper.runner.Drop(demoDrop, demoOver); err != nil {
		return fmt.Errorf("the demo: %w", err)
	}
	if !pause(ctx, s.clock, demoOver+6*time.Second) {
		return nil
	}
	d.tell(trades)
	return nil
}

// prove asks for the one-sat proof that writing works: without it nothing counts
// as protected.
func (d *demo) prove(ctx context.Context, account *vigia.Account) error {
	now := d.server.clock.Now()
	_, err := d.server.store.Request(ctx, vigia.Execution{ID: vigia.ExecutionID(vigia.NewID(now)), Owner: account.Owner,
		Account: account.ID, Subject: vigia.AccountSubject(), Action: vigia.ActionProve, Reason: vigia.ReasonCommand})
	if err != nil {
		return fmt.Errorf("the demo's write proof: %w", err)
	}
	return nil
}

// open makes the account, here and on the exchange, and its trades.
func (d *demo) open(ctx context.Context) (*vigia.Account, []vigia.Trade, error) {
	s, engine := d.server, d.paper.engine
	for engine.Last() == 0 {
		if !pause(ctx, s.clock, 50*time.Millisecond) {
			return nil, nil, context.Cause(ctx)
		}
	}
	key, err := engine.NewAccount(demoBalance)
	if err != nil {
		return nil, nil, err
	}
	now := s.clock.Now()
	account := &vigia.Account{ID: vigia.AccountID(vigia.NewID(now)), Owner: vigia.LocalOwner, Label: demoLabel,
		Network: vigia.Paper, Scopes: paper.TradingScopes(), Status: vigia.AccountActive, CreatedAt: now}
	sealed, err := s.Seal(account, key.Credentials())
	if err != nil {
		return nil, nil, err
	}
	if err := s.store.AddAccount(ctx, *account, sealed); err != nil {
		return nil, nil, err
	}
	var trades []vigia.Trade
	for range 3 {
		t, err := engine.Open(key.ID, paper.NewTrade{Side: vigia.Long, Leverage: 20 * vigia.OneX, Quantity: demoQuantity, ClientID: vigia.NewID(now)})
		if err != nil {
			return nil, nil, err
		}
		trades = append(trades, t)
	}
	return account, trades, nil
}

func (d *demo) rule(ctx context.Context, account *vigia.Account, trade vigia.Trade, name string, mode vigia.Mode) error {
	config, err := vigia.PresetStandard.Config()
	if err != nil {
		return err
	}
	now := d.server.clock.Now()
	_, err = d.server.store.AddAutomation(ctx, vigia.Automation{ID: vigia.AutomationID(vigia.NewID(now)), Owner: account.Owner,
		Account: account.ID, Name: name, Kind: vigia.KindMarginGuard, Mode: mode, ConfigVersion: vigia.GuardConfigVersion,
		Scope: vigia.Scope{Trades: []vigia.TradeID{trade.ID}}, Guard: &config,
		Limits: config.Limits.Resolve(d.paper.engine.Wallet(d.owner(trade.ID))), ArmedAt: now, CreatedAt: now})
	if err != nil {
		return fmt.Errorf("the demo's rule that %s: %w", name, err)
	}
	return nil
}

// owner finds the exchange's account of a trade.
func (d *demo) owner(trade vigia.TradeID) vigia.AccountID {
	for _, key := range d.paper.engine.Accounts() {
		if _, _, ok := d.paper.engine.Trade(key.ID, trade); ok {
			return key.ID
		}
	}
	return ""
}

// tell says what became of the three.
func (d *demo) tell(trades []vigia.Trade) {
	s := d.server
	s.say("\nThe price stands at %s. What became of the three:", d.paper.engine.Last().Grouped())
	for i := range trades {
		t, _, _ := d.paper.engine.Trade(d.owner(trades[i].ID), trades[i].ID)
		switch {
		case t.Running():
			s.say("  %d  lives. %s sats were added to it, and are still in it; it dies at %s now.", i+1,
				(t.Margin - t.EntryMargin).Grouped(), t.Liquidation.Grouped())
		case vigia.Ended(&t, false) == vigia.EndedLiquidated:
			s.say("  %d  was liquidated at %s: %s sats are gone.", i+1, t.ExitPrice.Grouped(), t.Margin.Grouped())
		default:
			s.say("  %d  was closed by its rule at %s, with a result of %s sats.", i+1, t.ExitPrice.Grouped(), t.PL.Grouped())
		}
	}
	s.say("\nAll of this was paper. Look around:  vigia status   vigia execution list   vigia journal verify")
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, clock vigia.Clock, d time.Duration) bool {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// greet says what runs, loudly that it is paper where it is, and what to do next.
func (s *server) greet(l *listeners) {
	s.say("Vigia %s guards from %s.", version, s.o.Data)
	s.say("  API http://%s   token in %s/token   key in %s (keep it apart from backups)", l.api.Addr(), s.o.Data, s.o.KeyFile)
	if s.paper != nil {
		s.say("\n  ********************************************************************\n" +
			"  *  PAPER: the exchange inside is a simulator. No money is at risk.  *\n" +
			"  ********************************************************************")
	}
	s.say("\nTowards a real account, in another terminal:\n" +
		"  vigia account add --label main --network mainnet\n" +
		"  vigia automation create --account main --preset standard\n" +
		"  vigia automation go-live --automation ID")
}
