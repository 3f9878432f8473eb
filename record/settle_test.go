package record_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func TestDoneSpendsWhatReallyWent(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 500))
		after := vigia.Trade{ID: "t1", State: vigia.TradeRunning, Margin: 50_498}
		sent := b.clock.Now().Add(time.Millisecond)
		settled := b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 498, After: after, SentAt: sent,
			AnsweredAt: sent.Add(time.Second), Raw: []byte(`{"id":"t1"}`), Proved: true,
			States: []vigia.AutomationState{{Automation: b.rule, Subject: vigia.TradeSubject("t1"), LastOutcome: vigia.OutcomeDone}},
			Events: []vigia.Event{{Owner: vigia.LocalOwner, Account: b.account, Kind: vigia.EventRescued, Level: vigia.LevelWarning}}})
		if settled.Replayed || settled.Execution.State != vigia.ExecutionDone {
			t.Errorf("got %+v, want done for the first time", settled)
		}
		got, err := b.Execution(ctx, vigia.LocalOwner, id)
		if err != nil || got.Cost != 498 || got.After != after || !got.SentAt.Equal(sent) || string(got.Raw) != `{"id":"t1"}` {
			t.Errorf("got %+v, %v, want what was settled", got, err)
		}
		if held, spent := b.held(t); held != 0 || spent != 498 {
			t.Errorf("got %s held and %s spent, want 0 and 498", held, spent)
		}
		m, err := b.Memory(ctx, b.account)
		if err != nil || len(m.States) != 1 || m.States[0].LastOutcome != vigia.OutcomeDone || !m.Account.ProvedAt.Equal(b.clock.Now()) {
			t.Errorf("got %+v, %v, want the state saved and the proof renewed", m, err)
		}
		if n, err := b.Number(ctx, 10); err != nil || n != 1 {
			t.Errorf("got %d events, %v, want the rescue", n, err)
		}
	})
}

func TestFailedReleasesAndUnknownHolds(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		for _, c := range []struct {
			to          vigia.ExecutionState
			cost        vigia.Sats
			held, spent vigia.Sats
			claims      int
		}{
			{vigia.ExecutionFailed, 0, 0, 0, 0},
			{vigia.ExecutionGone, 0, 0, 0, 0},
			{vigia.ExecutionSuperseded, 0, 0, 0, 0},
			{vigia.ExecutionGone, 40, 0, 40, 0},
			{vigia.ExecutionUnknown, 0, 500, 40, 1},
		} {
			id := b.intend(t, b.add("t1", 500))
			b.settle(t, vigia.Settlement{Execution: id, To: c.to, Cost: c.cost, Class: vigia.ExchangeError, Detail: "balance"})
			claims, err := b.Claims(ctx, b.account)
			if held, spent := b.held(t); err != nil || held != c.held || spent != c.spent || len(claims) != c.claims {
				t.Errorf("%s: got %s held, %s spent, %d claims, %v; want %s, %s, %d", c.to, held, spent, len(claims), err, c.held, c.spent, c.claims)
			}
		}
	})
}

func TestASecondSettlementIsAnsweredFromWhatStands(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 500))
		done := vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 500,
			Events: []vigia.Event{{Owner: vigia.LocalOwner, Kind: vigia.EventRescued}}}
		b.settle(t, done)
		before := b.entries(t)
		for _, again := range []vigia.Settlement{done, {Execution: id, To: vigia.ExecutionFailed}, {Execution: id, To: vigia.ExecutionUnknown}} {
			if got := b.settle(t, again); !got.Replayed || got.Execution.State != vigia.ExecutionDone || got.Execution.Cost != 500 {
				t.Errorf("%s again: got %+v, want what stands, replayed", again.To, got)
			}
		}
		if n, err := b.Number(ctx, 10); err != nil || n != 1 || b.entries(t) != before {
			t.Errorf("got %d events, %v and %d entries, want one event and %d entries", n, err, b.entries(t), before)
		}
	})
}

