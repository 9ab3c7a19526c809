package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

// waiting is a process that waits for so long and then has one job of the type
// that is named like it.
func waiting(id, duration string) []byte {
	return model(id, 0, fmt.Sprintf(`<sequenceFlow id="f" sourceRef="s" targetRef="w"/>
	<intermediateCatchEvent id="w"><timerEventDefinition id="d"><timeDuration>%s</timeDuration></timerEventDefinition></intermediateCatchEvent>
	<sequenceFlow id="g" sourceRef="w" targetRef="t"/>
	<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="%s"/></extensionElements></serviceTask>
	<sequenceFlow id="h" sourceRef="t" targetRef="e"/>`, duration, id))
}

// TestClockJumps: clocks jump ahead by an hour, then back. Timers and locks whose
// time has come are over at once, also on one node alone, what begins while a
// clock is wrong does its work, and no leader changes and nothing is unhealthy
// because of it.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	c := three(t)
	c.WaitPreferred(formTime)
	client := c.Nodes[0].Client()
	mustDeploy(t, client, "long", waiting("long", "PT30M"))
	mustDeploy(t, client, "short", waiting("short", "PT0.3S"))
	mustDeploy(t, client, "locked", oneTask("locked"))
	onEveryPartition(t, c.Nodes[0], 3, "long", 1)
	onEveryPartition(t, c.Nodes[0], 3, "locked", 1)
	locked := activate(t, client, "locked", 3) // for ten minutes
	before := terms(t, c.Nodes[0])

	c.SetRules("clock 1 1h") // the leader of partition 2
	early := activate(t, client, "long", 1)
	if p := partitionOf(early[0]); p != 2 {
		t.Errorf("a timer of partition %d is over, and only the clock of partition 2's leader is ahead", p)
	}
	c.SetClocks(time.Hour)
	late := activate(t, client, "long", 2)
	again := activate(t, client, "locked", 3)
	onEveryPartition(t, c.Nodes[1], 3, "short", 1)
	ahead := activate(t, client, "short", 3)
	c.SetClocks(0)
	onEveryPartition(t, c.Nodes[2], 3, "short", 1)
	back := activate(t, client, "short", 3)

	for _, key := range append(append(append(append(early, late...), again...), ahead...), back...) {
		if _, err := client.CompleteJob(t.Context(), &pb.CompleteJobRequest{JobKey: key}); err != nil {
			t.Errorf("job %d (locked first: %v): %v", key, locked, err)
		}
	}
	if after := terms(t, c.Nodes[0]); after != before {
		t.Errorf("leaders have changed: %s, then %s", before, after)
	}
	for _, n := range c.Nodes {
		healthy(t, n)
	}
}
