package watch

import "time"

// setBack is how far the wall clock must fall behind the monotonic one to count
// as set back, slept how far it must run ahead for the machine to have slept:
// more than a clock is slewed in one go, less than anything that matters here.
const (
	setBack = time.Second
	slept   = 2 * time.Second
)

// drift is how far the wall clock moved ahead of the monotonic one between two
// readings: the time a machine slept, negative when the clock was set back, and
// 0 for readings without a monotonic part.
func drift(from, to time.Time) time.Duration {
	return to.Round(0).Sub(from.Round(0)) - to.Sub(from)
}
