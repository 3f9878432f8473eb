package guard

import (
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
	"github.com/vigiaguard/vigia/watch"
)

// arm puts an account's next prices and times into the book, as decided at a price.
// What a tick has passed meanwhile is due at once. The ward is locked.
func (g *Guard) arm(w *ward, dues []decide.Due, decided vigia.Price) {
	for subject := range w.armed {
		w.armed[subject] = false
	}
	passed := false
	for i := range dues {
		due := &dues[i]
		at := due.At
		if !w.wake.IsZero() && (at.IsZero() || w.wake.Before(at)) {
			at = w.wake
		}
		passed = g.book.Arm(g.handles.Handle(w.id, due.Subject), due.Below, due.Above, at) || passed
		w.armed[due.Subject] = true
		if !at.IsZero() {
			signal(g.sooner)
		}
	}
	if len(dues) == 0 && !w.wake.IsZero() {
		g.book.Arm(g.handles.Handle(w.id, vigia.AccountSubject()), 0, 0, w.wake)
		w.armed[vigia.AccountSubject()] = true
		signal(g.sooner)
	}
	w.wake = time.Time{}
	for subject, still := range w.armed {
		if still {
			continue
		}
		if key, ok := g.handles.Find(w.id, subject); ok {
			g.book.Disarm(key)
			g.handles.Release(key)
		}
		delete(w.armed, subject)
	}
	// At the price it was decided at, deciding again says the same: the book has
	// not heard of that price yet.
	if passed && g.o.Market().Last != decided {
		g.queue.put(w)
	}
}

// retryAt makes an account due again at a time, whatever else happens.
func (w *ward) retryAt(at time.Time) {
	if w.wake.IsZero() || at.Before(w.wake) {
		w.wake = at
	}
}

// risk is what decides how often an account is read.
func (g *Guard) risk(w *ward) watch.Risk {
	out := watch.Risk{Unsettled: len(w.suspects) > 0}
	snapshot, last := g.snapshots.Of(w.id), g.o.Market().Last
	if snapshot == nil {
		return out
	}
	out.Cross = snapshot.Cross.Quantity != 0
	for i := range snapshot.Trades {
		t := &snapshot.Trades[i].Trade
		away := vigia.Percent(0)
		if last != 0 {
			away = vigia.Distance(t.Side, last, t.Liquidation)
		}
		if out.Trades == 0 || away < out.Nearest {
			out.Nearest = away
		}
		out.Trades++
	}
	return out
}

// reckonRisk tells the schedule when an account's risk moved by more than it
// would notice. The ward is locked.
func (g *Guard) reckonRisk(w *ward) {
	risk := g.risk(w)
	moved := max(risk.Nearest-w.risked.Nearest, w.risked.Nearest-risk.Nearest) >= vigia.OnePercent/4
	if risk.Trades != w.risked.Trades || risk.Cross != w.risked.Cross || risk.Unsettled != w.risked.Unsettled || moved {
		w.risked = risk
		g.schedule.SetRisk(w.id, risk)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
