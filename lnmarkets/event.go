package lnmarkets

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is what a Stream tells its reader: one of the types of this file.
type Event interface {
	// lane says how the event waits for a slow reader.
	lane() (lane, string)
}

// lane is how an event waits: state is always told, the newest of latest
// replaces those of the same name before it, kept is never dropped.
type lane uint8

const (
	laneState lane = iota
	laneLatest
	laneKept
)

// Connected says that a socket is up and, where there is a key, authenticated.
// Nothing is known to flow yet.
type Connected struct {
	At time.Time
	// Version is the protocol's; empty when the exchange did not answer hello.
	Version string
	// Permissions are the key's scopes; nil without a key.
	Permissions []string
}

// Proved says that the subscription works: its answer came, and so did data.
type Proved struct{ At time.Time }

// Gap says that what happened between From and To may never be told: read the
// exchange now. It comes right after the Proved of every socket but the first.
type Gap struct{ From, To time.Time }

// Confirmed says that a proved socket answered a ping that was sent At: the last
// price told before is the price of that moment.
type Confirmed struct {
	At        time.Time
	RoundTrip time.Duration
}

// Closed says that the socket is gone, or could not be made, and when the next
// is tried. Nothing is known to flow until the next Proved.
type Closed struct {
	At    time.Time
	Cause error
	// Attempt counts the sockets since the last that was proved, from 1.
	Attempt int
	// RetryIn is 0 when Run ends.
	RetryIn time.Duration
}

// Update is data of a topic, at its arrival.
type Update[T any] struct {
	At    time.Time
	Topic Topic
	Data  T
}

// Malformed is a notification that cannot be read. The socket stays up; for a
// private topic it means: read the exchange now.
type Malformed struct {
	At    time.Time
	Topic Topic
	Raw   []byte
	Cause error
}

func (Connected) lane() (lane, string) { return laneState, "" }
func (Proved) lane() (lane, string)    { return laneState, "" }
func (Gap) lane() (lane, string)       { return laneState, "" }
func (Closed) lane() (lane, string)    { return laneState, "" }
func (Confirmed) lane() (lane, string) { return laneLatest, "confirmed" }

func (u Update[T]) lane() (lane, string) {
	if u.Topic.Private() || u.Topic == TopicAnnouncements {
		return laneKept, ""
	}
	return laneLatest, string(u.Topic)
}

func (m Malformed) lane() (lane, string) {
	if m.Topic.Private() {
		return laneKept, ""
	}
	return laneLatest, "malformed"
}

// readUpdate turns a notification into its event. The error names the topic.
func readUpdate(raw json.RawMessage, at time.Time) (Event, Topic, error) {
	var s Subscription
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, "", fmt.Errorf("%w: not a notification: %w", ErrUnreadable, err)
	}
	event, err := updateOf(&s, at)
	if err != nil {
		return nil, s.Topic, fmt.Errorf("%w: topic %q: %w", ErrUnreadable, s.Topic, err)
	}
	return event, s.Topic, nil
}

func updateOf(s *Subscription, at time.Time) (Event, error) {
	switch s.Topic {
	case TopicLastPrice:
		return update(s, at, func(d *StreamLastPrice) error { return present("lastPrice", d.LastPrice != 0) })
	case TopicTicker:
		return update[StreamTicker](s, at, nil)
	case TopicIndex:
		return update[StreamIndex](s, at, nil)
	case TopicBuckets:
		return update[StreamBuckets](s, at, nil)
	case TopicFunding:
		return update[StreamFundingNow](s, at, nil)
	case TopicAnnouncements:
		return update[StreamAnnouncement](s, at, nil)
	case TopicIsolatedTrades:
		return update(s, at, func(d *StreamTrade) error { return present("trade.id", d.Trade.ID != "") })
	case TopicCrossOrders:
		return update[StreamCrossOrder](s, at, nil)
	case TopicCrossPosition:
		return update[StreamCrossPosition](s, at, nil)
	case TopicDeposit, TopicWithdrawal:
		return update[StreamTransfer](s, at, nil)
	}
	if _, ok := s.Topic.Candles(); ok {
		return update[StreamCandle](s, at, nil)
	}
	return nil, fmt.Errorf("it is not known")
}

func update[T any](s *Subscription, at time.Time, check func(*T) error) (Event, error) {
	u := Update[T]{At: at, Topic: s.Topic}
	if err := json.Unmarshal(s.Data, &u.Data); err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(&u.Data); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func present(field string, ok bool) error {
	if !ok {
		return fmt.Errorf("%s is missing", field)
	}
	return nil
}
