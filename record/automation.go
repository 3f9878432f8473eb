package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// AddAutomation keeps a new rule as version 1. Its account must be the owner's.
func (s *Store) AddAutomation(ctx context.Context, a vigia.Automation) (vigia.Automation, error) {
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		if _, err := t.OwnedAccount(ctx, string(a.Owner), string(a.Account)); err != nil {
			return fmt.Errorf("account %s: %w", a.Account, found(err))
		}
		if a.CreatedAt.IsZero() {
			a.CreatedAt = t.now
		}
		a.Version = 1
		row, err := automationRow(&a)
		if err != nil {
			return err
		}
		if err := t.InsertAutomation(ctx, row); err != nil {
			return err
		}
		return t.changed(ctx, a.Account, a.Owner, "automation.added", &a)
	})
	return a, s.failed("add automation", err)
}

// SaveAutomation keeps a change. a.Version is the version that was changed:
// [vigia.ErrChanged] says that it is no longer the newest, [vigia.ErrNotFound] that
// the owner has no such rule. Kind and account stay as they are.
func (s *Store) SaveAutomation(ctx context.Context, a vigia.Automation) (vigia.Automation, error) {
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		old, err := t.OwnedAutomation(ctx, string(a.Owner), string(a.ID))
		if err != nil {
			return found(err)
		}
		before, err := automation(&old)
		if err != nil {
			return err
		}
		changed := a
		changed.Kind, changed.Account, changed.CreatedAt = before.Kind, before.Account, before.CreatedAt
		row, err := automationRow(&changed)
		if err != nil {
			return err
		}
		rows, err := t.UpdateAutomation(ctx, sqlcgen.UpdateAutomationParams{Owner: row.Owner, ID: row.ID, Version: a.Version,
			Name: row.Name, Mode: row.Mode, Scope: row.Scope, ConfigVersion: row.ConfigVersion, Config: row.Config,
			Limits: row.Limits, ArmedAt: row.ArmedAt})
		if err != nil {
			return err
		}
		if rows != 1 {
			return vigia.ErrChanged
		}
		changed.Version++
		a = changed
		return t.changed(ctx, a.Account, a.Owner, "automation.saved", &a)
	})
	return a, s.failed("save automation "+string(a.ID), err)
}

// DeleteAutomation forgets a rule and what it remembered. What it did stays.
func (s *Store) DeleteAutomation(ctx context.Context, owner vigia.UserID, id vigia.AutomationID) error {
	return s.failed("delete automation "+string(id), s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		gone, err := t.DeleteAutomation(ctx, string(owner), string(id))
		if err != nil {
			return found(err)
		}
		if err := t.DeleteStatesOfAutomation(ctx, string(id)); err != nil {
			return err
		}
		return t.changed(ctx, vigia.AccountID(gone.Account), owner, "automation.deleted",
			map[string]string{"id": string(id), "name": gone.Name})
	}))
}

// Automation is one of the owner's.
func (s *Store) Automation(ctx context.Context, owner vigia.UserID, id vigia.AutomationID) (vigia.Automation, error) {
	row, err := s.reads.OwnedAutomation(ctx, string(owner), string(id))
	if err != nil {
		return vigia.Automation{}, s.failed("read automation", found(err))
	}
	return automation(&row)
}

// ListAutomations lists the owner's, oldest first. after is the id of the last one
// seen, empty for the first page.
func (s *Store) ListAutomations(ctx context.Context, owner vigia.UserID, after vigia.AutomationID, limit int) ([]vigia.Automation, error) {
	rows, err := s.reads.AutomationsOfOwner(ctx, string(owner), string(after), page(limit))
	automations, err := each(rows, err, automation)
	return automations, s.failed("list automations", err)
}

// AutomationsOf are those of an account in the order they were made.
func (s *Store) AutomationsOf(ctx context.Context, account vigia.AccountID) ([]vigia.Automation, error) {
	rows, err := s.reads.AutomationsOfAccount(ctx, string(account))
	automations, err := each(rows, err, automation)
	return automations, s.failed("read automations", err)
}

