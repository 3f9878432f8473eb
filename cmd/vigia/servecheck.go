package main

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// check refuses settings that would guard badly or open a door.
func (c *serveCommand) check() error {
	for _, d := range []struct {
		field       string
		got         time.Duration
		least, most time.Duration
	}{
		{"lease-term", c.LeaseTerm, time.Second, time.Minute},
		{"clock-window", c.ClockWindow, time.Second, 10 * time.Minute},
		{"call-timeout", c.CallTimeout, 100 * time.Millisecond, time.Minute},
	} {
		if d.got < d.least || d.got > d.most {
			return vigia.Invalid(d.field, fmt.Sprintf("got %s; it takes %s to %s", d.got, d.least, d.most))
		}
	}
	if err := c.checkDatabase(); err != nil {
		return err
	}
	for _, a := range []struct{ field, address string }{{"listen", c.Listen}, {"metrics", c.Metrics},
		{"paper-listen", c.PaperListen}, {"paper-admin", c.PaperAdmin}} {
		if err := loopback(a.field, a.address); err != nil {
			return err
		}
	}
	if c.PaperURL != "" {
		if u, err := url.Parse(c.PaperURL); err != nil || u.Scheme != "http" || u.Host == "" {
			return vigia.Invalid("paper-url", fmt.Sprintf("got %q; it takes http://HOST:PORT", c.PaperURL))
		}
	}
	return nil
}

// checkDatabase never says what it got: there may be a password in it. A socket is
// named as libpq does, postgres://USER@/DATABASE?host=/FOLDER.
func (c *serveCommand) checkDatabase() error {
	if c.Database == "" {
		return nil
	}
	u, err := url.Parse(c.Database)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" && u.Query().Get("host") == "" || strings.Trim(u.Path, "/") == "" {
		return vigia.Invalid("database", "it is not the URL of a PostgreSQL database: it takes postgres://USER:PASSWORD@HOST:PORT/DATABASE, or nothing for SQLite")
	}
	return nil
}

// loopback refuses an address that others could reach: everything here speaks
// plain http.
func loopback(field, address string) error {
	if address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return vigia.Invalid(field, fmt.Sprintf("got %q; it takes HOST:PORT, as 127.0.0.1:8420", address))
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return &vigia.Error{Code: vigia.CodeInvalid, Field: field, Message: fmt.Sprintf("got %q; it takes an address of this machine alone, as 127.0.0.1:8420", address),
		Help: "It speaks plain http: put a proxy with TLS before it where others shall reach it."}
}
