package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/guard"
	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/seal"
)

// credentialsVersion is of what the sealed columns hold.
const credentialsVersion = 1

// place binds a sealed credential to its column.
func place(owner vigia.UserID, account vigia.AccountID, column string) seal.Binding {
	return seal.Binding{Owner: string(owner), Account: string(account), Column: "account." + column, Version: credentialsVersion}
}

// Seal seals the credentials of an account for the record.
func (s *server) Seal(a *vigia.Account, c vigia.Credentials) (vigia.SealedCredentials, error) {
	var out vigia.SealedCredentials
	for _, part := range []struct {
		column string
		text   vigia.Secret
		to     *[]byte
	}{{"key", c.Key, &out.Key}, {"secret", c.Secret, &out.Secret}, {"passphrase", c.Passphrase, &out.Passphrase}} {
		sealed, err := s.sealer.Seal(place(a.Owner, a.ID, part.column), part.text)
		if err != nil {
			return out, fmt.Errorf("sealing the %s: %w", part.column, err)
		}
		*part.to = sealed
	}
	return out, nil
}

// unseal opens an account's credentials for signing.
func (s *server) unseal(ctx context.Context, a *vigia.Account) (vigia.Credentials, error) {
	var out vigia.Credentials
	owner, sealed, err := s.store.Credentials(ctx, a.ID)
	if err != nil {
		return out, fmt.Errorf("the key of %s: %w", a.Label, err)
	}
	for _, part := range []struct {
		column string
		sealed []byte
		to     *vigia.Secret
	}{{"key", sealed.Key, &out.Key}, {"secret", sealed.Secret, &out.Secret}, {"passphrase", sealed.Passphrase, &out.Passphrase}} {
		if *part.to, err = s.sealer.Unseal(place(owner, a.ID, part.column), part.sealed); err != nil {
			return out, fmt.Errorf("the key of %s: %w", a.Label, err)
		}
	}
	return out, nil
}

// statusLasts is how old what a guard said of itself may be to count as its word.
const statusLasts = time.Minute

// Statuses are what the guards say of themselves: of this process as it is now,
// of others as they last wrote.
func (s *server) Statuses(ctx context.Context) ([]vigia.GuardStatus, error) {
	out := []vigia.GuardStatus{}
	mine := map[string]bool{}
	s.mu.Lock()
	for _, n := range s.networks {
		status := n.guard.Status()
		mine[status.Holder] = true
		out = append(out, status)
	}
	s.mu.Unlock()
	others, err := s.store.Statuses(ctx)
	if err != nil && len(out) == 0 {
		return nil, err
	}
	now := s.clock.Now()
	for _, status := range others {
		if !mine[status.Holder] && vigia.Age(now, status.At) < statusLasts {
			out = append(out, status)
		}
	}
	return out, nil
}

// Preview asks the guard of the account's network, and where another process
// guards the account, what is kept of it. A new account is waited for.
func (s *server) Preview(ctx context.Context, a vigia.Automation) (vigia.Preview, error) {
	for begun := s.clock.Now(); ; {
		preview, err := s.previewNow(ctx, a)
		if err == nil || vigia.Age(s.clock.Now(), begun) > previewWithin || !pause(ctx, s.clock, previewLook) {
			return preview, err
		}
	}
}

const (
	previewWithin = 5 * time.Second
	previewLook   = 100 * time.Millisecond
)

func (s *server) previewNow(ctx context.Context, a vigia.Automation) (vigia.Preview, error) {
	for _, n := range s.started() {
		if preview, err := n.guard.Preview(a); err == nil {
			return preview, nil
		}
	}
	unseen := &vigia.Error{Code: vigia.CodeUnavailable, Field: "account",
		Message: "no guard has seen this account's positions yet", Help: "Try again in a few seconds."}
	memory, err := s.store.Memory(ctx, a.Account)
	if err != nil {
		return vigia.Preview{}, err
	}
	statuses, err := s.store.Statuses(ctx)
	if err != nil {
		return vigia.Preview{}, err
	}
	for i := range statuses {
		feed := &statuses[i].Feed
		if statuses[i].Network != memory.Account.Network {
			continue
		}
		market := vigia.Market{Last: feed.Last, ConfirmedAt: feed.ConfirmedAt}
		if preview, ok := guard.PreviewKept(memory, market, s.clock.Now(), a); ok {
			return preview, nil
		}
	}
	return vigia.Preview{}, unseen
}

