package vigia

// Check is one thing the doctor looked at.
type Check struct {
	Name string `json:"name"`
	// OK says that nothing has to be done.
	OK bool `json:"ok"`
	// Found is what was seen, Do what to do about it; empty when OK.
	Found string `json:"found"`
	Do    string `json:"do,omitempty"`
}
