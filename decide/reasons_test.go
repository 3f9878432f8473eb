package decide_test

import (
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
)

// Each outcome is an action or one of a closed list of reasons: none of them is
// without a sentence, and none without a scene in which it is decided.
func TestEveryReasonIsDecidedSomewhere(t *testing.T) {
	t.Parallel()
	var decided strings.Builder
	for _, name := range goldens(t) {
		_, below := readGolden(t, name)
		decided.WriteString(below)
	}
	all := decided.String()
	for _, reason := range vigia.Reasons() {
		if reason.Sentence() == "" {
			t.Errorf("%s has no sentence", reason)
		}
		said := strings.Contains(all, ", "+string(reason)+"\n") || strings.Contains(all, ", "+string(reason)+" ")
		if !said {
			t.Errorf("%s is decided in no golden", reason)
		}
	}
}

// A decision without a reason, or with one that is not in the list, cannot be
// shown to anybody.
func TestEveryDecisionHasAReasonOfTheList(t *testing.T) {
	t.Parallel()
	for _, name := range goldens(t) {
		facts, _ := readGolden(t, name)
		s, err := readScene(facts)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, d := range decideOnce(&s.facts).Decisions {
			if d.Reason.Sentence() == "" || d.Action == "" {
				t.Errorf("%s: %q because of %q", name, d.Action, d.Reason)
			}
		}
	}
}
