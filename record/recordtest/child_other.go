//go:build !linux

package recordtest

import "syscall"

// child runs a process as somebody else.
func child(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as}
}
