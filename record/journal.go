package record

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// The bytes of an entry, version 1, integers big-endian:
//
//	1  version
//	8  sequence, from 1
//	8  microseconds since 1970, UTC
//	2  length of the kind, then the kind
//	32 SHA-256 of salt and payload
//	32 hash of the entry before; for the first, of the chain's name
//
// The hash of an entry is the SHA-256 of these bytes.
const canonicalVersion = 1

// The chains.
func accountChain(id vigia.AccountID) string { return "account:" + string(id) }
func userChain(id vigia.UserID) string       { return "user:" + string(id) }

// entry is what is appended at the end of a transaction.
type entry struct {
	chain   string
	owner   vigia.UserID
	kind    string
	payload []byte
}

// genesis is what the first entry of a chain follows: no chain can be passed
// off as another.
func genesis(chain string) []byte {
	sum := sha256.Sum256([]byte("vigia journal " + chain))
	return sum[:]
}

// digest binds a payload that may be deleted: the salt keeps it from being
// guessed afterwards.
func digest(salt, payload []byte) []byte {
	sum := sha256.New()
	sum.Write(salt)
	sum.Write(payload)
	return sum.Sum(nil)
}

// canonical writes the bytes of an entry.
func canonical(seq, at int64, kind string, digest, previous []byte) []byte {
	b := make([]byte, 0, 1+8+8+2+len(kind)+sha256.Size*2)
	b = append(b, canonicalVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint16(b, uint16(len(kind)))
	b = append(b, kind...)
	b = append(b, digest...)
	return append(b, previous...)
}

// journal leaves an entry to be appended when the transaction ends.
func (t *tx) journal(chain string, owner vigia.UserID, kind string, payload any) error {
	text, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("journal %s: %w", kind, err)
	}
	t.entries = append(t.entries, entry{chain, owner, kind, text})
	return nil
}

// appendEntries appends what the transaction left behind, chain by chain.
func (t *tx) appendEntries(ctx context.Context) error {
	slices.SortStableFunc(t.entries, func(a, b entry) int { return cmp.Compare(a.chain, b.chain) })
	for i := 0; i < len(t.entries); {
		end := i + 1
		for end < len(t.entries) && t.entries[end].chain == t.entries[i].chain {
			end++
		}
		if err := t.appendChain(ctx, t.entries[i:end]); err != nil {
			return fmt.Errorf("append to the journal: %w", err)
		}
		i = end
	}
	return nil
}

// appendChain appends entries of one chain.
func (t *tx) appendChain(ctx context.Context, entries []entry) error {
	chain, owner := entries[0].chain, string(entries[0].owner)
	head, err := t.LockChain(ctx, chain, owner, genesis(chain))
	if err != nil {
		return err
	}
	at, seq, hash, due := micros(t.now), head.Seq, head.Hash, false
	for i := range entries {
		e := &entries[i]
		seq++
		salt := make([]byte, 16)
		// crypto/rand.Read never fails: it ends the program instead.
		_, _ = rand.Read(salt)
		said := canonical(seq, at, e.kind, digest(salt, e.payload), hash)
		sum := sha256.Sum256(said)
		hash = sum[:]
		due = due || seq%t.store.config.CheckpointEvery == 0
		if err := t.InsertEntry(ctx, sqlcgen.InsertEntryParams{Chain: chain, Seq: seq, Owner: string(e.owner), At: at,
			Kind: e.kind, Canonical: said, Hash: hash, Payload: e.payload, Salt: salt}); err != nil {
			return err
		}
	}
	if err := t.MoveHead(ctx, seq, hash, chain); err != nil {
		return err
	}
	if !due {
		return nil
	}
	return t.checkpoint(ctx, chain, owner, seq, hash)
}

// checkpointMessage is what is signed.
func checkpointMessage(chain string, seq, at int64, hash []byte) []byte {
	return fmt.Appendf(nil, "vigia journal checkpoint 1\n%s\n%d\n%d\n%x\n", chain, seq, at, hash)
}

// checkpoint signs the end of a chain, where there is a key.
func (t *tx) checkpoint(ctx context.Context, chain, owner string, seq int64, hash []byte) error {
	signer := t.store.config.Signer
	if signer == nil || seq == 0 {
		return nil
	}
	key, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("the journal's key is not an Ed25519 key")
	}
	at := micros(t.now)
	signature, err := signer.Sign(rand.Reader, checkpointMessage(chain, seq, at, hash), crypto.Hash(0))
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	return t.InsertCheckpoint(ctx, sqlcgen.InsertCheckpointParams{Chain: chain, Seq: seq, Owner: owner, At: at,
		Hash: hash, Key: key, Signature: signature})
}

// Append journals something that is no row of another table. An empty account
// appends to the owner's own chain.
func (s *Store) Append(ctx context.Context, owner vigia.UserID, account vigia.AccountID, kind string, payload any) error {
	chain := userChain(owner)
	if account != "" {
		chain = accountChain(account)
	}
	return s.failed("append to the journal", s.write(ctx, rest, func(_ context.Context, t *tx) error {
		return t.journal(chain, owner, kind, payload)
	}))
}

// Checkpoint signs the ends of all chains now.
func (s *Store) Checkpoint(ctx context.Context) error {
	return s.failed("sign checkpoints", s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		heads, err := t.Heads(ctx)
		if err != nil {
			return err
		}
		for _, head := range heads {
			if err := t.checkpoint(ctx, head.Chain, head.Owner, head.Seq, head.Hash); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Heads are the ends of all chains: what is published outside.
func (s *Store) Heads(ctx context.Context) ([]vigia.JournalHead, error) {
	rows, err := s.reads.Heads(ctx)
	heads, err := each(rows, err, func(row *sqlcgen.JournalHead) (vigia.JournalHead, error) {
		return vigia.JournalHead{Chain: row.Chain, Seq: row.Seq, Hash: row.Hash}, nil
	})
	return heads, s.failed("read the journal's heads", err)
}

// ListJournal lists entries of one of the owner's chains, newest first. before is
// the sequence of the last one seen, 0 for the first page.
func (s *Store) ListJournal(ctx context.Context, owner vigia.UserID, chain string, before int64, limit int) ([]vigia.JournalEntry, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	rows, err := s.reads.OwnedEntries(ctx, sqlcgen.OwnedEntriesParams{Owner: string(owner), Chain: chain, Before: before, Most: page(limit)})
	entries, err := each(rows, err, journalEntry)
	return entries, s.failed("list the journal", err)
}

func journalEntry(row *sqlcgen.Journal) (vigia.JournalEntry, error) {
	return vigia.JournalEntry{Chain: row.Chain, Seq: row.Seq, At: time.UnixMicro(row.At).UTC(), Kind: row.Kind,
		Canonical: row.Canonical, Hash: row.Hash, Payload: row.Payload, Salt: row.Salt}, nil
}

// ForgetPayloads deletes what an owner's entries say and keeps that they were:
// the chains still verify.
func (s *Store) ForgetPayloads(ctx context.Context, owner vigia.UserID) error {
	return s.failed("forget payloads", s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		_, err := t.ForgetPayloads(ctx, string(owner))
		return err
	}))
}
