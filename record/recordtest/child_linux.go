package recordtest

import "syscall"

// child runs a process as somebody else, and lets it die with this one even when
// this one is killed.
func child(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT}
}
