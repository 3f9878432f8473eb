package e2e

import "syscall"

// child lets a process die with the thread that started it, so that nothing is
// left behind even when the tests are killed.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
