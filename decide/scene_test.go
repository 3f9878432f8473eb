package decide_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

// noon is when every scene is decided; its times are written from there: -30s.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// scene is a golden's facts while they are read. Where it says nothing, an account
// may write and was proved, price, positions and balance were seen a second ago,
// and every rule has been armed over every trade with nothing true already.
type scene struct {
	facts decide.Facts
	shows []string
	// unarmed are the pairs "rule trade" that have no state yet.
	unarmed map[string]bool
}

func readScene(text string) (*scene, error) {
	s := &scene{unarmed: map[string]bool{}}
	ago := noon.Add(-time.Second)
	s.facts = decide.Facts{
		Now: noon,
		Account: vigia.Account{ID: "account", Status: vigia.AccountActive, ProvedAt: noon.Add(-time.Hour),
			Scopes: []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead, vigia.ScopeIsolatedWrite}},
		Market:   vigia.Market{ConfirmedAt: ago},
		Snapshot: &vigia.Snapshot{Account: "account", TradesBegun: ago, FreeBegun: ago},
	}
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := s.line(words[0], &args{words: words[1:]}); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	s.arm()
	return s, nil
}

// arm gives every rule a state over every trade it has none over.
func (s *scene) arm() {
	for i := range s.facts.Automations {
		a := &s.facts.Automations[i]
		if a.Guard == nil {
			continue
		}
		for j := range s.facts.Snapshot.Trades {
			subject := vigia.TradeSubject(s.facts.Snapshot.Trades[j].ID)
			has := slices.ContainsFunc(s.facts.States, func(have vigia.AutomationState) bool {
				return have.Automation == a.ID && have.Subject == subject
			})
			if !has && !s.unarmed[string(a.ID)+" "+string(subject.Trade)] {
				s.facts.States = append(s.facts.States, vigia.AutomationState{Automation: a.ID, Subject: subject, Armed: a.ArmedAt})
			}
		}
	}
}

func (s *scene) line(verb string, a *args) error {
	f := &s.facts
	switch verb {
	case "price":
		f.Market.Last = a.price(a.word())
		a.time("confirmed", &f.Market.ConfirmedAt)
	case "free":
		f.Snapshot.Free = a.sats(a.word())
		a.time("read", &f.Snapshot.FreeBegun)
		if a.flag("never") {
			f.Snapshot.FreeBegun = time.Time{}
		}
	case "positions":
		a.time("read", &f.Snapshot.TradesBegun)
	case "trade":
		s.trades(a)
	case "cross":
		f.Snapshot.Cross.Quantity = vigia.USD(a.sats(a.get("quantity")))
	case "ended":
		f.Ended = append(f.Ended, ended(a))
	case "guard":
		f.Automations = append(f.Automations, guardLine(a))
	case "step":
		g := f.Automations[len(f.Automations)-1].Guard
		g.Steps = append(g.Steps, stepLine(a))
	case "alert":
		f.Automations = append(f.Automations, alertLine(a))
	case "new":
		s.unarmed[a.word()+" "+a.word()] = true
	case "state":
		f.States = append(f.States, s.stateLine(a))
	case "spend":
		s.spend(a)
	case "reserve":
		f.Reserves = append(f.Reserves, reserveLine(a))
	case "call":
		f.Unsettled = append(f.Unsettled, callLine(a))
	case "command":
		f.Requested = append(f.Requested, commandLine(a))
	case "stops":
		f.Stops.Automations, f.Stops.HaltFile = a.flag("automations"), a.get("halt")
	case "account":
		accountLine(a, &f.Account)
	case "show":
		s.shows = append(s.shows, a.word())
	default:
		return fmt.Errorf("%q says nothing here", verb)
	}
	return a.done()
}

// trades reads one trade, or as many as "t1..t10" names.
func (s *scene) trades(a *args) {
	name := a.word()
	t := tradeLine(a)
	begun := noon.Add(-time.Second)
	a.time("seen", &begun)
	first, last, many := strings.Cut(name, "..")
	if !many {
		t.ID = vigia.TradeID(name)
		s.facts.Snapshot.Trades = append(s.facts.Snapshot.Trades, vigia.Seen{Trade: t, Begun: begun})
		return
	}
	letters := strings.TrimRight(first, "0123456789")
	from, to := a.number(first[len(letters):]), a.number(last[len(letters):])
	for i := from; i <= to; i++ {
		t.ID = vigia.TradeID(letters + strconv.FormatInt(i, 10))
		s.facts.Snapshot.Trades = append(s.facts.Snapshot.Trades, vigia.Seen{Trade: t, Begun: begun})
	}
}

func tradeLine(a *args) vigia.Trade {
	side, err := vigia.ParseSide(a.word())
	a.fail(err)
	t := vigia.Trade{State: vigia.TradeRunning, Side: side, Quantity: vigia.USD(a.number(a.word())),
		Price: a.price(a.get("entry")), FilledAt: noon.Add(-2 * time.Hour)}
	t.EntryPrice, t.EntryMargin = t.Price, a.sats(a.get("margin"))
	margin := t.EntryMargin
	if now := a.get("margin_now"); now != "" {
		margin = a.sats(now)
	}
	t.StopLoss, t.Trailing = a.price(a.get("stop")), a.percent(a.get("trailing"))
	a.time("filled", &t.FilledAt)
	if a.err == nil {
		t = t.WithMargin(margin)
	}
	if shown := a.get("liquidation"); shown != "" {
		t.Liquidation = a.price(shown)
	}
	return t
}

