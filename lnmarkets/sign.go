package lnmarkets

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/vigiaguard/vigia"
)

// The headers of a signed request.
const (
	HeaderKey        = "lnm-access-key"
	HeaderPassphrase = "lnm-access-passphrase"
	HeaderTimestamp  = "lnm-access-timestamp"
	HeaderSignature  = "lnm-access-signature"
)

// Signature signs a REST request (reference 3.2): HMAC-SHA256 over timestamp,
// method in lower case, path from /v3 on, and the body, or else the query with
// its question mark; standard base64.
func Signature(secret vigia.Secret, timestamp Millis, method, path, data string) string {
	return sign(secret, strconv.FormatInt(int64(timestamp), 10)+strings.ToLower(method)+path+data)
}

// StreamSignature signs the authenticate call of the stream (reference 6.1).
func StreamSignature(secret vigia.Secret, timestamp Millis, nonce string) string {
	return sign(secret, strconv.FormatInt(int64(timestamp), 10)+nonce)
}

func sign(secret vigia.Secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(payload))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// newNonce is 16 random bytes in hex: what makes a stream signature valid once.
func newNonce() string {
	var random [16]byte
	// crypto/rand.Read never fails: it ends the program instead.
	_, _ = rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
