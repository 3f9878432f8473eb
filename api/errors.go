package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vigiaguard/vigia"
)

// Problem is an error as a client gets it.
type Problem struct {
	Status  int        `json:"-"`
	Code    vigia.Code `json:"code" doc:"Stable; branch on it."`
	Message string     `json:"message" doc:"One sentence for people."`
	Field   string     `json:"field,omitempty" doc:"What was wrong, where one thing was."`
	Detail  []string   `json:"detail,omitempty" doc:"More of it, where there was more."`
	Help    string     `json:"help,omitempty" doc:"What to do next."`
}

// Error is the message.
func (p *Problem) Error() string { return p.Message }

// GetStatus is the status it is sent with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is plain JSON, whatever was asked for.
func (p *Problem) ContentType(string) string { return "application/json" }

// catalogue is every code and the status it is sent with. A code is added here or
// it does not leave the program.
var catalogue = map[vigia.Code]int{
	vigia.CodeInvalid:           http.StatusUnprocessableEntity,
	vigia.CodeNeedsConfirmation: http.StatusConflict,
	vigia.CodeNotFound:          http.StatusNotFound,
	vigia.CodeConflict:          http.StatusConflict,
	vigia.CodeForbidden:         http.StatusForbidden,
	vigia.CodeUnauthorized:      http.StatusUnauthorized,
	vigia.CodeUnavailable:       http.StatusServiceUnavailable,
	vigia.CodeLimit:             http.StatusConflict,
	codeInternal:                http.StatusInternalServerError,
	codeTooLarge:                http.StatusRequestEntityTooLarge,
	codeKeyRefused:              http.StatusUnprocessableEntity,
	codeWithdrawalScope:         http.StatusConflict,
}

const (
	codeInternal        vigia.Code = "internal"
	codeTooLarge        vigia.Code = "too_large"
	codeKeyRefused      vigia.Code = "key_refused"
	codeWithdrawalScope vigia.Code = "withdrawal_scope"
)

// problem is the one map from errors to answers. What it does not know is
// internal: the cause goes to the operator's log, not to the client.
func problem(err error) error {
	if err == nil {
		return nil
	}
	var public *vigia.Error
	if errors.As(err, &public) {
		status, known := catalogue[public.Code]
		if !known {
			return &Problem{Status: http.StatusInternalServerError, Code: codeInternal, Message: "something went wrong here; the log says what"}
		}
		return &Problem{Status: status, Code: public.Code, Message: public.Message, Field: public.Field, Help: public.Help}
	}
	switch {
	case errors.Is(err, vigia.ErrNotFound):
		return &Problem{Status: http.StatusNotFound, Code: vigia.CodeNotFound, Message: "there is no such thing, or it is not yours"}
	case errors.Is(err, vigia.ErrChanged):
		return &Problem{Status: http.StatusConflict, Code: vigia.CodeConflict, Message: "it was changed by somebody else meanwhile; read it again"}
	}
	return &Problem{Status: http.StatusInternalServerError, Code: codeInternal, Message: "something went wrong here; the log says what"}
}

// newError makes a problem of what the library refuses: bodies that are not JSON,
// fields that are not known, values of the wrong kind.
func (a *api) newError(status int, message string, errs ...error) huma.StatusError {
	p := &Problem{Status: status, Code: vigia.CodeInvalid, Message: message}
	switch status {
	case http.StatusUnauthorized:
		p.Code = vigia.CodeUnauthorized
	case http.StatusNotFound:
		p.Code = vigia.CodeNotFound
	case http.StatusRequestEntityTooLarge:
		p.Code = codeTooLarge
	case http.StatusInternalServerError:
		p.Code, p.Message = codeInternal, "something went wrong here; the log says what"
		return p
	}
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if !errors.As(err, &detail) {
			p.Detail = append(p.Detail, err.Error())
			continue
		}
		field := strings.TrimPrefix(strings.TrimPrefix(detail.Location, "body."), "body")
		text := field + ": " + detail.Message
		if strings.Contains(detail.Message, "unexpected property") {
			text = field + ": there is no such field" + a.nearest(field)
		}
		if p.Field == "" {
			p.Field, p.Message = field, text
		}
		p.Detail = append(p.Detail, text)
	}
	if len(p.Detail) == 1 && p.Field != "" {
		p.Detail = nil
	}
	return p
}

// nearest names the known field that a wrong one was probably meant to be.
func (a *api) nearest(field string) string {
	if i := strings.LastIndexByte(field, '.'); i >= 0 {
		field = field[i+1:]
	}
	best, most := "", 0
	for _, name := range a.names {
		if n := shared(name, field); n > most {
			best, most = name, n
		}
	}
	if 2*most <= len(field) || best == field {
		return ""
	}
	return "; did you mean " + best + "?"
}

// shared counts the pairs of letters two names have in common, less what one has
// alone.
func shared(a, b string) int {
	count := 0
	for i := 0; i+1 < len(a); i++ {
		if strings.Contains(b, a[i:i+2]) {
			count++
		}
	}
	return 2*count - max(len(a)-len(b), 0)
}

func fieldNames(r huma.Registry) []string {
	var out []string
	for _, schema := range r.Map() {
		for name := range schema.Properties {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}
