package notify

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vigiaguard/vigia"
)

// Message is what a person reads: what happened, and what they can do about it.
type Message struct {
	Level vigia.Level
	// Title is one line.
	Title string
	// Happened and Do are sentences; Do may be empty.
	Happened, Do string
	// At is when it happened; not shown when zero.
	At time.Time
	// More is the number of other events like this one that it stands for, Since
	// when the first of them happened.
	More  int
	Since time.Time
}

const (
	maxTitle = 120
	maxBody  = 1500 // characters; every channel takes as much
)

// Subject is the title as it is sent: one line that says who speaks and, when it
// matters, how loud.
func (m Message) Subject() string {
	return shorten(oneLine(english.subject(m)), maxTitle)
}

// Body is the text as it is sent.
func (m Message) Body() string {
	return shorten(english.body(m), maxBody)
}

// oneLine makes a line of a text: control characters become spaces.
func oneLine(text string) string {
	clean := func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}
	return strings.Join(strings.Fields(strings.Map(clean, strings.ToValidUTF8(text, "?"))), " ")
}

// shorten keeps a text within so many characters.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
