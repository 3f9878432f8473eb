package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/url"

	"github.com/vigiaguard/vigia"
)

type journalGroup struct {
	Verify journalVerify `cmd:"" help:"Walk every chain and name the first bad entry."`
	Heads  journalHeads  `cmd:"" help:"The end of every chain: keep it somewhere else."`
}

type journalVerify struct {
	onServer
	Head string `help:"A head kept outside: shows whether the record was rolled back since." placeholder:"CHAIN@SEQ:HASH"`
	JSON bool   `help:"Print JSON."`
}

// Help says what it proves.
func (c *journalVerify) Help() string {
	return `Everything decided and done is an entry in a chain of hashes, with signed checkpoints: what was changed, taken out
or cut off later is found. The exit status is 1 when an entry is bad.

  vigia journal heads > heads.txt       (keep this outside)
  vigia journal verify --head "$(head -1 heads.txt)"`
}

// Run walks the journal.
func (c *journalVerify) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	path := "/journal/verify"
	if c.Head != "" {
		if _, err := vigia.ParseJournalHead(c.Head); err != nil {
			return vigia.Invalid("head", err.Error())
		}
		path += "?" + url.Values{"head": {c.Head}}.Encode()
	}
	var check vigia.JournalCheck
	if err := r.get(ctx, path, &check); err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.out, struct {
			Entries  int64               `json:"entries"`
			OK       bool                `json:"ok"`
			FirstBad *vigia.JournalFault `json:"first_bad"`
		}(check)); err != nil {
			return err
		}
	}
	if !check.OK {
		message := fmt.Sprintf("the journal is not whole (%d entries looked at)", check.Entries)
		if bad := check.FirstBad; bad != nil {
			message = fmt.Sprintf("the first bad entry is %s@%d: %s (%d entries looked at)", bad.Chain, bad.Seq, bad.Why, check.Entries)
		}
		return &vigia.Error{Code: vigia.CodeInvalid, Field: "journal", Message: message,
			Help: "Somebody changed the record, or the disk did. Keep it as it is, and compare it with a backup."}
	}
	if c.JSON {
		return nil
	}
	out := &printout{w: env.out}
	out.line("The journal is whole: %d entries, every hash and every checkpoint fits.", check.Entries)
	return out.err
}

type journalHeads struct {
	onServer
	JSON bool `help:"Print JSON."`
}

// headLine is a head as scripts get it.
type headLine struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Hash  string `json:"hash"`
	Head  string `json:"head"`
}

// Run prints the heads, one a line, as verify takes them.
func (c *journalHeads) Run(ctx context.Context, env environment) error {
	r, err := c.reach()
	if err != nil {
		return err
	}
	var heads []vigia.JournalHead
	if err := r.get(ctx, "/journal/heads", &heads); err != nil {
		return err
	}
	lines := []headLine{}
	out := &printout{w: env.out}
	for _, head := range heads {
		lines = append(lines, headLine{Chain: head.Chain, Seq: head.Seq, Hash: hex.EncodeToString(head.Hash), Head: head.String()})
		if !c.JSON {
			out.line("%s", head)
		}
	}
	if c.JSON {
		return printJSON(env.out, lines)
	}
	return out.err
}
