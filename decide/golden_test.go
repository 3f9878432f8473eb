package decide_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/decide"
)

var update = flag.Bool("update", false, "write what is decided into the goldens")

const rule = "----------"

// Each file of testdata is one scene: what is known above the rule line, what is
// decided below it.
func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, name := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			facts, want := readGolden(t, name)
			s, err := readScene(facts)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := s.decided()
			if *update {
				if err := os.WriteFile(name, []byte(facts+rule+"\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("decided:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func goldens(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	return names
}

func readGolden(t *testing.T, name string) (facts, decided string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	facts, decided, ruled := strings.Cut(string(data), rule+"\n")
	if !ruled && !*update {
		t.Fatalf("%s has no line %s", name, rule)
	}
	return facts, decided
}

// decided prints everything the facts lead to.
func (s *scene) decided() string {
	var out strings.Builder
	var d decide.Decider
	result := d.Decide(&s.facts)
	for i := range result.Decisions {
		out.WriteString(printDecision(&result.Decisions[i]))
	}
	for i := range result.States {
		out.WriteString(printState(&result.States[i]))
	}
	for _, u := range d.NextDue() {
		out.WriteString(printDue(&u))
	}
	if slices.Contains(s.shows, "protection") {
		for i := range s.facts.Snapshot.Trades {
			t := &s.facts.Snapshot.Trades[i].Trade
			p := decide.Protect(&s.facts, t)
			fmt.Fprintf(&out, "protection %s: %s %v\n", t.ID, p.Level, p.Reasons)
		}
	}
	if slices.Contains(s.shows, "held") {
		for _, h := range decide.Held(&s.facts) {
			fmt.Fprintf(&out, "held %s: to %s, %s, %d saves, %s added, costs %s, loses %s\n", h.Subject.Trade, h.Price, h.By,
				h.Saves, h.Added.Grouped(), h.Cost.Grouped(), h.Loses.Grouped())
		}
	}
	return out.String()
}

// words collects what applies, in the words the scenes are written in.
type words []string

func (w *words) say(applies bool, format string, values ...any) {
	if applies {
		*w = append(*w, fmt.Sprintf(format, values...))
	}
}

func (w *words) line() string { return strings.Join(*w, " ") + "\n" }

func subjectName(s vigia.Subject) string {
	if s.Kind == vigia.SubjectTrade {
		return string(s.Trade)
	}
	return s.String()
}

func printDecision(d *vigia.Decision) string {
	who := string(d.Automation)
	if who == "" {
		who = "command " + string(d.Command)
	}
	if d.DryRun {
		who += " (dry)"
	}
	w := words{fmt.Sprintf("%s over %s: %s, %s", who, subjectName(d.Subject), d.Action, d.Reason)}
	w.say(d.Step > 0, "step=%d", d.Step)
	w.say(d.Amount != 0, "amount=%s cost=%s", d.Amount.Grouped(), d.Cost.Grouped())
	w.say(d.Partial, "partial")
	w.say(d.LiquidationAfter != 0, "liquidation=%s", d.LiquidationAfter)
	w.say(d.Stop != 0, "stop=%s", d.Stop)
	w.say(d.Replaces != "", "replaces=%s", d.Replaces)
	return w.line()
}

func printState(s *vigia.AutomationState) string {
	w := words{fmt.Sprintf("remembers %s over %s:", s.Automation, subjectName(s.Subject))}
	w.say(s.TrueWhenArmed != 0, "true=%b", s.TrueWhenArmed)
	w.say(s.Told != 0, "told=%b", s.Told)
	w.say(s.LastOutcome != "", "%s at=%s", s.LastOutcome, s.LastPrice)
	w.say(s.OurStop != 0, "our_stop=%s", s.OurStop)
	w.say(s.Shadow.Saves != 0, "shadow_saves=%d", s.Shadow.Saves)
	w.say(s.Shadow.Margin != 0, "shadow_margin=%s shadow_spent=%s", s.Shadow.Margin.Grouped(), s.Shadow.Spent.Grouped())
	w.say(s.Shadow.Stop != 0, "shadow_stop=%s", s.Shadow.Stop)
	w.say(s.Shadow.ClosedAt != 0, "shadow_closed=%s", s.Shadow.ClosedAt)
	return w.line()
}

func printDue(u *decide.Due) string {
	w := words{fmt.Sprintf("due %s:", subjectName(u.Subject))}
	w.say(u.Below != 0, "below=%s", u.Below)
	w.say(u.Above != 0, "above=%s", u.Above)
	if !u.At.IsZero() {
		w.say(true, "in %s", u.At.Sub(noon).Round(time.Second))
	}
	w.say(len(w) == 1, "never")
	return w.line()
}
