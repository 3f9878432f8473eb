package e2e

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
	"github.com/vigiaguard/vigia/record/recordtest"
)

// terms are the settings that say how long things may take.
type terms struct{ lease, window, timeout time.Duration }

var (
	quickTerms = terms{lease: time.Second, window: 2 * time.Second, timeout: time.Second}
	realTerms  = terms{lease: 5 * time.Second, window: 30 * time.Second, timeout: 3 * time.Second}
)

const (
	// reads is how long two reads may take that look for an unknown call.
	reads = 2 * time.Second
	// slack is for a machine whose two cores run many worlds.
	slack = 4 * time.Second
)

// grace is how long a position must have been in danger, with everything
// answering, until it is a fault of ours that it was not saved.
func (x terms) grace() time.Duration { return x.lease + x.window + reads + slack }

// label is the account's name in every world.
const label = "main"

// world is a paper exchange with one trader, and what guards it.
type world struct {
	t        *testing.T
	engine   *paper.Engine
	exchange *paper.Server
	address  string
	trader   paper.AccountKey
	terms    terms
	// database is a URL, or empty for SQLite in the folder.
	database string
	dir      string
	rule     vigia.Automation
	past     *chronicle
	// generous says that limits and wallet are in nobody's way.
	generous bool
	// ahead is how far the market's time runs before the machine's.
	ahead time.Duration
	// read are the executions as they were last checked.
	read []vigia.Execution
}

type worldOptions struct {
	store   string // "sqlite" or "postgres"
	terms   terms
	rules   paper.Rules
	balance vigia.Sats
	scopes  []string
	seed    uint64
}

// newWorld opens an exchange at 100,000 dollars with one trader.
func newWorld(t *testing.T, o worldOptions) *world {
	t.Helper()
	if o.terms == (terms{}) {
		o.terms = quickTerms
	}
	if o.rules.Ladder == nil && !o.rules.NoFees {
		o.rules = paper.DefaultRules()
	}
	w := &world{t: t, engine: paper.New(o.rules), terms: o.terms, dir: t.TempDir(), past: newChronicle()}
	if o.store == "postgres" {
		w.database = recordtest.Postgres(t).URL
	}
	w.engine.Listen(w.past.hear)
	w.price(100_000)
	trader, err := w.engine.NewAccount(o.balance, o.scopes...)
	if err != nil {
		t.Fatal(err)
	}
	w.trader = trader
	rates := paper.NoRates()
	w.exchange = paper.NewServer(paper.ServerOptions{Engine: w.engine, ClockWindow: o.terms.window, Rates: &rates, Seed: o.seed})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- paper.Serve(ctx, listener, w.exchange) }()
	t.Cleanup(func() {
		w.exchange.ClearFaults()
		w.exchange.Close()
		stop()
		t.Logf("the exchange ended, its clients killed: %v", <-served)
	})
	return w
}

// price moves the market.
func (w *world) price(usd int64) { w.tick(vigia.Dollars(usd)) }

func (w *world) tick(p vigia.Price) {
	w.t.Helper()
	now := time.Now()
	w.past.ticked(now, p)
	if err := w.engine.Tick(p, now.Add(w.ahead)); err != nil {
		w.t.Error(err)
	}
	if w.exchange != nil {
		w.exchange.Moved()
	}
}

// long opens a long at the market.
func (w *world) long(quantity vigia.USD, leverage int64) vigia.Trade {
	w.t.Helper()
	return w.open(vigia.Long, quantity, leverage)
}

func (w *world) open(side vigia.Side, quantity vigia.USD, leverage int64) vigia.Trade {
	w.t.Helper()
	trade, err := w.engine.Open(w.trader.ID, paper.NewTrade{Side: side, Quantity: quantity, Leverage: vigia.Leverage(leverage) * vigia.OneX})
	if err != nil {
		w.t.Fatal(err)
	}
	return trade
}

// now is a trade as it is on the exchange.
func (w *world) now(id vigia.TradeID) vigia.Trade {
	w.t.Helper()
	trade, _, ok := w.engine.Trade(w.trader.ID, id)
	if !ok {
		w.t.Fatalf("the exchange has no trade %s", id)
	}
	return trade
}

