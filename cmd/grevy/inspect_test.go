package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
)

func TestInspect_WhatIsStuckAndWhy(t *testing.T) {
	b := openBroker(t, grevy.Config{})
	t.Setenv("GREVY_ADDRESS", gatewayOf(b))
	t.Setenv("GREVY_HTTP", httpOf(b))
	for _, list := range []struct{ name, none string }{{"incidents", "no incidents"}, {"instances", "no active instances"}, {"messages", "no messages are kept"}} {
		grevyRun(t, list.name).ok(t).matches(t, list.none)
		grevyRun(t, list.name, "-o", "json").ok(t).matches(t, `{"more":false,"unheard":\[\],"`+list.name+`":\[\]}`)
	}
	grevyRun(t, "deploy", "testdata/waits.bpmn", writeModel(t, "order"), "--wait", "20s").ok(t)
	for range 3 { // one on each partition
		grevyRun(t, "create", "waits", "--variables", `{"order":"o-1","long":"`+strings.Repeat("ö", 100)+`"}`).ok(t)
	}
	grevyRun(t, "create", "order").ok(t)
	grevyRun(t, "instances").ok(t).matches(t, "instance .*",
		`\d+ +waits v1 +active +\S+ \S+ +– +stopped, payment, ship`, `.*waits v1.*`, `.*waits v1.*`, `.*order v1 +active .*  task`)
	grevyRun(t, "instances", "waits", "--limit", "2").ok(t).matches(t, "instance .*", `.*waits v1.*`, `.*waits v1.*`, "… and more: --limit 20")
	var list grevy.Instances
	grevyRun(t, "instances", "order", "-o", "json").ok(t).decode(t, &list)
	if len(list.Instances) != 1 || list.More || time.Since(list.Instances[0].Since) > time.Minute || list.Instances[0].State != "ACTIVATED" {
		t.Fatalf("%+v", list)
	}

	var j job
	grevyRun(t, "jobs", "activate", "ship", "--wait", "20s", "-o", "json", "--worker", "w").ok(t).decode(t, &j)
	grevyRun(t, "instance", j.InstanceKey).ok(t).matches(t,
		`instance `+j.InstanceKey+` · waits v1 · partition \d · active · since \S+ \S+`, ``,
		`waits  `+j.InstanceKey+`  active`, `  order = "o-1"`, `  long = "ö{39}… \(202 bytes\)`,
		`  inside  \d+  active`, `    waits for what is inside to end`, `    or the timer at \S+ \(event late\)`,
		`    ship  `+j.ElementKey+`  active`, `      waits for worker "w", which has job `+j.Key+` of type "ship" until \S+; 3 retries left`,
		`  stopped  \d+  active`, `    waits for signal "stop"`,
		`  payment  \d+  active`, `    waits for message "paid" with key "o-1"`)

	grevyRun(t, "jobs", "fail", j.Key, "--retries", "0", "--message", "no\ntruck").ok(t)
	grevyRun(t, "incidents", "--watch=false").ok(t).matches(t, `incident +instance .*`,
		`\d+  `+j.InstanceKey+`  waits v1  ship +\S+ \S+`, `  JOB_NO_RETRIES, job `+j.Key+`: no truck`,
		`next: grevy instance KEY, then grevy resolve INCIDENT-KEY`, ` +before it, .*: grevy jobs retries JOB-KEY --retries 1`)
	grevyRun(t, "incidents", "order").ok(t).matches(t, "no incidents")
	var found grevy.Incidents
	grevyRun(t, "incidents", "waits", "-o", "json").ok(t).decode(t, &found)
	if len(found.Incidents) != 1 || found.Incidents[0].Message != "no\ntruck" || time.Since(found.Incidents[0].Since) > time.Minute {
		t.Fatalf("%+v", found)
	}
	// By the key of anything in it, whole values, and the same as JSON.
	for _, key := range []string{j.Key, j.ElementKey, found.Incidents[0].Key} {
		var tree grevy.InstanceTree
		grevyRun(t, "instance", key, "--full", "-o", "json").ok(t).decode(t, &tree)
		ship := tree.Root.Inside[0].Inside[0]
		if tree.Key != j.InstanceKey || tree.Incidents != 1 || ship.Incident == nil || ship.Incident.Key != found.Incidents[0].Key || ship.Job.State != "FAILED" ||
			!strings.HasPrefix(ship.WaitsFor[0], "incident "+found.Incidents[0].Key+" to be resolved: JOB_NO_RETRIES: no\ntruck") || len(tree.Root.Variables[1].Value) != 202 {
			t.Errorf("%+v", tree)
		}
	}
	if r := grevyRun(t, "status").ok(t); !strings.Contains(r.out, "\nincidents: 1, the oldest since ") || strings.Contains(r.out, "messages kept") {
		t.Errorf("%s", r.out)
	}
	grevyRun(t, "instance", "9007199254740993").oneLine(t, "grevy: Expected a key of one of the 3 partitions, but '9007199254740993' is of partition 4")
	grevyRun(t, "instance", "2251799819999999").oneLine(t, "grevy: Expected to find an active process instance with key '2251799819999999'")
}

func TestInspect_MessagesThatAreKept(t *testing.T) {
	b := openBroker(t, grevy.Config{})
	t.Setenv("GREVY_ADDRESS", gatewayOf(b))
	t.Setenv("GREVY_HTTP", httpOf(b))
	grevyRun(t, "deploy", "testdata/waits.bpmn", "--wait", "20s").ok(t)
	grevyRun(t, "publish", "paid", "--key", "o-2", "--ttl", "1h", "--id", "p-2", "--variables", `{"a":1}`).ok(t)
	grevyRun(t, "publish", "other", "--key", "o-3", "--ttl", "30m").ok(t)
	grevyRun(t, "publish", "gone", "--key", "o-3", "--ttl", "0s").ok(t)
	grevyRun(t, "messages").ok(t).matches(t, `message +name +correlation key +id +kept until .*`,
		`\d+ +other +o-3 +– +\S+ \S+ +\d+  –`, `\d+ +paid +o-2 +p-2 +\S+ \S+ +\d+  –`)
	grevyRun(t, "create", "waits", "--variables", `{"order":"o-2"}`).ok(t)
	await(t, "the message is had", func() error {
		if !strings.HasSuffix(strings.TrimSpace(grevyRun(t, "messages", "paid").ok(t).out), "  waits") {
			return errNotYet
		}
		return nil
	})
	if r := grevyRun(t, "status").ok(t); !strings.Contains(r.out, "\nmessages kept for those who come later: 2 (grevy messages)") {
		t.Errorf("%s", r.out)
	}
}

func TestInspect_WhatAListLacks(t *testing.T) {
	at, _ := fakeHTTP(t, map[string]any{
		"/api/incidents": grevy.Incidents{Listed: grevy.Listed{Unheard: []grevy.Unheard{{Partition: 2, Reason: "no answer in time"}}}, Incidents: []grevy.IncidentInfo{}},
		"/api/messages":  errors.New("the cluster has not formed"),
	})
	r := grevyRun(t, "incidents", "--http", at)
	if r.code != exitError || r.out != "no incidents\n" || r.err != "grevy: partition 2 is not in the list: no answer in time (see grevy status)\n" {
		t.Errorf("%+v", r)
	}
	grevyRun(t, "messages", "--http", at).oneLine(t, "grevy: the cluster has not formed")
	if r := grevyRun(t, "messages", "--http", localhost+":1"); r.code != exitUnreachable {
		t.Errorf("%+v", r)
	}
}
