package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/vigiaguard/vigia"
)

// printout writes lines and keeps the first error, so that a page is laid out
// without asking after each of them.
type printout struct {
	w   io.Writer
	err error
}

func (p *printout) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// printJSON writes a document for scripts.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// wrapAt is where text is broken.
const wrapAt = 96

// wrap breaks text at about 96 columns. The first line is taken to stand behind
// the indent already; the following ones begin with it.
func wrap(text, indent string) string { return wrapWithin(text, indent, wrapAt) }

func wrapWithin(text, indent string, width int) string {
	var out strings.Builder
	for i, paragraph := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteString("\n" + indent)
		}
		column := utf8.RuneCountInString(indent)
		for j, word := range strings.Fields(paragraph) {
			length := utf8.RuneCountInString(word)
			switch {
			case j == 0:
			case column+1+length > width:
				out.WriteString("\n" + indent)
				column = utf8.RuneCountInString(indent)
			default:
				out.WriteByte(' ')
				column++
			}
			out.WriteString(word)
			column += length
		}
	}
	return out.String()
}

// table lays rows out in columns two spaces apart; numbers stand at the right
// where the heading begins with a space.
func (p *printout) table(heading []string, rows [][]string) {
	widths := make([]int, len(heading))
	for _, row := range append([][]string{heading}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(strings.TrimSpace(cell)))
		}
	}
	for _, row := range append([][]string{heading}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = pad(strings.TrimSpace(cell), widths[i], strings.HasPrefix(heading[i], " "))
		}
		p.line("%s", strings.TrimRight(strings.Join(cells, "  "), " "))
	}
}

// pad fills a text up to a width, at its left when it is to stand at the right.
func pad(text string, width int, right bool) string {
	missing := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
	if right {
		return missing + text
	}
	return text + missing
}

// ageText says a time span as one looks at it: "0.8 s", "12 s", "4 min", "3 h".
func ageText(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", math.Floor(d.Seconds()*10)/10)
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// since is an age, or never.
func since(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return ageText(vigia.Age(now, t)) + " ago"
}

// satsText is an amount with its unit.
func satsText(amount vigia.Sats) string {
	if amount == 1 {
		return "1 sat"
	}
	return amount.Grouped() + " sats"
}

// short is as much of an id as tells it from the others on a screen: its end,
// because ids of one moment begin alike.
func short(id string) string {
	if len(id) <= 8 {
		return id
	}
	return id[len(id)-8:]
}

// decimals prints a percentage with one or two places, at the screen's glance.
func decimals(p vigia.Percent, places int) string {
	return fmt.Sprintf("%.*f %%", places, float64(p)/float64(vigia.OnePercent))
}

// styles are the few colours of a terminal; off, they leave text as it is.
type styles struct{ on bool }

func (s styles) with(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s styles) bold(text string) string   { return s.with("1", text) }
func (s styles) dim(text string) string    { return s.with("2", text) }
func (s styles) good(text string) string   { return s.with("32", text) }
func (s styles) warn(text string) string   { return s.with("1;33", text) }
func (s styles) danger(text string) string { return s.with("1;31", text) }

// styles are on where a person looks at a terminal and did not refuse them.
func (e environment) styles() styles {
	for _, entry := range e.environ {
		if name, value, _ := strings.Cut(entry, "="); name == "NO_COLOR" && value != "" || entry == "TERM=dumb" {
			return styles{}
		}
	}
	_, ok := terminal(e.out)
	return styles{on: ok}
}

// terminal is the descriptor of a stream that is one.
func terminal(stream any) (int, bool) {
	file, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	return int(file.Fd()), true
}
