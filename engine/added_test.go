package engine_test

import (
	"fmt"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// Messages are spread by the number of partitions with which the cluster began: who
// waits on the partition of its messages gets them all, in order, also after partitions
// were added.
func TestMessages_AfterPartitionsWereAdded(t *testing.T) {
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 3, MessagePartitions: 1})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", "start s -> service t type=hold -> end e\n"+
		"boundary b on=t message=m key='= k' noninterrupting -> service got type=got -> end e2")
	check(t, err)
	execute := func(cmd protocol.Command) protocol.Reply {
		t.Helper()
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		check(t, p.CommitAll())
		return out.Reply
	}
	execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	const key = "1"
	if of := protocol.MessagePartition(key, 3); of == 1 {
		t.Fatal("by three partitions the key must belong elsewhere")
	}
	publish := func(n int) {
		execute(&protocol.PublishMessage{Name: "m", CorrelationKey: key, TimeToLive: 60_000, Variables: fmt.Appendf(nil, `{"n":%d}`, n)})
	}
	publish(0)
	publish(1)
	execute(&protocol.CreateInstance{ProcessID: "p", Version: -1, Variables: []byte(`{"k":"1"}`)})
	publish(2)
	publish(3)
	jobs := execute(&protocol.ActivateJobs{Type: "got", Worker: "w", Timeout: 1000, Max: 10}).(*protocol.Jobs).Jobs
	if len(jobs) != 4 {
		t.Errorf("%d of 4 messages have happened", len(jobs))
	}
}
