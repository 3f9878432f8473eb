package paper

import (
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/vigiaguard/vigia"
)

// FaultKind is one way in which the exchange misbehaves.
type FaultKind string

// The kinds. Those of calls strike a call that passed signature, rate and scope.
const (
	// FaultTooMany answers 429, FaultUnavailable the known 503; neither executes.
	FaultTooMany     FaultKind = "too_many_requests"
	FaultUnavailable FaultKind = "unavailable"
	// FaultReadsFail answers every signed read with 503, while writes work.
	FaultReadsFail FaultKind = "reads_fail"
	// FaultSlow executes at once and answers after Delay.
	FaultSlow FaultKind = "slow"
	// FaultReset resets the connection and does not execute.
	FaultReset FaultKind = "reset"
	// FaultLost executes and gives no answer.
	FaultLost FaultKind = "answer_lost"
	// FaultLate gives no answer and executes after Delay, if the signature's
	// time still counts then, or whenever BeyondWindow says so.
	FaultLate FaultKind = "answer_lost_executed_late"
	// FaultStaleRead answers a read with what was answered before the newest,
	// once there are two different answers.
	FaultStaleRead FaultKind = "stale_read"
	// FaultStalePrice lets the stream repeat the prices of when it was set.
	FaultStalePrice FaultKind = "stale_price"
	// FaultStreamDrop breaks sockets: those that are open when it is set, new
	// ones at the handshake, and with a chance each time data is sent.
	FaultStreamDrop FaultKind = "stream_drop"
	// FaultStreamSilent keeps sockets open and sends no data; with Pings they
	// still answer what they are asked, otherwise nothing, protocol pings
	// included.
	FaultStreamSilent FaultKind = "stream_silent"
	// FaultClockOff moves the server's time by Shift.
	FaultClockOff FaultKind = "clock_off"
)

// AllReads and AllWrites are what Fault.Call may be instead of a call's name.
const (
	AllReads  = "reads"
	AllWrites = "writes"
)

// Fault is one switch. Several may be on; of those that end a call the first
// that strikes does, in the order in which they were set, and delays add up.
type Fault struct {
	// ID is given when it is set.
	ID   int       `json:"id"`
	Kind FaultKind `json:"kind"`
	// Call is a call's name, AllReads or AllWrites; every call when empty.
	Call string `json:"call,omitempty"`
	// Account is whose calls and sockets; everybody's when empty.
	Account vigia.AccountID `json:"account,omitempty"`
	// Chance is how often it strikes where it could; always when 0. Which of
	// them follows from the server's seed, the ID and their number.
	Chance vigia.Percent `json:"chance_pct,omitempty"`
	// Count is after how many strikes it is over; never when 0.
	Count int `json:"count,omitempty"`
	// Delay is of FaultSlow and FaultLate, Shift of FaultClockOff.
	Delay time.Duration `json:"-"`
	Shift time.Duration `json:"-"`
	// Hang leaves the client of FaultLost and FaultLate without an answer until
	// it gives up, instead of resetting its connection.
	Hang         bool `json:"hang,omitempty"`
	BeyondWindow bool `json:"beyond_window,omitempty"`
	Pings        bool `json:"pings,omitempty"`
	// Struck counts its strikes; it is not read when the fault is set.
	Struck int `json:"struck"`
}

// Check refuses a fault that cannot be.
func (f *Fault) Check() error {
	if !slices.Contains(faultKinds(), f.Kind) {
		return vigia.Invalid("kind", fmt.Sprintf("got %q; it takes one of %v", f.Kind, faultKinds()))
	}
	named := slices.ContainsFunc(calls(), func(c call) bool { return c.name == f.Call })
	switch {
	case f.Call != "" && f.Call != AllReads && f.Call != AllWrites && !named:
		return vigia.Invalid("call", fmt.Sprintf("got %q; it takes the name of a call, %s or %s", f.Call, AllReads, AllWrites))
	case f.Chance < 0 || f.Chance > vigia.HundredPercent:
		return vigia.Invalid("chance_pct", fmt.Sprintf("got %s; it takes 0 (always) to 100", f.Chance))
	case f.Count < 0:
		return vigia.Invalid("count", fmt.Sprintf("got %d; it takes 0 (no end) or more", f.Count))
	case (f.Kind == FaultSlow || f.Kind == FaultLate) && f.Delay <= 0:
		return vigia.Invalid("delay", fmt.Sprintf("got %s; %s takes a time", f.Delay, f.Kind))
	case f.Kind == FaultClockOff && f.Shift == 0:
		return vigia.Invalid("shift", "got 0; a clock that is off takes a time, before or after")
	case f.Kind == FaultClockOff && (f.Account != "" || f.Call != ""):
		return vigia.Invalid("account", "the server has one clock for all accounts and calls")
	}
	return nil
}

func faultKinds() []FaultKind {
	return []FaultKind{
		FaultTooMany, FaultUnavailable, FaultReadsFail, FaultSlow, FaultReset, FaultLost, FaultLate, FaultStaleRead,
		FaultStalePrice, FaultStreamDrop, FaultStreamSilent, FaultClockOff,
	}
}