func TestAnUnknownIsSettledByALaterRead(t *testing.T) {
	each(t, func(_ context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 500))
		timedOut := vigia.Settlement{Execution: id, From: []vigia.ExecutionState{vigia.ExecutionIntent}, To: vigia.ExecutionUnknown}
		b.settle(t, timedOut)
		if got := b.settle(t, timedOut); !got.Replayed {
			t.Error("timed out twice: got a second write, want a replay")
		}
		unknown := []vigia.ExecutionState{vigia.ExecutionUnknown}
		got := b.settle(t, vigia.Settlement{Execution: id, From: unknown, To: vigia.ExecutionUnknown, MayRepeat: true})
		if got.Replayed || !got.Execution.MayRepeat {
			t.Errorf("got %+v, want it marked as repeatable", got)
		}
		got = b.settle(t, vigia.Settlement{Execution: id, From: unknown, To: vigia.ExecutionDone, Cost: 500})
		if got.Replayed || got.Execution.State != vigia.ExecutionDone {
			t.Errorf("got %+v, want done", got)
		}
	})
}

func TestALateAnswerIsAFactWhoeverHoldsTheShard(t *testing.T) {
	each(t, func(_ context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 500))
		b.take(t, b.fence.Shard, "another process")
		if got := b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 500}); got.Replayed {
			t.Errorf("got %+v, want it settled", got)
		}
	})
}

func TestOneRefusedSettlementDoesNotFailTheOthers(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		first, second := b.intend(t, b.add("t1", 1)), b.intend(t, b.add("t2", 1))
		settled, refused, err := b.Settle(ctx, []vigia.Settlement{
			{Execution: first, To: vigia.ExecutionDone, Cost: 1},
			{Execution: "nobody", To: vigia.ExecutionDone},
			{Execution: second, From: []vigia.ExecutionState{vigia.ExecutionUnknown}, To: vigia.ExecutionDone},
			{Execution: second, To: vigia.ExecutionIntent},
			{Execution: second, To: vigia.ExecutionFailed},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []error{nil, vigia.ErrNotFound, vigia.ErrChanged, nil, nil} {
			if i != 3 && !errors.Is(refused[i], want) {
				t.Errorf("settlement %d: got %v, want %v", i, refused[i], want)
			}
		}
		if code(refused[3]) != vigia.CodeInvalid {
			t.Errorf("back to intent: got %v, want code invalid", refused[3])
		}
		if settled[0].Execution.State != vigia.ExecutionDone || settled[4].Execution.State != vigia.ExecutionFailed {
			t.Errorf("got %s and %s, want done and failed", settled[0].Execution.State, settled[4].Execution.State)
		}
	})
}

func TestWhateverTheExchangeSaysIsKept(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		said := "a\x00b\xff\\u0000"
		id := b.intend(t, b.add("t1", 500))
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionFailed, Class: vigia.ExchangeError, Detail: said, Raw: []byte(said),
			After: vigia.Trade{ID: "t1", ClientID: said}, Events: []vigia.Event{{Owner: vigia.LocalOwner, Facts: vigia.EventData{Detail: said}}}})
		got, err := b.Execution(ctx, vigia.LocalOwner, id)
		if err != nil || string(got.Raw) != said || !strings.HasPrefix(got.Detail, "a\ufffdb\ufffd") {
			t.Errorf("got %q and %q, %v, want the answer as it came", got.Raw, got.Detail, err)
		}
		if got := verify(t, b.Store, nil); !got.OK {
			t.Errorf("got %+v, want a good journal", got)
		}
	})
}

func TestASettlementOutlivesItsRule(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 500))
		if err := b.DeleteAutomation(ctx, vigia.LocalOwner, b.rule); err != nil {
			t.Fatal(err)
		}
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 500,
			States: []vigia.AutomationState{{Automation: b.rule, Subject: vigia.TradeSubject("t1")}}})
		if states, err := b.StatesOf(ctx, b.account); err != nil || len(states) != 0 {
			t.Errorf("got %v, %v, want no state of a rule that is gone", states, err)
		}
	})
}

// entries is the number of entries of the account's chain.
func (b *bench) entries(t *testing.T) int64 {
	t.Helper()
	heads, err := b.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range heads {
		if head.Chain == "account:"+string(b.account) {
			return head.Seq
		}
	}
	return 0
}
