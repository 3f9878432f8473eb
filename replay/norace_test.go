//go:build !race

package replay_test

// underRace is said in race_test.go.
const underRace = false
