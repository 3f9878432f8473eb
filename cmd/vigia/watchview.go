package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/vigiaguard/vigia"
)

// The terminal's words for the view: a screen of its own, without a cursor.
const (
	screenBegin = "\x1b[?1049h\x1b[?25l"
	screenEnd   = "\x1b[?25h\x1b[?1049l"
	screenHome  = "\x1b[H"
	lineClear   = "\x1b[K"
	restClear   = "\x1b[J"
)

// redrawEvery is how often the view looks again.
const redrawEvery = time.Second

// watchStatus shows the status until q or Ctrl-C.
func watchStatus(ctx context.Context, env environment, r *remote) (err error) {
	screen, ok := terminal(env.out)
	keyboard, typed := terminal(env.in)
	if !ok || !typed {
		return vigia.Invalid("watch", "got an output or input that is no terminal; a script takes vigia status --json")
	}
	before, err := term.MakeRaw(keyboard)
	if err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(keyboard, before)) }()
	defer func() { _, _ = io.WriteString(env.out, screenEnd) }()
	if _, err := io.WriteString(env.out, screenBegin); err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	view := &statusView{clock: env.clock, style: env.styles(), read: func(ctx context.Context) (*statusReport, error) {
		ctx, stop := context.WithTimeout(ctx, 5*redrawEvery)
		defer stop()
		return readStatus(ctx, r, env.clock.Now())
	}, size: func() (int, int) {
		width, height, err := term.GetSize(screen)
		if err != nil {
			return screenWidth, 24
		}
		return width, height
	}}
	return view.run(ctx, env.out, quitKey(env.in))
}

// quitKey tells when q or Ctrl-C was typed. Its goroutine reads the keyboard
// until then; nobody else reads it while the view is up.
func quitKey(keyboard io.Reader) <-chan struct{} {
	quit := make(chan struct{})
	go func() {
		defer close(quit)
		key := make([]byte, 1)
		for {
			if n, err := keyboard.Read(key); err != nil || n == 1 && strings.ContainsRune("qQ\x03\x04", rune(key[0])) {
				return
			}
		}
	}()
	return quit
}

// statusView is the live view, apart from the terminal it is drawn on.
type statusView struct {
	clock vigia.Clock
	style styles
	read  func(context.Context) (*statusReport, error)
	size  func() (width, height int)

	last *statusReport
}

func (v *statusView) run(ctx context.Context, w io.Writer, quit <-chan struct{}) error {
	for {
		if err := v.draw(ctx, w); err != nil {
			return err
		}
		timer := v.clock.NewTimer(redrawEvery)
		select {
		case <-timer.C():
		case <-quit:
			timer.Stop()
			return nil
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// draw looks and redraws. When nobody answers the last look stays on the screen,
// marked with its age.
func (v *statusView) draw(ctx context.Context, w io.Writer) error {
	report, failed := v.read(ctx)
	var page bytes.Buffer
	out := &printout{w: &page}
	now := v.clock.Now()
	if failed == nil {
		v.last = report
		out.line("%s", v.style.dim("vigia "+now.Local().Format("15:04:05")+"   q quits"))
	} else {
		out.line("%s", v.style.danger(wrapWithin("■ "+failed.Error(), "  ", screenWidth)))
		if v.last != nil {
			out.line("%s", v.style.danger("What follows was "+since(now, v.last.At)+" and may be different now."))
		}
	}
	if v.last != nil {
		v.last.show(out, v.style)
	}
	if out.err != nil {
		return out.err
	}
	width, height := v.size()
	if _, err := io.WriteString(w, fitted(page.String(), width, height)); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	return nil
}

// fitted is a page as the screen takes it: no line longer, no line more than it
// has.
func fitted(page string, width, height int) string {
	var out strings.Builder
	out.WriteString(screenHome)
	lines := strings.Split(strings.TrimRight(page, "\n"), "\n")
	if len(lines) > height && height > 1 {
		lines = append(lines[:height-1], fmt.Sprintf("… %d lines more", len(lines)-height+1))
	}
	for i, line := range lines {
		out.WriteString(cut(line, width) + lineClear)
		if i < len(lines)-1 {
			out.WriteString("\r\n")
		}
	}
	out.WriteString(restClear)
	return out.String()
}

// cut shortens a line to a width, counting what is seen: colours take no room.
func cut(line string, width int) string {
	seen, coloured := 0, false
	for i, c := range line {
		switch {
		case c == '\x1b':
			coloured = true
		case coloured:
			coloured = c != 'm'
		case seen == width:
			return line[:i] + "\x1b[0m"
		default:
			seen++
		}
	}
	return line
}
