package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

// leastDisk is the free space below which intents may soon not be committed.
const leastDisk = 256 << 20

// Checks are what the doctor found, the gravest kind of thing first.
func (s *server) Checks(ctx context.Context) []vigia.Check {
	out := []vigia.Check{s.checkStore(ctx), s.checkDisk()}
	statuses, err := s.Statuses(ctx)
	if err != nil {
		return append(out, vigia.Check{Name: "guards", Found: err.Error(), Do: "Start vigia serve."})
	}
	if len(statuses) == 0 {
		out = append(out, vigia.Check{Name: "guards", Found: "no network is guarded yet", Do: "Add an account: vigia account add."})
	}
	if halt := s.halted(); halt != "" {
		out = append(out, vigia.Check{Name: "halt file", Found: halt + " exists: nothing acts", Do: "Remove it when things may act again."})
	}
	for i := range statuses {
		out = append(out, checkGuard(&statuses[i])...)
	}
	return out
}

func (s *server) checkStore(ctx context.Context) vigia.Check {
	begun := s.clock.Now()
	if err := s.store.SetSetting(ctx, vigia.LocalOwner, "doctor", begun); err != nil {
		return vigia.Check{Name: "database", Found: err.Error(), Do: "Make room, or make the database writable; until then nothing is sent."}
	}
	return vigia.Check{Name: "database", OK: true, Found: fmt.Sprintf("%s takes a write in %s", s.store.Engine(), s.clock.Now().Sub(begun).Round(10*time.Microsecond))}
}

func (s *server) checkDisk() vigia.Check {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(s.o.Data, &fs); err != nil {
		return vigia.Check{Name: "disk", Found: err.Error(), Do: "Check the data folder."}
	}
	free := fs.Bavail * uint64(fs.Bsize)
	check := vigia.Check{Name: "disk", OK: free >= leastDisk, Found: fmt.Sprintf("%d MiB free in %s", free>>20, s.o.Data)}
	if !check.OK {
		check.Do = "Make room: with a full disk no intent can be committed, and nothing is sent."
	}
	return check
}

// checkGuard looks at what one guard says of itself.
func checkGuard(g *vigia.GuardStatus) []vigia.Check {
	network := string(g.Network)
	var out []vigia.Check
	add := func(name string, ok bool, do, found string, args ...any) {
		c := vigia.Check{Name: network + " " + name, OK: ok, Found: fmt.Sprintf(found, args...)}
		if !ok {
			c.Do = do
		}
		out = append(out, c)
	}
	age := vigia.Age(g.At, g.Feed.ConfirmedAt).Round(time.Millisecond)
	if g.Feed.ConfirmedAt.IsZero() {
		add("feed", false, "Check that the exchange can be reached from here.", "no price yet")
	} else {
		add("feed", !g.Feed.Blind, "Check the connection to the exchange; blind, only what the exchange holds works.",
			"%s, confirmed %s ago by %s", g.Feed.Last.Grouped(), age, g.Feed.Source)
	}
	add("clock", g.ClockOffset.Abs() <= lnmarkets.WarnOffset, "Set this machine's clock (NTP); signatures are corrected meanwhile.",
		"%s apart from the exchange", g.ClockOffset.Round(time.Millisecond))
	if g.StoreError != "" {
		add("store", false, "Nothing is sent until this is mended.", "%s", g.StoreError)
	}
	if g.Stops.Automations {
		add("automations", false, "vigia stop --release lets them act again.", "stopped by hand")
	}
	for i := range g.Accounts {
		out = append(out, checkAccount(g, &g.Accounts[i])...)
	}
	return out
}

func checkAccount(g *vigia.GuardStatus, a *vigia.WatchedAccount) []vigia.Check {
	name := "account " + a.Label
	switch {
	case a.Status == vigia.AccountRefused:
		return []vigia.Check{{Name: name, Found: "the exchange refuses its key: " + a.Detail, Do: "Make a new key and add the account again."}}
	case a.SnapshotBegun.IsZero():
		return []vigia.Check{{Name: name, Found: "its positions were not read yet", Do: "Wait a few seconds; if it stays, check the connection."}}
	}
	var out []vigia.Check
	age := vigia.Age(g.At, a.SnapshotBegun)
	fresh := len(a.Trades) == 0 || age <= vigia.FreshFor
	look := vigia.Check{Name: name, OK: fresh, Found: fmt.Sprintf("%d running trades, looked at %s ago", len(a.Trades), age.Round(time.Millisecond))}
	if !fresh {
		look.Do = "Reads fail or wait; the log says why."
	}
	out = append(out, look)
	proof := vigia.Check{Name: name + " write proof", OK: !a.ProvedAt.IsZero() && vigia.Age(g.At, a.ProvedAt) <= vigia.ProofLasts}
	if a.ProvedAt.IsZero() {
		proof.Found = "never"
	} else {
		proof.Found = vigia.Age(g.At, a.ProvedAt).Round(time.Second).String() + " ago"
	}
	if !proof.OK {
		proof.Do = "vigia account prove --account " + a.Label + " adds one sat to the safest trade and reads it back."
	}
	return append(out, proof)
}
