package main

import (
	"testing"

	"github.com/grevy-io/grevy"
)

func TestClient_AnInstanceIsModifiedAndMigrates(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	at := []string{"--address", gatewayOf(b)}
	do := func(args ...string) result { t.Helper(); return grevyRun(t, append(args, at...)...) }
	do("deploy", writeModel(t, "order")).ok(t)
	var d deployed
	do("deploy", writeModel(t, "other"), "-o", "json").ok(t).decode(t, &d)
	do("create", "order").ok(t)
	var first, second job
	do("jobs", "activate", "order", "-o", "json").ok(t).decode(t, &first)

	instance := first.InstanceKey
	do("modify", instance, "--activate", "task@"+instance, "--terminate", first.ElementKey, "--variables", `{"a":1}`).ok(t).matches(t, "modified "+instance)
	do("jobs", "activate", "order", "-o", "json").ok(t).decode(t, &second)
	if second.InstanceKey != instance || second.ElementKey == first.ElementKey || string(second.Variables) != `{"a":1}` {
		t.Errorf("%+v", second)
	}
	do("modify", instance, "--terminate", "2251799819999999").refused(t, "INVALID_ARGUMENT: Command 'MODIFY' rejected", "")

	do("migrate", instance, "--to", d.Definitions[0].Key, "--map", "task=start").refused(t, "FAILED_PRECONDITION: Command 'MIGRATE' rejected", "")
	do("migrate", instance, "--to", d.Definitions[0].Key, "--map", "task").ok(t).matches(t, "migrated "+instance)
	do("jobs", "fail", second.Key, "--retries", "1").ok(t)
	do("jobs", "activate", "order", "-o", "json").ok(t).decode(t, &second)
	if second.ProcessID != "other" {
		t.Errorf("%+v", second)
	}
	do("modify", instance, "--terminate", second.ElementKey).ok(t)
	do("modify", instance, "--activate", "task").refused(t, "NOT_FOUND: Command 'MODIFY' rejected", "grevy instances")
}
