package record_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record"
	"github.com/vigiaguard/vigia/record/recordtest"
)

// aKey signs checkpoints in tests.
func aKey(fill byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = fill
	}
	return ed25519.NewKeyFromSeed(seed)
}

func signed(every int64) func(*record.Config) {
	return func(c *record.Config) { c.Signer, c.CheckpointEvery = aKey(1), every }
}

// behind opens the database past the record, as somebody who tampers would.
func behind(t *testing.T, db recordtest.Database) *sql.DB {
	t.Helper()
	driver := map[string]string{"sqlite": "sqlite", "postgres": "pgx"}[db.Engine]
	raw, err := sql.Open(driver, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
	})
	return raw
}

func tamper(t *testing.T, raw *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := raw.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func verify(t *testing.T, s *record.Store, head *vigia.JournalHead) vigia.JournalCheck {
	t.Helper()
	check, err := s.Verify(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	return check
}

// chained is a bench whose account's chain has ten entries of its own.
func chained(t *testing.T, db recordtest.Database, every int64) (b *bench, chain string) {
	t.Helper()
	b = newBench(t, db, signed(every))
	for i := range 8 {
		if err := b.Append(t.Context(), vigia.LocalOwner, b.account, "test", map[string]int{"n": i}); err != nil {
			t.Fatal(err)
		}
	}
	chain = "account:" + string(b.account)
	if got := verify(t, b.Store, nil); !got.OK || got.Entries != 10 {
		t.Fatalf("untouched: got %+v, want 10 good entries", got)
	}
	return b, chain
}

func eachDatabase(t *testing.T, f func(t *testing.T, db recordtest.Database)) {
	t.Helper()
	t.Parallel()
	recordtest.Each(t, f)
}

func TestEveryTamperedEntryIsNamed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b, chain := chained(t, db, 100)
		raw := behind(t, db)
		for seq := int64(1); seq <= 10; seq++ {
			for column, other := range map[string]string{
				"payload": "X'7b7d'", "canonical": "X'00'", "hash": "X'00'", "kind": "'other'", "at": "at + 1",
			} {
				if db.Engine == "postgres" {
					other = strings.Replace(strings.Replace(other, "X'7b7d'", `'\x7b7d'`, 1), "X'00'", `'\x00'`, 1)
				}
				var was any
				if err := raw.QueryRowContext(t.Context(), "SELECT "+column+" FROM journal WHERE chain = $1 AND seq = $2", chain, seq).Scan(&was); err != nil {
					t.Fatal(err)
				}
				tamper(t, raw, fmt.Sprintf("UPDATE journal SET %s = %s WHERE chain = $1 AND seq = $2", column, other), chain, seq)
				if bad := verify(t, b.Store, nil).FirstBad; bad == nil || bad.Chain != chain || bad.Seq != seq {
					t.Errorf("%s of entry %d changed: got %+v, want that entry named", column, seq, bad)
				}
				tamper(t, raw, fmt.Sprintf("UPDATE journal SET %s = $1 WHERE chain = $2 AND seq = $3", column), was, chain, seq)
			}
		}
		if got := verify(t, b.Store, nil); !got.OK {
			t.Errorf("put back: got %+v, want a good journal", got)
		}
	})
}

func TestAnEntryTakenOutIsMissed(t *testing.T) {
	for _, c := range []struct {
		name   string
		delete string
		want   int64
	}{
		{"the first", "seq = 1", 1},
		{"one in the middle", "seq = 5", 5},
		{"the last", "seq = 10", 10},
		{"the last three", "seq > 7", 8},
		{"all", "seq > 0", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, db recordtest.Database) {
				b, chain := chained(t, db, 100)
				tamper(t, behind(t, db), "DELETE FROM journal WHERE chain = $1 AND "+c.delete, chain)
				if bad := verify(t, b.Store, nil).FirstBad; bad == nil || bad.Chain != chain || bad.Seq != c.want {
					t.Errorf("got %+v, want entry %d named", bad, c.want)
				}
			})
		})
	}
}

// rollBack makes the chain look as if its last entries had never been.
func rollBack(t *testing.T, raw *sql.DB, chain string, to int64) {
	t.Helper()
	tamper(t, raw, "DELETE FROM journal WHERE chain = $1 AND seq > $2", chain, to)
	tamper(t, raw, "UPDATE journal_head SET seq = $1, hash = (SELECT hash FROM journal WHERE chain = $2 AND seq = $1) WHERE chain = $2", to, chain)
}

