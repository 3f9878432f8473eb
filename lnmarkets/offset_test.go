package lnmarkets_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/vigiaguard/vigia/lnmarkets"
)

// timeServer answers /time with what the exchange's clock says half way through
// round trips of the given lengths.
func timeServer(clock *steeredClock, ahead time.Duration, trips ...time.Duration) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		trip := trips[min(next, len(trips)-1)]
		next++
		mu.Unlock()
		clock.Advance(trip / 2)
		raw, err := json.Marshal(lnmarkets.ServerTime{Time: lnmarkets.At(clock.Now().Add(ahead))})
		if err != nil {
			panic(err)
		}
		clock.Advance(trip - trip/2)
		answering(http.StatusOK, string(raw))(w, r)
	}
}

func TestOffsetIsMeasuredHalfWay(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	clock.hurry(t, 5*time.Second) // the public budget gives one token a second
	x := newExchange(t, timeServer(clock, -3*time.Second, 100*time.Millisecond, 400*time.Millisecond, 20*time.Millisecond))
	offset := lnmarkets.NewOffset(clock)
	told := make(chan lnmarkets.Measured, 1)
	offset.OnChange(func(m lnmarkets.Measured) { told <- m })
	m, err := newPublic(t, clock, x.URL).MeasureOffset(safety(t), offset, 3)
	if err != nil {
		t.Fatal(err)
	}
	if m.Ahead != -3*time.Second || m.RoundTrip == 0 || m.At.IsZero() || !m.Warn() {
		t.Errorf("measured %+v", m)
	}
	if got := <-told; got != m || offset.Last() != m {
		t.Errorf("told %+v, kept %+v", got, offset.Last())
	}
	if got, want := offset.Now(), clock.Now().Add(-3*time.Second); !got.Equal(want) {
		t.Errorf("the exchange's time is %s, want %s", got, want)
	}
	if came := x.requests(); len(came) != 3 {
		t.Errorf("asked %d times", len(came))
	}
	offset.Set(m)
	select {
	case again := <-told:
		t.Errorf("told %+v, which is no change", again)
	default:
	}
}

// One sample out of three that hung on one way does not decide.
func TestOffsetIsTheMedian(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	clock.hurry(t, 5*time.Second)
	times := []string{"00:00:00.500", "00:59:00.000", "00:00:01.900"}
	var answers []http.HandlerFunc
	for _, at := range times {
		answers = append(answers, answering(http.StatusOK, `{"time":"2026-01-01T`+at+`Z"}`))
	}
	x := newExchange(t, inTurn(answers...))
	m, err := newPublic(t, clock, x.URL).MeasureOffset(safety(t), lnmarkets.NewOffset(clock), 3)
	if err != nil || m.Ahead > 2*time.Second || m.Ahead < -2*time.Second || m.Warn() {
		t.Errorf("measured %+v, %v", m, err)
	}
}

func TestOffsetIsKeptWhenItCannotBeMeasured(t *testing.T) {
	t.Parallel()
	clock := newSteeredClock()
	clock.hurry(t, 5*time.Second)
	offset := lnmarkets.NewOffset(clock)
	offset.Set(lnmarkets.Measured{Ahead: time.Second, At: testStart})
	for _, answer := range []http.HandlerFunc{answering(500, ""), answering(200, "{}"), answering(200, "x")} {
		x := newExchange(t, answer)
		_, err := newPublic(t, clock, x.URL).MeasureOffset(safety(t), offset, 1)
		var failure *lnmarkets.Error
		if err == nil || !errors.As(err, &failure) && !errors.Is(err, lnmarkets.ErrUnreadable) {
			t.Errorf("got %v", err)
		}
	}
	if got := offset.Last().Ahead; got != time.Second {
		t.Errorf("the offset is %s", got)
	}
}
