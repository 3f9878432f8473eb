package record_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

func TestAnIntentIsWholeOnceItIsCommitted(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		intent := b.add("t1", 23_884)
		id := b.intend(t, intent)
		got, err := b.Execution(ctx, vigia.LocalOwner, id)
		if err != nil {
			t.Fatal(err)
		}
		if got.State != vigia.ExecutionIntent || got.Signature != intent.Execution.Signature || got.Before != intent.Execution.Before ||
			!got.SignedAt.Equal(intent.Execution.SignedAt) || got.Fence != b.fence {
			t.Errorf("got %+v, want the intent as it was given", got)
		}
		claims, err := b.Claims(ctx, b.account)
		if err != nil || len(claims) != 1 || claims[0].Execution != id || claims[0].Lane != vigia.LaneMargin {
			t.Errorf("got claims %+v, %v, want one on the margin lane", claims, err)
		}
		if held, spent := b.held(t); held != 23_884 || spent != 0 {
			t.Errorf("got %s held and %s spent, want 23884 and 0", held, spent)
		}
		entries, err := b.ListJournal(ctx, vigia.LocalOwner, "account:"+string(b.account), 0, 1)
		if err != nil || len(entries) != 1 || entries[0].Kind != "execution.intent" {
			t.Errorf("got journal %+v, %v, want the intent on top", entries, err)
		}
	})
}

func TestALaneTakesOneUnsettledCall(t *testing.T) {
	each(t, func(_ context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 100))
		if got := b.tryIntend(t, b.add("t1", 100)); !errors.Is(got, vigia.ErrClaimed) {
			t.Errorf("second add: got %v, want ErrClaimed", got)
		}
		closing := b.add("t1", 0)
		closing.Execution.Action = vigia.ActionClose
		b.intend(t, closing)
		b.intend(t, b.add("t2", 100))
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 100})
		b.intend(t, b.add("t1", 100))
	})
}

func TestAFenceThatMovedRefusesEveryIntent(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		late := b.add("t1", 100)
		b.take(t, b.fence.Shard, "another process")
		if got := b.tryIntend(t, late); !errors.Is(got, vigia.ErrFenced) {
			t.Errorf("got %v, want ErrFenced", got)
		}
		never := b.add("t2", 100)
		never.Execution.Fence.Epoch = 0
		if got := b.tryIntend(t, never); !errors.Is(got, vigia.ErrFenced) {
			t.Errorf("epoch 0: got %v, want ErrFenced", got)
		}
		if unsettled, err := b.Unsettled(ctx, b.account); err != nil || len(unsettled) != 0 {
			t.Errorf("got %v, %v, want nothing written", unsettled, err)
		}
	})
}

func TestOneRefusedIntentDoesNotFailTheOthers(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		lost := b.add("t4", 1)
		lost.Execution.Fence.Epoch--
		broken := b.add("t5", 1)
		broken.Execution.Signature = ""
		used := b.add("t6", 1)
		group := []vigia.Intent{b.add("t1", 1), b.add("t1", 1), b.add("t2", 1), lost, broken, used}
		group[5].Execution.Signature = group[0].Execution.Signature
		refused, err := b.Intend(ctx, group)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []error{nil, vigia.ErrClaimed, nil, vigia.ErrFenced, nil, vigia.ErrChanged} {
			if i != 4 && !errors.Is(refused[i], want) {
				t.Errorf("intent %d: got %v, want %v", i, refused[i], want)
			}
		}
		if code(refused[4]) != vigia.CodeInvalid {
			t.Errorf("unsigned: got %v, want code invalid", refused[4])
		}
		if held, _ := b.held(t); held != 2 {
			t.Errorf("got %s held, want 2: one for each of those committed", held)
		}
	})
}

func TestTheCeilingIsLookedAtAgainInTheTransaction(t *testing.T) {
	each(t, func(_ context.Context, t *testing.T, b *bench) {
		under := func(trade vigia.TradeID, cost, perTrade, perDay vigia.Sats) error {
			intent := b.add(trade, cost)
			intent.Ceiling = &vigia.Ceiling{PerTrade: perTrade, PerDay: perDay}
			return b.tryIntend(t, intent)
		}
		if err := under("t1", 600, 600, 1_000); err != nil {
			t.Fatalf("exactly the limit: %v", err)
		}
		if err := under("t2", 401, vigia.NoLimit, 1_000); code(err) != vigia.CodeLimit {
			t.Errorf("one sat beyond the day: got %v, want code limit", err)
		}
		if err := under("t2", 400, 399, vigia.NoLimit); code(err) != vigia.CodeLimit {
			t.Errorf("one sat beyond the trade: got %v, want code limit", err)
		}
		byHand := b.add("t3", 10_000)
		byHand.Execution.Automation = ""
		b.intend(t, byHand)
		if err := under("t2", 400, vigia.NoLimit, 1_000); err != nil {
			t.Errorf("acts by hand count against nothing: got %v", err)
		}
	})
}

func TestLimitsCountGross(t *testing.T) {
	each(t, func(_ context.Context, t *testing.T, b *bench) {
		under := func(trade vigia.TradeID, cost vigia.Sats) vigia.Intent {
			intent := b.add(trade, cost)
			intent.Ceiling = &vigia.Ceiling{PerTrade: vigia.NoLimit, PerDay: 100}
			return intent
		}
		id := b.intend(t, under("t1", -500)) // a short's fee reserve can shrink by more than was added
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: -500})
		b.intend(t, under("t2", 60))
		if err := b.tryIntend(t, under("t3", 41)); code(err) != vigia.CodeLimit {
			t.Errorf("got %v, want code limit: what came in counts for nothing", err)
		}
		b.intend(t, under("t3", 40))
		b.intend(t, under("t4", -1))
	})
}

