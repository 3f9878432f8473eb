package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
)

// drawn hands each screen that was drawn to the test.
type drawn chan string

func (d drawn) Write(p []byte) (int, error) {
	d <- string(p)
	return len(p), nil
}

func TestTheLiveViewIsRedrawnEachSecondUntilQ(t *testing.T) {
	t.Parallel()
	clock, screens, quit := vigia.NewManualClock(noon), make(drawn), make(chan struct{})
	var down atomic.Bool
	view := &statusView{clock: clock, size: func() (int, int) { return 80, 24 }, read: func(context.Context) (*statusReport, error) {
		if down.Load() {
			return nil, errors.New("no server answers")
		}
		return makeReport([]vigia.GuardStatus{aGuard()}, nil, clock.Now()), nil
	}}
	ended := make(chan error)
	go func() { ended <- view.run(t.Context(), screens, quit) }()
	first := <-screens
	if !strings.HasPrefix(first, screenHome) || !strings.Contains(first, "HELD DOWN TO") || !strings.Contains(first, "12:00:00") {
		t.Errorf("got %q", first)
	}
	next := func() string {
		for {
			select {
			case s := <-screens:
				return s
			default:
				if clock.Waiting() > 0 {
					clock.Advance(redrawEvery)
				}
				runtime.Gosched()
			}
		}
	}
	if second := next(); !strings.Contains(second, "12:00:01") {
		t.Errorf("got %q", second)
	}
	down.Store(true)
	third := next()
	if !strings.Contains(third, "■ no server answers") || !strings.Contains(third, "What follows was 1.0 s ago") || !strings.Contains(third, "HELD DOWN TO") {
		t.Errorf("an unanswered look must keep the last one and say its age; got %q", third)
	}
	close(quit)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestQAndCtrlCQuit(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"q", "Q", "\x03", "\x04"} {
		keyboard, hand := io.Pipe()
		quit := quitKey(keyboard)
		if _, err := io.WriteString(hand, "x\x1b[A"); err != nil { // a letter and an arrow
			t.Fatal(err)
		}
		select {
		case <-quit:
			t.Errorf("another key quits")
		default:
		}
		if _, err := io.WriteString(hand, key); err != nil {
			t.Fatal(err)
		}
		<-quit
	}
}

func TestAScreenIsNeverOverrun(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("\x1b[1;31m"+strings.Repeat("wide ", 30)+"\x1b[0m\n", 40)
	got := fitted(page, 80, 24)
	lines := strings.Split(got, "\r\n")
	if len(lines) != 24 || !strings.Contains(lines[23], "… 17 lines more") {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	if seen := visible(lines[1]); len([]rune(seen)) != 80 {
		t.Errorf("got %d columns: %q", len([]rune(seen)), seen)
	}
}

// visible is a line without what the terminal does not show.
func visible(line string) string {
	var out strings.Builder
	for rest := line; rest != ""; {
		before, after, escaped := strings.Cut(rest, "\x1b[")
		out.WriteString(before)
		if !escaped {
			break
		}
		_, rest, _ = strings.Cut(after, after[strings.IndexAny(after, "mKHJ"):][:1])
	}
	return out.String()
}

func TestFiguresAreThreeRowsHigh(t *testing.T) {
	t.Parallel()
	rows := figures("$95,238.50")
	for i, row := range rows {
		if n := len([]rune(row)); n > 40 || n < 30 {
			t.Errorf("row %d has %d columns: %s", i, n, row)
		}
	}
	sameAsGolden(t, "figures", strings.Join(append(rows[:], allFigures()...), "\n")+"\n")
}

func allFigures() []string {
	rows := figures("0123456789$,.?")
	return rows[:]
}

func TestAgesAreSaidAsOneLooksAtThem(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0.0 ms", 1_234 * time.Microsecond: "1.2 ms", 340 * time.Millisecond: "340 ms", 1_990 * time.Millisecond: "1.9 s",
		12 * time.Second: "12 s", 119 * time.Second: "119 s", 4 * time.Minute: "4 min", 3 * time.Hour: "3 h", 72 * time.Hour: "3 days",
	} {
		if got := ageText(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	if got := since(noon, time.Time{}); got != "never" {
		t.Errorf("got %q", got)
	}
}
