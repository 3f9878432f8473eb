package vigia

import "errors"

// Code is the stable name of an error: scripts and screens branch on it.
type Code string

// The codes of errors that rules and documents refuse with; each surface adds
// its own.
const (
	CodeInvalid           Code = "invalid"
	CodeNeedsConfirmation Code = "needs_confirmation"
	CodeNotFound          Code = "not_found"
	CodeConflict          Code = "conflict"
	CodeForbidden         Code = "forbidden"
	CodeUnauthorized      Code = "unauthorized"
	CodeUnavailable       Code = "unavailable"
)

// Error has a message for people and a private cause for the operator. The
// message names what was wrong and what is allowed.
type Error struct {
	Code    Code
	Field   string
	Message string
	// Help says what to do next.
	Help  string
	Cause error
}

// Error is the field and the message; the cause stays private.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Invalid refuses a field.
func Invalid(field, message string) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: message}
}

// Sentinels that more than one package branches on.
var (
	// ErrNotFound says that no such row exists for this owner.
	ErrNotFound = errors.New("not found")
	// ErrFenced says that another process holds the shard now; nothing was
	// written.
	ErrFenced = errors.New("another process guards this shard now")
	// ErrClaimed says that the subject has an unsettled call in this lane.
	ErrClaimed = errors.New("an unsettled call holds this lane")
	// ErrChanged says that the row was changed by somebody else meanwhile.
	ErrChanged = errors.New("changed by somebody else meanwhile")
)
