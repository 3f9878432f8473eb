package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

func alarm(title string) notify.Message {
	return notify.Message{Level: vigia.LevelCritical, Title: title, Happened: "It happened.", Do: "Look.", At: epoch}
}

func TestNtfy(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	c := site.channel(t, vigia.WallClock{})
	for level, priority := range map[vigia.Level]string{vigia.LevelInfo: "default", vigia.LevelWarning: "high", vigia.LevelCritical: "max"} {
		m := alarm("Rescued: café")
		m.Level = level
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := site.next(t); got.title != m.Subject() || got.body != m.Body() || got.priority != priority || got.path != "/topic" {
			t.Errorf("%s arrived as %+v", level, got)
		}
	}
}

func TestWebhookHasTheTitleInItsText(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	for _, scheme := range []string{"generic+http://", "GENERIC+http://"} {
		c := opened(t, scheme+site.host()+"/hook", vigia.WallClock{})
		if err := c.Send(t.Context(), alarm("Blind")); err != nil {
			t.Fatal(err)
		}
		if got := site.next(t); got.body != "Vigia, critical: Blind\n\nIt happened.\n\nWhat you can do: Look.\n\n2026-01-02 03:04:05 UTC" {
			t.Errorf("it arrived as %+v", got)
		}
		if c.Name() != "generic" {
			t.Errorf("the channel is called %q", c.Name())
		}
	}
}

func TestNtfyTakesTheURLsWishes(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	c := opened(t, "ntfy://someone:"+secret+"@"+site.host()+"/topic?scheme=http&tags=vigia,sos&click=http://x/&cache=no&firebase=no", vigia.WallClock{})
	if err := c.Send(t.Context(), alarm("Blind")); err != nil {
		t.Fatal(err)
	}
	got := site.next(t)
	for name, want := range map[string]string{"Tags": "vigia,sos", "Click": "http://x/", "Cache": "no", "Firebase": "no"} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	if r := (&http.Request{Header: got.header}); r.Header.Get("Authorization") == "" {
		t.Error("it did not say who it is")
	}
}

func TestNtfyBehindTLS(t *testing.T) {
	t.Parallel()
	site := &site{got: make(chan got, 10)}
	site.Server = httptest.NewUnstartedServer(site)
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	t.Cleanup(site.Close)
	host := strings.TrimPrefix(site.URL, "https://")
	if err := opened(t, "ntfy://"+host+"/topic", vigia.WallClock{}).Send(t.Context(), alarm("Blind")); !errors.Is(err, notify.ErrCertificate) {
		t.Errorf("a stranger's certificate gave %v", err)
	}
	if err := opened(t, "ntfy://"+host+"/topic?disabletlsverification=yes", vigia.WallClock{}).Send(t.Context(), alarm("Blind")); err != nil {
		t.Errorf("told not to look at the certificate it gave %v", err)
	}
}

// What stands in for ntfy, as a hotel's sign-in page does, has not taken it.
func TestNtfyThatIsNone(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.answers(200, "<html>please sign in</html>")
	if err := site.channel(t, vigia.WallClock{}).Send(t.Context(), alarm("Blind")); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.answers(429, "{}")
	site.later = "90"
	var failed *notify.SendError
	if err := site.channel(t, vigia.WallClock{}).Send(t.Context(), alarm("Blind")); !errors.As(err, &failed) || failed.RetryAfter.Seconds() != 90 {
		t.Errorf("got %v, %+v", err, failed)
	}
}

// A service of the library must not keep the first message's title.
func TestGotify(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	c := opened(t, "gotify://"+site.host()+"/Aaaaaaaaaaaaaaa?disabletls=yes", vigia.WallClock{})
	for _, title := range []string{"first", "second"} {
		if err := c.Send(t.Context(), alarm(title)); err != nil {
			t.Fatal(err)
		}
		if got := site.next(t); !strings.Contains(got.body, `"title": "Vigia, critical: `+title+`"`) || !strings.Contains(got.body, `"priority": 10`) {
			t.Errorf("%s arrived as %s", title, got.body)
		}
	}
}

// Secrets that stand in the URLs below.
const (
	botToken = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	secret   = "hunter2hunter2"
)

func leaks(text string) bool {
	return strings.Contains(text, botToken) || strings.Contains(text, secret) || strings.Contains(text, "s3cr3ttopic")
}

// dead are channels at an address where nobody listens.
var dead = map[string]string{
	"ntfy":       "ntfy://someone:" + secret + "@127.0.0.1:1/s3cr3ttopic?scheme=http",
	"generic":    "generic+http://127.0.0.1:1/s3cr3ttopic?token=" + botToken,
	"gotify":     "gotify://127.0.0.1:1/Aaaaaaaaaaaaaaa?disabletls=yes&title=s3cr3ttopic",
	"mattermost": "mattermost://127.0.0.1:1/" + botToken + "?disabletls=yes",
	"rocketchat": "rocketchat://127.0.0.1:1/" + botToken + "/s3cr3ttopic",
	"smtp":       "smtp://someone:" + secret + "@127.0.0.1:1/?from=a@b.c&to=s3cr3ttopic@d.e",
	"matrix":     "matrix://someone:" + secret + "@127.0.0.1:1/?disabletls=yes&rooms=!s3cr3ttopic",
	"bark":       "bark://:" + botToken + "@127.0.0.1:1/",
}

