package cluster

import "syscall"

// attributes let a node end with the test that started it, however that ends.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
