package paper

import (
	"crypto/hmac"
	"net/http"
	"strconv"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

func expired() *Refusal { return unauthorized("Timestamp is too far from the server's time") }

// authenticate finds whose call it is, or refuses it with 401 (reference 3).
func (s *Server) authenticate(r *http.Request, q *request) error {
	key, passphrase := r.Header.Get(lnmarkets.HeaderKey), r.Header.Get(lnmarkets.HeaderPassphrase)
	stamp, signature := r.Header.Get(lnmarkets.HeaderTimestamp), r.Header.Get(lnmarkets.HeaderSignature)
	if key == "" || passphrase == "" || stamp == "" || signature == "" {
		return unauthorized("Missing credentials")
	}
	account, err := s.keyed(key, passphrase)
	if err != nil {
		return err
	}
	ms, wrong := strconv.ParseInt(stamp, 10, 64)
	if wrong != nil {
		return unauthorized("Timestamp is not in milliseconds")
	}
	signedAt := time.UnixMilli(ms).UTC()
	if !s.inWindow(signedAt) {
		return expired()
	}
	if !s.signedBy(account.Secret, lnmarkets.Millis(ms), r, q.body, signature) {
		return unauthorized("Signature is not valid")
	}
	q.account, q.signedAt, q.signature = account, signedAt, signature
	return nil
}

// keyed is the account of a key and its passphrase.
func (s *Server) keyed(key, passphrase string) (AccountKey, error) {
	account, ok := s.engine.ByKey(key)
	if !ok {
		return AccountKey{}, unauthorized("Api key does not exist")
	}
	if !hmac.Equal([]byte(passphrase), []byte(account.Passphrase.Reveal())) {
		return AccountKey{}, unauthorized("Passphrase is not valid")
	}
	return account, nil
}

// inWindow says whether a signature of a time counts now.
func (s *Server) inWindow(signedAt time.Time) bool {
	return s.Now().Sub(signedAt).Abs() <= s.window
}

// signedBy checks the signature over what was sent, and over the body as
// JavaScript would write it; strict servers take the latter only.
func (s *Server) signedBy(secret vigia.Secret, stamp lnmarkets.Millis, r *http.Request, body []byte, signature string) bool {
	valid := func(data string) bool {
		want := lnmarkets.Signature(secret, stamp, r.Method, r.URL.EscapedPath(), data)
		return hmac.Equal([]byte(want), []byte(signature))
	}
	if len(body) == 0 {
		if r.URL.RawQuery == "" {
			return valid("")
		}
		return valid("?" + r.URL.RawQuery)
	}
	if !s.strict && valid(string(body)) {
		return true
	}
	compact, err := compactForm(body)
	return err == nil && valid(string(compact))
}
