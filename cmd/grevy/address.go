package main

import (
	"net"
	"strconv"
)

func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
