package vigia

import (
	"fmt"
	"strings"
)

// SubjectKind tells what an action is about.
type SubjectKind uint8

// The three kinds of subject.
const (
	SubjectTrade SubjectKind = iota + 1
	SubjectCross
	SubjectAccount
)

// Subject is what an action is about: one isolated trade, the account's single
// cross position, or the account itself. It is comparable.
type Subject struct {
	Kind  SubjectKind
	Trade TradeID
}

// TradeSubject is about an isolated trade.
func TradeSubject(id TradeID) Subject { return Subject{Kind: SubjectTrade, Trade: id} }

// CrossSubject is about the account's cross position.
func CrossSubject() Subject { return Subject{Kind: SubjectCross} }

// AccountSubject is about the account itself.
func AccountSubject() Subject { return Subject{Kind: SubjectAccount} }

const tradePrefix = "trade:"

// String prints "trade:ID", "cross" or "account".
func (s Subject) String() string {
	switch s.Kind {
	case SubjectTrade:
		return tradePrefix + string(s.Trade)
	case SubjectCross:
		return "cross"
	case SubjectAccount:
		return "account"
	}
	return fmt.Sprintf("subject(%d)", s.Kind)
}

// ParseSubject reads what String prints.
func ParseSubject(text string) (Subject, error) {
	if id, ok := strings.CutPrefix(text, tradePrefix); ok && id != "" {
		return TradeSubject(TradeID(id)), nil
	}
	switch text {
	case "cross":
		return CrossSubject(), nil
	case "account":
		return AccountSubject(), nil
	}
	return Subject{}, fmt.Errorf("%q is not a subject: trade:ID, cross or account", text)
}

// MarshalText writes what String prints.
func (s Subject) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String prints.
func (s *Subject) UnmarshalText(text []byte) error {
	v, err := ParseSubject(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// Lane is one of the ways in which at most one call may be unsettled for a
// subject at a time. A close may start while a margin call is unknown.
type Lane string

// The lanes.
const (
	LaneMargin Lane = "margin"
	LaneClose  Lane = "close"
	LaneStop   Lane = "stop"
)
