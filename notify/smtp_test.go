package notify_test

import (
	"bufio"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

// mailServer takes one mail after the other and gives each as it came, headers
// first. A refusal is what it answers to the recipient.
func mailServer(t *testing.T, refusal string) (address string, mails <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out, ended := make(chan string, 10), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			session(conn, refusal, out)
		}
	}()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return listener.Addr().String(), out
}

func session(conn net.Conn, refusal string, out chan<- string) {
	defer conn.Close() //nolint:errcheck // the other side may have gone
	c := textproto.NewReader(bufio.NewReader(conn))
	reply := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	reply("220 here")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); {
		case verb == "RCPT" && refusal != "":
			reply(refusal)
		case verb == "DATA":
			reply("354 go on")
			lines, err := c.ReadDotLines()
			if err != nil {
				return
			}
			out <- strings.Join(lines, "\n")
			reply("250 taken")
		case verb == "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 yes")
		}
	}
}

func mailChannel(t *testing.T, address string) *notify.Channel {
	t.Helper()
	return opened(t, "smtp://"+address+"/?from=vigia@example.org&to=trader@example.org&auth=none&starttls=no", vigia.WallClock{})
}

func TestMail(t *testing.T) {
	t.Parallel()
	address, mails := mailServer(t, "")
	if err := mailChannel(t, address).Send(t.Context(), alarm("Rescued: café\nBcc: all@example.org")); err != nil {
		t.Fatal(err)
	}
	headers, body, _ := strings.Cut(<-mails, "\n\n")
	if !strings.Contains(headers, "Subject: =?utf-8?q?Vigia,_critical:_Rescued:_caf=C3=A9_Bcc:_all@example.org?=") || strings.Contains(headers, "\nBcc") {
		t.Errorf("the headers are\n%s", headers)
	}
	if body != alarm("").Body() {
		t.Errorf("the body is\n%s", body)
	}
}

func TestMailRefused(t *testing.T) {
	t.Parallel()
	address, _ := mailServer(t, "550 no such user trader@example.org")
	err := mailChannel(t, address).Send(t.Context(), alarm("Blind"))
	var failed *notify.SendError
	if !errors.As(err, &failed) || !errors.Is(err, notify.ErrRefused) || failed.Status != 550 || strings.Contains(err.Error(), "example") {
		t.Errorf("got %v", err)
	}
}
