package lnmarkets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// StreamError is an answer of the stream that refuses.
type StreamError struct {
	Method string
	// Code is JSON-RPC's, App the exchange's own.
	Code    int
	App     string
	Message string
}

// Error names the method and what was answered.
func (e *StreamError) Error() string {
	return fmt.Sprintf("lnmarkets: stream %s: %d %s: %s", e.Method, e.Code, e.App, e.Message)
}

// Codes of stream errors (reference 6.1).
const (
	streamUnauthorized = -32001
	streamForbidden    = -32003
)

// KeyRefused says that the exchange does not accept the key.
func (e *StreamError) KeyRefused() bool {
	return e.Code == streamUnauthorized || e.Code == streamForbidden || e.App == "UNAUTHORIZED" || e.App == "FORBIDDEN"
}

// call sends a request and waits for its answer. The time is when it was sent.
func (n *session) call(ctx context.Context, method string, params, result any) (time.Time, error) {
	ctx, stop := within(ctx, n.clock, n.stream.o.AnswerWithin)
	defer stop()
	if err := n.budget.Take(ctx, PriorityAction); err != nil {
		return time.Time{}, fmt.Errorf("lnmarkets: stream %s: %w", method, err)
	}
	id, answers := n.expect()
	defer n.forget(id)
	raw, err := requestFrame(id, method, params)
	if err != nil {
		return time.Time{}, err
	}
	sent := n.clock.Now()
	if err := n.conn.Write(ctx, websocket.MessageText, raw); err != nil {
		return sent, fmt.Errorf("lnmarkets: stream %s: %w", method, errors.Join(causeOf(ctx), err))
	}
	select {
	case frame := <-answers:
		return sent, n.settle(method, frame, result)
	case <-ctx.Done():
		return sent, fmt.Errorf("lnmarkets: stream %s: %w", method, context.Cause(ctx))
	}
}

func requestFrame(id, method string, params any) ([]byte, error) {
	frame := Frame{JSONRPC: JSONRPC, ID: &id, Method: method}
	if params != nil {
		raw, err := compact(params)
		if err != nil {
			return nil, err
		}
		frame.Params = raw
	}
	return compact(frame)
}

func (n *session) settle(method string, frame *Frame, result any) error {
	if frame.RateLimit != nil {
		n.budget.Observe(int(frame.RateLimit.Remaining), time.Second)
	}
	if e := frame.Error; e != nil {
		refused := &StreamError{Method: method, Code: int(e.Code), Message: e.Message}
		if e.Data != nil {
			refused.App = e.Data.Code
		}
		return refused
	}
	if err := json.Unmarshal(frame.Result, result); err != nil {
		return fmt.Errorf("lnmarkets: stream %s: %w: %w", method, ErrUnreadable, err)
	}
	return nil
}

func (n *session) expect() (string, <-chan *Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	id, answers := strconv.Itoa(n.calls), make(chan *Frame, 1)
	n.pending[id] = answers
	return id, answers
}

func (n *session) forget(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pending, id)
}

// read hands on what comes until the socket ends; it never waits for anybody
// else. The error is why it ended.
func (n *session) read(ctx context.Context) error {
	for {
		kind, raw, err := n.conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("lnmarkets: reading the stream: %w", err)
		}
		if kind != websocket.MessageText {
			return fmt.Errorf("%w: a binary message", ErrUnreadable)
		}
		frame, err := readFrame(raw)
		if err != nil {
			return err
		}
		if err := n.receive(frame, raw); err != nil {
			return err
		}
	}
}

func (n *session) receive(frame *Frame, raw []byte) error {
	at := n.clock.Now()
	switch {
	case frame.ID != nil:
		n.answer(*frame.ID, frame)
	case frame.Error != nil:
		return fmt.Errorf("%w: the exchange could not read a message of ours: %d %s", ErrUnreadable, frame.Error.Code, frame.Error.Message)
	case frame.Method != MethodSubscription:
		return n.box.put(Malformed{At: at, Raw: raw, Cause: fmt.Errorf("%w: notification %q", ErrUnreadable, frame.Method)})
	default:
		event, topic, err := readUpdate(frame.Params, at)
		if err != nil {
			event = Malformed{At: at, Topic: topic, Raw: raw, Cause: err}
		}
		if full := n.box.put(event); full != nil {
			n.stream.lose(at)
			return full
		}
		if err == nil && topic == n.stream.o.Prove {
			n.sawData()
		}
	}
	if n.proved() {
		n.stream.hear(at)
	}
	return nil
}

// answer wakes who waits for it; a late one has nobody left to wake.
func (n *session) answer(id string, frame *Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if answers, ok := n.pending[id]; ok {
		delete(n.pending, id)
		answers <- frame
	}
}

func (n *session) sawData() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.gotData {
		n.gotData = true
		close(n.data)
	}
}

func (s *Stream) hear(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = at
}

// lose marks the beginning of a gap where nothing was heard before.
func (s *Stream) lose(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard.IsZero() {
		s.heard = at
	}
}
