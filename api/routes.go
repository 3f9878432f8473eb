package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Permission is what a caller must hold for a route.
type Permission string

// The permissions. Tokens with fewer of them come with people.
const (
	// Anybody needs no token.
	Anybody Permission = "anybody"
	// Reader sees, Operator changes rules and asks for actions, Owner handles
	// keys and backups.
	Reader   Permission = "reader"
	Operator Permission = "operator"
	Owner    Permission = "owner"
)

const permissionKey = "permission"

// routes is every route with its permission.
func (a *api) routes(h huma.API) {
	route(h, Reader, "GET /status", "The proof of life: what is held, and is somebody watching.", a.status)
	route(h, Reader, "GET /doctor", "What is wrong with this installation, and what to do.", a.doctor)

	route(h, Reader, "GET /accounts", "Accounts, oldest first.", a.accounts)
	route(h, Owner, "POST /accounts", "Add an exchange key; its scopes are read back first.", a.addAccount)
	route(h, Reader, "GET /accounts/{account}", "One account, by id or label.", a.account)
	route(h, Owner, "DELETE /accounts/{account}", "Remove an account and its sealed key.", a.removeAccount)
	route(h, Operator, "POST /accounts/{account}/prove", "Add one sat to show that writing works.", a.prove)
	route(h, Operator, "POST /accounts/{account}/commands", "Ask for an action by hand; it lapses after 30 s.", a.command)
	route(h, Operator, "POST /accounts/{account}/drill", "Drop the price of a paper account.", a.drill)

	route(h, Reader, "GET /presets", "The ready-made guards.", a.presets)
	route(h, Reader, "GET /automations", "Rules, oldest first.", a.automations)
	route(h, Operator, "POST /automations", "Make a rule; it starts in dry run.", a.addAutomation)
	route(h, Reader, "POST /automations/preview", "What a rule would do with the positions there are.", a.previewAutomation)
	route(h, Reader, "GET /automations/{id}", "One rule.", a.automation)
	route(h, Operator, "PUT /automations/{id}", "Change a rule; If-Match names the version.", a.saveAutomation)
	route(h, Operator, "DELETE /automations/{id}", "Remove a rule.", a.removeAutomation)
	route(h, Operator, "POST /automations/{id}/go-live", "Let a rule act, after its preview was confirmed.", a.goLive)
	route(h, Operator, "POST /automations/{id}/mode", "Turn a rule off, or back to dry run.", a.setMode)

	route(h, Reader, "GET /executions", "What was done, newest first.", a.executions)
	route(h, Reader, "GET /executions/{id}", "One execution with the exchange's answer.", a.execution)
	route(h, Reader, "GET /decisions", "What the rules said, newest first.", a.decisions)
	route(h, Reader, "GET /events", "What was told, newest first.", a.events)

	route(h, Reader, "GET /stop", "The stop modes in force.", a.stops)
	route(h, Operator, "PUT /stop", "Stop automations, or release them.", a.setStops)

	route(h, Reader, "GET /journal/heads", "The end of every chain.", a.heads)
	route(h, Reader, "GET /journal/verify", "Walk every chain and name the first bad entry.", a.verify)
	route(h, Reader, "GET /journal/entries", "Entries of one chain, newest first.", a.journal)
	route(h, Owner, "POST /backup", "Copy the database to a file on the server.", a.backup)
}

// body wraps a response.
type body[T any] struct {
	Body T
}

// route registers a typed handler with its permission and maps its errors.
func route[I, O any](h huma.API, p Permission, pattern, summary string, handle func(context.Context, *I) (*O, error)) {
	method, path, _ := cut(pattern)
	operation := huma.Operation{OperationID: operationID(method, path), Method: method, Path: "/api/v1" + path,
		Summary: summary, Metadata: map[string]any{permissionKey: p}, DefaultStatus: http.StatusOK, MaxBodyBytes: mostBody}
	if p != Anybody {
		operation.Security = []map[string][]string{{tokenScheme: {string(p)}}}
	}
	huma.Register(h, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problem(err)
		}
		return out, nil
	})
}
