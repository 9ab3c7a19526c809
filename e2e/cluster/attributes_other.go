//go:build !linux

package cluster

import "syscall"

// attributes are none here: nodes outlive a test process that is killed.
func attributes() *syscall.SysProcAttr { return nil }
