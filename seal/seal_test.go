package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/seal"
)

func TestWhatIsSealedOpens(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	for _, text := range []string{"x", plain, strings.Repeat("€", 60), strings.Repeat("k", 124), "with\x00zeros\x00\x00", strings.Repeat("z", seal.MaxSecret)} {
		mustOpen(t, s, sealed(t, s, text), text)
	}
}

func TestAnotherProcessOpensIt(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	value := sealed(t, create(t, path), plain)
	mustOpen(t, open(t, path), value, plain)
}

func TestTwoSealsDiffer(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	if bytes.Equal(sealed(t, s, plain), sealed(t, s, plain)) {
		t.Error("one secret sealed twice gave the same bytes: it can be recognised")
	}
}

func TestLengthIsHidden(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	short, long := sealed(t, s, "x"), sealed(t, s, strings.Repeat("x", 60))
	if len(short) != len(long) {
		t.Errorf("secrets of 1 and 60 bytes are sealed in %d and %d bytes", len(short), len(long))
	}
	if longer := sealed(t, s, strings.Repeat("x", 61)); len(longer) != len(long)+64 {
		t.Errorf("a secret of 61 bytes is sealed in %d, one of 60 in %d", len(longer), len(long))
	}
}

func TestWhatCannotBeSealed(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	for name, c := range map[string]struct {
		place  seal.Binding
		secret string
		want   error
	}{
		"nothing":      {place, "", seal.ErrEmpty},
		"too long":     {place, strings.Repeat("z", seal.MaxSecret+1), seal.ErrTooLong},
		"no owner":     {seal.Binding{Account: "a", Column: "c", Version: 1}, plain, seal.ErrBinding},
		"no column":    {seal.Binding{Owner: "o", Account: "a", Version: 1}, plain, seal.ErrBinding},
		"less than no": {seal.Binding{Owner: "o", Column: "c", Version: -1}, plain, seal.ErrBinding},
	} {
		value, err := s.Seal(c.place, vigia.NewSecret(c.secret))
		if !errors.Is(err, c.want) || value != nil {
			t.Errorf("%s: got %d bytes and %v, want %v", name, len(value), err, c.want)
		}
	}
	if _, err := s.Unseal(seal.Binding{}, sealed(t, s, plain)); !errors.Is(err, seal.ErrBinding) {
		t.Errorf("opening for no place gave %v", err)
	}
}

func TestADumpHoldsNothingOfThePlainText(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	s, row := create(t, path), filepath.Join(t.TempDir(), "rows.db")
	value := sealed(t, s, plain)
	if err := os.WriteFile(row, value, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"plain":  plain,
		"base64": base64.StdEncoding.EncodeToString([]byte(plain)),
		"hex":    hex.EncodeToString([]byte(plain)),
	} {
		if holds(contents(t, row), text) || holds(contents(t, path), text) {
			t.Errorf("a file holds a piece of the secret (%s)", name)
		}
	}
	if !holds([]byte("..."+plain[4:16]+"..."), plain) {
		t.Error("this test would not see it")
	}
	if text := plain; holds(value, place.Owner) || holds(value, place.Column) || holds(value, text) {
		t.Error("the sealed value names its place")
	}
}

func TestErrorsTellMovedFromTamperedFromUnknown(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	s, stranger := create(t, path), create(t, keyFile(t))
	value := sealed(t, s, plain)
	flipped := bytes.Clone(value)
	flipped[len(flipped)-1] ^= 1
	elsewhere := place
	elsewhere.Account = "account-2"
	for name, c := range map[string]struct {
		s     *seal.Sealer
		place seal.Binding
		value []byte
		want  error
	}{
		"moved":            {s, elsewhere, value, seal.ErrMoved},
		"tampered":         {s, place, flipped, seal.ErrTampered},
		"another key":      {stranger, place, value, seal.ErrUnknownKey},
		"nothing":          {s, place, nil, seal.ErrMalformed},
		"cut":              {s, place, value[:40], seal.ErrMalformed},
		"a format to come": {s, place, append([]byte{2}, value[1:]...), seal.ErrMalformed},
	} {
		secret, err := c.s.Unseal(c.place, c.value)
		if !errors.Is(err, c.want) || !secret.IsZero() {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
			continue
		}
		for _, other := range []error{seal.ErrMoved, seal.ErrTampered, seal.ErrUnknownKey, seal.ErrMalformed} {
			if other != c.want && errors.Is(err, other) { //nolint:errorlint // which sentinel it is
				t.Errorf("%s is also said to be %v", name, other)
			}
		}
		if !strings.Contains(err.Error(), "account.secret (version 3) of account account-") || strings.Contains(err.Error(), plain) {
			t.Errorf("%s: %q does not name the place, or more", name, err)
		}
	}
}

