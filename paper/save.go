package paper

import "net/http"

// Save writes the engine's file anew, beginning with the state of now: it is on
// the disk when this returns, prices included. An engine in memory refuses.
func (e *Engine) Save() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.broken != nil:
		return e.broken
	case e.file == nil:
		return &Refusal{Code: CodeBadRequest, Message: "This exchange keeps no state file", Status: http.StatusConflict}
	}
	if err := e.compact(); err != nil {
		return e.breakWith(err)
	}
	return nil
}
