package watch

// timers is a heap of keys by the time at which they become due, each key
// knowing its place in it.
type timers struct {
	heap  []Key
	place []uint32 // by key: index in heap + 1; 0 when not in it
	at    []int64  // by key: nanoseconds since 1970
}

func (t *timers) put(key Key, at int64) {
	t.place, t.at = reach(t.place, key), reach(t.at, key)
	t.at[key] = at
	if t.place[key] == 0 {
		t.heap = append(t.heap, key)
		t.place[key] = uint32(len(t.heap))
	}
	t.fix(int(t.place[key]) - 1)
}

func (t *timers) take(key Key) {
	if int(key) >= len(t.place) || t.place[key] == 0 {
		return
	}
	i, last := int(t.place[key])-1, len(t.heap)-1
	moved := t.heap[last]
	t.heap = t.heap[:last]
	t.place[key] = 0
	if moved != key {
		t.set(i, moved)
		t.fix(i)
	}
}

// pop takes off every key whose time is not after now and appends them,
// earliest first.
func (t *timers) pop(now int64, buf []Key) []Key {
	for len(t.heap) > 0 && t.at[t.heap[0]] <= now {
		key := t.heap[0]
		t.take(key)
		buf = append(buf, key)
	}
	return buf
}

func (t *timers) fix(i int) {
	key := t.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if t.at[t.heap[parent]] <= t.at[key] {
			break
		}
		t.set(i, t.heap[parent])
		i = parent
	}
	for {
		child := 2*i + 1
		if child >= len(t.heap) {
			break
		}
		if right := child + 1; right < len(t.heap) && t.at[t.heap[right]] < t.at[t.heap[child]] {
			child = right
		}
		if t.at[key] <= t.at[t.heap[child]] {
			break
		}
		t.set(i, t.heap[child])
		i = child
	}
	t.set(i, key)
}

func (t *timers) set(i int, key Key) {
	t.heap[i] = key
	t.place[key] = uint32(i) + 1
}
