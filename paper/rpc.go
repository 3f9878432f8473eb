package paper

import (
	"encoding/json"
	"time"

	"github.com/vigiaguard/vigia/lnmarkets"
)

// rpcError is an answer that refuses (reference 6.1).
type rpcError struct {
	code    int
	app     string
	message string
}

func badParams(message string) *rpcError { return &rpcError{-32602, "INVALID_PARAMS", message} }

func notAuthenticated(message string) *rpcError { return &rpcError{-32001, CodeUnauthorized, message} }

// rpcRequest is a message of a client, every part as it came.
type rpcRequest struct {
	JSONRPC json.RawMessage `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  json.RawMessage `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// rpcAnswer has its keys in every answer; the SDK's frame leaves out zeros.
type rpcAnswer struct {
	JSONRPC   string                `json:"jsonrpc"`
	ID        *string               `json:"id"`
	Result    any                   `json:"result,omitempty"`
	Error     *lnmarkets.FrameError `json:"error,omitempty"`
	UsIn      int64                 `json:"usIn"`
	UsOut     int64                 `json:"usOut"`
	UsDiff    int64                 `json:"usDiff"`
	RateLimit lnmarkets.FrameLimit  `json:"rateLimit"`
}

// done is what a method answers; then, when set, happens together with the
// answer: nothing that it leads to comes before it.
type done struct {
	result any
	then   func()
}

// method is one method of the stream.
type method struct {
	name   string
	answer func(*socket, json.RawMessage) (done, *rpcError)
}

// methods is all that the stream understands.
func methods() []method {
	return []method{
		{lnmarkets.MethodHello, taking(func(*socket, lnmarkets.HelloParams) (done, *rpcError) {
			return done{result: lnmarkets.HelloResult{Version: "1.0.0"}}, nil
		})},
		{lnmarkets.MethodPing, taking(func(*socket, struct{}) (done, *rpcError) {
			return done{result: "pong"}, nil
		})},
		{lnmarkets.MethodTime, taking(func(n *socket, _ struct{}) (done, *rpcError) {
			return done{result: lnmarkets.StreamTime{Time: lnmarkets.MillisOf(n.server.Now())}}, nil
		})},
		{lnmarkets.MethodAuthenticate, taking(func(n *socket, in lnmarkets.AuthenticateParams) (done, *rpcError) {
			result, err := n.authenticate(in)
			return done{result: result}, err
		})},
		{lnmarkets.MethodWhoami, taking(func(n *socket, _ struct{}) (done, *rpcError) {
			result, err := n.whoami()
			return done{result: result}, err
		})},
		{lnmarkets.MethodSubscribe, taking(func(n *socket, in lnmarkets.TopicList) (done, *rpcError) {
			if err := n.mayHear(in.Topics); err != nil {
				return done{}, err
			}
			return done{result: lnmarkets.Subscribed{Subscribed: in.Topics}, then: func() { n.hear(in.Topics) }}, nil
		})},
		{lnmarkets.MethodUnsubscribe, taking(func(n *socket, in lnmarkets.TopicList) (done, *rpcError) {
			return done{result: lnmarkets.Unsubscribed{Unsubscribed: n.unhear(in.Topics)}}, nil
		})},
		{lnmarkets.MethodUnsubscribeAll, taking(func(n *socket, _ struct{}) (done, *rpcError) {
			return done{result: lnmarkets.Unsubscribed{Unsubscribed: n.unhear(n.heard())}}, nil
		})},
	}
}

// taking is a method whose params are an object; none is an empty one.
func taking[T any](f func(*socket, T) (done, *rpcError)) func(*socket, json.RawMessage) (done, *rpcError) {
	return func(n *socket, params json.RawMessage) (done, *rpcError) {
		var in T
		if len(params) > 0 && string(params) != "null" {
			var err error
			if in, err = decodeBody[T](params); err != nil {
				return done{}, badParams(err.Error())
			}
		}
		return f(n, in)
	}
}

// handle answers one message.
func (n *socket) handle(text bool, message []byte) {
	in := n.server.Now()
	ok, left := n.allowed(n.server.clock.Now())
	a := &rpcAnswer{
		JSONRPC: lnmarkets.JSONRPC, UsIn: in.UnixMicro(),
		RateLimit: lnmarkets.FrameLimit{Remaining: lnmarkets.Int(left), Limit: messageRate},
	}
	name, params, err := readRequest(a, text, message)
	var out done
	switch {
	case !ok:
		err = &rpcError{-32029, CodeTooMany, "Too many messages"}
	case err == nil:
		out, err = n.call(name, params)
	}
	if err != nil {
		a.Error = &lnmarkets.FrameError{
			Code: lnmarkets.Int(err.code), Message: err.message, Data: &lnmarkets.FrameErrorData{Code: err.app},
		}
	} else {
		a.Result = out.result
	}
	n.reply(a, in, out.then)
}

func (n *socket) call(name string, params json.RawMessage) (done, *rpcError) {
	for _, m := range methods() {
		if m.name == name {
			return m.answer(n, params)
		}
	}
	return done{}, &rpcError{-32601, "METHOD_NOT_FOUND", "Unknown method " + name}
}

// reply queues an answer, and before anything else what comes with it.
func (n *socket) reply(a *rpcAnswer, in time.Time, then func()) {
	out := n.server.Now()
	a.UsOut, a.UsDiff = out.UnixMicro(), out.Sub(in).Microseconds()
	message := raw(a)
	mute := n.server.faults.mute(n.accountID())
	st := &n.server.stream
	st.mu.Lock()
	defer st.mu.Unlock()
	if !mute {
		n.put(message)
	}
	if then != nil {
		then()
	}
}

// readRequest takes a message apart; the answer gets its id, where it has one.
func readRequest(a *rpcAnswer, text bool, message []byte) (name string, params json.RawMessage, failure *rpcError) {
	if !text || !json.Valid(message) {
		return "", nil, &rpcError{-32700, "PARSE_ERROR", "The message is not JSON"}
	}
	notRequest := &rpcError{-32600, "INVALID_REQUEST", "The message is not a request: jsonrpc 2.0, a text as id, a method"}
	var q rpcRequest
	if err := json.Unmarshal(message, &q); err != nil {
		return "", nil, notRequest
	}
	var id, version string
	if err := json.Unmarshal(q.ID, &id); err == nil && string(q.ID) != "null" {
		a.ID = &id
	}
	errVersion, errName := json.Unmarshal(q.JSONRPC, &version), json.Unmarshal(q.Method, &name)
	if a.ID == nil || errVersion != nil || errName != nil || version != lnmarkets.JSONRPC || name == "" {
		return "", nil, notRequest
	}
	return name, q.Params, nil
}
