package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// The exchange verifies signatures over its own writing of the body: parsed and
// serialised again the way JavaScript does, compact, whole numbers without a
// point (reference 3.2).

// compactForm is a JSON document as JavaScript's JSON.stringify writes it, the
// members in their order. The error says that it is not one JSON document.
func compactForm(raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	out, err := appendValue(nil, d)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("body: something follows the document")
	}
	return out, nil
}

func appendValue(out []byte, d *json.Decoder) ([]byte, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return appendObject(out, d)
		}
		return appendArray(out, d)
	case string:
		return appendText(out, v), nil
	case json.Number:
		return appendNumber(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	}
	return append(out, "null"...), nil
}

func appendObject(out []byte, d *json.Decoder) ([]byte, error) {
	type member struct{ name, value []byte }
	var members []member
	at := map[string]int{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder takes nothing else here
		value, err := appendValue(nil, d)
		if err != nil {
			return nil, err
		}
		if i, twice := at[name]; twice { // the last one counts, where the first stood
			members[i].value = value
			continue
		}
		at[name] = len(members)
		members = append(members, member{appendText(nil, name), value})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, m.name...), ':'), m.value...)
	}
	return append(out, '}'), nil
}

func appendArray(out []byte, d *json.Decoder) ([]byte, error) {
	out = append(out, '[')
	for i := 0; d.More(); i++ {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, d); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	return append(out, ']'), nil
}

// appendNumber writes what a double of JavaScript prints: the shortest digits
// that read back the same, an exponent from 1e21 on and below 1e-6.
func appendNumber(out []byte, text json.Number) ([]byte, error) {
	x, err := text.Float64()
	if err != nil {
		return nil, fmt.Errorf("number %q: %w", text, err)
	}
	size := math.Abs(x)
	switch {
	case x == 0:
		return append(out, '0'), nil
	case size >= 1e21 || size < 1e-6:
		digits := strconv.AppendFloat(nil, x, 'e', -1, 64)
		return append(out, bareExponent(digits)...), nil
	}
	return strconv.AppendFloat(out, x, 'f', -1, 64), nil
}

// bareExponent turns Go's 1e-07 into JavaScript's 1e-7.
func bareExponent(digits []byte) []byte {
	i := bytes.IndexByte(digits, 'e') + 2
	if i < len(digits)-1 && digits[i] == '0' {
		return append(digits[:i], digits[i+1:]...)
	}
	return digits
}

func appendText(out []byte, text string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', byte(c))
		case c == '\b':
			out = append(out, `\b`...)
		case c == '\f':
			out = append(out, `\f`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c < ' ':
			out = append(out, `\u00`...)
			out = append(out, hex[c>>4], hex[c&15])
		default:
			out = utf8.AppendRune(out, c)
		}
	}
	return append(out, '"')
}
