package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
	"github.com/vigiaguard/vigia/run"
)

// sayer says what needs no store: on the terminal, and by every channel there is.
type sayer struct {
	server *server
	direct []*notify.Direct
	since  atomic.Int64
}

// direct is called by the guards when the store cannot commit, and with nil when
// it can again.
func (s *server) direct(cause string, err error) {
	now := s.clock.Now()
	if err == nil {
		since := time.Unix(0, s.said.since.Swap(0))
		s.say("The store works again.")
		for _, d := range s.said.direct {
			d.Back(cause, notify.StoreBack(now, since))
		}
		return
	}
	if !s.said.since.CompareAndSwap(0, now.UnixNano()) {
		return
	}
	s.log.Error("the store cannot commit: nothing is sent until it can", "error", err)
	message := notify.Words(&vigia.Event{Kind: vigia.EventStore, Level: vigia.LevelCritical, At: now,
		Facts: vigia.EventData{Detail: err.Error()}})
	for _, d := range s.said.direct {
		d.Down(cause, message)
	}
}

// tellers are the services that carry events out: to the terminal, to each
// channel, and the heartbeat.
func (s *server) tellers() ([]run.Service, error) {
	s.said = &sayer{server: s}
	clock := run.OnClock(s.clock)
	var out []run.Service
	if !s.o.Quiet {
		out = append(out, run.Func("terminal", s.tellTerminal, clock))
	}
	for i, address := range s.o.Notify {
		channel, err := notify.Open(vigia.NewSecret(address), s.clock)
		if err != nil {
			return nil, vigia.Invalid("notify", err.Error())
		}
		name := fmt.Sprintf("%s-%d", channel.Name(), i)
		drain := notify.NewDrain(s.store, channel, notify.DrainSettings{Consumer: name, Clock: s.clock, Log: s.log})
		direct := notify.NewDirect(channel, notify.DirectSettings{Clock: s.clock, Log: s.log})
		s.said.direct = append(s.said.direct, direct)
		out = append(out, run.Draining("tell "+name, 5*time.Second, drain.Run, clock),
			run.Draining("say "+name, 5*time.Second, direct.Run, clock))
	}
	if s.o.Heartbeat == "" {
		return out, nil
	}
	heartbeat, err := notify.NewHeartbeat(vigia.NewSecret(s.o.Heartbeat), s.alive,
		notify.HeartbeatSettings{Clock: s.clock, Head: s.head, Log: s.log})
	if err != nil {
		return nil, vigia.Invalid("heartbeat", err.Error())
	}
	return append(out, run.Func("heartbeat", heartbeat.Run, clock)), nil
}

// alive says why the guards are not really alive.
func (s *server) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		if why := n.guard.Alive(); why != "" {
			return errors.New(why)
		}
	}
	return nil
}

// head is the journal's newest head, to be kept by somebody outside.
func (s *server) head() (vigia.JournalHead, bool) {
	ctx, cancel := context.WithTimeout(s.ctx, 2*time.Second)
	defer cancel()
	heads, err := s.store.Heads(ctx)
	if err != nil || len(heads) == 0 {
		return vigia.JournalHead{}, false
	}
	newest := heads[0]
	for _, h := range heads {
		if h.Seq > newest.Seq {
			newest = h
		}
	}
	return newest, true
}

// numberEvery is how soon an event gets its cursor.
const numberEvery = 200 * time.Millisecond

// numberOutbox gives committed events their cursors, in one place.
func (s *server) numberOutbox(ctx context.Context) error {
	for {
		n, err := s.store.Number(ctx, 500)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("events could not be numbered; they are told later", "error", err)
		}
		wait := numberEvery
		if n == 500 {
			wait = 0
		}
		timer := s.clock.NewTimer(wait)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// tellTerminal prints what happens from now on, in plain words.
func (s *server) tellTerminal(ctx context.Context) error {
	cursor, err := s.store.OutboxEnd(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	for {
		events, err := s.store.After(ctx, cursor, 100)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("events could not be read", "error", err)
		}
		for i := range events {
			cursor = events[i].Cursor
			s.print(&events[i])
		}
		timer := s.clock.NewTimer(numberEvery)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

var marks = map[vigia.Level]string{vigia.LevelInfo: "·", vigia.LevelWarning: "▲", vigia.LevelCritical: "■"}

func (s *server) print(e *vigia.Event) {
	m := notify.Words(e)
	s.say("\n%s %s  %s\n    %s", marks[m.Level], e.At.Local().Format("15:04:05"), m.Title, wrap(m.Happened, "    "))
	if m.Do != "" {
		s.say("    → %s", wrap(m.Do, "      "))
	}
}