func TestWhatWasSpentADayAgoCountsForTheTradeOnly(t *testing.T) {
	each(t, func(_ context.Context, t *testing.T, b *bench) {
		id := b.intend(t, b.add("t1", 700))
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 650})
		b.clock.Advance(24*time.Hour + time.Microsecond)
		again := b.add("t1", 100)
		again.Ceiling = &vigia.Ceiling{PerTrade: vigia.NoLimit, PerDay: 100}
		id = b.intend(t, again)
		b.settle(t, vigia.Settlement{Execution: id, To: vigia.ExecutionDone, Cost: 100})
		again = b.add("t1", 51)
		again.Ceiling = &vigia.Ceiling{PerTrade: 800, PerDay: vigia.NoLimit}
		if err := b.tryIntend(t, again); code(err) != vigia.CodeLimit {
			t.Errorf("got %v, want code limit: 750 were spent on the trade in total", err)
		}
	})
}

func TestAnUnknownGivesItsClaimToItsSuccessor(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		firstID := b.intend(t, b.add("t1", 500))
		successor := b.add("t1", 500)
		successor.Execution.Replaces = firstID
		if err := b.tryIntend(t, successor); !errors.Is(err, vigia.ErrClaimed) {
			t.Fatalf("the first is not unknown yet: got %v, want ErrClaimed", err)
		}
		b.settle(t, vigia.Settlement{Execution: firstID, To: vigia.ExecutionUnknown})
		elsewhere := b.add("t2", 500)
		elsewhere.Execution.Replaces = firstID
		if err := b.tryIntend(t, elsewhere); !errors.Is(err, vigia.ErrClaimed) {
			t.Errorf("another subject: got %v, want ErrClaimed", err)
		}
		secondID := b.intend(t, successor)
		if held, _ := b.held(t); held != 1_000 {
			t.Errorf("got %s held, want 1000: the first stays unknown and holds its sats", held)
		}
		b.settle(t, vigia.Settlement{Execution: firstID, To: vigia.ExecutionDone, Cost: 500})
		claims, err := b.Claims(ctx, b.account)
		if err != nil || len(claims) != 1 || claims[0].Execution != secondID {
			t.Errorf("got %+v, %v, want the claim with the second still", claims, err)
		}
	})
}

func TestACommandIsBegunOnce(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		asked := b.request(t, "t1")
		intent := b.add("t1", 100)
		intent.Execution.ID, intent.Execution.Command, intent.Execution.Automation = asked.ID, asked.ID, ""
		b.intend(t, intent)
		got, err := b.Execution(ctx, vigia.LocalOwner, asked.ID)
		if err != nil || got.State != vigia.ExecutionIntent || got.Signature != intent.Execution.Signature || !got.CreatedAt.Equal(asked.CreatedAt) {
			t.Errorf("got %+v, %v, want the command itself as the intent", got, err)
		}
		b.settle(t, vigia.Settlement{Execution: asked.ID, To: vigia.ExecutionFailed})
		intent.Execution.Signature = "another"
		if err := b.tryIntend(t, intent); !errors.Is(err, vigia.ErrChanged) {
			t.Errorf("begun twice: got %v, want ErrChanged", err)
		}
		other := b.request(t, "t1")
		intent.Execution.Command = other.ID
		if err := b.tryIntend(t, intent); code(err) != vigia.CodeInvalid {
			t.Errorf("under another id: got %v, want code invalid", err)
		}
	})
}

func TestACommandNotBegunWithin30SecondsLapses(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		old := b.request(t, "t1")
		b.clock.Advance(vigia.CommandExpires + time.Microsecond)
		young := b.request(t, "t1")
		expired, err := b.Expire(ctx, b.fence, b.account)
		if err != nil || len(expired) != 1 || expired[0].ID != old.ID || expired[0].Reason != vigia.ReasonExpired {
			t.Errorf("got %+v, %v, want the old one, expired", expired, err)
		}
		waiting, err := b.Requested(ctx)
		if err != nil || len(waiting) != 1 || waiting[0].ID != young.ID {
			t.Errorf("got %+v, %v, want the young one waiting", waiting, err)
		}
		intent := b.add("t1", 1)
		intent.Execution.ID, intent.Execution.Command = old.ID, old.ID
		if err := b.tryIntend(t, intent); !errors.Is(err, vigia.ErrChanged) {
			t.Errorf("begun after it lapsed: got %v, want ErrChanged", err)
		}
		b.take(t, b.fence.Shard, "another process")
		if _, err := b.Expire(ctx, b.fence, b.account); !errors.Is(err, vigia.ErrFenced) {
			t.Errorf("without the shard: got %v, want ErrFenced", err)
		}
	})
}

func (b *bench) request(t *testing.T, trade vigia.TradeID) vigia.Execution {
	t.Helper()
	e, err := b.Request(t.Context(), vigia.Execution{ID: vigia.ExecutionID(b.id()), Owner: vigia.LocalOwner, Account: b.account,
		Subject: vigia.TradeSubject(trade), Action: vigia.ActionAddMargin, Reason: vigia.ReasonCommand, Amount: 100})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
