package act

import (
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
)

// Sighting is one read that says something about a subject's unsettled calls.
type Sighting struct {
	// Begun is the start of the read.
	Begun time.Time
	// Trade is the trade as read; its State says whether it still runs.
	Trade vigia.Trade
	// Unseen says that the trade no longer runs and was not found among those that
	// ended: Trade is how it was last known.
	Unseen bool
}

// Window is how the exchange treats timestamps: a request signed at S is refused
// when it arrives after S + Window.
type Window struct {
	// Clock is the exchange's tolerance, both ways.
	Clock time.Duration
	// Timeout is how long a call is waited for before it is unknown.
	Timeout time.Duration
	// Ahead is how far the exchange's clock is ahead of ours: requests are signed
	// in its time, reads are stamped in ours.
	Ahead time.Duration
}

// Apart is the least time between two reads that count as agreeing.
const Apart = time.Second

// Suspect is an unknown execution and what reads have shown of it so far.
type Suspect struct {
	vigia.Execution
	// FirstQuiet is the start of the first read, begun after the time-out, that
	// showed the trade with QuietMargin; zero before.
	FirstQuiet  time.Time
	QuietMargin vigia.Sats
}

// Signed is when the request was signed, by our clock, as late as it can have
// been.
func (s *Suspect) Signed(w Window) time.Time {
	at := s.SignedAt.Add(-w.Ahead)
	for _, other := range []time.Time{s.CreatedAt, s.SentAt} {
		if other.After(at) {
			at = other
		}
	}
	return at
}

// lapsed says whether a read began after the exchange must refuse the timestamp.
func (s *Suspect) lapsed(seen Sighting, w Window) bool {
	return seen.Begun.After(s.Signed(w).Add(w.Clock))
}

// Add is an add of ours to the same trade that was answered with success.
type Add struct {
	Amount vigia.Sats
	// At is the arrival of the answer: a read begun then or later has it.
	At time.Time
}

// Reconcile holds the unknown executions of one subject against a read. known are
// our own adds to it that were answered; those that only a read showed are not among
// them, since nobody can be sure of these. It returns settlements for those that are
// decided, and marks the others: with two agreeing reads a further attempt may start.
// A read that another call of ours overlapped must not be handed in.
//
// One unknown add is settled as soon as it shows. Several on one trade are settled
// together, when all of them show or none can come any more: before that, one that
// seems to have come may be another, and come later.
func Reconcile(suspects []*Suspect, known []Add, seen Sighting, w Window) []vigia.Settlement {
	var out []vigia.Settlement
	var margin []*Suspect
	for _, s := range suspects {
		switch {
		case seen.Begun.Before(s.Signed(w)):
			// It says nothing of a call made after it.
		case s.Action.Lane() == vigia.LaneMargin:
			margin = append(margin, s)
		default:
			if settled, ok := reachedGoal(s, seen, w); ok {
				out = append(out, settled)
			}
		}
	}
	slices.SortStableFunc(margin, func(a, b *Suspect) int { return a.Signed(w).Compare(b.Signed(w)) })
	return append(out, reconcileMargin(margin, known, seen, w)...)
}

// reachedGoal settles a call that is safe to repeat by whether its goal stands.
func reachedGoal(s *Suspect, seen Sighting, w Window) (vigia.Settlement, bool) {
	out := vigia.Settlement{Execution: s.ID, From: unsettled, After: seen.Trade}
	out.To = Goal(&s.Execution, &seen.Trade)
	if out.To == "" && s.lapsed(seen, w) {
		out.To, out.Class, out.Detail = vigia.ExecutionFailed, vigia.ExchangeError, notExecuted
	}
	return out, out.To != ""
}

