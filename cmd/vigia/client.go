package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/api"
)

// serverFileName is the file in the data folder by which commands find the
// server that runs from it.
const serverFileName = "server.json"

// serverFile is what a running server leaves for the commands of its machine.
type serverFile struct {
	URL string `json:"url"`
	// Paper and PaperAdmin are of the paper exchange inside, where there is one.
	Paper      string `json:"paper,omitempty"`
	PaperAdmin string `json:"paper_admin,omitempty"`
	// KeyFile is where the key lies that a backup does not hold.
	KeyFile string `json:"key_file"`
	Process int    `json:"process"`
}

// writeClientFile says where the server is reached. It takes the place of an
// older file whole, so that nobody reads half of one.
func (s *server) writeClientFile(l *listeners) error {
	key, err := filepath.Abs(s.o.KeyFile)
	if err != nil {
		return fmt.Errorf("the key file: %w", err)
	}
	file := serverFile{URL: "http://" + reachable(l.api.Addr()), KeyFile: key, Process: os.Getpid()}
	if l.paper != nil {
		file.Paper, file.PaperAdmin = "http://"+reachable(l.paper.Addr()), reachable(l.admin.Addr())
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", serverFileName, err)
	}
	path := filepath.Join(s.o.Data, serverFileName)
	part := path + ".part"
	if err := os.WriteFile(part, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, rootCause(err))
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, rootCause(err))
	}
	return nil
}

// removeClientFile says that no server runs from the folder any more.
func (s *server) removeClientFile() error {
	if err := os.Remove(filepath.Join(s.o.Data, serverFileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", serverFileName, err)
	}
	return nil
}

// reachable is an address that this machine reaches: one that listens on every
// interface is asked on loopback.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}

// onServer is what every command takes that asks a running server.
type onServer struct {
	Data string `help:"Folder of the running server, where its address and token lie (vigia-data)." default:"vigia-data" placeholder:"DIR"`
}

// remote is a running server as a command reaches it.
type remote struct {
	folder string
	file   serverFile
	token  vigia.Secret
	http   *http.Client
}

// answerWithin bounds a call; a backup of a large record takes a while.
const answerWithin = 5 * time.Minute

func (o *onServer) reach() (*remote, error) {
	file, err := o.serverFile()
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(o.Data, "token"))
	if err != nil {
		return nil, fmt.Errorf("the token of the server: %s: %w", filepath.Join(o.Data, "token"), rootCause(err))
	}
	return &remote{folder: o.Data, file: file, token: vigia.NewSecret(strings.TrimSpace(string(token))),
		http: &http.Client{Timeout: answerWithin, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// serverFile reads where the server is, or says that none runs.
func (o *onServer) serverFile() (serverFile, error) {
	var out serverFile
	path := filepath.Join(o.Data, serverFileName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out, &vigia.Error{Code: vigia.CodeUnavailable, Cause: err,
			Message: fmt.Sprintf("no server runs from %s (%s is missing); start it with: vigia serve --data %s", o.Data, path, o.Data)}
	}
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, rootCause(err))
	}
	if err := json.Unmarshal(text, &out); err != nil || out.URL == "" {
		return out, &vigia.Error{Code: vigia.CodeInvalid, Cause: err,
			Message: path + " does not say where the server is; start it again with: vigia serve --data " + o.Data}
	}
	return out, nil
}

// get asks for something.
func (r *remote) get(ctx context.Context, path string, out any) error {
	return r.call(ctx, http.MethodGet, path, nil, out, nil)
}

// post asks for something to be done.
func (r *remote) post(ctx context.Context, path string, in, out any) error {
	return r.call(ctx, http.MethodPost, path, in, out, nil)
}

// call makes one call of the API. What the server refuses comes back as it said
// it.
func (r *remote) call(ctx context.Context, method, path string, in, out any, header http.Header) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.file.URL+"/api/v1"+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+r.token.Reveal())
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := r.http.Do(request)
	if err != nil {
		return r.unanswered(ctx, err)
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return r.unanswered(ctx, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return r.refusal(response.StatusCode, text)
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the server's answer to %s %s is not understood; is it of another version? %w", method, path, err)
	}
	return nil
}

// unanswered says why there is no answer.
func (r *remote) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("given up: %w", context.Cause(ctx))
	}
	var dialled *net.OpError
	if !errors.As(err, &dialled) || dialled.Op != "dial" {
		return &vigia.Error{Code: vigia.CodeUnavailable, Cause: err,
			Message: fmt.Sprintf("the server at %s broke off: %v", r.file.URL, rootCause(err)), Help: "What it prints says why."}
	}
	path := filepath.Join(r.folder, serverFileName)
	return &vigia.Error{Code: vigia.CodeUnavailable, Cause: err,
		Message: fmt.Sprintf("no server answers at %s, the address in %s: %v; start it with: vigia serve --data %s", r.file.URL, path, rootCause(err), r.folder)}
}

// refusal is what the server said as an error of ours.
func (r *remote) refusal(status int, text []byte) error {
	if status == http.StatusUnauthorized {
		return &vigia.Error{Code: vigia.CodeUnauthorized,
			Message: fmt.Sprintf("the server at %s does not take the token in %s", r.file.URL, filepath.Join(r.folder, "token")),
			Help:    "It runs from another folder: name that one with --data, or start it here with: vigia serve --data " + r.folder}
	}
	var problem api.Problem
	if err := json.Unmarshal(text, &problem); err != nil || problem.Message == "" {
		return fmt.Errorf("the server answered %d %s", status, http.StatusText(status))
	}
	out := &vigia.Error{Code: problem.Code, Field: problem.Field, Message: problem.Message, Help: problem.Help}
	out.Message = strings.TrimPrefix(out.Message, problem.Field+": ")
	if len(problem.Detail) > 1 {
		out.Help = strings.TrimSpace(out.Help + "\n       " + strings.Join(problem.Detail, "\n       "))
	}
	return out
}

// pageSize is the most a page of the API holds.
const pageSize = 200

// pages reads a list page by page until it has enough; 0 is all of it.
func pages[T any](ctx context.Context, r *remote, path string, query url.Values, enough int) ([]T, error) {
	out := []T{}
	for {
		size := pageSize
		if enough > 0 {
			size = min(size, enough-len(out))
		}
		query.Set("limit", strconv.Itoa(size))
		var page struct {
			Data []T    `json:"data"`
			Next string `json:"next_cursor"`
		}
		if err := r.get(ctx, path+"?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		out = append(out, page.Data...)
		if page.Next == "" || enough > 0 && len(out) >= enough {
			return out, nil
		}
		query.Set("cursor", page.Next)
	}
}

// accountPath is the route of an account by id or label.
func accountPath(name, rest string) string { return "/accounts/" + url.PathEscape(name) + rest }
