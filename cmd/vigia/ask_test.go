package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
)

func TestSecretsAreReadLineByLineFromAScript(t *testing.T) {
	t.Parallel()
	var questions bytes.Buffer
	ask := environment{in: strings.NewReader("k\r\n  s \np"), err: &questions}.prompter()
	for _, want := range []string{"k", "s", "p"} {
		got, err := ask.secret("key", "Key")
		if err != nil || got.Reveal() != want {
			t.Errorf("got %q, %v, want %q", got.Reveal(), err, want)
		}
	}
	if _, err := ask.secret("passphrase", "Passphrase"); err == nil || !strings.HasPrefix(err.Error(), "passphrase: got nothing; it takes") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreHiddenOnATerminal(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	ask := environment{in: strings.NewReader("visible\n"), err: &screen}.prompter()
	ask.hidden = func() ([]byte, error) { return []byte("hidden"), nil }
	got, err := ask.secret("key", "Key")
	if err != nil || got.Reveal() != "hidden" || screen.String() != "Key: \n" {
		t.Errorf("got %q, %v, and on the screen %q", got.Reveal(), err, screen.String())
	}
	broken := errors.New("no terminal")
	ask.hidden = func() ([]byte, error) { return nil, broken }
	if _, err := ask.secret("key", "Key"); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheTypedWordIsConsent(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{"yes\n": true, " YES \n": true, "yes": true, "y\n": false, "no\n": false, "\n": false, "": false} {
		var screen bytes.Buffer
		err := environment{in: strings.NewReader(typed), err: &screen}.prompter().yes("Really?", "yes", "--yes")
		var refused *vigia.Error
		if want != (err == nil) || err != nil && (!errors.As(err, &refused) || refused.Code != vigia.CodeNeedsConfirmation || !strings.Contains(refused.Help, "--yes")) {
			t.Errorf("%q: got %v", typed, err)
		}
		if !strings.HasPrefix(screen.String(), "Really?\nType yes to go on: ") {
			t.Errorf("%q: got %q", typed, screen.String())
		}
	}
}

func TestTheOneThingIsFoundByNameOrEndOfItsId(t *testing.T) {
	t.Parallel()
	all := []vigia.Automation{{ID: oneRule, Name: "guard"}, {ID: otherRule, Name: "twin"}, {ID: "01980000-0000-7000-8000-0000000000b3", Name: "twin"}}
	find := func(given string) (vigia.Automation, error) {
		return only("automation", given, all, func(a *vigia.Automation) (string, string) { return string(a.ID), a.Name })
	}
	for given, want := range map[string]vigia.AutomationID{string(oneRule): oneRule, "guard": oneRule, "00b2": otherRule} {
		if got, err := find(given); err != nil || got.ID != want {
			t.Errorf("%s: got %s, %v", given, got.ID, err)
		}
	}
	for given, want := range map[string]string{
		"b2": `automation: there is no automation "b2"`, "none": `automation: there is no automation "none"`,
		"twin": `automation: "twin" fits 2 of them; give the whole id`, "0198": `automation: "0198" fits 3 of them; give the whole id`,
	} {
		if _, err := find(given); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
	}
}
