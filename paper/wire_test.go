package paper_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/vigiaguard/vigia/lnmarkets"
	"github.com/vigiaguard/vigia/paper"
)

// wire is a raw socket of the stream.
type wire struct {
	*desk
	conn *websocket.Conn
	ids  int
	// waiting are messages that came while another was looked for.
	waiting []lnmarkets.Frame
}

// soon bounds how long a test waits for what must come: a safety net.
const soon = 20 * time.Second

func (d *desk) dial() *wire {
	d.Helper()
	w, err := d.tryDial()
	if err != nil {
		d.Fatal(err)
	}
	return w
}

func (d *desk) tryDial() (*wire, error) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), soon)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(d.url, "http")+"/v1", &websocket.DialOptions{HTTPClient: d.http})
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	d.Cleanup(func() { _ = conn.CloseNow() })
	return &wire{desk: d, conn: conn}, nil
}

func (w *wire) write(text string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), soon)
	defer cancel()
	if err := w.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		w.Fatal(err)
	}
}

func (w *wire) read() (lnmarkets.Frame, error) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), soon)
	defer cancel()
	_, raw, err := w.conn.Read(ctx)
	if err != nil {
		return lnmarkets.Frame{}, err
	}
	var f lnmarkets.Frame
	if err := json.Unmarshal(raw, &f); err != nil {
		w.Fatalf("%q: %v", raw, err)
	}
	return f, nil
}

// ask sends a request and gives its answer; what comes before it is kept.
func (w *wire) ask(method, params string) lnmarkets.Frame {
	w.Helper()
	w.ids++
	id := fmt.Sprint(w.ids)
	if params != "" {
		params = `,"params":` + params
	}
	w.write(`{"jsonrpc":"2.0","id":"` + id + `","method":"` + method + `"` + params + `}`)
	for {
		f, err := w.read()
		if err != nil {
			w.Fatalf("%s: %v", method, err)
		}
		if f.ID != nil && *f.ID == id {
			return f
		}
		w.waiting = append(w.waiting, f)
	}
}

// told is the next data of a topic.
func (w *wire) told(topic lnmarkets.Topic) string {
	w.Helper()
	for {
		var f lnmarkets.Frame
		if len(w.waiting) > 0 {
			f, w.waiting = w.waiting[0], w.waiting[1:]
		} else {
			var err error
			if f, err = w.read(); err != nil {
				w.Fatalf("waiting for %s: %v", topic, err)
			}
		}
		var s lnmarkets.Subscription
		if err := json.Unmarshal(f.Params, &s); err != nil {
			w.Fatalf("%+v: %v", f, err)
		}
		if s.Topic == topic {
			return string(s.Data)
		}
	}
}

// quiet is sure that nothing was sent: a ping's answer comes first.
func (w *wire) quiet(why string) {
	w.Helper()
	before := len(w.waiting)
	w.ask("ping", "")
	if len(w.waiting) > before {
		w.Errorf("%s: got %s", why, w.waiting[before].Params)
	}
}

func (w *wire) subscribe(topics ...lnmarkets.Topic) {
	w.Helper()
	params, err := json.Marshal(lnmarkets.TopicList{Topics: topics})
	if err != nil {
		w.Fatal(err)
	}
	if f := w.ask("subscribe", string(params)); f.Error != nil {
		w.Fatalf("subscribe: %+v", f.Error)
	}
}

// credentialsOf are the params of authenticate, at a time and with a nonce.
func credentialsOf(key *paper.AccountKey, at time.Time, nonce string) lnmarkets.AuthenticateParams {
	stamp := lnmarkets.MillisOf(at)
	return lnmarkets.AuthenticateParams{
		Key: key.Key, Passphrase: key.Passphrase.Reveal(), Timestamp: stamp, Nonce: nonce,
		Signature: lnmarkets.StreamSignature(key.Secret, stamp, nonce),
	}
}

func paramsOf(in lnmarkets.AuthenticateParams) string {
	return fmt.Sprintf(`{"key":%q,"passphrase":%q,"timestamp":%d,"nonce":%q,"signature":%q}`,
		in.Key, in.Passphrase, in.Timestamp, in.Nonce, in.Signature)
}

func (w *wire) authenticate(in lnmarkets.AuthenticateParams) lnmarkets.Frame {
	w.Helper()
	return w.ask("authenticate", paramsOf(in))
}

// login authenticates with the desk's own key.
func (w *wire) login() {
	w.Helper()
	if f := w.authenticate(credentialsOf(&w.key, w.clock.Now(), fmt.Sprintf("nonce-of-%s-%p", w.Name(), w))); f.Error != nil {
		w.Fatalf("authenticate: %+v", f.Error)
	}
}

// wantError wants an answer that refuses.
func wantError(t *testing.T, what string, f lnmarkets.Frame, code int, app string) {
	t.Helper()
	if f.Error == nil || int(f.Error.Code) != code || f.Error.Data == nil || f.Error.Data.Code != app || f.Error.Message == "" {
		t.Errorf("%s: got %+v, want %d %s", what, f.Error, code, app)
	}
}