func TestARollbackIsShownByACheckpointBeyondTheEnd(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b, chain := chained(t, db, 9)
		rollBack(t, behind(t, db), chain, 6)
		bad := verify(t, b.Store, nil).FirstBad
		if bad == nil || bad.Seq != 7 || !strings.Contains(bad.Why, "checkpoint knows entry 9") {
			t.Errorf("got %+v, want entry 7 missing by the checkpoint at 9", bad)
		}
	})
}

func TestARollbackIsShownByAHeadPublishedOutside(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b, chain := chained(t, db, 100)
		heads, err := b.Heads(t.Context())
		if err != nil || len(heads) != 1 {
			t.Fatalf("got heads %v, %v, want one", heads, err)
		}
		rollBack(t, behind(t, db), chain, 6)
		if got := verify(t, b.Store, nil); !got.OK {
			t.Fatalf("got %+v, want a rollback that nothing inside shows", got)
		}
		if bad := verify(t, b.Store, &heads[0]).FirstBad; bad == nil || bad.Seq != 7 {
			t.Errorf("got %+v, want entry 7 missing by the head at 10", bad)
		}
		for range 4 {
			if err := b.Append(t.Context(), vigia.LocalOwner, b.account, "test", "another history"); err != nil {
				t.Fatal(err)
			}
		}
		if bad := verify(t, b.Store, &heads[0]).FirstBad; bad == nil || bad.Seq != 10 {
			t.Errorf("written on: got %+v, want entry 10 with another hash", bad)
		}
		unknown := vigia.JournalHead{Chain: "account:gone", Seq: 1, Hash: heads[0].Hash}
		if bad := verify(t, b.Store, &unknown).FirstBad; bad == nil || bad.Chain != unknown.Chain {
			t.Errorf("a chain that is not there: got %+v, want it named", bad)
		}
	})
}

func TestACheckpointIsSignedWithOurKey(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b, chain := chained(t, db, 5)
		other := db.Open(t, func(c *record.Config) { c.Signer = aKey(2) })
		if bad := verify(t, other, nil).FirstBad; bad == nil || bad.Seq != 5 || !strings.Contains(bad.Why, "another key") {
			t.Errorf("another key: got %+v, want the checkpoint at 5 named", bad)
		}
		if got := verify(t, db.Open(t), nil); !got.OK {
			t.Errorf("without a key: got %+v, want any signature that fits", got)
		}
		tamper(t, behind(t, db), "UPDATE checkpoint SET at = at + 1 WHERE chain = $1 AND seq = 10", chain)
		if bad := verify(t, b.Store, nil).FirstBad; bad == nil || bad.Seq != 10 {
			t.Errorf("changed: got %+v, want the checkpoint at 10 named", bad)
		}
	})
}

func TestCheckpointsAreMadeOnDemand(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db recordtest.Database) {
		b, chain := chained(t, db, 1_000)
		if err := b.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		rollBack(t, behind(t, db), chain, 9)
		if bad := verify(t, b.Store, nil).FirstBad; bad == nil || bad.Seq != 10 {
			t.Errorf("got %+v, want the checkpoint at 10 to miss its entry", bad)
		}
	})
}

func TestForgettingAPayloadKeepsTheChain(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		b.intend(t, b.add("t1", 100))
		if err := b.ForgetPayloads(ctx, vigia.LocalOwner); err != nil {
			t.Fatal(err)
		}
		entries, err := b.ListJournal(ctx, vigia.LocalOwner, "account:"+string(b.account), 0, 0)
		if err != nil || len(entries) != 3 {
			t.Fatalf("got %d entries, %v, want 3", len(entries), err)
		}
		for _, e := range entries {
			if e.Payload != nil || e.Salt != nil {
				t.Errorf("entry %d still says %q", e.Seq, e.Payload)
			}
		}
		if got := verify(t, b.Store, nil); !got.OK || got.Entries != 3 {
			t.Errorf("got %+v, want 3 good entries", got)
		}
	})
}

func TestManyEntriesOfOneTransactionChain(t *testing.T) {
	each(t, func(ctx context.Context, t *testing.T, b *bench) {
		second := b.addAccount(t, "second")
		var group []vigia.Intent
		for i := range 64 {
			intent := b.add(vigia.TradeID(fmt.Sprint("t", i)), 1)
			if i%2 == 0 {
				intent.Execution.Account, intent.Execution.Automation = second, ""
			}
			group = append(group, intent)
		}
		refused, err := b.Intend(ctx, group)
		if err != nil {
			t.Fatal(err)
		}
		for i, err := range refused {
			if err != nil {
				t.Errorf("intent %d: %v", i, err)
			}
		}
		if got := verify(t, b.Store, nil); !got.OK || got.Entries != 67 {
			t.Errorf("got %+v, want 67 good entries", got)
		}
	})
}
