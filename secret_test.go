package vigia_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

const hidden = "hunter2-hunter2"

// keyring holds a secret where fmt cannot reach its methods, and where it can.
type keyring struct {
	Name   string
	Shown  vigia.Secret
	hidden vigia.Secret
	deep   map[string][]*vigia.Secret
}

func newKeyring() keyring {
	secret := vigia.NewSecret(hidden)
	return keyring{"signet", secret, secret, map[string][]*vigia.Secret{"a": {&secret}}}
}

func mustHide(t reporter, how, text string) {
	t.Helper()
	if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) || strings.Contains(text, fmt.Sprintf("%X", hidden)) {
		t.Errorf("%s prints the secret: %s", how, text)
	}
}

func TestSecretIsNotPrintedByAnyVerb(t *testing.T) {
	t.Parallel()
	secret, ring := vigia.NewSecret(hidden), newKeyring()
	values := map[string]any{
		"secret": secret, "pointer": &secret, "slice": []vigia.Secret{secret}, "map": map[string]vigia.Secret{"a": secret},
		"key of a map": map[vigia.Secret]int{secret: 1}, "ring": ring, "pointer to ring": &ring,
		"error": fmt.Errorf("key %v: %w", secret, errors.ErrUnsupported), "any": []any{secret, ring},
	}
	for verb := rune('A'); verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "# ", "20", "-20.3", ".40"} {
			for name, value := range values {
				format := "%" + flags + string(verb)
				mustHide(t, format+" of "+name, fmt.Sprintf(format, value))
			}
		}
	}
	for _, wrong := range []string{"nothing", "%*d", "%[3]d", "%d %!", "%"} {
		mustHide(t, wrong, fmt.Sprintf(wrong, secret, ring, &secret))
	}
	mustHide(t, "Sprint", fmt.Sprint(secret, ring, &ring))
}

func TestSecretIsNotPrintedByAnyFormat(t *testing.T) {
	t.Parallel()
	secret, ring := vigia.NewSecret(hidden), newKeyring()
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.String().Draw(t, "format") + "%" + rapid.String().Draw(t, "verb")
		mustHide(t, format, fmt.Sprintf(format, secret, ring, &secret, &ring))
	})
}

func TestSecretSaysThatItIsOne(t *testing.T) {
	t.Parallel()
	secret := vigia.NewSecret(hidden)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		same(t, verb, fmt.Sprintf(verb, secret), "[secret]")
	}
	same(t, "String", secret.String(), "[secret]")
}

func TestSecretIsNotLogged(t *testing.T) {
	t.Parallel()
	secret, ring := vigia.NewSecret(hidden), newKeyring()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		logger := slog.New(handler).With("with", secret)
		logger.Info("said", "secret", secret, "pointer", &secret, "ring", ring, "list", []vigia.Secret{secret}, slog.Group("group", "secret", secret))
	}
	mustHide(t, "slog", out.String())
	if !strings.Contains(out.String(), `"secret":"[secret]"`) {
		t.Errorf("the log does not say that there was a secret: %s", out.String())
	}
}

func TestSecretIsNotMarshalled(t *testing.T) {
	t.Parallel()
	ring := newKeyring()
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"xml":  xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(v)
			return out.Bytes(), err
		},
	} {
		for _, value := range []any{ring.Shown, &ring.Shown, struct{ Key vigia.Secret }{ring.Shown}} {
			data, err := marshal(value)
			if err == nil {
				t.Errorf("%s wrote %s", name, data)
			}
			mustHide(t, name, fmt.Sprint(string(data), err))
		}
	}
	if data, err := json.Marshal(map[vigia.Secret]int{ring.Shown: 1}); err == nil {
		t.Errorf("json wrote %s", data)
	}
}

func TestSecretIsNotPrintedByATemplate(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ring := newKeyring()
	if err := template.Must(template.New("").Parse("{{.Shown}} {{.}} {{printf `%s %p` .Shown .Shown}}")).Execute(&out, ring); err != nil {
		t.Fatal(err)
	}
	mustHide(t, "template", out.String())
}

func TestSecretRevealsItsText(t *testing.T) {
	t.Parallel()
	secret := vigia.NewSecret(hidden)
	same(t, "text", secret.Reveal(), hidden)
	same(t, "zero", secret.IsZero(), false)
	same(t, "empty", vigia.NewSecret("").IsZero(), true)
	same(t, "none", vigia.Secret{}.IsZero(), true)
	same(t, "text of none", vigia.Secret{}.Reveal(), "")
	same(t, "deeply equal", reflect.DeepEqual(secret, vigia.NewSecret(hidden)), true)
}