// Goal is how a call that is safe to repeat stands by a look at its trade begun
// after it: superseded when its goal stands, gone when there is no trade any more,
// empty when neither is so.
func Goal(e *vigia.Execution, t *vigia.Trade) vigia.ExecutionState {
	switch {
	case !t.Running() && e.Action == vigia.ActionClose:
		return vigia.ExecutionSuperseded
	case !t.Running():
		return vigia.ExecutionGone
	case e.Action == vigia.ActionSetStop && t.StopLoss == e.Stop && t.Trailing == 0,
		e.Action == vigia.ActionRemoveStop && t.StopLoss == 0:
		return vigia.ExecutionSuperseded
	}
	return ""
}

const notExecuted = "not executed: a read begun after its timestamp lapsed shows nothing of it"

// reconcileMargin tells by the margin's change which adds and cash-ins arrived.
func reconcileMargin(suspects []*Suspect, known []Add, seen Sighting, w Window) []vigia.Settlement {
	var out []vigia.Settlement
	var open []*Suspect
	for _, s := range suspects {
		if s.Action != vigia.ActionCashIn {
			open = append(open, s)
		} else if settled, ok := reconcileCashIn(s, seen, w); ok {
			out = append(out, settled)
		}
	}
	if len(open) == 0 {
		return out
	}
	b := balance{suspects: open, seen: seen, w: w}
	b.weigh(known)
	return append(out, b.conclude()...)
}

// reconcileCashIn settles a cash-in by the trade's own count of what was cashed in.
func reconcileCashIn(s *Suspect, seen Sighting, w Window) (vigia.Settlement, bool) {
	out := vigia.Settlement{Execution: s.ID, From: unsettled, After: seen.Trade}
	switch {
	case cashedIn(&s.Before, &seen.Trade) >= s.Amount:
		out.To = vigia.ExecutionDone
	case !seen.Trade.Running():
		out.To = vigia.ExecutionGone
	case s.quiet(seen, w):
		s.MayRepeat = true
		out.To, out.Class, out.Detail = vigia.ExecutionFailed, vigia.ExchangeError, notExecuted
		return out, s.lapsed(seen, w)
	default:
		return out, false
	}
	return out, true
}

// balance weighs what came into a trade against the unknown adds to it.
type balance struct {
	suspects []*Suspect // oldest first
	seen     Sighting
	w        Window
	// change is what came in since the oldest was decided, our known adds aside.
	change vigia.Sats
	// came says of each suspect whether it seems to have arrived; exact that the
	// change is accounted for by them to the sat.
	came  []bool
	exact bool
}

// weigh finds the suspects that seem to have arrived: those whose sum is the change,
// the oldest before the newer, or else the most that it has room for.
func (b *balance) weigh(known []Add) {
	oldest := b.suspects[0]
	b.change = Change(&oldest.Before, &b.seen.Trade)
	for _, add := range known {
		if add.At.After(oldest.Signed(b.w)) {
			b.change -= add.Amount
		}
	}
	b.came, b.exact = fit(b.suspects, b.change, slackOf(&oldest.Before, &b.seen.Trade))
}

// conclude settles the suspects, or marks what the read says of them.
func (b *balance) conclude() []vigia.Settlement {
	running, lapsed, agreed := b.seen.Trade.Running(), true, true
	for i, s := range b.suspects {
		lapsed = lapsed && s.lapsed(b.seen, b.w)
		again := s.quiet(b.seen, b.w)
		agreed = agreed && again
		if again && !b.came[i] && (b.exact || !slices.Contains(b.came, true)) {
			s.MayRepeat = true
		}
	}
	all := !slices.Contains(b.came, false)
	if b.seen.Unseen && !lapsed || !b.seen.Unseen && running && !all && (!lapsed || !agreed && !b.funded()) {
		return nil
	}
	var out []vigia.Settlement
	for i, s := range b.suspects {
		out = append(out, b.settled(s, b.came[i] || running && lapsed && b.funded()))
	}
	return out
}

