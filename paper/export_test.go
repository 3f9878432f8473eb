package paper

import "os"

// Dump is the state of an engine as bytes; equal states make equal bytes.
func (e *Engine) Dump() ([]byte, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.dump()
}

// FileSize is how long the file is, and how long its first record.
func (e *Engine) FileSize() (size, base int64) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.file.size, e.file.base
}

// CompactAt makes an engine write its file anew from a size on.
func (e *Engine) CompactAt(size int64) { e.file.compactAt = size }

// OnSync puts a function in the place of the disk's sync.
func (e *Engine) OnSync(sync func(*os.File) error) { e.file.sync = sync }

// Frames are payloads as they lie in a file.
func Frames(payloads ...[]byte) []byte {
	var out []byte
	for _, p := range payloads {
		out = appendFrame(out, p)
	}
	return out
}
