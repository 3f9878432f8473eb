package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/vigiaguard/vigia"
)

type paperGroup struct {
	Serve   paperServe    `cmd:"" default:"withargs" help:"Run the exchange alone (what vigia paper does by itself)."`
	Account paperAccounts `cmd:"" help:"Accounts on it: new, list, deposit."`
	Trade   paperTrades   `cmd:"" help:"Trades on it: open, list."`
	Price   paperPrice    `cmd:"" help:"Show the price, set it, let it fall, freeze it."`
	Fault   paperFaults   `cmd:"" help:"Let it misbehave: list, set, clear."`
}

// Help has the examples.
func (g *paperGroup) Help() string {
	return `A simulated exchange with the arithmetic, the calls and the stream of the real one, and no money.

  vigia paper --state paper.state --source walk:7
  vigia paper account new --balance 1000000
  vigia paper price --drop 5% --over 30s

What it takes by itself:  vigia paper serve --help`
}

// defaultPaperAdmin is where serve puts the admin port.
const defaultPaperAdmin = "127.0.0.1:8423"

// onPaper is what every command takes that asks a paper exchange's admin port.
type onPaper struct {
	Admin string `help:"Admin port of the paper exchange (default: that of the server in DATA, else 127.0.0.1:8423)." placeholder:"ADDR"`
	Data  string `help:"Folder of a running server with a paper exchange inside." default:"vigia-data" placeholder:"DIR"`
	JSON  bool   `help:"Print JSON."`
}

// address is the admin port that is meant.
func (o *onPaper) address() (string, error) {
	if o.Admin != "" {
		return o.Admin, nil
	}
	file, err := (&onServer{Data: o.Data}).serverFile()
	var missing *vigia.Error
	switch {
	case errors.As(err, &missing) && missing.Code == vigia.CodeUnavailable:
		return defaultPaperAdmin, nil
	case err != nil:
		return "", err
	case file.PaperAdmin == "":
		return "", vigia.Invalid("admin", "got none, and the server in "+o.Data+" has no paper exchange inside; it takes the admin address of the one that is meant, HOST:PORT")
	}
	return file.PaperAdmin, nil
}

// adminWithin bounds a call of the admin port.
const adminWithin = 15 * time.Second

// call makes one call of the admin port.
func (o *onPaper) call(ctx context.Context, method, path string, in, out any) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, body)
	if err != nil {
		return vigia.Invalid("admin", fmt.Sprintf("got %q; it takes HOST:PORT", address))
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := (&http.Client{Timeout: adminWithin}).Do(request)
	if err != nil {
		return &vigia.Error{Code: vigia.CodeUnavailable, Field: "admin", Cause: err,
			Message: fmt.Sprintf("no paper exchange answers at %s: %v", address, rootCause(err)), Help: "Start one with: vigia paper   or, with a guard beside it: vigia serve"}
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("the paper exchange at %s: %w", address, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return adminRefusal(response.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer of the paper exchange at %s is not understood: %w", address, err)
	}
	return nil
}

func adminRefusal(status int, text []byte) error {
	var refusal struct{ Code, Message, Field string }
	if err := json.Unmarshal(text, &refusal); err != nil || refusal.Message == "" {
		return fmt.Errorf("the paper exchange answered %d %s", status, http.StatusText(status))
	}
	return &vigia.Error{Code: vigia.Code(refusal.Code), Message: refusal.Message}
}
