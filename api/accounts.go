package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// PageInput says which page of a list is asked for. It is exported, like the other
// inputs that are embedded, because the library fills only what it may set.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" doc:"The next_cursor of the page before."`
}

// page is one page of a list.
type page[T any] struct {
	Data []T `json:"data" nullable:"false"`
	// NextCursor continues the list; empty at its end.
	NextCursor string `json:"next_cursor,omitempty"`
}

// paged cuts a page out of one row more than it holds.
func paged[T any](rows []T, limit int, cursor func(*T) string) *body[page[T]] {
	out := &body[page[T]]{Body: page[T]{Data: rows}}
	if out.Body.Data == nil {
		out.Body.Data = []T{}
	}
	if len(rows) > limit {
		out.Body.Data = rows[:limit]
		out.Body.NextCursor = cursor(&rows[limit-1])
	}
	return out
}

func (a *api) accounts(ctx context.Context, in *PageInput) (*body[page[vigia.Account]], error) {
	rows, err := a.Store.ListAccounts(ctx, a.owner(ctx), vigia.AccountID(in.Cursor), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(rows, in.Limit, func(r *vigia.Account) string { return string(r.ID) }), nil
}

// AccountInput names an account.
type AccountInput struct {
	Account string `path:"account" maxLength:"64" doc:"Id or label."`
}

// find is an account by id or label.
func (a *api) find(ctx context.Context, name string) (vigia.Account, error) {
	if vigia.CheckID(name) == nil {
		return a.Store.Account(ctx, a.owner(ctx), vigia.AccountID(name))
	}
	account, err := a.Store.AccountByLabel(ctx, a.owner(ctx), name)
	if errors.Is(err, vigia.ErrNotFound) {
		return account, &vigia.Error{Code: vigia.CodeNotFound, Field: "account", Message: fmt.Sprintf("there is no account %q", name),
			Help: "vigia account list shows what there is."}
	}
	return account, err
}

func (a *api) account(ctx context.Context, in *AccountInput) (*body[vigia.Account], error) {
	found, err := a.find(ctx, in.Account)
	return &body[vigia.Account]{Body: found}, err
}

type addAccountInput struct {
	Body struct {
		Label      string        `json:"label" minLength:"1" maxLength:"64"`
		Network    vigia.Network `json:"network" enum:"mainnet,signet,paper"`
		Key        string        `json:"key" minLength:"1" maxLength:"256"`
		Secret     string        `json:"secret" minLength:"1" maxLength:"256"`
		Passphrase string        `json:"passphrase" minLength:"1" maxLength:"256"`
		// AllowWithdrawals accepts a key that could take the money out.
		AllowWithdrawals bool `json:"allow_withdrawals,omitempty"`
		WatchOnly        bool `json:"watch_only,omitempty"`
	}
}

// addAccount reads the key's scopes back before anything is kept, refuses what
// could withdraw unless told, and gives the account its alerts.
func (a *api) addAccount(ctx context.Context, in *addAccountInput) (*body[vigia.Account], error) {
	if strings.TrimSpace(in.Body.Label) != in.Body.Label || vigia.CheckID(in.Body.Label) == nil {
		return nil, vigia.Invalid("label", fmt.Sprintf("got %q; a label neither begins nor ends with a space and is no id", in.Body.Label))
	}
	credentials := vigia.Credentials{Key: vigia.NewSecret(in.Body.Key), Secret: vigia.NewSecret(in.Body.Secret),
		Passphrase: vigia.NewSecret(in.Body.Passphrase)}
	scopes, err := a.Desk.Probe(ctx, in.Body.Network, credentials)
	if err != nil {
		return nil, err
	}
	if slices.Contains(scopes, vigia.ScopeWithdrawalWrite) && !in.Body.AllowWithdrawals {
		return nil, &vigia.Error{Code: codeWithdrawalScope, Field: "key",
			Message: "this key could withdraw your money; Vigia never needs that", Help: "Make a key without withdrawal scopes, or say allow_withdrawals."}
	}
	now := a.Clock.Now()
	account := vigia.Account{ID: vigia.AccountID(vigia.NewID(now)), Owner: a.owner(ctx), Label: in.Body.Label,
		Network: in.Body.Network, Scopes: scopes, Status: vigia.AccountActive, CreatedAt: now}
	if in.Body.WatchOnly {
		account.Status = vigia.AccountWatchOnly
	}
	sealed, err := a.Desk.Seal(&account, credentials)
	if err != nil {
		return nil, err
	}
	if err := a.Store.AddAccount(ctx, account, sealed); err != nil {
		return nil, err
	}
	return &body[vigia.Account]{Body: account}, a.addAlerts(ctx, &account)
}

// addAlerts gives an account the alerts that nobody should have to think of.
func (a *api) addAlerts(ctx context.Context, account *vigia.Account) error {
	for _, alert := range []struct {
		when vigia.AlertWhen
		name string
	}{
		{vigia.AlertUnprotected, "a position is unprotected"},
		{vigia.AlertVanished, "a trade ended, and not by your hand"},
		{vigia.AlertBlind, "there is no fresh price"},
	} {
		now := a.Clock.Now()
		_, err := a.Store.AddAutomation(ctx, vigia.Automation{ID: vigia.AutomationID(vigia.NewID(now)), Owner: account.Owner,
			Account: account.ID, Name: alert.name, Kind: vigia.KindAlert, Mode: vigia.ModeLive, ConfigVersion: 1,
			Alert: &vigia.AlertConfig{When: alert.when}, ArmedAt: now, CreatedAt: now})
		if err != nil {
			return fmt.Errorf("adding the alert that %s: %w", alert.name, err)
		}
	}
	return nil
}

type empty struct{}

func (a *api) removeAccount(ctx context.Context, in *AccountInput) (*empty, error) {
	account, err := a.find(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	return &empty{}, a.Store.DeleteAccount(ctx, account.Owner, account.ID)
}

func (a *api) prove(ctx context.Context, in *AccountInput) (*body[vigia.Execution], error) {
	account, err := a.find(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	return a.request(ctx, &account, vigia.Execution{Action: vigia.ActionProve, Subject: vigia.AccountSubject()})
}

type commandInput struct {
	AccountInput
	Body struct {
		Action vigia.Action  `json:"action" enum:"close,add_margin,cash_in"`
		Trade  vigia.TradeID `json:"trade" minLength:"1" maxLength:"64"`
		Amount vigia.Sats    `json:"amount_sats,omitempty" minimum:"1"`
	}
}

func (a *api) command(ctx context.Context, in *commandInput) (*body[vigia.Execution], error) {
	account, err := a.find(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	if needs := in.Body.Action != vigia.ActionClose; needs != (in.Body.Amount > 0) {
		return nil, vigia.Invalid("amount_sats", fmt.Sprintf("got %s for %s; add_margin and cash_in take an amount, close takes none", in.Body.Amount, in.Body.Action))
	}
	return a.request(ctx, &account, vigia.Execution{Action: in.Body.Action, Amount: in.Body.Amount,
		Subject: vigia.TradeSubject(in.Body.Trade)})
}

// request keeps a command for the guard to begin.
func (a *api) request(ctx context.Context, account *vigia.Account, e vigia.Execution) (*body[vigia.Execution], error) {
	if !account.CanWrite() {
		return nil, &vigia.Error{Code: vigia.CodeForbidden, Field: "account", Message: fmt.Sprintf("the key of %s cannot write", account.Label),
			Help: "It takes the scope " + vigia.ScopeIsolatedWrite + ", and must not be watch-only."}
	}
	e.ID, e.Owner, e.Account = vigia.ExecutionID(vigia.NewID(a.Clock.Now())), account.Owner, account.ID
	e.Reason = vigia.ReasonCommand
	kept, err := a.Store.Request(ctx, e)
	return &body[vigia.Execution]{Body: kept}, err
}

type drillInput struct {
	AccountInput
	Body struct {
		Drop    vigia.Percent `json:"drop_pct" exclusiveMinimum:"0" maximum:"90"`
		Seconds int           `json:"over_s" minimum:"1" maximum:"3600"`
	}
}

func (a *api) drill(ctx context.Context, in *drillInput) (*empty, error) {
	account, err := a.find(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	if account.Network != vigia.Paper {
		return nil, &vigia.Error{Code: vigia.CodeForbidden, Field: "account", Message: fmt.Sprintf("%s trades on %s; a drill needs a paper account", account.Label, account.Network)}
	}
	return &empty{}, a.Desk.Drill(ctx, in.Body.Drop, time.Duration(in.Body.Seconds)*time.Second)
}
