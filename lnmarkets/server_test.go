package lnmarkets_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// independentHMAC signs in its own words, so that a test server does not check
// the SDK against itself.
func independentHMAC(secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(payload))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
