package record_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func (b *bench) decided(action vigia.Action, reason vigia.Reason) vigia.Kept {
	return vigia.Kept{Fence: b.fence, Decisions: []vigia.KeptDecision{{Owner: vigia.LocalOwner, Account: b.account, At: b.clock.Now(),
		Decision: vigia.Decision{Automation: b.rule, Subject: vigia.TradeSubject("t1"), Action: action, Reason: reason, Amount: 7}}}}
}

func (b *bench) keep(t *testing.T, kept vigia.Kept) {
	t.Helper()
	if err := b.Keep(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
}

func TestADecisionIsKeptAgainWhenItsRuleGoesLive(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		for _, dry := range []bool{true, true, false, false} {
			kept := b.decided(vigia.ActionNone, vigia.ReasonNotReached)
			kept.Decisions[0].DryRun = dry
			b.keep(t, kept)
			b.clock.Advance(time.Millisecond)
		}
		kept, err := b.ListDecisions(ctx, vigia.LocalOwner, b.account, "", 0)
		if err != nil || len(kept) != 2 || kept[0].DryRun || !kept[1].DryRun {
			t.Errorf("got %+v, %v, want one of the dry run and one that is live", kept, err)
		}
	})
}

func TestADecisionIsKeptWhenItSaysSomethingNew(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		for _, d := range []struct {
			action vigia.Action
			reason vigia.Reason
		}{
			{vigia.ActionNone, vigia.ReasonNotReached},
			{vigia.ActionNone, vigia.ReasonNotReached},
			{vigia.ActionNone, vigia.ReasonBlind},
			{vigia.ActionNone, vigia.ReasonNotReached},
			{vigia.ActionAddMargin, vigia.ReasonTrigger},
			{vigia.ActionAddMargin, vigia.ReasonTrigger},
		} {
			b.keep(t, b.decided(d.action, d.reason))
			b.clock.Advance(time.Millisecond)
		}
		kept, err := b.ListDecisions(ctx, vigia.LocalOwner, b.account, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []vigia.Reason
		for _, d := range kept {
			got = append(got, d.Reason)
		}
		want := []vigia.Reason{vigia.ReasonTrigger, vigia.ReasonNotReached, vigia.ReasonBlind, vigia.ReasonNotReached}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		one, err := b.Decision(ctx, vigia.LocalOwner, kept[0].ID)
		if err != nil || one != kept[0] || one.Amount != 7 || one.Account != b.account {
			t.Errorf("got %+v, %v, want %+v", one, err, kept[0])
		}
		if _, err := b.Decision(ctx, "somebody else", kept[0].ID); !errors.Is(err, vigia.ErrNotFound) {
			t.Errorf("somebody else's: got %v, want ErrNotFound", err)
		}
	})
}

func TestNothingIsKeptUnderALostFence(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		kept := b.decided(vigia.ActionNone, vigia.ReasonBlind)
		b.take(t, b.fence.Shard, "another process")
		if err := b.Keep(ctx, kept); !errors.Is(err, vigia.ErrFenced) {
			t.Errorf("keep: got %v, want ErrFenced", err)
		}
		if err := b.See(ctx, b.fence, vigia.LocalOwner, &vigia.Snapshot{Account: b.account}); !errors.Is(err, vigia.ErrFenced) {
			t.Errorf("see: got %v, want ErrFenced", err)
		}
		if got, err := b.ListDecisions(ctx, vigia.LocalOwner, "", "", 0); err != nil || len(got) != 0 {
			t.Errorf("got %v, %v, want nothing", got, err)
		}
	})
}