// started are the networks that are guarded here.
func (s *server) started() []*network {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*network, 0, len(s.networks))
	for _, n := range s.networks {
		out = append(out, n)
	}
	return out
}

// Probe asks the exchange what a key may do. The stream says a key's scopes; a
// read shows that signing works.
func (s *server) Probe(ctx context.Context, name vigia.Network, c vigia.Credentials) ([]string, error) {
	hosts, ok := s.hostsOf(name)
	if !ok {
		return nil, vigia.Invalid("network", fmt.Sprintf("got %q; this server has no paper exchange, so it takes mainnet or signet", name))
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	way := lnmarkets.Options{BaseURL: hosts.REST, Credentials: c, Clock: s.clock, UserAgent: agent(),
		HTTP: lnmarkets.NewHTTPClient(lnmarkets.HTTPOptions{Clock: s.clock})}
	var err error
	if way.Offset, err = s.offsetOf(ctx, name, way); err != nil {
		return nil, notAccepted(err)
	}
	reader, err := lnmarkets.New(way)
	if err != nil {
		return nil, err
	}
	if _, _, err := reader.Account(ctx); err != nil {
		return nil, notAccepted(err)
	}
	return s.scopes(ctx, hosts, way.Offset, c)
}

func notAccepted(err error) error {
	var answer *lnmarkets.Error
	switch {
	case errors.As(err, &answer) && answer.KeyRefused():
		return &vigia.Error{Code: "key_refused", Field: "key", Message: "the exchange refuses this key: " + answer.Message, Cause: err,
			Help: "Check key, secret and passphrase, and that the key is of this network."}
	case errors.As(err, &answer) && answer.ScopeMissing():
		return &vigia.Error{Code: "key_refused", Field: "key", Message: "the key lacks the scope " + vigia.ScopeAccountRead, Cause: err,
			Help: "Make a key that may read the account, and read and trade isolated futures."}
	}
	return &vigia.Error{Code: vigia.CodeUnavailable, Field: "network", Message: "the exchange could not be asked about this key", Cause: err,
		Help: "Check that it can be reached from here, then try again."}
}

// scopes are the permissions that the stream names for a key.
func (s *server) scopes(ctx context.Context, hosts lnmarkets.Hosts, offset *lnmarkets.Offset, c vigia.Credentials) ([]string, error) {
	stream, err := lnmarkets.NewStream(lnmarkets.StreamOptions{URL: hosts.Stream, Clock: s.clock, Credentials: &c,
		Offset: offset, ClientName: "vigia", ClientVersion: version})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var scopes []string
	enough := errors.New("the scopes are known")
	err = stream.Run(ctx, func(e lnmarkets.Event) {
		switch e := e.(type) {
		case lnmarkets.Connected:
			scopes = e.Permissions
			stop(enough)
		case lnmarkets.Closed:
			if e.Attempt >= 3 {
				stop(e.Cause)
			}
		}
	})
	if !errors.Is(err, enough) {
		return nil, notAccepted(err)
	}
	return scopes, nil
}

// offsetOf is a network's clock offset, measured now where it is not yet: a key is
// not to blame for a clock that is off.
func (s *server) offsetOf(ctx context.Context, name vigia.Network, way lnmarkets.Options) (*lnmarkets.Offset, error) {
	if n := s.network(name); n != nil && !n.offset.Last().At.IsZero() {
		return n.offset, nil
	}
	public, err := lnmarkets.NewPublic(way)
	if err != nil {
		return nil, err
	}
	offset := lnmarkets.NewOffset(s.clock)
	_, err = public.MeasureOffset(ctx, offset, 1)
	return offset, err
}

// Ready says why the program cannot serve.
func (s *server) Ready(ctx context.Context) error {
	if _, err := s.store.Revision(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		if why := n.guard.Alive(); why != "" {
			return errors.New(why)
		}
	}
	return nil
}
