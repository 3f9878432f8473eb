package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/api"
)

// client is a script that uses the API.
type client struct {
	t     testing.TB
	url   string
	token string
	http  *http.Client
}

func newClient(t testing.TB, at, token string) *client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, url: at, token: token, http: &http.Client{Timeout: patience, Transport: transport}}
}

func (c *client) answers() bool {
	response, err := c.http.Get(c.url + "/healthz")
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK
}

// try makes a call; the problem is what the server refused with.
func (c *client) try(method, path string, in, out any) (*api.Problem, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return c.raw(method, path, text, out)
}

// raw makes a call with a body as it is.
func (c *client) raw(method, path string, body []byte, out any) (*api.Problem, error) {
	request, err := http.NewRequest(method, c.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // it has been read
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		problem := &api.Problem{Status: response.StatusCode}
		if err := json.Unmarshal(text, problem); err != nil || problem.Message == "" {
			return nil, fmt.Errorf("%s %s: %d, and no problem: %s", method, path, response.StatusCode, text)
		}
		return problem, nil
	}
	if out == nil || len(text) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", method, path, err, text)
	}
	return nil, nil
}

// must makes a call that has to succeed.
func (c *client) must(method, path string, in, out any) {
	c.t.Helper()
	problem, err := c.try(method, path, in, out)
	if err != nil {
		c.t.Fatal(err)
	}
	if problem != nil {
		c.t.Fatalf("%s %s: %d %s: %s %v", method, path, problem.Status, problem.Code, problem.Message, problem.Detail)
	}
}

// refused makes a call that has to be refused.
func (c *client) refused(method, path string, in any) *api.Problem {
	c.t.Helper()
	problem, err := c.try(method, path, in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if problem == nil {
		c.t.Fatalf("%s %s: it was taken", method, path)
	}
	return problem
}

// listed reads a list to its end.
func listed[T any](c *client, path string) ([]T, error) {
	var out []T
	query := url.Values{"limit": {"200"}}
	for {
		var page struct {
			Data []T    `json:"data"`
			Next string `json:"next_cursor"`
		}
		problem, err := c.try(http.MethodGet, path+"?"+query.Encode(), nil, &page)
		if err != nil {
			return nil, err
		}
		if problem != nil {
			return nil, problem
		}
		out = append(out, page.Data...)
		if page.Next == "" {
			return out, nil
		}
		query.Set("cursor", page.Next)
	}
}

// executions are all there are, newest first; nil while they cannot be read.
func (c *client) executions() []vigia.Execution {
	out, err := listed[vigia.Execution](c, "/executions")
	if err != nil {
		return nil
	}
	return out
}

// watched is an account as the guard shows it; false while it does not.
func (c *client) watched(label string) (vigia.WatchedAccount, bool) {
	var status struct {
		Guards []vigia.GuardStatus `json:"guards"`
	}
	if problem, err := c.try(http.MethodGet, "/status", nil, &status); problem != nil || err != nil {
		return vigia.WatchedAccount{}, false
	}
	newest, found := time.Time{}, vigia.WatchedAccount{}
	for _, g := range status.Guards {
		for _, a := range g.Accounts {
			if a.Label == label && g.At.After(newest) {
				newest, found = g.At, a
			}
		}
	}
	return found, !newest.IsZero()
}