func TestATurnLeavesStatesDryRunsAndEvents(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		subject := vigia.TradeSubject("t1")
		state := vigia.AutomationState{Automation: b.rule, Subject: subject, Armed: b.clock.Now(), OurStop: vigia.Dollars(95_500),
			Shadow: vigia.Shadow{Margin: 9, Spends: []vigia.ShadowSpend{{At: b.clock.Now(), Cost: 9}}}}
		dry := vigia.Execution{ID: vigia.ExecutionID(b.id()), Owner: vigia.LocalOwner, Account: b.account, Automation: b.rule,
			Subject: subject, Action: vigia.ActionAddMargin, State: vigia.ExecutionDryRun, Reason: vigia.ReasonTrigger, Amount: 9}
		kept := vigia.Kept{Fence: b.fence, States: []vigia.AutomationState{state}, Executions: []vigia.Execution{dry},
			Events: []vigia.Event{{Owner: vigia.LocalOwner, Account: b.account, Kind: vigia.EventDryRun}}}
		b.keep(t, kept)
		m, err := b.Memory(ctx, b.account)
		if err != nil || len(m.States) != 1 || !reflect.DeepEqual(m.States[0], state) {
			t.Errorf("got states %+v, %v, want %+v", m.States, err, state)
		}
		got, err := b.Execution(ctx, vigia.LocalOwner, dry.ID)
		if err != nil || got.State != vigia.ExecutionDryRun || !got.SettledAt.Equal(b.clock.Now()) {
			t.Errorf("got %+v, %v, want the dry run", got, err)
		}
		if n, err := b.Number(ctx, 10); err != nil || n != 1 {
			t.Errorf("got %d events, %v, want 1", n, err)
		}
		b.keep(t, vigia.Kept{Fence: b.fence, Forget: []vigia.Forgotten{{Account: b.account, Subject: subject}}})
		if states, err := b.StatesOf(ctx, b.account); err != nil || len(states) != 0 {
			t.Errorf("got %v, %v, want them forgotten", states, err)
		}
		dry.ID, dry.State = vigia.ExecutionID(b.id()), vigia.ExecutionDone
		if err := b.Keep(ctx, vigia.Kept{Fence: b.fence, Executions: []vigia.Execution{dry}}); code(err) != vigia.CodeInvalid {
			t.Errorf("done without an intent: got %v, want code invalid", err)
		}
	})
}

func TestALongTurnIsKeptInPartsAndMayBeRepeated(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		kept := vigia.Kept{Fence: b.fence}
		for i := range 150 {
			subject := vigia.TradeSubject(vigia.TradeID(fmt.Sprint("t", i)))
			kept.Executions = append(kept.Executions, vigia.Execution{ID: vigia.ExecutionID(b.id()), Owner: vigia.LocalOwner,
				Account: b.account, Subject: subject, Action: vigia.ActionClose, State: vigia.ExecutionSkipped})
			kept.Decisions = append(kept.Decisions, vigia.KeptDecision{ID: b.id(), Owner: vigia.LocalOwner, Account: b.account,
				Decision: vigia.Decision{Subject: subject, Action: vigia.ActionNone, Reason: vigia.ReasonBlind}})
			kept.States = append(kept.States, vigia.AutomationState{Automation: b.rule, Subject: subject})
		}
		for range 2 {
			b.keep(t, kept)
			executions, err := b.ListExecutions(ctx, vigia.LocalOwner, b.account, "", 500)
			if err != nil || len(executions) != 150 {
				t.Errorf("got %d executions, %v, want 150", len(executions), err)
			}
			decisions, err := b.ListDecisions(ctx, vigia.LocalOwner, b.account, "", 500)
			if err != nil || len(decisions) != 150 {
				t.Errorf("got %d decisions, %v, want 150", len(decisions), err)
			}
			if states, err := b.StatesOf(ctx, b.account); err != nil || len(states) != 150 {
				t.Errorf("got %d states, %v, want 150", len(states), err)
			}
		}
	})
}

func seen(id vigia.TradeID, begun time.Time) vigia.Seen {
	return vigia.Seen{Begun: begun, Trade: vigia.Trade{ID: id, State: vigia.TradeRunning, Side: vigia.Short, Quantity: 100,
		Margin: 7, Price: vigia.Dollars(100_000), Leverage: 20 * vigia.OneX, CreatedAt: begun}}
}

