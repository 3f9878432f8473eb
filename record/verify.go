package record

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// verifyPage is how many entries are looked at in one read.
const verifyPage = 500

// Verify walks every chain from its first entry and names the first that is
// not as it was written. Besides each entry it looks at the head row, the signed
// checkpoints and, where given, a head that was published outside: one of these
// beyond the end of its chain shows that the record was rolled back. Entries
// whose payload was deleted are counted and verify.
func (s *Store) Verify(ctx context.Context, published *vigia.JournalHead) (vigia.JournalCheck, error) {
	check := vigia.JournalCheck{OK: true}
	chains, err := s.reads.Chains(ctx)
	if err != nil {
		return check, s.failed("list the journal's chains", err)
	}
	if published != nil && !contains(chains, published.Chain) {
		chains = append(chains, published.Chain)
	}
	for _, chain := range chains {
		w, err := s.newWalk(ctx, chain, published)
		if err != nil {
			return check, s.failed("verify chain "+chain, err)
		}
		fault, err := w.walk(ctx, s)
		check.Entries += w.entries
		if err != nil {
			return check, s.failed("verify chain "+chain, err)
		}
		if fault != nil && check.OK {
			check.OK, check.FirstBad = false, fault
		}
	}
	return check, nil
}

func contains(chains []string, chain string) bool {
	for _, have := range chains {
		if have == chain {
			return true
		}
	}
	return false
}

// witness is something that says what the hash at a sequence is.
type witness struct {
	seq  int64
	hash []byte
	who  string
}

// walk is the way along one chain.
type walk struct {
	chain     string
	witnesses []witness
	entries   int64
	seq       int64
	hash      []byte
	fault     *vigia.JournalFault
}

// newWalk reads the witnesses first: what is appended meanwhile lies behind
// them.
func (s *Store) newWalk(ctx context.Context, chain string, published *vigia.JournalHead) (*walk, error) {
	w := &walk{chain: chain, hash: genesis(chain)}
	checkpoints, err := s.reads.CheckpointsOf(ctx, chain)
	if err != nil {
		return nil, err
	}
	for i := range checkpoints {
		c := &checkpoints[i]
		if why := s.distrust(c); why != "" {
			w.blame(c.Seq, why)
		}
		w.witnesses = append(w.witnesses, witness{c.Seq, c.Hash, "a signed checkpoint"})
	}
	head, err := s.reads.HeadOf(ctx, chain)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if err == nil {
		w.witnesses = append(w.witnesses, witness{head.Seq, head.Hash, "the chain's head"})
	}
	if published != nil && published.Chain == chain {
		w.witnesses = append(w.witnesses, witness{published.Seq, published.Hash, "the head published outside"})
	}
	return w, nil
}

// distrust says what is wrong with a checkpoint by itself.
func (s *Store) distrust(c *sqlcgen.Checkpoint) string {
	if len(c.Key) != ed25519.PublicKeySize ||
		!ed25519.Verify(c.Key, checkpointMessage(c.Chain, c.Seq, c.At, c.Hash), c.Signature) {
		return "its checkpoint carries a signature that does not fit"
	}
	if s.config.Signer == nil {
		return ""
	}
	if ours, ok := s.config.Signer.Public().(ed25519.PublicKey); !ok || !ours.Equal(ed25519.PublicKey(c.Key)) {
		return "its checkpoint was signed with another key than ours"
	}
	return ""
}

// blame keeps the fault with the smallest sequence.
func (w *walk) blame(seq int64, why string) {
	if w.fault == nil || seq < w.fault.Seq {
		w.fault = &vigia.JournalFault{Chain: w.chain, Seq: seq, Why: why}
	}
}

func (w *walk) walk(ctx context.Context, s *Store) (*vigia.JournalFault, error) {
	for {
		rows, err := s.reads.EntriesAfter(ctx, w.chain, w.seq, verifyPage)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			w.entries++
			if why := w.check(&rows[i]); why != "" {
				w.blame(rows[i].Seq, why)
				return w.fault, nil
			}
		}
		if len(rows) < verifyPage {
			break
		}
	}
	for _, witness := range w.witnesses {
		if witness.seq > w.seq {
			w.blame(w.seq+1, fmt.Sprintf("the entry is missing: the chain ends at %d, and %s knows entry %d", w.seq, witness.who, witness.seq))
		}
	}
	return w.fault, nil
}

// check compares an entry with its place, its row and its witnesses, and steps
// on.
func (w *walk) check(row *sqlcgen.Journal) string {
	if row.Seq != w.seq+1 {
		w.blame(w.seq+1, "the entry is missing")
		return fmt.Sprintf("it follows entry %d", w.seq)
	}
	said := row.Canonical
	payloadDigest, ok := digestIn(said, row.Kind)
	if !ok || !bytes.Equal(said, canonical(row.Seq, row.At, row.Kind, payloadDigest, w.hash)) {
		return "its bytes are not those of this sequence, time, kind and entry before"
	}
	if sum := sha256.Sum256(said); !bytes.Equal(row.Hash, sum[:]) {
		return "its hash is not that of its bytes"
	}
	if row.Payload != nil && !bytes.Equal(payloadDigest, digest(row.Salt, row.Payload)) {
		return "its payload is not the one that was written"
	}
	w.seq, w.hash = row.Seq, row.Hash
	for _, witness := range w.witnesses {
		if witness.seq == row.Seq && !bytes.Equal(witness.hash, row.Hash) {
			return "its hash is not the one that " + witness.who + " knows"
		}
	}
	return ""
}

// digestIn finds the payload's digest in an entry's bytes.
func digestIn(said []byte, kind string) ([]byte, bool) {
	at := 1 + 8 + 8 + 2 + len(kind)
	if len(said) != at+2*sha256.Size {
		return nil, false
	}
	return said[at : at+sha256.Size], true
}
