package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

// dayOf runs a schedule from start on with reads that take no time, and tells
// the seconds at which each was begun.
func dayOf(s *Schedule, seconds float64, failing func(Read) error) map[Read][]float64 {
	begun := map[Read][]float64{}
	for now := start; now.Before(at(seconds)); {
		read, wait := s.Next(now)
		if wait > 0 {
			now = now.Add(wait)
			continue
		}
		begun[read] = append(begun[read], now.Sub(start).Seconds())
		var err error
		if failing != nil {
			err = failing(read)
		}
		s.Done(read, err)
	}
	return begun
}

// longest is the longest time between two of the seconds, from 0 to the end.
func longest(seconds []float64, end float64) float64 {
	gap, last := 0.0, 0.0
	for _, second := range append(slices.Clone(seconds), end) {
		gap, last = max(gap, second-last), second
	}
	return gap
}

// How often an account is read follows from how near its worst trade is to
// liquidation.
func TestScheduleIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                    string
		risk                    Risk
		running, account, cross float64
	}{
		{"flat", Risk{}, 60, 60, 60},
		{"safe", Risk{Trades: 2, Nearest: 40_000}, 10, 10, 60},
		{"at ten percent", Risk{Trades: 1, Nearest: 10_000}, 10, 10, 60},
		{"at four percent", Risk{Trades: 1, Nearest: 4_000}, 4, 8, 60},
		{"at two percent", Risk{Trades: 1, Nearest: 2_000}, 2, 4, 60},
		{"at half a percent", Risk{Trades: 1, Nearest: 500}, 1, 2, 60},
		{"beyond liquidation", Risk{Trades: 1}, 1, 2, 60},
		{"cross only", Risk{Cross: true}, 60, 10, 10},
		{"cross beside a trade", Risk{Cross: true, Trades: 1, Nearest: 3_000}, 3, 6, 10},
		{"a call is unknown", Risk{Trades: 1, Nearest: 40_000, Unsettled: true}, 1, 2, 60},
		{"a call is unknown and the trade gone", Risk{Unsettled: true}, 1, 2, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := NewSchedule(ScheduleConfig{})
			s.Add(me, c.risk)
			begun := dayOf(s, 200, nil)
			for what, want := range []float64{c.running, c.account, c.cross} {
				got := longest(begun[Read{me, What(what)}], 200)
				if got < want-0.01 || got > want+1.01 {
					t.Errorf("%s is read up to %.2f s apart, want %v", What(what), got, want)
				}
			}
		})
	}
}

func TestScheduleWorstFirst(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add("flat", Risk{})
	s.Add("far", Risk{Trades: 1, Nearest: 30_000})
	s.Add("near", Risk{Trades: 1, Nearest: 1_000})
	s.Add("cross", Risk{Cross: true})
	s.Add("middle", Risk{Trades: 3, Nearest: 5_000})
	want := []vigia.AccountID{"near", "middle", "far", "cross", "flat"}
	if got := s.WorstFirst(); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	var order []vigia.AccountID
	for range want {
		read, _ := s.Next(start)
		order = append(order, read.Account)
		if read.What != ReadRunning {
			t.Errorf("%s is read first of %s", read.What, read.Account)
		}
	}
	if !slices.Equal(order, want) {
		t.Errorf("first read %v, want %v", order, want)
	}
}

// What is wanted comes ahead of what is due, at its time, and once.
func TestScheduleWanted(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{Every: 50 * time.Millisecond})
	for _, name := range []vigia.AccountID{"a", "b", "c"} {
		s.Add(name, Risk{})
	}
	dayOf(s, 30, nil)
	now := at(70) // all are overdue
	s.Want("c", ReadAccount, now)
	s.Want("b", ReadCross, now.Add(time.Second))
	s.Want("nobody", ReadCross, now)
	if read, wait := s.Next(now); wait != 0 || read != (Read{"c", ReadAccount}) {
		t.Errorf("first is %v in %s", read, wait)
	}
	var order []string
	for now := now; now.Before(at(75)); {
		read, wait := s.Next(now)
		if wait > 0 {
			now = now.Add(wait)
			continue
		}
		order = append(order, fmt.Sprint(read.Account, " ", read.What))
		s.Done(read, nil)
	}
	if got := strings.Join(order, ", "); strings.Count(got, "b cross") != 2 {
		t.Errorf("b's cross was overdue, and then wanted a second later: %s", got)
	}
}

