package main

import (
	"testing"

	"github.com/grevy-io/grevy"
)

func TestCluster_IsChangedByCommands(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{})
	at := []string{"--address", gatewayOf(b)}
	do := func(args ...string) result {
		t.Helper()
		return grevyRun(t, append(append([]string{"cluster"}, args...), at...)...)
	}

	do("status").ok(t).matches(t,
		`cluster [0-9a-f]{32}, layout 0, replication factor 1`, ``,
		`node  server +alive  partitions  leads`, `0     0-[0-9a-f]{12}  yes             3      3`, ``,
		`partition  kept on  being copied to  leader  state`, `1          0        –                0       active`, `2 .*`, `3 .*`, ``,
		`no operation is under way`)
	do("rebalance").ok(t).matches(t, `nothing to do: the cluster is already so`)
	do("add", "1").refused(t, "FAILED_PRECONDITION: node 1 is no member of this cluster", "")
	do("remove", "0").refused(t, "FAILED_PRECONDITION: no other node is left for partition 1, which is to be kept on 1 node: add a node", "")
	do("add-partitions", "2").refused(t, "never taken away", "")
	do("force-remove", "0").refused(t, "FAILED_PRECONDITION: not given up: node 0 is there", "")
	if r := do("move", "1", "--from", "0"); r.code != exitError || r.err != "grevy: --to is missing (see grevy cluster move --help)\n" {
		t.Errorf("%+v", r)
	}
	if r := do("add", "x"); r.code != exitError || r.err != "grevy: NODE: must be a number, not \"x\"\n" {
		t.Errorf("%+v", r)
	}

	do("add-partitions", "4", "--dry-run").ok(t).matches(t, `3 steps, none of them begun:`,
		`   1  begin partition 4 on node 0`, `   2  give partition 4 all definitions`, `   3  give partition 4 work`)
	do("add-partitions", "4", "--wait").ok(t).matches(t, `operation 1 has begun, 3 steps`,
		`   1  begin partition 4 on node 0`, `   2  give partition 4 all definitions`, `   3  give partition 4 work`)
	var v clusterView
	do("status", "-o", "json").ok(t).decode(t, &v)
	if len(v.Partitions) != 4 || !v.Partitions[3].Active || v.Operation != nil || v.Last == nil || v.Last.Outcome != "done" || v.Last.Request != "add-partitions 4" {
		t.Errorf("%+v", v)
	}
	do("cancel").ok(t)
}

// A node that takes no changes still tells how the cluster is, and what a change
// would be.
func TestCluster_ChangesMayBeOff(t *testing.T) {
	t.Parallel()
	b := openBroker(t, grevy.Config{Admin: grevy.AdminOff})
	do := func(args ...string) result {
		t.Helper()
		return grevyRun(t, append(append([]string{"cluster"}, args...), "--address", gatewayOf(b))...)
	}
	do("status").ok(t)
	do("add-partitions", "4", "--dry-run").ok(t)
	for _, args := range [][]string{{"add-partitions", "4"}, {"cancel"}, {"force-remove", "0", "--accept-loss"}} {
		do(args...).refused(t, "PERMISSION_DENIED: this node takes no changes and gives no backups of the cluster", "")
	}
}
