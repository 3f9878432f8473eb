package e2e

import (
	"net/http"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

// rest ends all trouble and waits until nothing is left open: every call settled,
// every trade out of danger that the limits and the wallet could save. It takes
// no longer than the rules say.
func (w *world) rest(p *process) {
	w.t.Helper()
	w.exchange.ClearFaults()
	w.past.calm()
	eventually(w.t, patience, p.name+" answers", p.api.answers)
	within, what, quiet := w.terms.grace(), "", 0
	still := func() bool {
		if what = w.unrest(p); what != "" {
			quiet = 0
			return false
		}
		quiet++
		return quiet > 10 // what was decided shows as an intent by then
	}
	if !holdsWithin(within, still) && what != "" {
		w.t.Errorf("%s after all trouble had ended: %s", within, what)
	}
}

// unrest names something that is not at rest; empty when all is.
func (w *world) unrest(p *process) string {
	executions := p.api.executions()
	if executions == nil && len(w.exchange.Requests(0)) > 0 {
		return "the executions cannot be read"
	}
	for i := range executions {
		if e := &executions[i]; !e.State.Settled() {
			return string(e.Action) + " of " + e.Subject.String() + " is " + string(e.State)
		}
	}
	for _, t := range w.engine.Running(w.trader.ID) {
		if !w.clear(t.ID) && w.affordable(&t) {
			return "trade " + string(t.ID) + " is in danger at " + w.engine.Last().String() + ", liquidated at " + t.Liquidation.String()
		}
	}
	return ""
}

// spending is what automations took from the wallet, by the exchange's own books.
type spending struct {
	total   vigia.Sats
	byTrade map[vigia.TradeID]vigia.Sats
	margin  map[vigia.TradeID]vigia.Sats
}

// spent counts the postings of adds, those by hand left out.
func (w *world) spent() spending {
	out := spending{byTrade: map[vigia.TradeID]vigia.Sats{}, margin: map[vigia.TradeID]vigia.Sats{}}
	byHand := slices.Clone(w.past.hands())
	type add struct {
		trade        vigia.TradeID
		cost, amount vigia.Sats
	}
	adds, order := map[uint64]*add{}, []uint64{}
	for _, p := range w.engine.Postings(w.trader.ID) {
		if p.What != "add_margin" {
			continue
		}
		if adds[p.Op] == nil {
			adds[p.Op] = &add{trade: p.Trade}
			order = append(order, p.Op)
		}
		switch p.Book {
		case paper.BookWallet:
			adds[p.Op].cost -= p.Amount
		case paper.BookIsolatedMargin:
			adds[p.Op].amount += p.Amount
		}
	}
	for _, op := range order {
		a := adds[op]
		if i := slices.Index(byHand, hand{a.trade, a.amount}); i >= 0 {
			byHand = slices.Delete(byHand, i, i+1)
			continue
		}
		out.total += a.cost
		out.byTrade[a.trade] += a.cost
		out.margin[a.trade] += a.amount
	}
	return out
}

// affordable says whether limits and wallet had room for a whole rescue.
func (w *world) affordable(t *vigia.Trade) bool {
	step, limits, spent := &w.rule.Guard.Steps[0], &w.rule.Limits, w.spent()
	need := vigia.MarginAtDistance(t.Side, t.Quantity, t.Price, w.engine.Last(), step.Target) - t.Margin
	if need > t.MaxAdd() {
		return false
	}
	cost := t.AddCost(need)
	return cost <= limits.ForTrade(t)-spent.byTrade[t.ID] && cost <= limits.PerDay-spent.total &&
		cost <= limits.PerAction && cost <= w.engine.Wallet(w.trader.ID)-limits.Untouched && limits.ActionsPerHour == 0
}

// check is made after everything that was done to vigia.
func (w *world) check(p *process) {
	w.t.Helper()
	if err := w.engine.CheckLedger(); err != nil {
		w.t.Error(err)
	}
	var journal vigia.JournalCheck
	p.api.must(http.MethodGet, "/journal/verify", nil, &journal)
	if !journal.OK || journal.Entries == 0 {
		w.t.Errorf("the journal: got %+v", journal)
	}
	executions := p.api.executions()
	w.read = executions
	w.checkRequests(executions)
	w.checkLimits(executions)
	w.checkUnknown(executions)
	w.checkSaved()
}

// checkRequests holds the exchange's log against the executions: each request is
// of exactly one execution, and each execution is as its request ended.
func (w *world) checkRequests(executions []vigia.Execution) {
	w.t.Helper()
	requests := map[string]paper.Request{}
	for _, r := range w.exchange.Requests(0) {
		if other, twice := requests[r.Signature]; twice {
			w.t.Errorf("request %d was sent again as %d", other.Seq, r.Seq)
		}
		requests[r.Signature] = r
	}
	owners := map[string]vigia.ExecutionID{}
	for i := range executions {
		e := &executions[i]
		if e.Signature == "" {
			continue
		}
		if other := owners[e.Signature]; other != "" {
			w.t.Errorf("executions %s and %s have one signature", other, e.ID)
		}
		owners[e.Signature] = e.ID
		r, arrived := requests[e.Signature]
		w.checkOne(e, &r, arrived)
	}
	for signature, r := range requests {
		if owners[signature] == "" {
			w.t.Errorf("no execution for request %+v", r)
		}
	}
}

// checkOne holds one execution against what became of its request.
func (w *world) checkOne(e *vigia.Execution, r *paper.Request, arrived bool) {
	w.t.Helper()
	executed := arrived && r.Outcome == paper.OutcomeExecuted
	if !e.State.Settled() {
		w.t.Errorf("%s of %s is still %s", e.Action, e.Subject, e.State)
		return
	}
	if arrived && (r.Trade != e.Subject.Trade && r.Trade != "" || r.Amount != e.Amount && r.Amount != 0) {
		w.t.Errorf("execution %s is %d sats for %s, its request %d for %s", e.ID, e.Amount, e.Subject, r.Amount, r.Trade)
	}
	fits := e.State == vigia.ExecutionDone
	if e.Action.SafeToRepeat() {
		// By the goal, whoever reached it.
		fits = fits || e.State == vigia.ExecutionSuperseded || e.State == vigia.ExecutionGone
	}
	switch {
	case executed && !fits:
		w.t.Errorf("execution %s (%s of %s) is %s (%s), and its request was executed: %+v", e.ID, e.Action, e.Subject, e.State, e.Detail, r)
	case !executed && e.State == vigia.ExecutionDone:
		w.t.Errorf("execution %s (%s of %s) is done, and the exchange did not do it: arrived %t, %+v", e.ID, e.Action, e.Subject, arrived, r)
	}
}

// checkLimits counts by the exchange's books what the wallet lost to automations.
func (w *world) checkLimits(executions []vigia.Execution) {
	w.t.Helper()
	spent, limits := w.spent(), &w.rule.Limits
	if spent.total > limits.PerDay {
		w.t.Errorf("%d sats went in a day, the limit is %d", spent.total, limits.PerDay)
	}
	for id, cost := range spent.byTrade {
		t := w.now(id)
		if limit := limits.ForTrade(&t); cost > limit {
			w.t.Errorf("%d sats went into trade %s, the limit is %d", cost, id, limit)
		}
	}
	recorded := map[vigia.TradeID]vigia.Sats{}
	for i := range executions {
		if e := &executions[i]; e.State == vigia.ExecutionDone && e.Action == vigia.ActionAddMargin && e.Automation != "" {
			recorded[e.Subject.Trade] += e.Amount
		}
	}
	for id, margin := range spent.margin {
		if recorded[id] != margin {
			w.t.Errorf("trade %s got %d sats of margin, the record says %d", id, margin, recorded[id])
		}
	}
}

// checkUnknown says that what was unknown was known again in time.
func (w *world) checkUnknown(executions []vigia.Execution) {
	w.t.Helper()
	most := w.terms.window + reads + slack
	for i := range executions {
		e := &executions[i]
		if e.SignedAt.IsZero() || e.SettledAt.IsZero() || e.Command != "" {
			continue
		}
		took := e.SettledAt.Sub(e.CreatedAt) - w.past.troubled(e.CreatedAt, e.SettledAt)
		if took > most {
			w.t.Errorf("%s of %s was not known for %s of calm", e.Action, e.Subject, took)
		}
	}
}

// checkSaved says that nobody died who could have been saved: in danger, with
// everything answering, for long enough before the price got to liquidation.
func (w *world) checkSaved() {
	w.t.Helper()
	w.past.mu.Lock()
	defer w.past.mu.Unlock()
	for _, d := range w.past.deaths {
		since := w.past.endangered(d.trade.Side, w.firesAt(&d.trade), d.at.Add(-time.Millisecond))
		for _, at := range []time.Time{w.past.calmSince(d.at), w.lastWrite(d.trade.ID, d.at), d.trade.FilledAt.Add(-w.ahead)} {
			if at.After(since) {
				since = at
			}
		}
		if had := d.at.Sub(since); w.generous && had > w.terms.grace() {
			w.t.Errorf("trade %s died after %s in which it could have been saved", d.trade.ID, had)
		}
	}
}

// lastWrite is when something was last done to a trade.
func (w *world) lastWrite(id vigia.TradeID, before time.Time) time.Time {
	last := time.Time{}
	for _, r := range w.exchange.Requests(0) {
		if r.Trade == id && r.Outcome == paper.OutcomeExecuted && r.EndedAt.Before(before) && r.EndedAt.After(last) {
			last = r.EndedAt
		}
	}
	return last
}
