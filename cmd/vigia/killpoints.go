//go:build killpoints

package main

import (
	"bufio"
	"os"

	"github.com/vigiaguard/vigia/act"
)

// The two ends of the pipe that a test gives as files 3 and 4.
const (
	stepsOut = 3
	stepsIn  = 4
)

// stepper writes the name of each step to a pipe and blocks until a line comes
// back: a signal then lands exactly there. Only binaries built with the tag
// killpoints have it.
func stepper() func(act.Step) {
	if os.Getenv("VIGIA_TEST_STEPS") == "" {
		return nil
	}
	out, in := os.NewFile(stepsOut, "steps"), bufio.NewReader(os.NewFile(stepsIn, "go on"))
	turn := make(chan struct{}, 1)
	return func(step act.Step) {
		turn <- struct{}{}
		defer func() { <-turn }()
		if _, err := out.WriteString(string(step) + "\n"); err != nil {
			return
		}
		_, _ = in.ReadString('\n') // the test is gone when it fails: go on
	}
}
