package record_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/recordtest"
)

// model is what the reserves must come to, kept the simple way.
type model struct {
	b         *bench
	rows      map[vigia.ExecutionID]*modelRow
	order     []vigia.ExecutionID
	claims    map[vigia.TradeID]vigia.ExecutionID
	executing int
}

type modelRow struct {
	trade   vigia.TradeID
	state   vigia.ExecutionState
	cost    vigia.Sats
	settled time.Time
}

const modelPerDay, modelPerTrade = 300, 200

// counted is what counts against the limits now.
func (m *model) counted(trade vigia.TradeID) (day, total vigia.Sats) {
	since := m.b.clock.Now().Add(-24 * time.Hour)
	for _, r := range m.rows {
		held := r.state == vigia.ExecutionIntent || r.state == vigia.ExecutionUnknown
		spent := r.state == vigia.ExecutionDone
		if held || spent && r.settled.After(since) {
			day += r.cost
		}
		if r.trade == trade && (held || spent) {
			total += r.cost
		}
	}
	return day, total
}

func (m *model) intend(t *rapid.T) {
	trade := vigia.TradeID(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "trade"))
	cost := vigia.Sats(rapid.IntRange(1, 120).Draw(t, "cost"))
	m.executing++
	intent := m.b.add(trade, cost)
	intent.Execution.Signature = fmt.Sprint(m.b.account, m.executing)
	intent.Ceiling = &vigia.Ceiling{PerTrade: modelPerTrade, PerDay: modelPerDay}
	holder, busy := m.claims[trade]
	if busy && m.rows[holder].state == vigia.ExecutionUnknown && rapid.Bool().Draw(t, "replaces") {
		intent.Execution.Replaces, busy = holder, false
	}
	refused, err := m.b.Intend(context.Background(), []vigia.Intent{intent})
	if err != nil {
		t.Fatal(err)
	}
	day, total := m.counted(trade)
	switch over := day+cost > modelPerDay || total+cost > modelPerTrade; {
	case over && code(refused[0]) != vigia.CodeLimit:
		t.Fatalf("%s on %s with %s in the day and %s on the trade: got %v, want code limit", cost, trade, day, total, refused[0])
	case !over && busy && !errors.Is(refused[0], vigia.ErrClaimed):
		t.Fatalf("got %v, want ErrClaimed", refused[0])
	case !over && !busy && refused[0] != nil:
		t.Fatalf("got %v, want it committed", refused[0])
	case !over && !busy:
		m.rows[intent.Execution.ID] = &modelRow{trade: trade, state: vigia.ExecutionIntent, cost: cost}
		m.order = append(m.order, intent.Execution.ID)
		m.claims[trade] = intent.Execution.ID
	}
}

func (m *model) settle(t *rapid.T) {
	if len(m.order) == 0 {
		t.Skip("nothing to settle")
	}
	id := rapid.SampledFrom(m.order).Draw(t, "execution")
	row := m.rows[id]
	to := rapid.SampledFrom([]vigia.ExecutionState{vigia.ExecutionDone, vigia.ExecutionFailed, vigia.ExecutionUnknown,
		vigia.ExecutionGone, vigia.ExecutionSuperseded}).Draw(t, "to")
	s := vigia.Settlement{Execution: id, To: to}
	if to == vigia.ExecutionDone {
		s.Cost = vigia.Sats(rapid.IntRange(0, int(row.cost)).Draw(t, "went"))
	}
	settled, refused, err := m.b.Settle(context.Background(), []vigia.Settlement{s})
	if err = errors.Join(err, errors.Join(refused...)); err != nil {
		t.Fatal(err)
	}
	if already := row.state.Settled(); settled[0].Replayed != already {
		t.Fatalf("from %s to %s: got replayed %t, want %t", row.state, to, settled[0].Replayed, already)
	}
	if settled[0].Replayed {
		return
	}
	row.state = to
	if to.Settled() {
		row.cost, row.settled = s.Cost, m.b.clock.Now()
		if m.claims[row.trade] == id {
			delete(m.claims, row.trade)
		}
	}
}

// check compares the sums and the claims with the store's.
func (m *model) check(t *rapid.T) {
	reserves, err := m.b.Reserves(context.Background(), m.b.account, m.b.clock.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var got vigia.Sats
	for _, r := range reserves {
		got += r.Cost
	}
	if want, _ := m.counted(""); got != want || want > modelPerDay {
		t.Fatalf("got %s held and spent in a day, want %s and at most %d", got, want, modelPerDay)
	}
	claims, err := m.b.Claims(context.Background(), m.b.account)
	if err != nil || len(claims) != len(m.claims) {
		t.Fatalf("got %d claims, %v, want %d", len(claims), err, len(m.claims))
	}
	for _, c := range claims {
		if m.claims[c.Subject.Trade] != c.Execution {
			t.Fatalf("%s is claimed by %s, want %s", c.Subject, c.Execution, m.claims[c.Subject.Trade])
		}
	}
}

// Whatever is intended and settled in whatever order, the sums are right, the
// limits hold, and what is unknown holds its sats.
func TestReservesAddUp(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b := newBench(t, db)
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			runs++
			own := *b
			own.account = b.addAccount(t, fmt.Sprint("run ", runs))
			m := &model{b: &own, rows: map[vigia.ExecutionID]*modelRow{}, claims: map[vigia.TradeID]vigia.ExecutionID{}}
			rt.Repeat(map[string]func(*rapid.T){
				"intend": m.intend,
				"settle": m.settle,
				"pass":   func(*rapid.T) { own.clock.Advance(5 * time.Hour) },
				"":       m.check,
			})
		})
	})
}
