package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// insertEvents writes the events the transaction left behind, without a number:
// ids commit out of order, so one drainer numbers them afterwards.
func (t *tx) insertEvents(ctx context.Context) error {
	for i := range t.events {
		e := t.events[i]
		if e.At.IsZero() {
			e.At = t.now
		}
		text, err := toJSON(&e)
		if err != nil {
			return err
		}
		if err := t.InsertEvent(ctx, sqlcgen.InsertEventParams{ID: vigia.NewID(t.now), Owner: string(e.Owner),
			Account: string(e.Account), At: micros(e.At), Event: text}); err != nil {
			return fmt.Errorf("tell %s: %w", e.Kind, err)
		}
	}
	return nil
}

// Tell commits events that come from no other transaction.
func (s *Store) Tell(ctx context.Context, events ...vigia.Event) error {
	return s.failed("tell", s.write(ctx, rest, func(_ context.Context, t *tx) error {
		t.events = append(t.events, events...)
		return nil
	}))
}

// Number gives cursors to at most limit waiting events, oldest first, and says
// how many it numbered. Several processes may call it: a lock lets one at a time,
// so that a cursor that can be read is never followed by a smaller one. When
// nothing waits nothing is written.
func (s *Store) Number(ctx context.Context, limit int) (int, error) {
	numbered := 0
	for numbered < limit {
		waiting, err := s.reads.WaitingEvents(ctx, 1)
		if err != nil {
			return numbered, s.failed("look at the outbox", err)
		}
		if len(waiting) == 0 {
			break
		}
		n, err := s.numberSome(ctx, min(limit-numbered, partRows))
		if err != nil {
			return numbered, s.failed("number the outbox", err)
		}
		numbered += n
	}
	return numbered, nil
}

// numberSome numbers a part: short, so that an intent never waits long.
func (s *Store) numberSome(ctx context.Context, limit int) (int, error) {
	numbered := 0
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		position, err := t.LockOutbox(ctx)
		if err != nil {
			return err
		}
		ids, err := t.WaitingEvents(ctx, page(limit))
		if err != nil {
			return err
		}
		for _, id := range ids {
			position++
			if err := t.NumberEvent(ctx, position, id); err != nil {
				return err
			}
		}
		numbered = len(ids)
		return t.MoveOutbox(ctx, position)
	})
	return numbered, err
}

// After are at most limit numbered events behind a cursor, in order.
func (s *Store) After(ctx context.Context, cursor int64, limit int) ([]vigia.Event, error) {
	rows, err := s.reads.EventsAfter(ctx, cursor, page(limit))
	events, err := each(rows, err, func(row *sqlcgen.EventsAfterRow) (vigia.Event, error) { return event(row.Position, row.Event) })
	return events, s.failed("read the outbox", err)
}

// ListEvents lists the owner's numbered events, newest first. before is the cursor
// of the last one seen, 0 for the first page.
func (s *Store) ListEvents(ctx context.Context, owner vigia.UserID, before int64, limit int) ([]vigia.Event, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	rows, err := s.reads.OwnedEventsBefore(ctx, string(owner), before, page(limit))
	events, err := each(rows, err, func(row *sqlcgen.OwnedEventsBeforeRow) (vigia.Event, error) { return event(row.Position, row.Event) })
	return events, s.failed("list events", err)
}

func event(position int64, text string) (vigia.Event, error) {
	var e vigia.Event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, fmt.Errorf("event %d: %w", position, err)
	}
	e.Cursor = position
	return e, nil
}

// OutboxEnd is the last cursor given.
func (s *Store) OutboxEnd(ctx context.Context) (int64, error) {
	position, err := s.reads.OutboxEnd(ctx)
	return position, s.failed("read the outbox's end", err)
}

// Delivered is the cursor up to which a consumer has delivered; 0 for one that
// never did.
func (s *Store) Delivered(ctx context.Context, consumer string) (int64, error) {
	position, err := s.reads.Delivered(ctx, consumer)
	if err = found(err); errors.Is(err, vigia.ErrNotFound) {
		return 0, nil
	}
	return position, s.failed("read what was delivered", err)
}

// SetDelivered moves a consumer's cursor on; it never moves back.
func (s *Store) SetDelivered(ctx context.Context, consumer string, cursor int64) error {
	return s.failed("keep what was delivered", s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		return t.SetDelivered(ctx, consumer, string(vigia.LocalOwner), cursor)
	}))
}

// Trim deletes events that are older than before and were delivered to every
// consumer there is, and says how many.
func (s *Store) Trim(ctx context.Context, before time.Time) (int64, error) {
	var trimmed int64
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		var err error
		trimmed, err = t.TrimEvents(ctx, micros(before))
		return err
	})
	return trimmed, s.failed("trim the outbox", err)
}
