package paper

// CompactForm is the body as JavaScript would write it.
func CompactForm(raw []byte) ([]byte, error) { return compactForm(raw) }
