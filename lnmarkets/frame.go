package lnmarkets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The words of Stream v1, as reference section 6.1 has them: JSON-RPC 2.0 in
// text frames.

// The methods.
const (
	MethodHello          = "hello"
	MethodPing           = "ping"
	MethodTime           = "time"
	MethodAuthenticate   = "authenticate"
	MethodWhoami         = "whoami"
	MethodSubscribe      = "subscribe"
	MethodUnsubscribe    = "unsubscribe"
	MethodUnsubscribeAll = "unsubscribeAll"
	// MethodSubscription is the notification that carries data.
	MethodSubscription = "subscription"
)

// Topic is what is subscribed to.
type Topic string

// The topics. Those after TopicFunding, but for candles, need a key.
const (
	TopicAnnouncements  Topic = "announcements"
	TopicTicker         Topic = "futures/inverse/btc_usd/ticker"
	TopicLastPrice      Topic = "futures/inverse/btc_usd/lastPrice"
	TopicIndex          Topic = "futures/inverse/btc_usd/index"
	TopicBuckets        Topic = "futures/inverse/btc_usd/buckets"
	TopicFunding        Topic = "futures/inverse/btc_usd/funding"
	TopicIsolatedTrades Topic = "futures/inverse/btc_usd/isolated/trades"
	TopicCrossOrders    Topic = "futures/inverse/btc_usd/cross/orders"
	TopicCrossPosition  Topic = "futures/inverse/btc_usd/cross/position"
	TopicDeposit        Topic = "wallet/deposit"
	TopicWithdrawal     Topic = "wallet/withdrawal"

	candleTopic = "futures/inverse/btc_usd/ohlc/"
)

// TopicCandles carries the forming candle of a range.
func TopicCandles(length CandleRange) Topic { return candleTopic + Topic(length) }

// Candles is the range of a topic of candles; false for other topics.
func (t Topic) Candles() (CandleRange, bool) {
	length, ok := strings.CutPrefix(string(t), candleTopic)
	return CandleRange(length), ok && slices.Contains(CandleRanges(), CandleRange(length))
}

// Private says whether the topic needs a key.
func (t Topic) Private() bool {
	switch t {
	case TopicIsolatedTrades, TopicCrossOrders, TopicCrossPosition, TopicDeposit, TopicWithdrawal:
		return true
	}
	return false
}

// PrivateTopics lists those that need a key.
func PrivateTopics() []Topic {
	return []Topic{TopicIsolatedTrades, TopicCrossOrders, TopicCrossPosition, TopicDeposit, TopicWithdrawal}
}

// JSONRPC is the version in every frame.
const JSONRPC = "2.0"

// Frame is any message of the stream: a request has method and id, an answer id
// and result or error, a notification method and params.
type Frame struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      *string         `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *FrameError     `json:"error,omitempty"`
	// UsIn, UsOut and UsDiff are the server's microseconds.
	UsIn      Int         `json:"usIn,omitempty"`
	UsOut     Int         `json:"usOut,omitempty"`
	UsDiff    Int         `json:"usDiff,omitempty"`
	RateLimit *FrameLimit `json:"rateLimit,omitempty"`
}

// FrameError is the error of an answer; the exchange's own code is in Data.
type FrameError struct {
	Code    Int             `json:"code"`
	Message string          `json:"message"`
	Data    *FrameErrorData `json:"data,omitempty"`
}

// FrameErrorData holds the exchange's code.
type FrameErrorData struct {
	Code string `json:"code"`
}

// FrameLimit is how many messages the socket has left in this second.
type FrameLimit struct {
	Remaining Int `json:"remaining"`
	Limit     Int `json:"limit"`
}

// Subscription is the params of a notification.
type Subscription struct {
	Topic Topic           `json:"topic"`
	Data  json.RawMessage `json:"data"`
}

// HelloParams is the params of hello, HelloResult its answer.
type HelloParams struct {
	ClientName    string `json:"clientName"`
	ClientVersion string `json:"clientVersion"`
}

// HelloResult names the protocol's version.
type HelloResult struct {
	Version string `json:"version"`
}

// StreamTime is the answer of time.
type StreamTime struct {
	Time Millis `json:"time"`
}

// AuthenticateParams is the params of authenticate.
type AuthenticateParams struct {
	Key        string `json:"key"`
	Passphrase string `json:"passphrase"`
	Timestamp  Millis `json:"timestamp"`
	Nonce      string `json:"nonce"`
	Signature  string `json:"signature"`
}

// AuthenticateResult says what the key may do.
type AuthenticateResult struct {
	Authenticated bool     `json:"authenticated"`
	Permissions   []string `json:"permissions"`
}

// Whoami says whose key it is.
type Whoami struct {
	APIKey      string   `json:"apiKey"`
	UserID      string   `json:"userId"`
	Permissions []string `json:"permissions"`
}

// TopicList is the params of subscribe and unsubscribe.
type TopicList struct {
	Topics []Topic `json:"topics"`
}

// Subscribed is the answer of subscribe, Unsubscribed that of unsubscribe.
type Subscribed struct {
	Subscribed []Topic `json:"subscribed"`
}

// Unsubscribed is the answer of unsubscribe and unsubscribeAll.
type Unsubscribed struct {
	Unsubscribed []Topic `json:"unsubscribed"`
}

// readFrame reads one message and says what is wrong with one that is none.
func readFrame(raw []byte) (*Frame, error) {
	var f Frame
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%w: not a JSON-RPC message: %w", ErrUnreadable, err)
	}
	if f.JSONRPC != JSONRPC {
		return nil, fmt.Errorf("%w: its JSON-RPC version is %q", ErrUnreadable, f.JSONRPC)
	}
	if f.ID == nil && f.Method == "" && f.Error == nil {
		return nil, fmt.Errorf("%w: neither an answer nor a notification", ErrUnreadable)
	}
	return &f, nil
}
