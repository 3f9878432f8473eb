package record

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/sqlcgen"
)

// AddAccount keeps a new account and its sealed credentials. A label the owner
// has already is refused with code conflict.
func (s *Store) AddAccount(ctx context.Context, a vigia.Account, sealed vigia.SealedCredentials) error {
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		if a.CreatedAt.IsZero() {
			a.CreatedAt = t.now
		}
		scopes, err := toJSON(a.Scopes)
		if err != nil {
			return err
		}
		if err := t.InsertAccount(ctx, sqlcgen.InsertAccountParams{ID: string(a.ID), Owner: string(a.Owner), Label: plain(a.Label),
			Network: string(a.Network), Scopes: scopes, Status: string(a.Status), Detail: plain(a.Detail),
			CreatedAt: micros(a.CreatedAt), ProvedAt: micros(a.ProvedAt), SealedKey: notNil(sealed.Key),
			SealedSecret: notNil(sealed.Secret), SealedPassphrase: notNil(sealed.Passphrase)}); err != nil {
			return err
		}
		return t.changed(ctx, a.ID, a.Owner, "account.added", &a)
	})
	return s.failed("add account", s.labelTaken(a.Label, err))
}

// changed journals a change of what the guard reads again then.
func (t *tx) changed(ctx context.Context, account vigia.AccountID, owner vigia.UserID, kind string, payload any) error {
	if err := t.MoveRevision(ctx); err != nil {
		return fmt.Errorf("move the revision: %w", err)
	}
	return t.journal(accountChain(account), owner, kind, payload)
}

// notNil is b where it is not nil: the columns take no NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (s *Store) labelTaken(label string, err error) error {
	if !s.engine.taken(err) {
		return err
	}
	return &vigia.Error{Code: vigia.CodeConflict, Field: "label", Cause: err,
		Message: fmt.Sprintf("an account named %q exists already", label), Help: "Choose another name."}
}

// SaveAccount keeps label, scopes, status and detail of an account.
func (s *Store) SaveAccount(ctx context.Context, a vigia.Account) error {
	err := s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		scopes, err := toJSON(a.Scopes)
		if err != nil {
			return err
		}
		rows, err := t.UpdateAccount(ctx, sqlcgen.UpdateAccountParams{Owner: string(a.Owner), ID: string(a.ID), Label: plain(a.Label),
			Scopes: scopes, Status: string(a.Status), Detail: plain(a.Detail)})
		if err != nil {
			return err
		}
		if rows != 1 {
			return vigia.ErrNotFound
		}
		return t.changed(ctx, a.ID, a.Owner, "account.saved", &a)
	})
	return s.failed("save account "+string(a.ID), s.labelTaken(a.Label, err))
}

// SaveCredentials puts newly sealed credentials in the place of the old.
func (s *Store) SaveCredentials(ctx context.Context, owner vigia.UserID, id vigia.AccountID, sealed vigia.SealedCredentials) error {
	return s.failed("save credentials", s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		rows, err := t.UpdateSealed(ctx, sqlcgen.UpdateSealedParams{Owner: string(owner), ID: string(id),
			SealedKey: notNil(sealed.Key), SealedSecret: notNil(sealed.Secret), SealedPassphrase: notNil(sealed.Passphrase)})
		if err != nil {
			return err
		}
		if rows != 1 {
			return vigia.ErrNotFound
		}
		return t.changed(ctx, id, owner, "account.key_changed", map[string]string{"id": string(id)})
	}))
}

// DeleteAccount forgets an account with its credentials, its rules and what was
// seen of it. What was done with it stays. An account with a call under way is
// refused with code conflict.
func (s *Store) DeleteAccount(ctx context.Context, owner vigia.UserID, id vigia.AccountID) error {
	return s.failed("delete account "+string(id), s.write(ctx, rest, func(ctx context.Context, t *tx) error {
		unsettled, err := t.CountUnsettledOf(ctx, string(id))
		if err != nil {
			return err
		}
		if unsettled > 0 {
			return &vigia.Error{Code: vigia.CodeConflict, Field: "account",
				Message: fmt.Sprintf("%d executions of the account are not settled yet", unsettled), Help: "Wait until they are."}
		}
		for _, forget := range []func(context.Context, string) error{
			t.DeleteStatesOf, t.DeleteAutomationsOf, t.UnseeTrades, t.UnseeAccount,
		} {
			if err := forget(ctx, string(id)); err != nil {
				return err
			}
		}
		rows, err := t.DeleteAccount(ctx, string(owner), string(id))
		if err != nil {
			return err
		}
		if rows != 1 {
			return vigia.ErrNotFound
		}
		return t.changed(ctx, id, owner, "account.deleted", map[string]string{"id": string(id)})
	}))
}

// Account is one of the owner's.
func (s *Store) Account(ctx context.Context, owner vigia.UserID, id vigia.AccountID) (vigia.Account, error) {
	row, err := s.reads.OwnedAccount(ctx, string(owner), string(id))
	if err != nil {
		return vigia.Account{}, s.failed("read account", found(err))
	}
	return account(&row)
}

// AccountByLabel is the owner's account of that name.
func (s *Store) AccountByLabel(ctx context.Context, owner vigia.UserID, label string) (vigia.Account, error) {
	row, err := s.reads.AccountByLabel(ctx, string(owner), label)
	if err != nil {
		return vigia.Account{}, s.failed(fmt.Sprintf("read account %q", label), found(err))
	}
	return account(&row)
}

// ListAccounts lists the owner's, oldest first. after is the id of the last one
// seen, empty for the first page.
func (s *Store) ListAccounts(ctx context.Context, owner vigia.UserID, after vigia.AccountID, limit int) ([]vigia.Account, error) {
	rows, err := s.reads.AccountsOfOwner(ctx, string(owner), string(after), page(limit))
	accounts, err := each(rows, err, account)
	return accounts, s.failed("list accounts", err)
}

// Accounts are those of every owner: what the guard starts from.
func (s *Store) Accounts(ctx context.Context) ([]vigia.Account, error) {
	rows, err := s.guardReads.AllAccounts(ctx)
	accounts, err := each(rows, err, account)
	return accounts, s.failed("read accounts", err)
}

// Credentials are an account's, sealed, and the owner they are bound to.
func (s *Store) Credentials(ctx context.Context, id vigia.AccountID) (vigia.UserID, vigia.SealedCredentials, error) {
	row, err := s.guardReads.SealedOf(ctx, string(id))
	if err != nil {
		return "", vigia.SealedCredentials{}, s.failed("read credentials", found(err))
	}
	return vigia.UserID(row.Owner), vigia.SealedCredentials{Key: row.SealedKey, Secret: row.SealedSecret, Passphrase: row.SealedPassphrase}, nil
}

func account(row *sqlcgen.Account) (vigia.Account, error) {
	a := vigia.Account{ID: vigia.AccountID(row.ID), Owner: vigia.UserID(row.Owner), Label: row.Label,
		Network: vigia.Network(row.Network), Status: vigia.AccountStatus(row.Status), Detail: row.Detail,
		CreatedAt: fromMicros(row.CreatedAt), ProvedAt: fromMicros(row.ProvedAt)}
	if err := json.Unmarshal([]byte(row.Scopes), &a.Scopes); err != nil {
		return a, fmt.Errorf("account %s: scopes: %w", a.ID, err)
	}
	return a, nil
}
