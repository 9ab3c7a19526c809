package main

import (
	"testing"

	"github.com/grevy-io/grevy"
)

func TestVerbs_MessagesSignalsAndErrors(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	at := []string{"--address", gatewayOf(b)}
	do := func(args ...string) result { t.Helper(); return grevyRun(t, append(args, at...)...) }
	do("deploy", "testdata/waits.bpmn").ok(t)
	ended := make(chan result, 1)
	go func() {
		ended <- grevyRun(t, append([]string{"create", "waits", "--with-result", "--timeout", "20s", "--variables", `{"order":"o-1"}`}, at...)...)
	}()
	var j job
	do("jobs", "activate", "ship", "--wait", "20s", "-o", "json").ok(t).decode(t, &j)

	do("publish", "paid", "--key", "o-1", "--ttl", "1m", "--id", "p-1", "--variables", `{"amount":31}`).ok(t).matches(t, `published paid \d+`)
	do("publish", "paid", "--key", "o-1", "--id", "p-1").refused(t, "ALREADY_EXISTS: Command 'PUBLISH' rejected", "")
	var s sent
	do("signal", "stop", "-o", "json").ok(t).decode(t, &s)
	if s.Done != "broadcast" || s.Name != "stop" || s.Key == "" {
		t.Errorf("%+v", s)
	}
	do("jobs", "timeout", j.Key, "--timeout", "1m").ok(t).matches(t, "set timeout of "+j.Key)
	do("jobs", "throw", j.Key, "--code", "BROKE", "--message", "no money", "--variables", `{"left":0}`).ok(t).matches(t, "threw an error for "+j.Key)
	do("jobs", "timeout", j.Key).refused(t, "NOT_FOUND: ", "grevy instance KEY")
	(<-ended).ok(t).matches(t, `completed \d+ \(waits v1, partition 1\)`, `{.*"amount":31.*}`)
}

func TestVerbs_DecisionsAndDeletion(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	at := []string{"--address", gatewayOf(b)}
	do := func(args ...string) result { t.Helper(); return grevyRun(t, append(args, at...)...) }
	var d deployed
	do("deploy", "testdata/rate.dmn", "-o", "json").ok(t).decode(t, &d)
	do("decide", "rate", "--variables", `{"age":31}`).ok(t).matches(t, `first band v1: "grown" \(rule 2\)`, `rate v1: 0\.1`)
	do("decide", "band", "--variables", `{"age":3}`).ok(t).matches(t, `band v1: "young" \(rule 1\)`)
	var r decided
	do("decide", "rate", "--variables", `{"age":3}`, "-o", "json").ok(t).decode(t, &r)
	if r.ID != "rate" || r.Version != 1 || string(r.Output) != "0.3" || len(r.Evaluated) != 2 || r.Failure != nil {
		t.Errorf("%+v", r)
	}
	do("decide", "--key", r.Key, "--variables", `{"age":3}`).ok(t).matches(t, "first .*", `rate v1: 0\.3`)
	do("decide", "nope").refused(t, "INVALID_ARGUMENT: ", "grevy deployments")

	var requirements string
	for _, def := range d.Definitions {
		if def.Kind == "requirements" {
			requirements = def.Key
		}
	}
	do("delete", requirements).ok(t).matches(t, "deleted "+requirements)
	do("delete", requirements).refused(t, "NOT_FOUND: ", "grevy deployments")
	do("decide", "rate").refused(t, "INVALID_ARGUMENT: ", "grevy deployments")
}
