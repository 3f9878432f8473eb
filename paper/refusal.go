package paper

import (
	"fmt"
	"net/http"

	"github.com/vigiaguard/vigia"
)

// Refusal is the exchange saying no: nothing was executed. Code and Message are
// what its API answers, Status is the HTTP status (reference 4.3).
type Refusal struct {
	Code    string
	Message string
	Status  int
	// Cause is the root's reason, where there is one.
	Cause error
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// The codes an engine refuses with.
const (
	CodeBadRequest  = "BAD_REQUEST"
	CodeUnavailable = "SERVICE_UNAVAILABLE"
)

func refuse(format string, args ...any) *Refusal {
	return &Refusal{Code: CodeBadRequest, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func refuseFor(cause error) *Refusal {
	return &Refusal{Code: CodeBadRequest, Message: cause.Error(), Status: http.StatusBadRequest, Cause: cause}
}

// notYours is the exchange's answer to an id it does not know as well as to one
// of somebody else.
func notYours() *Refusal { return refuse("You do not own this trade") }

func tooPoor(need, have vigia.Sats) *Refusal {
	return refuse("Insufficient balance: %d sats needed, %d available", need, have)
}

// unavailable is the known 503: nothing was executed, a retry is safe.
func unavailable() *Refusal {
	return &Refusal{
		Code: CodeUnavailable, Message: "Trading engine is temporarily unavailable",
		Status: http.StatusServiceUnavailable,
	}
}

// InvariantError is a fault of the program: something that must be equal, or
// not negative, was not. The engine that answered it does nothing any more.
type InvariantError struct {
	Op        string
	What      string
	Got, Want vigia.Sats
}

// Error names both sides.
func (e *InvariantError) Error() string {
	return fmt.Sprintf("paper: %s broke an invariant: %s is %d sats, must be %d", e.Op, e.What, e.Got, e.Want)
}
