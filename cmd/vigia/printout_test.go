package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTextIsWrapped(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, indent, want string }{
		{"", "  ", ""},
		{"short", "  ", "short"},
		{"two  spaces\tand a tab", "", "two spaces and a tab"},
		{"one\ntwo", "  ", "one\n  two"},
		{strings.Repeat("a", 120), "  ", strings.Repeat("a", 120)},
		{strings.Repeat("word ", 25), "    ", strings.TrimSpace(strings.Repeat("word ", 18)) + "\n    " + strings.TrimSpace(strings.Repeat("word ", 7))},
	} {
		if got := wrap(tc.text, tc.indent); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

// Nothing is lost by wrapping, and no line is too long that has more than one
// word.
func TestWrappingKeepsEveryWord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zäß■→]{1,30}`), 0, 60).Draw(t, "words")
		indent := strings.Repeat(" ", rapid.IntRange(0, 12).Draw(t, "indent"))
		got := wrap(strings.Join(words, " "), indent)
		if strings.Join(strings.Fields(got), " ") != strings.Join(words, " ") {
			t.Fatalf("got %q", got)
		}
		for i, line := range strings.Split(got, "\n") {
			if i == 0 {
				line = indent + line
			}
			if !strings.HasPrefix(line, indent) || len([]rune(line)) > wrapAt && len(strings.Fields(line)) > 1 {
				t.Fatalf("line %d: %q", i, line)
			}
		}
	})
}

func TestATableIsAligned(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &printout{w: &out}
	p.table([]string{"name", " sats", "why"}, [][]string{{"a", "1,000", "x"}, {"größer", "7", ""}})
	want := "name     sats  why\na       1,000  x\ngrößer      7\n"
	if p.err != nil || out.String() != want {
		t.Errorf("got\n%s, %v, want\n%s", out.String(), p.err, want)
	}
}

type fullPipe struct{ err error }

func (f fullPipe) Write([]byte) (int, error) { return 0, f.err }

func TestAPrintoutKeepsItsFirstError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	p := &printout{w: fullPipe{broken}}
	p.line("one")
	p.line("two")
	if !errors.Is(p.err, broken) {
		t.Errorf("got %v", p.err)
	}
	if err := printJSON(fullPipe{broken}, 1); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestColoursAreForTerminalsOnly(t *testing.T) {
	t.Parallel()
	if got := (environment{out: &bytes.Buffer{}}).styles().danger("x"); got != "x" {
		t.Errorf("got %q", got)
	}
	if got := (styles{on: true}).danger("x"); got != "\x1b[1;31mx\x1b[0m" {
		t.Errorf("got %q", got)
	}
	if (environment{environ: []string{"NO_COLOR=1"}}).styles().on {
		t.Error("NO_COLOR is not heeded")
	}
}

func TestNamesAreQuotedForTheShell(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"main": "main", "my account": "'my account'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'"} {
		if got := shellWord(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}
