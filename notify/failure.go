package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"
)

// The kinds of SendError.
var (
	// ErrTimeout says that no answer came in time; the message may have arrived.
	ErrTimeout = errors.New("no answer came in time")
	// ErrUnreachable says that there was no connection.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrCertificate says that the server could not show who it is.
	ErrCertificate = errors.New("the server's certificate is not good")
	// ErrRefused says that the server did not take the message.
	ErrRefused = errors.New("the server did not take it")
	// ErrStuck says that earlier sends still hang, and nothing was tried.
	ErrStuck = errors.New("earlier messages still hang")
	// ErrUndelivered says that it failed in a way we have no name for.
	ErrUndelivered = errors.New("it could not be sent")
)

// SendError is why a channel did not deliver. It holds nothing of the channel's
// address, nor of what the server wrote.
type SendError struct {
	// Channel is the kind of channel, as in the scheme of its URL.
	Channel string
	// Kind is one of the errors above.
	Kind error
	// Status is the server's answer, of HTTP or SMTP; 0 where there is none.
	Status int
	// RetryAfter is how long the server asks to be left alone; mostly 0.
	RetryAfter time.Duration
}

// Error names the channel and the kind.
func (e *SendError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s: %v", e.Channel, e.Kind)
	}
	return fmt.Sprintf("%s: %v (it answered %d)", e.Channel, e.Kind, e.Status)
}

// Unwrap gives the kind; the cause is left behind, with what it quotes.
func (e *SendError) Unwrap() error { return e.Kind }

// asSendError keeps of an error only what may be shown.
func asSendError(channel string, err error) *SendError {
	var ours *SendError
	if errors.As(err, &ours) {
		return ours
	}
	out := &SendError{Channel: channel, Kind: kindOf(err), Status: statusOf(err)}
	if out.Status != 0 {
		out.Kind = ErrRefused
	}
	return out
}

func kindOf(err error) error {
	var (
		timeout     interface{ Timeout() bool }
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		dns         *net.DNSError
		network     *net.OpError
	)
	switch {
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, router.ErrServiceTimeout):
		return ErrTimeout
	case errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.As(err, &certificate), errors.As(err, &authority):
		return ErrCertificate
	case errors.As(err, &dns), errors.As(err, &network):
		return ErrUnreachable
	}
	return kindOfText(err.Error())
}

// kindOfText reads the errors whose chain the library has cut: the text is all
// that is left of them.
func kindOfText(text string) error {
	for _, known := range []struct {
		kind  error
		parts []string
	}{
		{ErrCertificate, []string{"x509:", "tls: failed to verify"}},
		{ErrTimeout, []string{"deadline exceeded", "i/o timeout", "Client.Timeout"}},
		{ErrUnreachable, []string{"connection refused", "no such host", "unreachable", "connection reset", "EOF", "dial tcp"}},
	} {
		for _, part := range known.parts {
			if strings.Contains(text, part) {
				return known.kind
			}
		}
	}
	return ErrUndelivered
}

var statusText = regexp.MustCompile(`(?i)(?:status|code|http|failed|answered)[^0-9/]{0,16}([45]\d\d)\b`)

func statusOf(err error) int {
	var (
		web  jsonclient.Error
		mail *textproto.Error
	)
	switch {
	case errors.As(err, &web):
		return web.StatusCode
	case errors.As(err, &mail):
		return mail.Code
	}
	if found := statusText.FindStringSubmatch(err.Error()); found != nil {
		status, _ := strconv.Atoi(found[1]) // three digits
		return status
	}
	return 0
}
