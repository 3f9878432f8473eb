package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

func TestOneIncidentIsOneMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 13 {
		s.tell(blind(fmt.Sprint(i)))
	}
	s.run(t)
	s.expect(t, "Blind: no fresh price")
	if got := s.cursor(); got != 1 {
		t.Errorf("delivered up to %d while 12 wait to be said", got)
	}
	s.advance(t, 5*time.Minute-1)
	s.expect(t)
	s.advance(t, 1)
	s.expect(t, "Blind: no fresh price +11")
	if got := s.cursor(); got != 13 {
		t.Errorf("delivered up to %d, want all 13", got)
	}
}

func TestTheEndOfAnIncidentIsAnother(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tell(blind("1"), vigia.Event{Kind: vigia.EventSighted, Level: vigia.LevelInfo, Incident: "feed"})
	s.run(t)
	s.expect(t, "Blind: no fresh price", "Prices are back")
}

func TestRepeatsOfOneTradeAreGathered(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tell(rescued("one"), rescued("one"), rescued("two"), rescued("one"))
	s.run(t)
	s.expect(t, "Rescued: trade on one", "Rescued: trade on two")
	s.advance(t, 5*time.Minute)
	s.expect(t, "Rescued: trade on one +1")
	s.tell(rescued("one"))
	s.expect(t) // said again just now
	s.advance(t, 5*time.Minute)
	s.expect(t, "Rescued: trade on one")
	s.advance(t, 10*time.Minute)
	s.tell(rescued("one"))
	s.expect(t, "Rescued: trade on one") // quiet was over
}

func TestAWorseLevelBreaksThrough(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	worse := rescued("one")
	worse.Level = vigia.LevelCritical
	s.tell(rescued("one"), rescued("one"), worse, rescued("one"), worse)
	s.run(t)
	s.expect(t, "Rescued: trade on one", "Rescued: trade on one")
	s.advance(t, 5*time.Minute)
	s.expect(t, "Rescued: trade on one +2")
}

func TestTheLatestOfTheWorstSpeaksForAll(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	detail := func(level vigia.Level, text string) vigia.Event {
		e := rescued("one")
		e.Level, e.Facts.AccountLabel = level, text
		return e
	}
	s.tell(detail(vigia.LevelCritical, "first"), detail(vigia.LevelWarning, "mild"), detail(vigia.LevelCritical, "grave"), detail(vigia.LevelInfo, "milder"))
	s.run(t)
	s.expect(t, "Rescued: trade on first")
	s.advance(t, 5*time.Minute)
	s.expect(t, "Rescued: trade on grave +2")
}

func TestTheMostOfAWindow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.policy = notify.Policy{Most: 3, Window: time.Minute}
	for i := range 10 {
		s.tell(news(i))
	}
	s.run(t)
	s.expect(t, "Stop set: trade on n0", "Stop set: trade on n1", "Stop set: trade on n2")
	if got := s.cursor(); got != 3 {
		t.Errorf("delivered up to %d, want 3", got)
	}
	s.tell(closedTrade("one"), closedTrade("two"))
	s.expect(t, "Closed: trade on one", "Closed: trade on two")
	s.advance(t, time.Minute)
	s.expect(t, "Stop set: trade on n9 +6")
	if got := s.cursor(); got != 12 {
		t.Errorf("delivered up to %d, want 12", got)
	}
}

// What is gathered and finds no room waits for it, and takes up what comes.
func TestRepeatsWaitForRoom(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.policy = notify.Policy{Most: 1, Window: 10 * time.Minute, Quiet: 5 * time.Minute}
	s.tell(rescued("one"), rescued("one"))
	s.run(t)
	s.expect(t, "Rescued: trade on one")
	s.advance(t, 5*time.Minute)
	s.expect(t)
	s.advance(t, time.Minute)
	s.tell(rescued("one"))
	s.expect(t)
	s.advance(t, 4*time.Minute)
	s.expect(t, "Rescued: trade on one +1")
	if got := s.cursor(); got != 3 {
		t.Errorf("delivered up to %d, want 3", got)
	}
}

// A flood of alarms is bounded, too, and holds back the news.
func TestAFloodOfAlarms(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.policy = notify.Policy{Most: 2, Window: time.Minute}
	for i := range 50 {
		s.tell(closedTrade(fmt.Sprint(i)), news(i))
	}
	s.run(t)
	s.expect(t, "Closed: trade on 0", "Stop set: trade on n0", "Closed: trade on 1")
	s.advance(t, time.Minute)
	s.expect(t, "Closed: trade on 49 +47", "Stop set: trade on n49 +48")
	if got := s.cursor(); got != 100 {
		t.Errorf("delivered up to %d, want 100", got)
	}
}

func TestWhatIsOldIsCounted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 30 {
		e := rescued(fmt.Sprint(i))
		e.At = epoch.Add(-48 * time.Hour)
		s.tell(e)
	}
	s.tell(rescued("fresh"))
	s.run(t)
	s.expect(t, "Rescued: trade on fresh")
	s.advance(t, 10*time.Second)
	s.settle(t)
	m := s.next(t)
	golden(t, "backlog", m.title+"\n\n"+m.body+"\n")
	if got := s.cursor(); got != 31 {
		t.Errorf("delivered up to %d, want 31", got)
	}
}

// Whatever is owed is said before the end.
func TestStopSaysWhatIsOwed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tell(blind("1"), blind("2"), blind("3"), rescued("one"), rescued("one"))
	stop := s.run(t)
	s.expect(t, "Blind: no fresh price", "Rescued: trade on one")
	stop()
	var said []string
	for len(s.got) > 0 {
		m := <-s.got
		said = append(said, strings.TrimPrefix(m.title, "Vigia, "))
	}
	if fmt.Sprint(said) != "[critical: Blind: no fresh price warning: Rescued: trade on one]" {
		t.Errorf("at the end it said %v", said)
	}
	if got := s.cursor(); got != 5 {
		t.Errorf("delivered up to %d, want 5", got)
	}
}

func TestWhatIsOwedIsNotLostWithADeadChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.tell(blind("1"), blind("2"), rescued("one"))
	stop := s.run(t)
	s.expect(t, "Blind: no fresh price", "Rescued: trade on one")
	s.answers(503, "{}")
	stop()
	s.next(t)
	if got := s.cursor(); got != 1 {
		t.Errorf("delivered up to %d, want 1: the second is owed", got)
	}
	s.answers(0, "")
	s.run(t)
	s.expect(t, "Blind: no fresh price", "Rescued: trade on one")
}
