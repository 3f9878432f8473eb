package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRuleFile: a rule's file is refused or passed on whole, its numbers as they
// were written.
func FuzzRuleFile(f *testing.F) {
	f.Add(`{"account":"main","preset":"calm"}`)
	f.Add(`{"guard":{"steps":[{"at_pct":1.250}]}}`)
	f.Add(`{"guard":7,"account":null}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, text string) {
		flags := &draftFlags{File: "-", Account: "main", Tight: true}
		rule, err := flags.written(environment{in: strings.NewReader(text)})
		if err != nil {
			return
		}
		again, err := json.Marshal(rule)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := document(again); err != nil || rule["account"] != "main" {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
	})
}

// FuzzConfigFile: a configuration file is taken or refused with a sentence that
// names it.
func FuzzConfigFile(f *testing.F) {
	f.Add("listen: 127.0.0.1:1\nlease_term: 5s\n")
	f.Add("data: [a, b]\n")
	f.Add("? {a: b}\n: c\n")
	f.Add("&a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "vigia.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := parsed(t, []string{"VIGIA_CONFIG=" + path}, "serve"); err != nil && err.Error() == "" {
			t.Errorf("%q is refused without a word", text)
		}
	})
}

// FuzzServerFile: whatever lies in the data folder, finding the server answers
// with an address or an error.
func FuzzServerFile(f *testing.F) {
	f.Add(`{"url":"http://127.0.0.1:8420","key_file":"/k"}`)
	f.Add(`{"url":7}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, text string) {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, serverFileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := (&onServer{Data: folder}).serverFile(); err == nil && got.URL == "" {
			t.Errorf("%q: neither address nor error", text)
		}
	})
}

// FuzzCut: no line on the screen is wider than the screen, whatever the exchange
// or a label put into it.
func FuzzCut(f *testing.F) {
	f.Add("\x1b[1;31mred\x1b[0m and more", 5)
	f.Add("ünïcödé", 3)
	f.Fuzz(func(t *testing.T, line string, width int) {
		if width < 0 || width > 300 || strings.ContainsRune(line, '\x1b') {
			return
		}
		if got := strings.TrimSuffix(cut(line, width), "\x1b[0m"); len([]rune(got)) > width {
			t.Errorf("%q at %d: got %q", line, width, got)
		}
	})
}
