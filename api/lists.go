package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/vigiaguard/vigia"
)

func cut(pattern string) (method, path string, ok bool) { return strings.Cut(pattern, " ") }

// operationID names an operation after its method and path: get-accounts-account.
func operationID(method, path string) string {
	plain := strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
	return strings.ToLower(method) + plain
}

type statusAnswer struct {
	Guards []vigia.GuardStatus `json:"guards" nullable:"false"`
}

func (a *api) status(ctx context.Context, _ *struct{}) (*body[statusAnswer], error) {
	guards, err := a.Desk.Statuses(ctx)
	return &body[statusAnswer]{Body: statusAnswer{guards}}, err
}

func (a *api) doctor(ctx context.Context, _ *struct{}) (*body[[]vigia.Check], error) {
	return &body[[]vigia.Check]{Body: a.Desk.Checks(ctx)}, nil
}

type accountPageInput struct {
	PageInput
	Account string `query:"account" maxLength:"64" doc:"Id or label; all accounts without it."`
}

// only is the account a list is narrowed to, empty for all.
func (a *api) only(ctx context.Context, name string) (vigia.AccountID, error) {
	if name == "" {
		return "", nil
	}
	account, err := a.find(ctx, name)
	return account.ID, err
}

func (a *api) executions(ctx context.Context, in *accountPageInput) (*body[page[vigia.Execution]], error) {
	account, err := a.only(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.ListExecutions(ctx, a.owner(ctx), account, vigia.ExecutionID(in.Cursor), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(rows, in.Limit, func(r *vigia.Execution) string { return string(r.ID) }), nil
}

type executionInput struct {
	ID vigia.ExecutionID `path:"id" maxLength:"64"`
}

func (a *api) execution(ctx context.Context, in *executionInput) (*body[vigia.Execution], error) {
	found, err := a.Store.Execution(ctx, a.owner(ctx), in.ID)
	return &body[vigia.Execution]{Body: found}, err
}

func (a *api) decisions(ctx context.Context, in *accountPageInput) (*body[page[vigia.KeptDecision]], error) {
	account, err := a.only(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.ListDecisions(ctx, a.owner(ctx), account, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(rows, in.Limit, func(r *vigia.KeptDecision) string { return r.ID }), nil
}

// before reads a cursor that is a number; the end of the list is the newest.
func before(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || n < 1 {
		return 0, vigia.Invalid("cursor", "it is not one that a page gave")
	}
	return n, nil
}

func (a *api) events(ctx context.Context, in *PageInput) (*body[page[vigia.Event]], error) {
	from, err := before(in.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.ListEvents(ctx, a.owner(ctx), from, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(rows, in.Limit, func(r *vigia.Event) string { return strconv.FormatInt(r.Cursor, 10) }), nil
}

func (a *api) stops(ctx context.Context, _ *struct{}) (*body[vigia.Stops], error) {
	set, err := a.Store.Stops(ctx)
	return &body[vigia.Stops]{Body: set}, err
}

type stopsInput struct {
	Body struct {
		// Automations holds back every rule, the guard too.
		Automations bool `json:"automations"`
	}
}

func (a *api) setStops(ctx context.Context, in *stopsInput) (*body[vigia.Stops], error) {
	set, err := a.Store.Stops(ctx)
	if err != nil {
		return nil, err
	}
	set.Automations = in.Body.Automations
	return &body[vigia.Stops]{Body: set}, a.Store.SetStops(ctx, set)
}

func (a *api) heads(ctx context.Context, _ *struct{}) (*body[[]vigia.JournalHead], error) {
	heads, err := a.Store.Heads(ctx)
	return &body[[]vigia.JournalHead]{Body: heads}, err
}

type verifyInput struct {
	Head string `query:"head" maxLength:"256" doc:"A head published outside, as CHAIN@SEQ:HASH."`
}

func (a *api) verify(ctx context.Context, in *verifyInput) (*body[vigia.JournalCheck], error) {
	var head *vigia.JournalHead
	if in.Head != "" {
		parsed, err := vigia.ParseJournalHead(in.Head)
		if err != nil {
			return nil, vigia.Invalid("head", err.Error())
		}
		head = &parsed
	}
	check, err := a.Store.Verify(ctx, head)
	return &body[vigia.JournalCheck]{Body: check}, err
}

type journalInput struct {
	PageInput
	Chain string `query:"chain" required:"true" maxLength:"128"`
}

func (a *api) journal(ctx context.Context, in *journalInput) (*body[page[vigia.JournalEntry]], error) {
	from, err := before(in.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.ListJournal(ctx, a.owner(ctx), in.Chain, from, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(rows, in.Limit, func(r *vigia.JournalEntry) string { return strconv.FormatInt(r.Seq, 10) }), nil
}

type backupInput struct {
	Body struct {
		// To is a path on the machine the server runs on; nothing may lie there.
		To string `json:"to" minLength:"1" maxLength:"4096"`
	}
}

func (a *api) backup(ctx context.Context, in *backupInput) (*empty, error) {
	return &empty{}, a.Store.Backup(ctx, in.Body.To)
}
