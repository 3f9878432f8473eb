package lnmarkets_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// A guard's way to add margin: sign, keep what was signed, send it once, and
// tell done from refused from unsent from unknown.
func Example() {
	// Instead of a server of one's own: lnmarkets.Signet().REST.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":"BAD_REQUEST","message":"leverage would be under 1"}`)
	}))
	defer server.Close()

	web := lnmarkets.NewHTTPClient(lnmarkets.HTTPOptions{})
	defer web.CloseIdleConnections()
	client, err := lnmarkets.New(lnmarkets.Options{
		BaseURL: server.URL + "/v3", Clock: vigia.WallClock{}, HTTP: web,
		Credentials: vigia.Credentials{
			Key: vigia.NewSecret("key"), Secret: vigia.NewSecret("secret"), Passphrase: vigia.NewSecret("passphrase"),
		},
	})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		return
	}

	ctx := context.Background()
	call, err := client.Prepare(ctx, vigia.Order{
		Action: vigia.ActionAddMargin, Trade: "7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11", Amount: 107_408,
	})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		return
	}
	_, _ = fmt.Fprintf(os.Stdout, "%s %s %s\n", call.Method, call.Path, call.Body)

	switch result := client.Send(ctx, call); result.Outcome {
	case vigia.CallDone:
		_, _ = fmt.Fprintln(os.Stdout, "done, the margin is", result.Trade.Margin)
	case vigia.CallRefused:
		_, _ = fmt.Fprintln(os.Stdout, "refused:", result.Code, result.Message)
	case vigia.CallUnsent:
		_, _ = fmt.Fprintln(os.Stdout, "nothing was executed:", result.Err)
	case vigia.CallUnknown:
		_, _ = fmt.Fprintln(os.Stdout, "look at the exchange first:", result.Err)
	}
	// Output:
	// POST /v3/futures/isolated/trade/add-margin {"id":"7f2c2a0e-6a52-4a0f-9a5e-0d3b6d0c7b11","amount":107408}
	// refused: BAD_REQUEST leverage would be under 1
}
