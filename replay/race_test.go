//go:build race

package replay_test

// underRace plays the eleven days in steps from corner to corner, and one preset of
// the three: the detector makes a walk ten times as long, and no goroutine is in it.
const underRace = true