// faults are the switches that are on.
type faults struct {
	seed uint64

	mu   sync.Mutex
	made int
	on   []*activeFault
}

type activeFault struct {
	Fault
	// met counts where it could have struck.
	met uint64
	// price is what the stream repeats.
	price Ticker
}

// strike is what the faults do to one call; the zero one is nothing.
type strike struct {
	kind         FaultKind
	slow, delay  time.Duration
	hang, beyond bool
}

// SetFault switches a fault on and gives its ID.
func (s *Server) SetFault(f Fault) (int, error) {
	if err := f.Check(); err != nil {
		return 0, err
	}
	s.faults.mu.Lock()
	s.faults.made++
	f.ID, f.Struck = s.faults.made, 0
	active := &activeFault{Fault: f}
	if f.Kind == FaultStalePrice {
		active.price = s.engine.Ticker()
	}
	s.faults.on = append(s.faults.on, active)
	s.faults.mu.Unlock()
	if f.Kind == FaultStreamDrop && f.Chance == 0 {
		s.stream.dropAll()
	}
	return f.ID, nil
}

// ClearFault switches a fault off; false when there is none of this ID.
func (s *Server) ClearFault(id int) bool {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	before := len(s.faults.on)
	s.faults.on = slices.DeleteFunc(s.faults.on, func(f *activeFault) bool { return f.ID == id })
	return len(s.faults.on) < before
}

// ClearFaults switches everything off.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.on = nil
}

// Faults lists what was switched on, those that are over included.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	out := make([]Fault, len(s.faults.on))
	for i, f := range s.faults.on {
		out[i] = f.Fault
	}
	return out
}

// strike says what happens to a call. stale says whether there is an older
// answer to give.
func (f *faults) strike(q *request, stale bool) strike {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out strike
	for _, a := range f.on {
		if !a.concerns(q) || a.Kind == FaultStaleRead && !stale || !f.hits(a) {
			continue
		}
		if a.Kind == FaultSlow {
			out.kind, out.slow = a.Kind, out.slow+a.Delay
			continue
		}
		out.kind, out.delay, out.hang, out.beyond = a.Kind, a.Delay, a.Hang, a.BeyondWindow
		break
	}
	return out
}

// concerns says whether a fault is one of calls, and of this one.
func (a *activeFault) concerns(q *request) bool {
	read, signed := q.call.method == http.MethodGet, q.call.scope != ""
	switch a.Kind {
	case FaultTooMany, FaultUnavailable, FaultSlow, FaultReset, FaultLost:
	case FaultReadsFail, FaultStaleRead:
		if !read || !signed {
			return false
		}
	case FaultLate:
		if !signed {
			return false
		}
	default:
		return false
	}
	if a.Account != "" && a.Account != q.account.ID {
		return false
	}
	return a.Call == "" || a.Call == q.call.name || a.Call == AllReads && read || a.Call == AllWrites && !read
}

// hits draws whether a fault strikes where it could, and counts it. The lock is
// held.
func (f *faults) hits(a *activeFault) bool {
	if a.Count > 0 && a.Struck >= a.Count {
		return false
	}
	a.met++
	if a.Chance > 0 {
		draw := mathrand.New(mathrand.NewPCG(f.seed^uint64(a.ID)<<32, a.met))
		if vigia.Percent(draw.Int64N(int64(vigia.HundredPercent))) >= a.Chance {
			return false
		}
	}
	a.Struck++
	return true
}

// any says whether a fault of a kind is on.
func (f *faults) any(kind FaultKind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.on, func(a *activeFault) bool { return a.Kind == kind && !a.over() })
}

func (a *activeFault) over() bool { return a.Count > 0 && a.Struck >= a.Count }

// shift is how far the server's clock is off.
func (f *faults) shift() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := time.Duration(0)
	for _, a := range f.on {
		if a.Kind == FaultClockOff {
			sum += a.Shift
		}
	}
	return sum
}

// staleReads remembers, while a fault wants it, the last two different answers
// of each account's reads.
type staleReads struct {
	mu   sync.Mutex
	kept map[string][2][]byte
}

func (r *staleReads) name(q *request) string {
	return string(q.account.ID) + " " + q.call.name + "?" + q.rawQuery
}

// keep notes an answer that is about to be given.
func (r *staleReads) keep(q *request, body []byte, wanted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !wanted {
		r.kept = nil
		return
	}
	if q.call.method != http.MethodGet || q.call.scope == "" {
		return
	}
	if r.kept == nil {
		r.kept = map[string][2][]byte{}
	}
	last := r.kept[r.name(q)]
	if string(last[1]) != string(body) {
		r.kept[r.name(q)] = [2][]byte{last[1], body}
	}
}

// has says whether an older answer than the newest is known.
func (r *staleReads) has(q *request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept[r.name(q)][0] != nil
}

func (r *staleReads) older(q *request) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept[r.name(q)][0]
}