func ended(a *args) decide.Ended {
	name := a.word()
	t := tradeLine(a)
	t.ID, t.State = vigia.TradeID(name), vigia.TradeClosed
	t.ExitPrice = a.price(a.get("exit"))
	return decide.Ended{Trade: t, By: vigia.EndedBy(a.get("by"))}
}

func guardLine(a *args) vigia.Automation {
	out := vigia.Automation{ID: vigia.AutomationID(a.word()), Kind: vigia.KindMarginGuard, Mode: vigia.ModeLive,
		ArmedAt: noon.Add(-time.Hour), Guard: &vigia.GuardConfig{Hysteresis: 500, IfShort: vigia.ShortClose, CoolDownSeconds: 30}}
	if mode := a.get("mode"); mode != "" {
		out.Mode = vigia.Mode(mode)
	}
	if short := a.get("if_short"); short != "" {
		out.Guard.IfShort = vigia.IfShort(short)
	}
	if h := a.get("hysteresis"); h != "" {
		out.Guard.Hysteresis = a.percent(h)
	}
	if cool := a.get("cool_down"); cool != "" {
		out.Guard.CoolDownSeconds = a.number(cool)
	}
	out.Guard.TrueConfirmed = a.flag("true_confirmed")
	a.time("armed", &out.ArmedAt)
	limits := &out.Limits
	*limits = vigia.Limits{PerAction: a.limit("per_action"), PerTrade: a.limit("per_trade"), PerDay: a.limit("per_day"),
		PerTradeMargin: a.percent(a.get("per_trade_margin")), Untouched: a.sats(a.get("untouched"))}
	limits.ActionsPerHour = int(a.number(a.get("actions")))
	out.Scope.Trades, out.Scope.Except, out.Scope.Order = a.ids("trades"), a.ids("except"), a.ids("order")
	a.fail(out.Scope.Side.UnmarshalText([]byte(a.get("side"))))
	return out
}

func stepLine(a *args) vigia.GuardStep {
	step := vigia.GuardStep{Trigger: vigia.TriggerDistance, Action: vigia.GuardAction(a.word()),
		At: a.percent(a.get("at")), Target: a.percent(a.get("target"))}
	if path := a.get("path"); path != "" {
		step.Trigger, step.At = vigia.TriggerPathUsed, a.percent(path)
	}
	return step
}

func alertLine(a *args) vigia.Automation {
	out := vigia.Automation{ID: vigia.AutomationID(a.word()), Kind: vigia.KindAlert, Mode: vigia.ModeLive,
		ArmedAt: noon.Add(-time.Hour), Alert: &vigia.AlertConfig{When: vigia.AlertWhen(a.get("when"))}}
	out.Scope.Except = a.ids("except")
	return out
}

func reserveLine(a *args) vigia.Reserve {
	r := vigia.Reserve{Account: "account", Subject: vigia.TradeSubject(vigia.TradeID(a.word())),
		State: vigia.ReserveState(a.word()), Cost: a.sats(a.get("cost")), At: noon.Add(-2 * time.Hour)}
	a.time("at", &r.At)
	if r.State == vigia.ReserveSpent {
		r.SettledAt = r.At
	}
	r.Counts, r.ByHand, r.Unknown = !a.flag("uncounted"), a.flag("by_hand"), a.flag("unknown")
	return r
}

func callLine(a *args) vigia.Execution {
	e := vigia.Execution{ID: vigia.ExecutionID(a.word()), Account: "account",
		Subject: vigia.TradeSubject(vigia.TradeID(a.word())), Action: vigia.Action(a.word()),
		State: vigia.ExecutionState(a.word()), MayRepeat: a.flag("may_repeat"),
		Automation: vigia.AutomationID(a.get("by")), Replaces: vigia.ExecutionID(a.get("replaces"))}
	e.CreatedAt = noon.Add(-5 * time.Second)
	a.time("made", &e.CreatedAt)
	a.time("sent", &e.SentAt)
	return e
}

func commandLine(a *args) vigia.Execution {
	e := vigia.Execution{ID: vigia.ExecutionID(a.word()), Account: "account", State: vigia.ExecutionRequested,
		Action: vigia.Action(a.word()), Subject: vigia.AccountSubject(), CreatedAt: noon.Add(-2 * time.Second),
		Amount: a.sats(a.get("amount"))}
	if trade := a.get("trade"); trade != "" {
		e.Subject = vigia.TradeSubject(vigia.TradeID(trade))
	}
	a.time("made", &e.CreatedAt)
	return e
}

func accountLine(a *args, account *vigia.Account) {
	if a.flag("read_only") {
		account.Scopes = []string{vigia.ScopeAccountRead, vigia.ScopeIsolatedRead}
	}
	if status := a.get("status"); status != "" {
		account.Status = vigia.AccountStatus(status)
	}
	a.time("proved", &account.ProvedAt)
	if a.flag("unproved") {
		account.ProvedAt = time.Time{}
	}
}