func drawPlace(t *rapid.T, label string) seal.Binding {
	part := rapid.StringOfN(rapid.RuneFrom([]rune("ab:/.0\x00é")), 1, 6, -1)
	return seal.Binding{
		Owner:   part.Draw(t, label+" owner"),
		Account: rapid.OneOf(rapid.Just(""), part).Draw(t, label+" account"),
		Column:  part.Draw(t, label+" column"),
		Version: rapid.IntRange(0, 300).Draw(t, label+" version"),
	}
}

// Places made of the same characters in other parts are other places.
func TestAnyOtherPlaceDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	rapid.Check(t, func(t *rapid.T) {
		at, other := drawPlace(t, "at"), drawPlace(t, "other")
		text := rapid.StringN(1, 80, -1).Draw(t, "secret")
		value, err := s.Seal(at, vigia.NewSecret(text))
		if err != nil {
			t.Fatal(err)
		}
		secret, err := s.Unseal(other, value)
		switch {
		case at == other:
			if err != nil || secret.Reveal() != text {
				t.Fatalf("it does not open at its own place: %v", err)
			}
		case !errors.Is(err, seal.ErrMoved):
			t.Fatalf("sealed for %+v, opened for %+v: %v", at, other, err)
		}
	})
}

// The mark of the place is only a hint: with the mark of the other place forged
// in, the associated data still refuses.
func TestAForgedMarkDoesNotHelp(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	rapid.Check(t, func(t *rapid.T) {
		at, other := drawPlace(t, "at"), drawPlace(t, "other")
		if at == other {
			t.Skip("the same place")
		}
		value, err := s.Seal(at, vigia.NewSecret(plain))
		if err != nil {
			t.Fatal(err)
		}
		there, err := s.Seal(other, vigia.NewSecret("x"))
		if err != nil {
			t.Fatal(err)
		}
		copy(value[1:9], there[1:9])
		if _, err := s.Unseal(other, value); !errors.Is(err, seal.ErrTampered) {
			t.Fatalf("sealed for %+v, opened for %+v: %v", at, other, err)
		}
	})
}

func TestAnyChangeDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	value := sealed(t, s, plain)
	for i := range value {
		for bit := range 8 {
			changed := bytes.Clone(value)
			changed[i] ^= 1 << bit
			if _, err := s.Unseal(place, changed); err == nil {
				t.Fatalf("it opens with bit %d of byte %d changed", bit, i)
			}
		}
	}
	for n := range value {
		if _, err := s.Unseal(place, value[:n]); err == nil {
			t.Fatalf("it opens with only %d bytes", n)
		}
	}
	if _, err := s.Unseal(place, append(bytes.Clone(value), 0)); err == nil {
		t.Fatal("it opens with a byte more")
	}
}

func TestASealerPrintsOnlyItsFile(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	s := create(t, path)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got, want := fmt.Sprintf(verb, s), "sealer with key file "+path; got != want {
			t.Errorf("%s prints %q, want %q", verb, got, want)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := create(t, keyFile(t))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			text := fmt.Sprintf("%s %d", plain, i)
			for range 20 {
				value, err := s.Seal(place, vigia.NewSecret(text))
				if err != nil {
					t.Error(err)
					return
				}
				if secret, err := s.Unseal(place, value); err != nil || secret.Reveal() != text {
					t.Errorf("opened another text, or %v", err)
				}
			}
		})
	}
	all.Wait()
}

// fuzzKey seals the seeds of the fuzz corpus; it protects nothing.
const fuzzKey = `{"primaryKeyId":7,"key":[{"keyId":7,"status":"ENABLED","outputPrefixType":"TINK","keyData":{
	"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey","keyMaterialType":"SYMMETRIC",
	"value":"GiAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw=="}}]}`

func FuzzUnseal(f *testing.F) {
	path := keyFile(f)
	if err := os.WriteFile(path, []byte(fuzzKey), 0o600); err != nil {
		f.Fatal(err)
	}
	s := open(f, path)
	value := sealed(f, s, plain)
	f.Add(value)
	f.Add(value[:30])
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{1}, 200))
	f.Fuzz(func(t *testing.T, data []byte) {
		secret, err := s.Unseal(place, data)
		switch {
		case err == nil && secret.Reveal() != plain: // the one thing ever sealed with this key
			t.Fatal("it opened what was not sealed")
		case err != nil && !secret.IsZero():
			t.Fatal("it gave a secret together with an error")
		case err != nil && !errors.Is(err, seal.ErrMalformed) && !errors.Is(err, seal.ErrUnknownKey) && !errors.Is(err, seal.ErrMoved) && !errors.Is(err, seal.ErrTampered):
			t.Fatalf("an error without a name: %v", err)
		}
	})
}
