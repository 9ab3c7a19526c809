package main

import (
	"strings"
	"testing"

	"github.com/grevy-io/grevy"
)

// What is empty is an empty list in JSON, on a cluster without anything in it.
func TestJSON_NoListIsNull(t *testing.T) {
	b := openBroker(t, grevy.Config{})
	for _, command := range []string{"incidents", "instances", "messages", "deployments", "status"} {
		r := grevyRun(t, command, "-o", "json", "--http", httpOf(b)).ok(t)
		if strings.Contains(r.out, "null") || !strings.Contains(r.out, "[]") {
			t.Errorf("%s: %s", command, r.out)
		}
	}
	for _, command := range []string{"cluster status", "cluster cancel", "cluster rebalance", "cluster add-partitions 4 --dry-run", "jobs activate none"} {
		r := grevyRun(t, append(strings.Fields(command), "-o", "json", "--address", gatewayOf(b))...).ok(t)
		if strings.Contains(r.out, "null") {
			t.Errorf("%s: %s", command, r.out)
		}
	}
}