// settled is how one suspect ends.
func (b *balance) settled(s *Suspect, came bool) vigia.Settlement {
	out := vigia.Settlement{Execution: s.ID, From: unsettled, After: b.seen.Trade}
	switch {
	case b.seen.Unseen:
		// Nobody can tell: what was held counts as spent.
		out.To, out.Cost = vigia.ExecutionGone, s.Cost
	case came:
		out.To, out.Cost, out.Proved = vigia.ExecutionDone, wentUnseen(&s.Execution, &b.seen.Trade), true
	case !b.seen.Trade.Running():
		out.To = vigia.ExecutionGone
		if b.change != 0 && !b.exact {
			out.Cost = s.Cost
		}
	default:
		out.To, out.Class, out.Detail = vigia.ExecutionFailed, vigia.ExchangeError, notExecuted
	}
	return out
}

// funded says that more than one funding settlement may lie between the two looks
// at the trade, and that something came in: paid and received settlements cancel
// out in the sum, so that a part of an add is hidden by them. It counts as ours.
func (b *balance) funded() bool {
	if b.exact || b.change <= 0 {
		return false
	}
	from := b.suspects[0].Signed(b.w).Add(-vigia.SeenRunningFor)
	const every = 8 * time.Hour
	return b.seen.Begun.UTC().Truncate(every).Sub(from.UTC().Truncate(every)) > every
}

// quiet notes a read of a running trade, and says whether it agrees with one before
// it, both begun after the time-out and a second apart at least.
func (s *Suspect) quiet(seen Sighting, w Window) bool {
	if seen.Begun.Before(s.Signed(w).Add(w.Timeout)) || !seen.Trade.Running() {
		return false
	}
	if s.FirstQuiet.IsZero() || s.QuietMargin != seen.Trade.Margin || seen.Begun.Before(s.FirstQuiet) {
		s.FirstQuiet, s.QuietMargin = seen.Begun, seen.Trade.Margin
		return false
	}
	return seen.Begun.Sub(s.FirstQuiet) >= Apart
}

// mostSuspects bounds the unknown adds whose sums are all tried.
const mostSuspects = 10

// fit chooses the suspects whose amounts sum up to the change, exactly, or else to
// the most below it. Of several such choices the one with the oldest counts.
func fit(suspects []*Suspect, change, slack vigia.Sats) (came []bool, exact bool) {
	n := min(len(suspects), mostSuspects)
	best, bestSum := 0, vigia.Sats(0)
	for set := range 1 << n {
		sum := vigia.Sats(0)
		for i := range n {
			if set&(1<<(n-1-i)) != 0 {
				sum += suspects[i].Amount
			}
		}
		if off := change - sum; off >= -slack && off <= slack {
			// Higher bits are older: among equals the last tried wins.
			if !exact || sum >= bestSum {
				best, bestSum, exact = set, sum, true
			}
		} else if !exact && sum <= change && sum >= bestSum {
			best, bestSum = set, sum
		}
	}
	came = make([]bool, len(suspects))
	for i := range n {
		came[i] = best&(1<<(n-1-i)) != 0
	}
	return came, exact
}

// slackOf is how far a change can be off: a cash-in out of a profit moves the
// reference price to a tick, and the exchange books the rest as margin.
func slackOf(before, after *vigia.Trade) vigia.Sats {
	if before.CashInPL == after.CashInPL {
		return 0
	}
	tick := vigia.PL(vigia.Long, after.Quantity, after.Price, after.Price+1)
	return tick + 1
}

// Change is what was put into a trade between two sightings, funding it paid and
// margin it gave back made up for. It is exact while at most one settlement lies
// between the two.
func Change(before, after *vigia.Trade) vigia.Sats {
	return after.Margin - before.Margin + after.CashInMargin - before.CashInMargin +
		max(0, after.Funding-before.Funding)
}

func cashedIn(before, after *vigia.Trade) vigia.Sats {
	return after.CashInMargin + after.CashInPL - before.CashInMargin - before.CashInPL
}
