package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
)

func TestDeployments_WhereTheyAre(t *testing.T) {
	t.Setenv("TZ", "UTC")
	at0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	list := []grevy.DeploymentStatus{
		{
			Key: "2251799813685251", Time: at0, State: "spreading", Partitions: []int{1, 3}, Refused: []grevy.RefusedInfo{},
			Definitions: []grevy.DefinitionInfo{{Kind: "process", ID: "order", Version: 3}, {Kind: "process", ID: "pay", Version: 1}},
			Pending:     []grevy.PendingInfo{{Partition: 2, Since: at0, Attempts: 4, Error: "no link to node 1"}},
		},
		{
			Key: "2251799813685250", Time: at0, State: "refused", Partitions: []int{1, 2}, Pending: []grevy.PendingInfo{},
			Definitions: []grevy.DefinitionInfo{{Kind: "process", ID: "order", Version: 2}}, Refused: []grevy.RefusedInfo{{Partition: 3, Reason: "no disk left"}},
		},
		{
			Key: "2251799813685249", Time: at0, State: "everywhere", Partitions: []int{1, 2, 3}, Pending: []grevy.PendingInfo{}, Refused: []grevy.RefusedInfo{},
			Definitions: []grevy.DefinitionInfo{{Kind: "process", ID: "order", Version: 1}},
		},
	}
	at, _ := fakeHTTP(t, map[string]any{"/api/deployments": list})
	golden(t, "deployments.txt", grevyRun(t, "deployments", "--http", at).ok(t).out)
	var got []grevy.DeploymentStatus
	grevyRun(t, "deployments", "--http", at, "-o", "json").ok(t).decode(t, &got)
	if a, b := asJSON(t, got), asJSON(t, list); a != b {
		t.Errorf("%s, want %s", a, b)
	}
}

func TestDeployments_OfANode(t *testing.T) {
	b := openBroker(t, grevy.Config{})
	grevyRun(t, "deployments", "--http", httpOf(b)).ok(t).matches(t, "no deployments")
	grevyRun(t, "deployments", "--http", httpOf(b), "-o", "json").ok(t).matches(t, `\[\]`)
	for _, id := range []string{"first", "second"} {
		grevyRun(t, "deploy", writeModel(t, id), "--address", gatewayOf(b)).ok(t)
	}
	await(t, "everywhere", func() error {
		if strings.Count(grevyRun(t, "deployments", "--http", httpOf(b)).ok(t).out, "everywhere") < 2 {
			return errNotYet
		}
		return nil
	})
	grevyRun(t, "deployments", "--http", httpOf(b)).ok(t).matches(t,
		`key +deployed +partitions  state +resources`,
		`\d{16}  \S+ \S+  ▮▮▮ 3/3     everywhere  second v1`,
		`\d{16}  \S+ \S+  ▮▮▮ 3/3     everywhere  first v1`)
	grevyRun(t, "deployments", "--http", httpOf(b), "--limit", "1").ok(t).matches(t, `key.*`, `.*second v1`)
}

func TestDeployments_ANodeThatCanNotSay(t *testing.T) {
	at, _ := fakeHTTP(t, map[string]any{"/api/deployments": errors.New("partition 1 has no leader")})
	grevyRun(t, "deployments", "--http", at).oneLine(t, "grevy: partition 1 has no leader")
}
