package lnmarkets

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// Codes of the exchange that are known (reference 4.3). They are passed on, and
// nothing but the outcome is decided by them.
const (
	CodeUnavailable = "SERVICE_UNAVAILABLE"
	CodeTooMany     = "TOO_MANY_REQUESTS"
)

// Causes that a caller may look for with errors.Is.
var (
	// ErrNoAnswer says that a time-out of this package passed.
	ErrNoAnswer = errors.New("no answer within the time-out")
	// ErrUnreadable says that the answer came and could not be understood.
	ErrUnreadable = errors.New("the answer cannot be read")
)

// Error is a call that was not done, or of which it is not known.
type Error struct {
	Call Call
	// Outcome is CallRefused, CallUnsent or CallUnknown; when the call was tried
	// more than once, it is what holds for all attempts together.
	Outcome vigia.CallOutcome
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Code and Message are the exchange's. Never branch on Message.
	Code    string
	Message string
	// Raw is the body as it came.
	Raw []byte
	// RetryAfter is the wait the exchange asked for, 0 when it asked for none.
	RetryAfter time.Duration
	// AfterUnknown says that an earlier attempt of the same call was not
	// answered: a refusal then means done or gone.
	AfterUnknown bool
	// Cause is set when there was no answer, or none that could be read.
	Cause error
}

// Error names the call, and what was answered or why nothing was.
func (e *Error) Error() string {
	text := "lnmarkets: " + e.Call.Name + ": "
	switch {
	case e.Status == 0:
		return text + fmt.Sprintf("no answer: %v", e.Cause)
	case e.Code != "" || e.Message != "":
		return text + strings.TrimRight(fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message), ": ")
	case e.Cause != nil:
		return text + fmt.Sprintf("%d: %v", e.Status, e.Cause)
	}
	return text + fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KeyRefused says that the exchange does not accept the key at all.
func (e *Error) KeyRefused() bool { return e.Status == http.StatusUnauthorized }

// ScopeMissing says that the key may not make this call.
func (e *Error) ScopeMissing() bool { return e.Status == http.StatusForbidden }

// judge turns an answer that came into nothing, when it says done, or into the
// error it is. now is read for a Retry-After that is a date.
func judge(call Call, a *answer, now time.Time) *Error {
	if a.status >= 200 && a.status < 300 {
		if a.cut == nil {
			return nil
		}
		return &Error{Call: call, Status: a.status, Raw: a.body, Cause: a.cut}
	}
	failure := &Error{Call: call, Status: a.status, Raw: a.body, Cause: a.cut}
	body, parsed := readErrorBody(a.body)
	failure.Code, failure.Message = body.Code, body.Message
	switch {
	case a.status == http.StatusTooManyRequests:
		failure.Outcome = vigia.CallUnsent
		failure.RetryAfter = retryAfter(a.header.Get("Retry-After"), now)
	case a.status == http.StatusServiceUnavailable && engineDown(body):
		failure.Outcome = vigia.CallUnsent
		failure.RetryAfter = retryAfter(a.header.Get("Retry-After"), now)
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		// Whoever answers this, the exchange or what stands before it, did not
		// let the request through.
		failure.Outcome = vigia.CallRefused
	case a.status == http.StatusRequestTimeout:
		// A gateway may say this of a request that it has passed on.
		failure.Outcome = vigia.CallUnknown
	case a.status >= 400 && a.status < 500 && parsed:
		failure.Outcome = vigia.CallRefused
	}
	if failure.Outcome == vigia.CallUnknown && !parsed && failure.Cause == nil {
		failure.Cause = fmt.Errorf("%w: status %d without an error body", ErrUnreadable, a.status)
	}
	return failure
}

// engineDown recognises the one 503 that is documented to have executed nothing.
// It is the only place that looks at a message: the code alone is also what a
// gateway answers for a request that may have gone through.
func engineDown(body ErrorBody) bool {
	return body.Code == CodeUnavailable && strings.Contains(body.Message, "Trading engine is temporarily unavailable")
}

// readErrorBody says whether the body is one that the exchange writes when it
// refuses: an object with a code or a message.
func readErrorBody(raw []byte) (ErrorBody, bool) {
	var body ErrorBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return ErrorBody{}, false
	}
	return body, body.Code != "" || body.Message != ""
}

// The wait after a 429 that names none, and the longest that is believed: a
// mistake in a header must not stop a guard for a day.
const (
	defaultRetryAfter = time.Second
	longestRetryAfter = 10 * time.Minute
)

// retryAfter reads seconds or a date; what cannot be read is the default.
func retryAfter(header string, now time.Time) time.Duration {
	wait := defaultRetryAfter
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		wait = time.Duration(min(seconds, int64(longestRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, longestRetryAfter))
}
