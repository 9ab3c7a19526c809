package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/grevy-io/grevy"
)

// nodePorts are the ports of a node without an offset.
var nodePorts = []int{grevy.GatewayPort, grevy.RemotePort, grevy.RaftPort, grevy.GossipPort, grevy.HTTPPort}

// portsInUse lists those of a node's ports that something else holds.
func portsInUse(host string, offset int) (used []int) {
	for _, port := range nodePorts {
		if !isFree(host, port+offset) {
			used = append(used, port+offset)
		}
	}
	return used
}

// isFree asks for TCP, and for UDP, which gossip needs too.
func isFree(host string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	u, err := net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err == nil {
		err = u.Close()
	}
	return errors.Join(err, l.Close()) == nil
}

// maxOffset keeps all ports below those that systems hand out for outgoing
// connections (32768 on Linux).
const maxOffset = 6000

// freeOffsets finds n offsets, the first at from, whose ports are all free, and
// with them the other ports up to the next offset: where one of those is held,
// a node may be about to come back.
func freeOffsets(host string, n, from int) ([]int, error) {
	var found []int
	for offset := from; offset <= maxOffset && len(found) < n; offset += offsetStep {
		if len(portsInUse(host, offset)) == 0 && blockIsFree(host, offset) {
			found = append(found, offset)
		}
	}
	if len(found) < n {
		return nil, fmt.Errorf("port-offset: no %d offsets with free ports up to %d", n, maxOffset)
	}
	return found, nil
}

// offsetStep is how far apart the offsets of two nodes on one host are.
const offsetStep = 10

func blockIsFree(host string, offset int) bool {
	for port := grevy.GossipPort + 1; port < grevy.GatewayPort+offsetStep; port++ {
		if !isFree(host, port+offset) {
			return false
		}
	}
	return true
}
