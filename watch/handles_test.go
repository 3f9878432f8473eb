package watch

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
)

type owned struct {
	account vigia.AccountID
	subject vigia.Subject
}

func TestHandlesAreAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		handles := NewHandles()
		keys, names := map[owned]Key{}, map[Key]owned{}
		highest := Key(0)
		draw := func(t *rapid.T) owned {
			subject := vigia.TradeSubject(vigia.TradeID(fmt.Sprint("trade-", rapid.IntRange(0, 60).Draw(t, "trade"))))
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				subject = vigia.CrossSubject()
			case 1:
				subject = vigia.AccountSubject()
			}
			return owned{vigia.AccountID(fmt.Sprint("account-", rapid.IntRange(0, 4).Draw(t, "account"))), subject}
		}
		t.Repeat(map[string]func(*rapid.T){
			"handle": func(t *rapid.T) {
				o := draw(t)
				key := handles.Handle(o.account, o.subject)
				if want, ok := keys[o]; ok && key != want {
					t.Fatalf("%v has key %d, and had %d", o, key, want)
				}
				if other, taken := names[key]; taken && other != o {
					t.Fatalf("key %d is both %v's and %v's", key, o, other)
				}
				keys[o], names[key] = key, o
				highest = max(highest, key)
			},
			"release": func(t *rapid.T) {
				o := draw(t)
				handles.Release(keys[o]) // key 0 when it has none
				delete(names, keys[o])
				delete(keys, o)
			},
			"": func(t *rapid.T) {
				o := draw(t)
				if got, ok := handles.Find(o.account, o.subject); ok != (keys[o] != 0) || got != keys[o] {
					t.Fatalf("%v is found as %d (%t), want %d", o, got, ok, keys[o])
				}
				key := Key(rapid.IntRange(0, 70).Draw(t, "key"))
				account, subject, ok := handles.Name(key)
				if want, given := names[key]; ok != given || want != (owned{account, subject}) {
					t.Fatalf("key %d is %v of %q (%t), want %v", key, subject, account, ok, want)
				}
				if handles.Len() != len(keys) {
					t.Fatalf("%d keys, want %d", handles.Len(), len(keys))
				}
			},
		})
	})
}

// Keys are dense, so that the book stays small, however many come and go.
func TestHandlesStayDense(t *testing.T) {
	t.Parallel()
	handles := NewHandles()
	for round := range 50 {
		for i := range 100 {
			id := vigia.TradeID(fmt.Sprint(round, "-", i))
			if key := handles.Handle("account", vigia.TradeSubject(id)); key < 1 || key > 100 {
				t.Fatalf("round %d: key %d for at most 100 subjects", round, key)
			}
		}
		for i := range Key(100) {
			handles.Release(i + 1)
		}
	}
	if handles.Len() != 0 {
		t.Errorf("%d keys are left", handles.Len())
	}
}

func TestHandlesManyAtOnce(t *testing.T) {
	t.Parallel()
	handles := NewHandles()
	done := make(chan map[Key]vigia.Subject)
	for range 4 {
		go func() {
			own := map[Key]vigia.Subject{}
			for i := range 500 {
				subject := vigia.TradeSubject(vigia.TradeID(fmt.Sprint(i)))
				own[handles.Handle("account", subject)] = subject
			}
			done <- own
		}()
	}
	first := <-done
	for range 3 {
		for key, subject := range <-done {
			if first[key] != subject {
				t.Errorf("key %d is %v to one and %v to another", key, first[key], subject)
			}
		}
	}
	if handles.Len() != 500 {
		t.Errorf("%d keys for 500 subjects", handles.Len())
	}
}
