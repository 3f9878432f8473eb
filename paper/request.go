package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// The codes the server refuses with, besides the engine's (reference 4.3).
const (
	CodeUnauthorized = "UNAUTHORIZED"
	CodeForbidden    = "FORBIDDEN"
	CodeNotFound     = "NOT_FOUND"
	CodeTooMany      = "TOO_MANY_REQUESTS"
	CodeInternal     = "INTERNAL_SERVER_ERROR"
)

func notFound() *Refusal {
	return &Refusal{Code: CodeNotFound, Message: "Not found", Status: http.StatusNotFound}
}

func unauthorized(message string) *Refusal {
	return &Refusal{Code: CodeUnauthorized, Message: message, Status: http.StatusUnauthorized}
}

func forbidden(scope string) *Refusal {
	return &Refusal{Code: CodeForbidden, Message: "The key lacks the scope " + scope, Status: http.StatusForbidden}
}

func tooMany() *Refusal {
	return &Refusal{Code: CodeTooMany, Message: "Too many requests", Status: http.StatusTooManyRequests}
}

// request is one call on its way through the server.
type request struct {
	server *Server
	call   *call
	// rawQuery is as it was sent; query is set once it was read.
	rawQuery    string
	query       url.Values
	contentType string
	body        []byte
	// received is by the wall clock, whatever the faults say.
	received time.Time

	// The rest is of signed calls. logged is nil for reads.
	account   AccountKey
	signedAt  time.Time
	signature string
	logged    *logged
}

func (s *Server) answerPublic(w http.ResponseWriter, r *http.Request, q *request) {
	if !s.public.take(addressOf(r), q.received) {
		s.refuse(w, tooMany())
		return
	}
	s.carryOut(w, r, q)
}

func (s *Server) answerSigned(w http.ResponseWriter, r *http.Request, q *request) {
	if err := s.authenticate(r, q); err != nil {
		// Guessing keys costs what public calls cost.
		if !s.public.take(addressOf(r), q.received) {
			err = tooMany()
		}
		s.refuse(w, err)
		return
	}
	if q.call.method != http.MethodGet {
		q.logged = s.log.add(q)
	}
	var err error
	switch {
	case !s.keys.take(q.account.Key, q.received):
		err = tooMany()
	case !has(q.account.Scopes, q.call.scope):
		err = forbidden(q.call.scope)
	default:
		s.carryOut(w, r, q)
		return
	}
	q.logged.end(outcomeOf(err), s.clock.Now(), err)
	s.refuse(w, err)
}

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func has(scopes []string, scope string) bool {
	for _, have := range scopes {
		if have == scope {
			return true
		}
	}
	return false
}

// carryOut lets the faults have their way and does what the call asks for.
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, q *request) {
	hit := s.faults.strike(q, s.stale.has(q))
	q.logged.struck(hit.kind)
	switch hit.kind {
	case FaultTooMany, FaultUnavailable, FaultReadsFail:
		err := unavailable()
		if hit.kind == FaultTooMany {
			err = tooMany()
		}
		q.logged.end(outcomeOf(err), s.clock.Now(), err)
		if s.pause(r.Context().Done(), hit.slow) {
			s.refuse(w, err)
		}
		return
	case FaultReset:
		q.logged.end(OutcomeCut, s.clock.Now(), nil)
		cut(w)
		return
	case FaultLate:
		s.executeLate(q, hit)
		s.lose(w, r, hit)
		return
	case FaultLost:
		_, _ = s.execute(q) // nobody learns of it; the log has the outcome
		s.lose(w, r, hit)
		return
	case FaultStaleRead:
		s.write(w, http.StatusOK, s.stale.older(q))
		return
	}
	body, err := s.execute(q)
	if !s.pause(r.Context().Done(), hit.slow) {
		return
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.stale.keep(q, body, s.faults.any(FaultStaleRead))
	s.write(w, http.StatusOK, body)
}

// execute does the call and gives the bytes of its answer.
func (s *Server) execute(q *request) ([]byte, error) {
	answer, err := q.answer()
	q.logged.end(outcomeOf(err), s.clock.Now(), err)
	if err != nil {
		return nil, err
	}
	return encoded(answer)
}

func (q *request) answer() (any, error) {
	if err := q.readQuery(); err != nil {
		return nil, err
	}
	if len(q.body) > 0 && (q.call.method == http.MethodGet || q.call.method == http.MethodDelete) {
		return nil, refuse("A %s carries no body", q.call.method)
	}
	return q.call.answer(q)
}

// encoded is an answer in the exchange's JSON.
func encoded(answer any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// executeLate does the call after the delay of a fault, if the signature's time
// still counts then.
func (s *Server) executeLate(q *request, hit strike) {
	began := s.start(func() {
		switch {
		case !s.pause(nil, hit.delay):
			q.logged.end(OutcomeAbandoned, s.clock.Now(), nil)
		case !hit.beyond && !s.inWindow(q.signedAt):
			q.logged.end(OutcomeExpired, s.clock.Now(), expired())
		default:
			_, _ = s.execute(q) // nobody learns of it; the log has the outcome
		}
	})
	if !began {
		q.logged.end(OutcomeAbandoned, s.clock.Now(), nil)
	}
}

// lose gives no answer: the connection is reset, or kept until the client has
// had enough.
func (s *Server) lose(w http.ResponseWriter, r *http.Request, hit strike) {
	if hit.hang {
		select {
		case <-r.Context().Done():
		case <-s.ended:
		}
	}
	cut(w)
}

// refuse answers an error: the exchange's words for a refusal, a 500 for what
// the engine could not do.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		refusal = &Refusal{Code: CodeInternal, Message: "Internal error", Status: http.StatusInternalServerError}
	}
	if refusal.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	body, err := encoded(lnmarkets.ErrorBody{Code: refusal.Code, Message: refusal.Message})
	if err != nil {
		cut(w)
		return
	}
	s.write(w, refusal.Status, body)
}

func (s *Server) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever has gone does not read it
}

// cut resets the connection without a word.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's way of giving up a connection
	}
	abort(conn)
}

func abort(conn net.Conn) {
	plain := conn
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		plain = secure.NetConn()
	}
	if tcp, ok := plain.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is a polite one
	}
	_ = plain.Close() // it is given up
}

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

// about notes in the log what a write opened.
func (q *request) about(trade vigia.TradeID, amount vigia.Sats) { q.logged.about(trade, amount) }