// StatesOf are what the rules of an account remember.
func (s *Store) StatesOf(ctx context.Context, account vigia.AccountID) ([]vigia.AutomationState, error) {
	rows, err := s.reads.StatesOfAccount(ctx, string(account))
	states, err := each(rows, err, automationState)
	return states, s.failed("read states", err)
}

func automationState(text *string) (vigia.AutomationState, error) {
	var state vigia.AutomationState
	if err := json.Unmarshal([]byte(*text), &state); err != nil {
		return state, fmt.Errorf("state of an automation: %w", err)
	}
	return state, nil
}

// saveStates keeps what rules remember; nothing for a rule that was deleted
// meanwhile.
func (t *tx) saveStates(ctx context.Context, states []vigia.AutomationState) error {
	for i := range states {
		state := &states[i]
		of, err := t.OwnerOfAutomation(ctx, string(state.Automation))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look for automation %s: %w", state.Automation, err)
		}
		text, err := toJSON(state)
		if err != nil {
			return err
		}
		if err := t.SaveState(ctx, sqlcgen.SaveStateParams{Automation: string(state.Automation), Subject: state.Subject.String(),
			Owner: of.Owner, Account: of.Account, State: text, Now: micros(t.now)}); err != nil {
			return fmt.Errorf("keep the state of automation %s: %w", state.Automation, err)
		}
	}
	return nil
}

// config is the configuration that a kind has: its column holds that one only.
func config(a *vigia.Automation) (any, error) {
	switch a.Kind {
	case vigia.KindMarginGuard:
		if a.Guard == nil {
			a.Guard = &vigia.GuardConfig{}
		}
		return a.Guard, nil
	case vigia.KindAlert:
		if a.Alert == nil {
			a.Alert = &vigia.AlertConfig{}
		}
		return a.Alert, nil
	}
	return nil, fmt.Errorf("automation %s is of kind %q, which this program does not know", a.ID, a.Kind)
}

func automationRow(a *vigia.Automation) (sqlcgen.InsertAutomationParams, error) {
	row := sqlcgen.InsertAutomationParams{ID: string(a.ID), Owner: string(a.Owner), Account: string(a.Account), Name: plain(a.Name),
		Kind: string(a.Kind), Mode: string(a.Mode), ConfigVersion: int64(a.ConfigVersion), ArmedAt: micros(a.ArmedAt),
		CreatedAt: micros(a.CreatedAt)}
	own, err := config(a)
	if err != nil {
		return row, err
	}
	for _, column := range []struct {
		into *string
		from any
	}{{&row.Scope, &a.Scope}, {&row.Config, own}, {&row.Limits, &a.Limits}} {
		if *column.into, err = toJSON(column.from); err != nil {
			return row, err
		}
	}
	return row, nil
}

func automation(row *sqlcgen.Automation) (vigia.Automation, error) {
	a := vigia.Automation{ID: vigia.AutomationID(row.ID), Owner: vigia.UserID(row.Owner), Account: vigia.AccountID(row.Account),
		Name: row.Name, Kind: vigia.AutomationKind(row.Kind), Mode: vigia.Mode(row.Mode), ConfigVersion: int(row.ConfigVersion),
		ArmedAt: fromMicros(row.ArmedAt), CreatedAt: fromMicros(row.CreatedAt), Version: row.Version}
	own, err := config(&a)
	if err != nil {
		return a, err
	}
	for _, column := range []struct {
		name, from string
		into       any
	}{{"scope", row.Scope, &a.Scope}, {"config", row.Config, own}, {"limits", row.Limits, &a.Limits}} {
		if err := json.Unmarshal([]byte(column.from), column.into); err != nil {
			return a, fmt.Errorf("automation %s: %s: %w", a.ID, column.name, err)
		}
	}
	return a, nil
}
