package vigia

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// Identifiers are UUIDs in text: ours are version 7, so that they sort by the
// time they were made; a TradeID is the exchange's.
type (
	// UserID names an owner. LocalOwner exists before anybody signs up.
	UserID string
	// AccountID names an account of ours, not the exchange's.
	AccountID string
	// AutomationID names a rule.
	AutomationID string
	// ExecutionID names an execution and, with it, its reserve.
	ExecutionID string
	// TradeID is the exchange's id of an isolated trade.
	TradeID string
)

// LocalOwner owns everything until people can sign up.
const LocalOwner UserID = "01900000-0000-7000-8000-000000000001"

// NewID makes a UUID version 7 stamped with now.
func NewID(now time.Time) string {
	var id [16]byte
	// crypto/rand.Read never fails: it ends the program instead.
	_, _ = rand.Read(id[6:])
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// CheckID says whether text has the form of an identifier: 8-4-4-4-12 hex
// digits in lower case.
func CheckID(text string) error {
	if len(text) != 36 {
		return fmt.Errorf("%q is not an id: 36 characters like %s", text, LocalOwner)
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hexDigit := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if dash != (c == '-') || !dash && !hexDigit {
			return fmt.Errorf("%q is not an id: 36 characters like %s", text, LocalOwner)
		}
	}
	return nil
}
