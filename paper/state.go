package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Load makes an exchange that keeps its state in a file, and reads what an
// earlier one left there. The rules given count from now on.
//
// The file is append-only: first the state as one record, then each command,
// written and synced before it is answered; ticks that changed nothing but the
// price are written and not waited for. Commands are applied again in order, and
// do the same. When the file has grown large it is replaced in one step by one
// that begins with the state of that moment. A last record that was not written
// whole is cut off; damage before it is refused with a [*CorruptError] and
// nothing is touched. Keys lie in it in plain, as paper keys may; its mode is
// 0600. Shut lets go of it.
func Load(path string, rules Rules) (*Engine, error) {
	if err := rules.Check(); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	l := newFile(path, lock)
	e, err := load(l, rules)
	if err != nil {
		return nil, closing(l, err)
	}
	return e, nil
}

func closing(l *file, err error) error {
	if failed := l.close(); failed != nil {
		return fmt.Errorf("%w (and closing the file: %w)", err, failed)
	}
	return err
}

func load(l *file, rules Rules) (*Engine, error) {
	data, err := readAll(l.path)
	if err != nil {
		return nil, err
	}
	e := New(rules)
	e.replaying = true
	frames := 0
	end, err := readFrames(l.path, data, func(offset int64, payload []byte) error {
		frames++
		if frames == 1 {
			l.base = int64(frameHeader + len(payload))
			return e.restore(l.path, payload)
		}
		return e.replay(l.path, offset, payload)
	})
	if err != nil {
		return nil, err
	}
	e.replaying = false
	e.file = l
	l.written, l.synced = e.records, e.records
	if frames == 0 {
		return e, e.compact()
	}
	if l.f, err = openAt(l.path, end); err != nil {
		return nil, err
	}
	l.size = end
	same, err := sameRules(e.rules, rules)
	if err != nil || same {
		return e, err
	}
	_, err = e.do(command{Op: opRules, Rules: &rules})
	return e, err
}

func sameRules(a, b Rules) (bool, error) {
	first, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("rules: %w", err)
	}
	second, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("rules: %w", err)
	}
	return bytes.Equal(first, second), nil
}

// errShut is what an engine answers after Shut.
var errShut = errors.New("the paper exchange was shut")

// Shut syncs the file and lets go of it; the engine refuses every change
// afterwards. Reads go on. An engine in memory has no file to let go of.
func (e *Engine) Shut() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if errors.Is(e.broken, errShut) {
		return nil
	}
	e.broken = errShut
	if e.file == nil {
		return nil
	}
	return e.file.close()
}

func (e *Engine) replay(path string, offset int64, payload []byte) error {
	var c command
	if err := json.Unmarshal(payload, &c); err != nil {
		return fmt.Errorf("%s: record at byte %d: %w", path, offset, err)
	}
	if !c.whole() {
		return fmt.Errorf("%s: record at byte %d: %q is incomplete", path, offset, c.Op)
	}
	e.records++
	if _, err := e.apply(&c); err != nil {
		return fmt.Errorf("%s: record at byte %d, %q: %w", path, offset, c.Op, err)
	}
	return nil
}

// write appends a command, and writes the file anew when it has grown large.
func (e *Engine) write(c *command) error {
	payload, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if err := e.file.append(e.records, payload); err != nil {
		return err
	}
	if !e.file.full() {
		return nil
	}
	return e.compact()
}

func (e *Engine) compact() error {
	payload, err := e.dump()
	if err != nil {
		return err
	}
	return e.file.replace(payload)
}
