package paper

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// Outcome is what became of a write.
type Outcome string

// The outcomes. All but OutcomeExecuted and OutcomeWaiting mean that nothing was
// executed and nothing will be.
const (
	// OutcomeWaiting is being executed, or will be.
	OutcomeWaiting  Outcome = "waiting"
	OutcomeExecuted Outcome = "executed"
	// OutcomeRefused had an answer of the exchange: 400 or 403.
	OutcomeRefused Outcome = "refused"
	// OutcomeTooMany is a 429, OutcomeUnavailable the known 503.
	OutcomeTooMany     Outcome = "too_many_requests"
	OutcomeUnavailable Outcome = "unavailable"
	// OutcomeCut had its connection reset before execution.
	OutcomeCut Outcome = "cut"
	// OutcomeExpired was to be executed late, when its signature no longer
	// counted; OutcomeAbandoned when the server was closed.
	OutcomeExpired   Outcome = "expired"
	OutcomeAbandoned Outcome = "abandoned"
	// OutcomeFailed is a 500: the engine itself could not go on.
	OutcomeFailed Outcome = "failed"
)

// Request is one write that passed the signature check.
type Request struct {
	// Seq counts them from 1.
	Seq       uint64          `json:"seq"`
	Signature string          `json:"signature"`
	Account   vigia.AccountID `json:"account"`
	Call      string          `json:"call"`
	// Trade is what it is about, or what it opened; Amount what it adds, cashes
	// in, or opened with. Both are as asked for, whatever became of it.
	Trade  vigia.TradeID `json:"trade,omitempty"`
	Amount vigia.Sats    `json:"amount_sats,omitempty"`
	// The times are of the wall clock, but for SignedAt.
	SignedAt   time.Time `json:"signed_at"`
	ReceivedAt time.Time `json:"received_at"`
	// EndedAt is when it was executed, or found not to be; zero while waiting.
	EndedAt time.Time `json:"ended_at,omitzero"`
	Outcome Outcome   `json:"outcome"`
	// Fault is the one that struck it.
	Fault FaultKind `json:"fault,omitempty"`
	// Code and Message are of a refusal, whether the client got it or not.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// requestLog keeps the newest writes.
type requestLog struct {
	mu   sync.Mutex
	keep int
	seq  uint64
	rows []*Request
}

// logged is one row in the making; nil is a row of nothing, for reads.
type logged struct {
	log *requestLog
	row *Request
}

func (l *requestLog) add(q *request) *logged {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	row := &Request{
		Seq: l.seq, Signature: q.signature, Account: q.account.ID, Call: q.call.name,
		SignedAt: q.signedAt, ReceivedAt: q.received, Outcome: OutcomeWaiting,
	}
	row.Trade, row.Amount = q.subject()
	if len(l.rows) >= 2*l.keep {
		l.rows = slices.Clone(l.rows[len(l.rows)-l.keep:])
	}
	l.rows = append(l.rows, row)
	return &logged{log: l, row: row}
}

// subject is what a write says it is about, as far as it can be read: whether it
// is a call at all is seen later.
func (q *request) subject() (vigia.TradeID, vigia.Sats) {
	var in struct {
		ID     string     `json:"id"`
		Amount vigia.Sats `json:"amount"`
	}
	if len(q.body) == 0 {
		if query, err := url.ParseQuery(q.rawQuery); err == nil {
			in.ID = query.Get("id")
		}
	} else if err := json.Unmarshal(q.body, &in); err != nil {
		return "", 0
	}
	return vigia.TradeID(in.ID), in.Amount
}

func (l *logged) change(f func(*Request)) {
	if l == nil {
		return
	}
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	f(l.row)
}

func (l *logged) about(trade vigia.TradeID, amount vigia.Sats) {
	l.change(func(r *Request) { r.Trade, r.Amount = trade, amount })
}

func (l *logged) struck(kind FaultKind) {
	l.change(func(r *Request) { r.Fault = kind })
}

func (l *logged) end(outcome Outcome, at time.Time, err error) {
	l.change(func(r *Request) {
		r.Outcome, r.EndedAt = outcome, at.Round(0).UTC()
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			r.Code, r.Message = refusal.Code, refusal.Message
		}
	})
}

func outcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeExecuted
	}
	var refusal *Refusal
	switch {
	case !errors.As(err, &refusal):
		return OutcomeFailed
	case refusal.Status == http.StatusTooManyRequests:
		return OutcomeTooMany
	case refusal.Status == http.StatusServiceUnavailable:
		return OutcomeUnavailable
	}
	return OutcomeRefused
}

// Requests are the writes received after one with the number, oldest first; 0
// for all that are kept. Each is as it stands now.
func (s *Server) Requests(after uint64) []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	out := []Request{}
	for _, row := range s.log.rows {
		if row.Seq > after {
			out = append(out, *row)
		}
	}
	return out
}
