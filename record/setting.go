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

// Setting reads an owner's setting into v; [vigia.ErrNotFound] where it was never
// set.
func (s *Store) Setting(ctx context.Context, owner vigia.UserID, name string, v any) error {
	text, err := s.guardReads.Setting(ctx, string(owner), name)
	if err != nil {
		return s.failed("read setting "+name, found(err))
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}

// SetSetting keeps an owner's setting, and journals that it was set.
func (s *Store) SetSetting(ctx context.Context, owner vigia.UserID, name string, v any) error {
	return s.failed("keep setting "+name, s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		return t.set(ctx, owner, name, v)
	}))
}

func (t *tx) set(ctx context.Context, owner vigia.UserID, name string, v any) error {
	text, err := toJSON(v)
	if err != nil {
		return err
	}
	if err := t.SetSetting(ctx, sqlcgen.SetSettingParams{Owner: string(owner), Name: name, Value: text, At: micros(t.now)}); err != nil {
		return err
	}
	return t.journal(userChain(owner), owner, "setting."+name, json.RawMessage(text))
}

// stops is the setting of the stop modes. They hold for everybody, so that they
// are the local owner's.
const stops = "stops"

// Stops are the stop modes in force; the halt file is not among them.
func (s *Store) Stops(ctx context.Context) (vigia.Stops, error) {
	var set vigia.Stops
	if err := s.Setting(ctx, vigia.LocalOwner, stops, &set); err != nil && !errors.Is(err, vigia.ErrNotFound) {
		return vigia.Stops{}, err
	}
	return set, nil
}

// SetStops sets or releases stop modes.
func (s *Store) SetStops(ctx context.Context, set vigia.Stops) error {
	set.HaltFile = ""
	return s.failed("set stops", s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		if err := t.MoveRevision(ctx); err != nil {
			return fmt.Errorf("move the revision: %w", err)
		}
		return t.set(ctx, vigia.LocalOwner, stops, set)
	}))
}

// SaveStatus keeps what a guard process says of itself, in the place of what it
// said before.
func (s *Store) SaveStatus(ctx context.Context, status vigia.GuardStatus) error {
	text, err := toJSON(&status)
	if err != nil {
		return err
	}
	return s.failed("keep status", s.write(ctx, second, func(ctx context.Context, t *tx) error {
		return t.SaveGuardStatus(ctx, sqlcgen.SaveGuardStatusParams{Process: status.Holder, Owner: string(vigia.LocalOwner),
			At: micros(t.now), Status: text})
	}))
}

// Statuses are what all guard processes last said of themselves.
func (s *Store) Statuses(ctx context.Context) ([]vigia.GuardStatus, error) {
	rows, err := s.reads.GuardStatuses(ctx)
	statuses, err := each(rows, err, func(row *sqlcgen.GuardStatusesRow) (vigia.GuardStatus, error) {
		var status vigia.GuardStatus
		if err := json.Unmarshal([]byte(row.Status), &status); err != nil {
			return status, fmt.Errorf("status of %s: %w", row.Process, err)
		}
		return status, nil
	})
	return statuses, s.failed("read status", err)
}

// ForgetStatus drops the status of a process that ended, and of all that were
// silent since before.
func (s *Store) ForgetStatus(ctx context.Context, process string, before time.Time) error {
	return s.failed("forget status", s.write(ctx, second, func(ctx context.Context, t *tx) error {
		return t.ForgetGuardStatus(ctx, process, micros(before))
	}))
}
