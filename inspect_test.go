package grevy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/protocol"
)

// manyTasks has a parallel multi-instance task that runs for each of items.
const manyTasks = `<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <process id="many" isExecutable="true">
    <startEvent id="start"><outgoing>a</outgoing></startEvent>
    <sequenceFlow id="a" sourceRef="start" targetRef="task"/>
    <serviceTask id="task"><extensionElements><zeebe:taskDefinition type="many"/></extensionElements><incoming>a</incoming>
      <multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=items"/></extensionElements></multiInstanceLoopCharacteristics>
    </serviceTask>
  </process>
</definitions>`

// However many there are, a list comes in pages, and a page looks at a bounded
// number of rows.
func TestBroker_ListsOfManyInstances(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 25,000 element instances")
	}
	c := config(t)
	c.Partitions = 1
	b := open(t, c)
	do := func(c protocol.Command) protocol.Reply {
		t.Helper()
		reply, err := b.Execute(t.Context(), 1, c)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	do(&protocol.Deploy{Resources: []protocol.Resource{{Name: "many.bpmn", Content: []byte(manyTasks)}}, TenantID: "<default>"})
	create := func(items int) protocol.Key {
		t.Helper()
		vars := fmt.Appendf(nil, `{"items":[%s]}`, strings.TrimSuffix(strings.Repeat("1,", items), ","))
		return do(&protocol.CreateInstance{ProcessID: "many", Version: -1, Variables: vars, TenantID: "<default>"}).(*protocol.Created).InstanceKey
	}
	big := create(25_000)
	for range 600 {
		create(1)
	}
	last := create(1)

	// All are found, past pages that hold none.
	found := b.Instances(t.Context(), grevy.Query{Name: "many", Limit: 5000})
	if n := len(found.Instances); n != 602 || found.More || len(found.Unheard) > 0 || found.Instances[0].Key != big.String() || found.Instances[601].Key != last.String() {
		t.Fatalf("%d, %+v", n, found.Listed)
	}
	if found := b.Instances(t.Context(), grevy.Query{Limit: 550}); len(found.Instances) != 550 || !found.More {
		t.Errorf("%d, %+v", len(found.Instances), found.Listed)
	}
	if found := b.Instances(t.Context(), grevy.Query{Name: "other"}); len(found.Instances) != 0 || found.More {
		t.Errorf("%+v", found)
	}
	if found := b.Instances(t.Context(), grevy.Query{}); len(found.Instances) != 100 || !found.More {
		t.Errorf("%d", len(found.Instances))
	}

	tree, err := b.Instance(t.Context(), big, 10)
	if err != nil {
		t.Fatal(err)
	}
	body := tree.Root.Inside[0]
	if len(body.Inside) != 100 || body.MoreInside != 24_900 || body.WaitsFor[0] != "all of 25000 in its loop: 25000 begun, 0 done" {
		t.Errorf("%d and %d more, waits for %q", len(body.Inside), body.MoreInside, body.WaitsFor)
	}
	if v := tree.Root.Variables[0]; v.Name != "items" || v.Begin != "[1,1,1,1,1" || v.Bytes != 50_001 {
		t.Errorf("%+v", v)
	}
}

func TestBroker_ListsOfPartitionsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	b := open(t, config(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found := b.Incidents(ctx, grevy.Query{}); len(found.Unheard) != b.Partitions || found.Unheard[0].Partition != 1 || found.Unheard[0].Reason == "" {
		t.Errorf("%+v", found)
	}
	if found := b.Messages(ctx, grevy.Query{Partition: 2}); len(found.Unheard) != 1 || found.Unheard[0].Partition != 2 {
		t.Errorf("%+v", found)
	}
	var rejection *protocol.Rejection
	if _, err := b.Instance(t.Context(), 5, 0); !errors.As(err, &rejection) || rejection.Type != protocol.NotFound {
		t.Error(err)
	}
	if found := b.Incidents(t.Context(), grevy.Query{}); len(found.Unheard) > 0 {
		t.Errorf("%+v", found)
	}
}
