package watch

import (
	"hash/maphash"
	"sync"
	"unique"

	"github.com/vigiaguard/vigia"
)

// Handles gives out keys: one for each subject of each account, from 1 on and
// without gaps. The key of a subject that was released may be given out again;
// whoever still holds it then looks at another subject for nothing.
type Handles struct {
	mu    sync.RWMutex
	seed  maphash.Seed
	names []name // by key; names[0] is nobody's
	freed []Key
	// slots is the way back: an open-addressed table of keys by their name's
	// hash, at most three quarters full. A Go map of the names themselves would
	// take ten times the memory.
	slots []Key
	count int
}

type name struct {
	account unique.Handle[vigia.AccountID]
	subject vigia.Subject
}

// NewHandles makes an empty registry.
func NewHandles() *Handles {
	return &Handles{seed: maphash.MakeSeed(), names: make([]name, 1), slots: make([]Key, 64)}
}

// Handle is the key of a subject, a new one when it has none yet.
func (h *Handles) Handle(account vigia.AccountID, subject vigia.Subject) Key {
	if key, ok := h.Find(account, subject); ok {
		return key
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	wanted := name{unique.Make(account), subject}
	if key := h.slots[h.slot(wanted)]; key != 0 {
		return key // somebody else was faster
	}
	if 4*(h.count+1) > 3*len(h.slots) {
		h.grow()
	}
	h.count++
	key := h.free()
	h.names[key] = wanted
	h.slots[h.slot(wanted)] = key
	return key
}

// Find is the key of a subject, if it has one.
func (h *Handles) Find(account vigia.AccountID, subject vigia.Subject) (Key, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	key := h.slots[h.slot(name{unique.Make(account), subject})]
	return key, key != 0
}

// Name is what a key stands for; false when it was never given out or was
// released.
func (h *Handles) Name(key Key) (vigia.AccountID, vigia.Subject, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if key == 0 || int(key) >= len(h.names) || h.names[key] == (name{}) {
		return "", vigia.Subject{}, false
	}
	return h.names[key].account.Value(), h.names[key].subject, true
}

// Release takes a key back. Disarm it first.
func (h *Handles) Release(key Key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if key == 0 || int(key) >= len(h.names) || h.names[key] == (name{}) {
		return
	}
	h.clear(h.slot(h.names[key]))
	h.names[key] = name{}
	h.freed = append(h.freed, key)
	h.count--
}

// Len is the number of keys given out.
func (h *Handles) Len() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.count
}

// slot is where a name's key is, or where it would be put.
func (h *Handles) slot(wanted name) int {
	i := h.home(wanted)
	for h.slots[i] != 0 && h.names[h.slots[i]] != wanted {
		i = (i + 1) & (len(h.slots) - 1)
	}
	return i
}

// home is the slot a name's hash points at.
func (h *Handles) home(n name) int {
	return int(maphash.Comparable(h.seed, n) & uint64(len(h.slots)-1))
}

// clear empties a slot and moves up those behind it that were pushed past it.
func (h *Handles) clear(i int) {
	mask := len(h.slots) - 1
	for j := (i + 1) & mask; h.slots[j] != 0; j = (j + 1) & mask {
		if home := h.home(h.names[h.slots[j]]); (j-home)&mask >= (j-i)&mask {
			h.slots[i] = h.slots[j]
			i = j
		}
	}
	h.slots[i] = 0
}

func (h *Handles) grow() {
	before := h.slots
	h.slots = make([]Key, 2*len(before))
	for _, key := range before {
		if key != 0 {
			h.slots[h.slot(h.names[key])] = key
		}
	}
}

func (h *Handles) free() Key {
	if last := len(h.freed) - 1; last >= 0 {
		key := h.freed[last]
		h.freed = h.freed[:last]
		return key
	}
	h.names = append(h.names, name{})
	return Key(len(h.names) - 1)
}
