package notify

import (
	"strings"
	"text/template"

	"github.com/vigiaguard/vigia"
)

// Words makes the message of an event. Every kind has one; a kind this program
// does not know is said by its name.
func Words(e *vigia.Event) Message {
	m := Message{Level: max(e.Level, vigia.LevelInfo), At: e.At}
	w, known := english.kinds[e.Kind]
	if !known {
		w = english.unknown
	}
	f := factsOf(e)
	m.Title, m.Happened, m.Do = fill(w.title, f), fill(w.happened, f), fill(w.do, f)
	return m
}

// facts is an event as the texts see it: everything in words, and empty where it
// does not apply.
type facts struct {
	Kind, Label, Account, Trade, Automation string
	Last, Before, After, Stop, Held         string
	Amount, Cost, PL, Why, Detail           string
	Tried, Would                            string
	Short                                   bool
}

func factsOf(e *vigia.Event) *facts {
	d := &e.Facts
	f := &facts{
		Kind: strings.ReplaceAll(string(e.Kind), "_", " "), Label: oneLine(d.AccountLabel),
		Account: english.account(d.AccountLabel, d.Network), Trade: english.trade(e),
		Automation: oneLine(d.Automation), Last: dollars(d.Last), Before: dollars(d.LiquidationBefore), After: dollars(d.LiquidationAfter),
		Stop: dollars(d.Stop), Held: dollars(d.Held), Amount: sats(d.Amount), Cost: sats(d.Cost), PL: sats(d.PL),
		Detail: strings.TrimRight(oneLine(d.Detail), "."), Short: d.Side == vigia.Short,
	}
	if d.Reason != "" {
		f.Why = d.Reason.Sentence()
	}
	f.Tried, f.Would = english.deed(d, f, english.tried), english.deed(d, f, english.would)
	return f
}

func dollars(p vigia.Price) string {
	switch p {
	case 0:
		return ""
	case vigia.NeverPrice:
		return english.never
	}
	return p.Grouped()
}

func sats(s vigia.Sats) string {
	switch s {
	case 0:
		return ""
	case 1:
		return english.oneSat
	}
	return s.Grouped() + english.sats
}

// fill runs a text over the facts. Its test runs every text, so that an error
// here is one of the program.
func fill(t *template.Template, f *facts) string {
	var out strings.Builder
	if err := t.Execute(&out, f); err != nil {
		return f.Kind + " " + f.Detail
	}
	return oneLine(out.String())
}