func TestNoErrorShowsTheAddress(t *testing.T) {
	t.Parallel()
	for name, address := range dead {
		c := opened(t, address, vigia.WallClock{})
		err := c.Send(t.Context(), alarm("Blind"))
		var failed *notify.SendError
		if !errors.As(err, &failed) || failed.Channel != name {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if !errors.Is(err, notify.ErrUnreachable) && name != "matrix" {
			t.Errorf("%s: %v does not say that nobody is there", name, err)
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), fmt.Sprintf("%v %+v %#v %s", c, c, c, c), c.String()} {
			if leaks(text) || strings.Contains(text, "127.0.0.1") {
				t.Errorf("%s shows its address: %s", name, text)
			}
		}
	}
}

func TestWhatTheServerSaysIsNotRepeated(t *testing.T) {
	t.Parallel()
	for status, path := range map[int]string{403: "s3cr3ttopic", 429: "s3cr3ttopic", 502: "s3cr3ttopic", 404: "s3cr3ttopic"} {
		site := newSite(t)
		site.answers(status, `{"code":40101,"http":`+fmt.Sprint(status)+`,"error":"no such topic s3cr3ttopic for `+botToken+`"}`)
		for _, address := range []string{"ntfy://" + site.host() + "/" + path + "?scheme=http", "generic+http://" + site.host() + "/" + path} {
			err := opened(t, address, vigia.WallClock{}).Send(t.Context(), alarm("Blind"))
			var failed *notify.SendError
			if !errors.As(err, &failed) || !errors.Is(err, notify.ErrRefused) || leaks(fmt.Sprintf("%+v %#v", err, failed)) {
				t.Errorf("%d: got %v", status, err)
			}
			if failed != nil && failed.Channel == "generic" && failed.Status != status {
				t.Errorf("the status %d is given as %d", status, failed.Status)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for address, part := range map[string]string{
		"":                                      "it starts with a kind and ://",
		secret:                                  "it starts with a kind and ://",
		"carrier-pigeon://" + secret:            "the kind being one of bark, discord",
		"https://ntfy.sh/" + secret:             "for a webhook write generic+https://",
		"logger://" + secret:                    "the kind being one of",
		"ntfy://ntfy.sh":                        "ntfy takes ntfy://host/topic",
		"ntfy://ntfy.sh/x?" + secret + "=1":     "ntfy takes ntfy://host/topic",
		"ntfy://someone:" + secret + "\x7f@x/y": "is not well formed",
		"telegram://" + secret + "@telegram":    "telegram takes telegram://token@telegram?chats=id",
		"telegram://110201543:" + botToken + "@telegram": "telegram takes telegram://token@telegram?chats=id",
		"discord://" + secret:                            "discord does not take",
	} {
		c, err := notify.Open(vigia.NewSecret(address), vigia.WallClock{})
		if c != nil || !errors.Is(err, notify.ErrURL) || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got %v, want that %s", address, err, part)
			continue
		}
		if leaks(err.Error()) {
			t.Errorf("the error shows the URL: %v", err)
		}
	}
}

func TestOpenCallsNobody(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	opened(t, "matrix://someone:"+secret+"@"+site.host()+"/?disabletls=yes", vigia.WallClock{})
	site.channel(t, vigia.WallClock{})
	site.quiet(t)
}

func FuzzOpen(f *testing.F) {
	for _, address := range dead {
		f.Add(address)
	}
	f.Add("telegram://110201543:" + botToken + "@telegram?chats=1")
	f.Fuzz(func(t *testing.T, address string) {
		c, err := notify.Open(vigia.NewSecret(address), vigia.WallClock{})
		if err == nil {
			err = errors.New(c.String())
		}
		if _, rest, _ := strings.Cut(address, "://"); len(rest) > 12 && strings.Contains(err.Error(), rest) {
			t.Errorf("it shows the URL: %v", err)
		}
	})
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	site, clock := newSite(t), vigia.NewManualClock(epoch)
	release := site.hangs(t)
	c := site.channel(t, clock)
	sent := make(chan error, 1)
	go func() { sent <- c.Send(t.Context(), alarm("first")) }()
	site.next(t)
	clock.Advance(notify.SendTimeout)
	if err := <-sent; !errors.Is(err, notify.ErrTimeout) {
		t.Errorf("got %v", err)
	}
	if left := clock.Waiting(); left != 0 {
		t.Errorf("%d timers are left behind", left)
	}
	release()
	if err := c.Send(t.Context(), alarm("second")); err != nil {
		t.Errorf("after the server came back: %v", err)
	}
	site.next(t)
}

func TestTooManyHang(t *testing.T) {
	t.Parallel()
	site, clock := newSite(t), vigia.NewManualClock(epoch)
	release := site.hangs(t)
	c := opened(t, "generic+http://"+site.host()+"/hook", clock)
	for range 4 {
		sent := make(chan error, 1)
		go func() { sent <- c.Send(t.Context(), alarm("one")) }()
		site.next(t)
		clock.Advance(notify.SendTimeout)
		if err := <-sent; !errors.Is(err, notify.ErrTimeout) {
			t.Fatal(err)
		}
	}
	if err := c.Send(t.Context(), alarm("one")); !errors.Is(err, notify.ErrStuck) {
		t.Errorf("the fifth gave %v", err)
	}
	site.quiet(t)
	release()
	for err := errors.New("not yet"); err != nil; {
		if err = c.Send(t.Context(), alarm("at last")); err != nil && !errors.Is(err, notify.ErrStuck) {
			t.Fatal(err)
		}
	}
	site.next(t)
}

func TestSendGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	site, clock := newSite(t), vigia.NewManualClock(epoch)
	site.hangs(t)
	c := site.channel(t, clock)
	gone := errors.New("the process ends")
	ctx, cancel := context.WithCancelCause(t.Context())
	sent := make(chan error, 2)
	go func() { sent <- c.Send(ctx, alarm("first")) }()
	site.next(t)
	go func() { sent <- c.Send(ctx, alarm("waits for its turn")) }()
	waiting(t, clock, 2)
	cancel(gone)
	for range 2 {
		if err := <-sent; !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
	}
}

func TestSendsTakeTurns(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	c := site.channel(t, vigia.WallClock{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				if err := c.Send(t.Context(), alarm("one of many")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(site.got); n != 40 {
		t.Errorf("%d messages arrived, want 40", n)
	}
}

// telegramAnswers are what Telegram, or what stands in its place, says.
func TestTelegram(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		answer string
		want   error
	}{
		"taken":          {0, `{"ok":true,"result":{"message_id":1}}`, nil},
		"refused":        {401, `{"ok":false,"error_code":401,"description":"Unauthorized"}`, notify.ErrRefused},
		"not ok":         {200, `{"ok":false,"error_code":400}`, notify.ErrRefused},
		"too many":       {429, `{"ok":false,"error_code":429,"parameters":{"retry_after":7}}`, notify.ErrRefused},
		"a gateway":      {502, `<html>bad gateway</html>`, notify.ErrRefused},
		"a hotel's page": {200, `<html>please sign in</html>`, notify.ErrRefused},
		"nothing":        {204, ``, notify.ErrRefused},
	} {
		site := newSite(t)
		site.answers(c.status, c.answer)
		channel, err := notify.OpenAt(vigia.NewSecret("telegram://110201543:"+botToken+"@telegram?chats=42,-100:7&notification=no"), vigia.WallClock{}, site.URL)
		if err != nil {
			t.Fatal(err)
		}
		err = channel.Send(t.Context(), alarm("Blind"))
		if c.want == nil && err != nil || !errors.Is(err, c.want) || err != nil && leaks(fmt.Sprintf("%+v", err)) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		var failed *notify.SendError
		if errors.As(err, &failed) && name == "too many" && (failed.RetryAfter.Seconds() != 7 || failed.Status != 429) {
			t.Errorf("it asked for 7 seconds, and got %+v", failed)
		}
		first, second := site.next(t), site.next(t)
		if first.path != "/bot110201543:"+botToken+"/sendMessage" {
			t.Errorf("%s: asked for %s", name, first.path)
		}
		if want := `{"chat_id":"42","text":"Vigia, critical: Blind\n\nIt happened.\n\nWhat you can do: Look.\n\n2026-01-02 03:04:05 UTC","disable_notification":true}`; first.body != want {
			t.Errorf("%s: sent %s", name, first.body)
		}
		if !strings.HasPrefix(second.body, `{"chat_id":"-100","message_thread_id":7,`) {
			t.Errorf("%s: to the thread went %s", name, second.body)
		}
	}
}

// The library takes a Telegram that is not there for a success; we do not.
func TestTelegramThatIsNotThere(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.Close()
	channel, err := notify.OpenAt(vigia.NewSecret("telegram://110201543:"+botToken+"@telegram?chats=42"), vigia.WallClock{}, site.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.Send(t.Context(), alarm("Blind")); !errors.Is(err, notify.ErrUnreachable) || leaks(err.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestTelegramTimeout(t *testing.T) {
	t.Parallel()
	site, clock := newSite(t), vigia.NewManualClock(epoch)
	site.hangs(t)
	channel, err := notify.OpenAt(vigia.NewSecret("telegram://110201543:"+botToken+"@telegram?chats=42"), clock, site.URL)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- channel.Send(t.Context(), alarm("Blind")) }()
	site.next(t)
	clock.Advance(notify.SendTimeout)
	if err := <-sent; !errors.Is(err, notify.ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

func TestSendErrorSaysTheStatus(t *testing.T) {
	t.Parallel()
	err := &notify.SendError{Channel: "ntfy", Kind: notify.ErrRefused, Status: http.StatusForbidden}
	if got, want := err.Error(), "ntfy: the server did not take it (it answered 403)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
