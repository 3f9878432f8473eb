//go:build !killpoints

package main

import "github.com/vigiaguard/vigia/act"

// stepper is nothing in a binary that is released.
func stepper() func(act.Step) { return nil }