func TestScheduleWantedAtOnce(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add("far", Risk{Trades: 1, Nearest: 30_000})
	s.Add("near", Risk{Trades: 1, Nearest: 3_000})
	dayOf(s, 5.5, nil)
	s.Want("far", ReadAccount, time.Time{})
	s.Want("near", ReadAccount, time.Time{})
	for _, want := range []vigia.AccountID{"near", "far"} {
		if read, wait := s.Next(at(6.5)); wait != 0 || read != (Read{want, ReadAccount}) {
			t.Errorf("%v in %s, want the account of %s at once", read, wait, want)
		}
	}
}

// A want that comes while the same read is under way is another read: the one
// under way may have been answered before.
func TestScheduleWantedWhileReading(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{KeyEvery: time.Millisecond})
	s.Add(me, Risk{Trades: 1, Nearest: 30_000})
	under, _ := s.Next(start)
	s.Want(me, under.What, at(0.1))
	for now := start; now.Before(at(1)); now = now.Add(10 * time.Millisecond) {
		if read, wait := s.Next(now); wait == 0 && read == under {
			t.Fatal("begun twice at a time")
		}
	}
	s.Done(under, nil)
	if read, wait := s.Next(at(1)); wait != 0 || read != under {
		t.Errorf("%v in %s, want %v at once", read, wait, under)
	}
}

func TestSchedulePaceOfAKey(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add(me, Risk{Trades: 1, Unsettled: true})
	var all []float64
	for _, begun := range dayOf(s, 60, func(read Read) error {
		s.Want(read.Account, read.What, start) // somebody cannot get enough
		return nil
	}) {
		all = append(all, begun...)
	}
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i]-all[i-1] < 0.349 {
			t.Fatalf("two reads with one key %.3f s apart", all[i]-all[i-1])
		}
	}
}

func TestScheduleFailures(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add("flat", Risk{})
	s.Add("near", Risk{Trades: 1, Nearest: 2_000})
	begun := dayOf(s, 200, func(Read) error { return errors.New("no route to host") })
	for read, want := range map[Read][]float64{
		{"flat", ReadRunning}: {0, 1, 3, 7, 15, 31, 63, 123},
		{"near", ReadRunning}: {0, 1, 3, 5, 7, 9, 11, 13},
	} {
		for i, second := range want {
			if got := begun[read][i]; got < second-0.01 || got > second+2 {
				t.Errorf("%v: attempt %d at %.2f s, want %v", read, i, got, second)
			}
		}
	}
}

// A key that is refused is tried again, more and more slowly, and at its pace
// again once it is taken.
func TestScheduleRefused(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add(me, Risk{Trades: 1, Nearest: 1_000})
	var tried []float64
	for now := start; now.Before(at(4000)); {
		read, wait := s.Next(now)
		if wait > 0 {
			now = now.Add(wait)
			continue
		}
		tried = append(tried, now.Sub(start).Minutes())
		s.Refused(read, now)
		s.Want(me, ReadRunning, now)
	}
	if want := []float64{0, 1, 3, 7, 15, 30, 45, 60}; !slices.Equal(tried, want) {
		t.Errorf("tried after minutes %v, want %v", tried, want)
	}
	read, _ := s.Next(at(4500))
	s.Done(read, nil)
	if _, wait := s.Next(at(4500.5)); wait != 0 {
		t.Errorf("after the key was taken the next read waits %s", wait)
	}
}

// The settlement moves liquidations without a tick: all positions are read at
// 00, 08 and 16 UTC and five minutes later.
func TestScheduleFunding(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{Period: time.Hour, Flat: 3 * time.Hour})
	s.Add("long", Risk{Trades: 1, Nearest: 50_000_000})
	s.Add("cross", Risk{Cross: true})
	s.Add("flat", Risk{})
	begun := dayOf(s, 5*3600, nil) // from 12:00 on
	for _, c := range []struct {
		read Read
		want bool
	}{
		{Read{"long", ReadRunning}, true}, {Read{"long", ReadAccount}, true}, {Read{"long", ReadCross}, false},
		{Read{"cross", ReadCross}, true}, {Read{"cross", ReadAccount}, true}, {Read{"flat", ReadRunning}, false},
	} {
		for _, moment := range []float64{4 * 3600, 4*3600 + 300} {
			got := slices.ContainsFunc(begun[c.read], func(second float64) bool { return second >= moment && second < moment+2 })
			if got != c.want {
				t.Errorf("%v is read at %v: %t, want %t", c.read, at(moment), got, c.want)
			}
		}
	}
}