func TestTheLaterBegunLookIsKept(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		at := b.clock.Now()
		if m, err := b.Memory(ctx, b.account); err != nil || m.Snapshot != nil {
			t.Fatalf("never looked: got %+v, %v, want no snapshot", m.Snapshot, err)
		}
		look := func(begun time.Time, free vigia.Sats, trades ...vigia.Seen) {
			t.Helper()
			s := vigia.Snapshot{Account: b.account, Trades: trades, TradesBegun: begun, Free: free, FreeBegun: begun, FeeTier: 1,
				Cross: vigia.CrossPosition{Quantity: -5}, CrossBegun: begun}
			if err := b.See(ctx, b.fence, vigia.LocalOwner, &s); err != nil {
				t.Fatal(err)
			}
		}
		look(at, 10, seen("t2", at), seen("t1", at))
		look(at.Add(time.Second), 20, seen("t1", at.Add(time.Second)), seen("t3", at))
		look(at, 30, seen("t2", at)) // an older answer arrives after a newer one
		m, err := b.Memory(ctx, b.account)
		want := &vigia.Snapshot{Account: b.account, TradesBegun: at.Add(time.Second), Free: 20, FreeBegun: at.Add(time.Second),
			Cross: vigia.CrossPosition{Quantity: -5}, CrossBegun: at.Add(time.Second), FeeTier: 1, Provisional: true,
			Trades: []vigia.Seen{seen("t1", at.Add(time.Second)), seen("t3", at)}}
		if err != nil || !reflect.DeepEqual(m.Snapshot, want) {
			t.Errorf("got %+v, %v, want %+v", m.Snapshot, err, want)
		}
	})
}

func TestMemoryHasTheReservesThatMatter(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		at := b.clock.Now()
		for _, trade := range []vigia.TradeID{"runs", "ended"} {
			id := b.intend(t, b.add(trade, 10))
			b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 10})
		}
		s := vigia.Snapshot{Account: b.account, Trades: []vigia.Seen{seen("runs", at)}, TradesBegun: at}
		if err := b.See(ctx, b.fence, vigia.LocalOwner, &s); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(25 * time.Hour)
		held := b.intend(t, b.add("new", 3))
		b.settle(t, vigia.Settlement{Execution: held, To: vigia.ExecutionUnknown})
		b.keep(t, vigia.Kept{Fence: b.fence, States: []vigia.AutomationState{{Automation: b.rule, Subject: vigia.TradeSubject("runs")}}})
		spent := b.add("by hand", 4)
		spent.Execution.Automation = ""
		b.settle(t, vigia.Settlement{Execution: b.intend(t, spent), To: vigia.ExecutionDone, Cost: 4})
		b.settle(t, vigia.Settlement{Execution: b.intend(t, b.add("failed", 5)), To: vigia.ExecutionFailed})
		m, err := b.Memory(ctx, b.account)
		if err != nil {
			t.Fatal(err)
		}
		got := map[vigia.TradeID]vigia.Reserve{}
		for _, r := range m.Reserves {
			got[r.Subject.Trade] = r
		}
		if len(got) != 3 || got["runs"].State != vigia.ReserveSpent || !got["new"].Unknown || !got["by hand"].ByHand || got["new"].ByHand {
			t.Errorf("got %+v, want what is held, was spent today, or went into a running trade", m.Reserves)
		}
		all, err := b.Memories(ctx)
		if err != nil || len(all) != 1 {
			t.Fatalf("got %d memories, %v, want one", len(all), err)
		}
		byID := func(a, b vigia.Reserve) int { return cmp.Compare(a.Execution, b.Execution) }
		slices.SortFunc(m.Reserves, byID)
		slices.SortFunc(all[0].Reserves, byID)
		if !reflect.DeepEqual(all[0], m) {
			t.Errorf("all accounts at once: got %+v, want %+v", all[0], m)
		}
		if len(m.Unsettled) != 1 || m.Unsettled[0].ID != held || len(m.SettledAdds) != 1 || m.SettledAdds[0].ID != spent.Execution.ID {
			t.Errorf("got unsettled %+v and settled adds %+v, want the unknown and the add settled after it was signed", m.Unsettled, m.SettledAdds)
		}
	})
}
