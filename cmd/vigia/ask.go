package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/vigiaguard/vigia"
)

// prompter asks the person in front of the terminal, or reads the lines that a
// script gives. Questions go to the error stream: what is printed stays clean.
type prompter struct {
	in  *bufio.Reader
	out io.Writer
	// hidden reads a line from the terminal with its echo off; nil where there is
	// no terminal.
	hidden func() ([]byte, error)
}

func (e environment) prompter() *prompter {
	p := &prompter{in: bufio.NewReader(e.in), out: e.err}
	if fd, ok := terminal(e.in); ok {
		p.hidden = func() ([]byte, error) { return term.ReadPassword(fd) }
	}
	return p
}

func (p *prompter) say(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format+"\n", args...) }

// secret asks for what must not be seen. From a script it is the next line.
func (p *prompter) secret(field, label string) (vigia.Secret, error) {
	_, _ = fmt.Fprintf(p.out, "%s: ", label)
	text, err := p.hiddenLine()
	if p.hidden != nil {
		p.say("")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return vigia.Secret{}, fmt.Errorf("reading the %s: %w", field, err)
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return vigia.Secret{}, vigia.Invalid(field, "got nothing; it takes the text that the exchange showed when the key was made, one line")
	}
	return vigia.NewSecret(text), nil
}

func (p *prompter) hiddenLine() (string, error) {
	if p.hidden == nil {
		return p.in.ReadString('\n')
	}
	text, err := p.hidden()
	return string(text), err
}

// yes takes the typed word, and nothing else, for consent. instead is the flag
// by which a script gives it.
func (p *prompter) yes(question, word, instead string) error {
	_, _ = fmt.Fprintf(p.out, "%s\nType %s to go on: ", question, word)
	text, err := p.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if given := strings.TrimSpace(text); !strings.EqualFold(given, word) {
		if given == "" {
			p.say("")
		}
		return &vigia.Error{Code: vigia.CodeNeedsConfirmation, Message: fmt.Sprintf("nothing was done: got %q, it takes the word %s", given, word),
			Help: "In a script say it with " + instead + "."}
	}
	return nil
}

// readFile reads a file that a flag names; - is the standard input.
func (e environment) readFile(field, path string) ([]byte, error) {
	if path == "-" {
		text, err := io.ReadAll(io.LimitReader(e.in, 1<<20))
		if err != nil {
			return nil, fmt.Errorf("reading the standard input: %w", err)
		}
		return text, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, vigia.Invalid(field, fmt.Sprintf("%s cannot be read: %v", path, rootCause(err)))
	}
	return text, nil
}
