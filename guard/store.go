package guard

import (
	"fmt"
	"sync"
)

// storeHealth is what is known of the store. Reading and writing fail apart: a full
// disk is still read.
type storeHealth struct {
	mu              sync.Mutex
	unread, unwrote string
}

// trouble says why the store cannot be relied on; empty when it can.
func (h *storeHealth) trouble() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now()
}

func (h *storeHealth) now() string {
	if h.unwrote != "" {
		return h.unwrote
	}
	return h.unread
}

// set notes one side of it, and says whether trouble began or ended by that.
func (h *storeHealth) set(side *string, text string) (began, ended bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.now()
	*side = text
	return before == "" && h.now() != "", before != "" && h.now() == ""
}

// storeFailed says that the store cannot commit, once, by a way that needs none.
func (g *Guard) storeFailed(err error) {
	g.say(&g.store.unwrote, fmt.Errorf("nothing can be committed, so nothing is done: %w", err))
}

// storeUnread says that the store cannot be read: commands and changes do not
// come in.
func (g *Guard) storeUnread(err error) {
	g.say(&g.store.unread, fmt.Errorf("the store cannot be read, so that commands and changes do not come in: %w", err))
}

// storeWorks says that it took a write, storeReads that it was read.
func (g *Guard) storeWorks() { g.say(&g.store.unwrote, nil) }

func (g *Guard) storeReads() { g.say(&g.store.unread, nil) }

func (g *Guard) say(side *string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch began, ended := g.store.set(side, text); {
	case began:
		g.o.Direct("store", err)
	case ended:
		g.o.Direct("store", nil)
	}
}