// fault sets one of the exchange's faults.
func (w *world) fault(f paper.Fault) {
	w.t.Helper()
	if _, err := w.exchange.SetFault(f); err != nil {
		w.t.Fatal(err)
	}
}

// arguments are of a process that serves from a folder.
func (w *world) arguments(folder string) []string {
	args := []string{"serve", "--data", folder, "--listen", "127.0.0.1:0", "--metrics=", "--no-demo",
		"--paper-url", "http://" + w.address, "--key-file", filepath.Join(w.dir, "key"),
		"--lease-term", w.terms.lease.String(), "--clock-window", w.terms.window.String(),
		"--call-timeout", w.terms.timeout.String()}
	if w.database != "" {
		args = append(args, "--database", w.database)
	}
	return args
}

// start runs vigia in the folder of that name; its steps run free.
func (w *world) start(folder string) *process {
	w.t.Helper()
	p := w.standBy(folder)
	p.address()
	return p
}

// standBy runs vigia and does not wait until it serves.
func (w *world) standBy(folder string) *process {
	w.t.Helper()
	data := filepath.Join(w.dir, folder)
	p := launch(w.t, folder, stepping(w.t), true, nil, w.arguments(data)...)
	p.data = data
	go p.steps.follow()
	return p
}

// join adds the trader's account.
func (w *world) join(p *process) {
	w.t.Helper()
	p.api.must(http.MethodPost, "/accounts", w.credentials(), nil)
	w.seen(p)
}

func (w *world) credentials() map[string]any {
	return map[string]any{"label": label, "network": vigia.Paper, "key": w.trader.Key,
		"secret": w.trader.Secret.Reveal(), "passphrase": w.trader.Passphrase.Reveal()}
}

// seen waits until the guard has read the account itself.
func (w *world) seen(p *process) {
	w.t.Helper()
	eventually(w.t, patience, p.name+" has read the account", func() bool {
		a, ok := p.api.watched(label)
		return ok && !a.SnapshotBegun.IsZero() && !a.Provisional && len(a.Trades) == len(w.engine.Running(w.trader.ID))
	})
}

// guardConfig is 2 % → 4 %, with nothing in its way but the wallet.
func guardConfig(ifShort vigia.IfShort) vigia.GuardConfig {
	return vigia.GuardConfig{
		Steps:      []vigia.GuardStep{{Trigger: vigia.TriggerDistance, At: 2_000, Action: vigia.GuardAddMargin, Target: 4_000}},
		Hysteresis: 500, IfShort: ifShort, CoolDownSeconds: 1,
	}
}

// protect makes a guard over all trades, lets it go live and waits until every
// trade is armed.
func (w *world) protect(p *process, config vigia.GuardConfig) {
	w.t.Helper()
	w.goLive(p, config)
	w.armed(p)
}

// armed waits until the rule has decided every running trade, and that is kept:
// what is true before then asks instead of acting.
func (w *world) armed(p *process) {
	w.t.Helper()
	w.seen(p)
	eventually(w.t, patience, p.name+" has armed every trade", func() bool {
		decisions, err := listed[vigia.KeptDecision](p.api, "/decisions")
		if err != nil {
			return false
		}
		decided := map[vigia.TradeID]bool{}
		for _, d := range decisions {
			if d.Automation == w.rule.ID && !d.DryRun && !d.At.Before(w.rule.ArmedAt) {
				decided[d.Subject.Trade] = true
			}
		}
		for _, t := range w.engine.Running(w.trader.ID) {
			if !decided[t.ID] {
				return false
			}
		}
		return true
	})
}

// firesAt is the price at which the rule acts on a trade.
func (w *world) firesAt(t *vigia.Trade) vigia.Price { return w.rule.Guard.Steps[0].FiresAt(t) }

// clear says whether a trade is out of the rule's reach, or gone.
func (w *world) clear(id vigia.TradeID) bool {
	t := w.now(id)
	return !t.Running() || !w.rule.Guard.Steps[0].Holds(&t, w.engine.Last())
}