func TestNextFunding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, want string }{
		{"2026-03-01T00:00:00Z", "2026-03-01T00:05:00Z"},
		{"2026-03-01T00:04:59Z", "2026-03-01T00:05:00Z"},
		{"2026-03-01T00:05:00Z", "2026-03-01T08:00:00Z"},
		{"2026-03-01T07:59:59Z", "2026-03-01T08:00:00Z"},
		{"2026-03-01T09:00:00+02:00", "2026-03-01T08:00:00Z"},
		{"2026-03-01T15:00:00Z", "2026-03-01T16:00:00Z"},
		{"2026-03-01T23:00:00Z", "2026-03-02T00:00:00Z"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := NextFunding(from).Format(time.RFC3339); got != c.want {
			t.Errorf("after %s: %s, want %s", c.from, got, c.want)
		}
	}
}

func TestScheduleClockSetBackOverFunding(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Next(start)
	if _, wait := s.Next(start.Add(-48 * time.Hour)); wait > 8*time.Hour {
		t.Errorf("waits %s for the next funding", wait)
	}
}

// However many there are and however tight the bound: nobody is left out, and
// nobody waits much longer than the whole takes.
func TestScheduleFairness(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.IntRange(20, 300).Draw(t, "every ms")) * time.Millisecond
		s := NewSchedule(ScheduleConfig{Every: every, Period: 4 * time.Second, Flat: 12 * time.Second})
		n := rapid.IntRange(1, 12).Draw(t, "accounts")
		load := 0.0 // reads that are due in a second
		for i := range n {
			risk := Risk{Trades: rapid.IntRange(0, 3).Draw(t, "trades"), Unsettled: rapid.IntRange(0, 9).Draw(t, "unsettled") == 0,
				Nearest: vigia.Percent(rapid.IntRange(0, 6_000).Draw(t, "nearest"))}
			s.Add(vigia.AccountID(fmt.Sprint(i)), risk)
			for what := range What(reads) {
				load += 1 / s.config.interval(what, risk).Seconds()
			}
		}
		end := 80.0
		begun := dayOf(s, end, nil)
		stretch := max(1, load*every.Seconds())
		for i := range n {
			account := vigia.AccountID(fmt.Sprint(i))
			for what := range What(reads) {
				interval := s.config.interval(what, s.accounts[account].risk).Seconds()
				// Late by what the bound makes it, and once through everything.
				most := interval*stretch + float64(reads*n)*every.Seconds() + 2
				if got := longest(begun[Read{account, what}], end); got > most {
					t.Fatalf("%s of %s was read %.1f s apart, want at most %.1f (interval %v, stretch %.2f)",
						what, account, got, most, interval, stretch)
				}
			}
		}
	})
}

func TestScheduleRemove(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add("a", Risk{})
	s.Add("b", Risk{})
	s.Add("b", Risk{Trades: 1}) // again: how it stands now
	read, _ := s.Next(start)
	if read.Account != "b" {
		t.Errorf("%s is first", read.Account)
	}
	s.Remove("b")
	s.Remove("b")
	s.Done(read, nil)
	s.SetRisk("b", Risk{})
	for now := start; now.Before(at(100)); now = now.Add(time.Second) {
		if read, wait := s.Next(now); wait == 0 && read.Account == "b" {
			t.Fatal("a removed account is read")
		}
	}
	if got := s.WorstFirst(); !slices.Equal(got, []vigia.AccountID{"a"}) {
		t.Errorf("left are %v", got)
	}
	<-s.Woken()
}

// A rise in danger brings the next read forward.
func TestScheduleRiskRises(t *testing.T) {
	t.Parallel()
	s := NewSchedule(ScheduleConfig{})
	s.Add(me, Risk{})
	dayOf(s, 5, nil)
	if _, wait := s.Next(at(5)); wait < 50*time.Second {
		t.Errorf("flat, and read again in %s", wait)
	}
	s.SetRisk(me, Risk{Trades: 1, Nearest: 2_000})
	if read, wait := s.Next(at(5)); wait != 0 || read.What != ReadRunning {
		t.Errorf("in danger, and %v waits %s", read, wait)
	}
}
