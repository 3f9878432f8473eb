// Package api is the HTTP surface: every route with its permission on one screen
// (routes.go), typed request to typed response, one map from errors to status and
// code, and the OpenAPI 3.1 document made from all that.
//
// # What a client can rely on
//
// JSON in and out. An error is {code, message, field?, detail?, help?}; the codes
// are stable and listed in errors.go, the messages are not. Unknown fields of a
// request are refused, naming the nearest known one. Lists are paged by cursor,
// newest first; the cursor of a page is given back as it came.
//
// Everything but /healthz and /readyz needs the bearer token. Nothing in here
// calls the exchange with a saved key: what a person wants done becomes a
// requested execution, which the guard begins within half a second or lets lapse
// after thirty.
package api
