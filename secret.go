package vigia

import (
	"errors"
	"fmt"
	"log/slog"
)

// Secret holds what must not be printed, logged or marshalled. Every way of
// formatting it yields "[secret]"; only Reveal gives the text, and only where a
// request is signed or a value sealed.
//
// The text stands behind a pointer because fmt goes around Format in two places,
// an unexported field and the verb %p, and prints what it finds by reflection:
// there it finds an address. For the same reason == compares identities.
type Secret struct{ text *string }

const redacted = "[secret]"

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. Its result goes into a signature, a seal or a
// request header and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says whether there is nothing to hide.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String hides the text.
func (s Secret) String() string { return redacted }

// Format hides the text whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue hides the text from structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON refuses: a secret in a document is a mistake in the program.
func (s Secret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a secret cannot be marshalled")
}

// MarshalText refuses, as MarshalJSON does.
func (s Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("a secret cannot be marshalled")
}
