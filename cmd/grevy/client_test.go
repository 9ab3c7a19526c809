package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy"
)

// matches checks the text a run printed, line by line, against patterns.
func (r result) matches(t *testing.T, lines ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(lines), r.out)
	}
	for i, want := range lines {
		if !regexp.MustCompile("^" + want + "$").MatchString(got[i]) {
			t.Errorf("line %d is %q, want %q", i+1, got[i], want)
		}
	}
}

// refused checks that a gateway's error is printed as CODE: text, with a hint
// or without.
func (r result) refused(t *testing.T, text, hint string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(r.err, "\n"), "\n")
	if r.code != exitError || !strings.Contains(lines[0], text) || r.out != "" {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	if got := strings.Join(lines[1:], "\n"); (hint == "") != (got == "") || !strings.Contains(got, hint) {
		t.Errorf("hint %q, want %q", got, hint)
	}
}

// nobody checks that a run says in one line that there was nobody to ask.
func (r result) nobody(t *testing.T, who string) {
	t.Helper()
	if want := "grevy: no gateway answers (" + who + "); is one running? say where: --address HOST:PORT\n"; r.code != exitUnreachable || r.out != "" || r.err != want {
		t.Errorf("exit code %d: %s%s, want %s", r.code, r.out, r.err, want)
	}
}

func (r result) nobodyInTime(t *testing.T) {
	t.Helper()
	if r.code != exitUnreachable || r.out != "" || r.err != "grevy: the time was over before a gateway was found; nothing was sent\n" {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
}

func TestClient_AnInstanceFromDeploymentToResult(t *testing.T) {
	b := openBroker(t, grevy.Config{})
	at := []string{"--address", gatewayOf(b)}
	do := func(args ...string) result { t.Helper(); return grevyRun(t, append(args, at...)...) }

	model := writeModel(t, "order")
	do("deploy", model).ok(t).matches(t, `deployed \d+`, `kind     id     version  key               resource`, `process  order        1  \d+  order.bpmn`)
	var d deployed
	do("deploy", model, "-o", "json").ok(t).decode(t, &d)
	if len(d.Definitions) != 1 || d.Definitions[0].ID != "order" || d.Definitions[0].Version != 1 || d.Definitions[0].Resource != "order.bpmn" || d.Definitions[0].Kind != "process" {
		t.Errorf("%+v", d)
	}

	do("deploy", model, "--wait", "5s").ok(t).matches(t, `deployed \d+`, `partitions that have it: 3 of 3`, `kind .*`, `process .*`)
	do("deploy", model, "--wait", "5s", "--wait-reachable", "-o", "json").ok(t).decode(t, &d)
	if d.Distributed != "3 of 3" {
		t.Errorf("%+v", d)
	}

	do("create", "order", "--variables", `{"total": 31}`).ok(t).matches(t, `created \d+ \(order v1, partition 1\)`)
	do("jobs", "activate", "order").ok(t).matches(t,
		`job +instance +process +element +retries  until +variables`,
		`\d{16}  \d{16}  order v1  task +3  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  {"total":31}`)
	do("jobs", "activate", "order").ok(t).matches(t, "no jobs of type order")

	var c created
	do("create", "order", "-o", "json").ok(t).decode(t, &c)
	if c.Partition != 2 || c.Version != 1 || c.DefinitionKey != d.Definitions[0].Key || c.Variables != nil {
		t.Errorf("%+v", c)
	}
	var j job
	do("jobs", "activate", "order", "-o", "json", "--worker", "w", "--timeout", "1m", "--max", "5").ok(t).decode(t, &j)
	if j.InstanceKey != c.Key || j.Type != "order" || j.Worker != "w" || j.Retries != 3 || j.ElementID != "task" || string(j.Headers) != "{}" ||
		string(j.Variables) != "{}" || time.Until(j.Deadline).Round(time.Minute) != time.Minute {
		t.Errorf("%+v", j)
	}
	do("set", c.Key, "--variables", `{"a": 1}`).ok(t).matches(t, "set variables of "+c.Key)
	do("jobs", "fail", j.Key, "--retries", "2", "--message", "later").ok(t).matches(t, "failed "+j.Key)
	do("jobs", "activate", "order", "-o", "json").ok(t).decode(t, &j)
	if j.Retries != 2 || string(j.Variables) != `{"a":1}` {
		t.Errorf("%+v", j)
	}
	var said done
	do("jobs", "complete", j.Key, "-o", "json").ok(t).decode(t, &said)
	if said != (done{"completed", j.Key}) {
		t.Errorf("%+v", said)
	}
	do("jobs", "complete", j.Key).refused(t, "NOT_FOUND: Command 'COMPLETE' rejected with code 'NOT_FOUND'", "grevy instance KEY")
}

func TestClient_AResultIsWaitedFor(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	at := []string{"--address", gatewayOf(b)}
	grevyRun(t, append(at, "deploy", writeModel(t, "order"))...).ok(t)
	results := make(chan result, 1)
	go func() {
		results <- grevyRunWith(t.Context(), `{"a": 1, "b": 2}`, append(at, "create", "order", "--with-result", "--fetch", "b,c", "--variables", "@-")...)
	}()
	var j job
	grevyRun(t, append(at, "jobs", "activate", "order", "--wait", "20s", "-o", "json")...).ok(t).decode(t, &j)
	vars := filepath.Join(t.TempDir(), "vars.json")
	if err := os.WriteFile(vars, []byte(`{"b": 3, "c": [4]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	grevyRun(t, append(at, "jobs", "complete", j.Key, "--variables", "@"+vars)...).ok(t)
	(<-results).ok(t).matches(t, `completed \d+ \(order v1, partition 1\)`, `{"b":3,"c":\[4\]}`)

	grevyRun(t, append(at, "create", "order", "--with-result", "--timeout", "50ms")...).refused(t, "DEADLINE_EXCEEDED: Time out between gateway and broker", "look before you send it again")
}

func TestClient_AnIncidentIsResolved(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	at := []string{"--address", gatewayOf(b)}
	do := func(args ...string) result { t.Helper(); return grevyRun(t, append(args, at...)...) }
	do("deploy", writeModel(t, "order")).ok(t)
	do("create", "order").ok(t)
	var j job
	do("jobs", "activate", "order", "-o", "json").ok(t).decode(t, &j)
	do("jobs", "fail", j.Key, "--retries", "0", "--message", "boom").ok(t)
	var found grevy.Incidents
	grevyRun(t, "incidents", "order", "--http", httpOf(b), "-o", "json").ok(t).decode(t, &found)
	if len(found.Incidents) != 1 {
		t.Fatalf("%+v", found)
	}
	do("resolve", found.Incidents[0].Key).refused(t, "NOT_FOUND: Command 'RESOLVE' rejected", "grevy jobs retries JOB-KEY --retries 1")
	do("jobs", "retries", j.Key, "--retries", "1").ok(t).matches(t, "set retries of "+j.Key)
	do("resolve", found.Incidents[0].Key).ok(t).matches(t, `resolved \d+`)
	do("resolve", found.Incidents[0].Key).refused(t, "NOT_FOUND: Command 'RESOLVE' rejected", "grevy incidents")
	do("jobs", "activate", "order", "--fetch", "x", "-o", "json").ok(t).decode(t, &j)
	do("cancel", j.InstanceKey).ok(t).matches(t, "cancelled "+j.InstanceKey)
	do("cancel", j.InstanceKey).refused(t, "NOT_FOUND: Command 'CANCEL' rejected", "grevy instances")
}

func TestClient_ManyJobsAreOnePerLine(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	at := []string{"--address", gatewayOf(b)}
	grevyRun(t, append(at, "deploy", writeModel(t, "order"))...).ok(t)
	for range 3 {
		grevyRun(t, append(at, "create", "order")...).ok(t)
	}
	r := grevyRun(t, append(at, "jobs", "activate", "order", "--max", "3", "-o", "json")...).ok(t)
	r.matches(t, `{"key":"\d+".*}`, `{"key":"\d+".*}`, `{"key":"\d+".*}`)
	grevyRun(t, append(at, "jobs", "activate", "order", "-o", "json")...).ok(t).matches(t, "")
}

func TestClient_BadInputIsOneLine(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "vars.json")
	if err := os.WriteFile(bad, []byte(`{"a": `), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"deploy", "FILE is missing"},
		{"deploy missing.bpmn", "cannot read missing.bpmn: no such file or directory"},
		{"deploy " + t.TempDir(), "is a directory"},
		{"create", "ID is missing"},
		{"create a b", `unexpected argument "b"`},
		{"create a --variables {a", "variables: not a JSON object"},
		{"create a --variables [1]", "variables: not a JSON object"},
		{"create a --variables null", "variables: not a JSON object"},
		{"create a --variables @none", "variables: cannot read none: no such file"},
		{"create a --variables @" + bad, "variables: not a JSON object: unexpected end"},
		{"create a --fetch b", "fetch: needs --with-result"},
		{"create a --version x", `invalid argument "x" for "--version"`},
		{"create a --timeout 0s", "timeout: must be above 0, not 0s"},
		{"jobs activate a --max -1", "max: must be at least 1, not -1"},
		{"jobs activate a --timeout 0s", "timeout: must be above 0, not 0s"},
		{"start --partitions 0", "partitions: must be at least 1, not 0"},
		{"start --cluster-size 0", "cluster-size: must be at least 1, not 0"},
		{"start --max-clients 0", "max-clients: must be at least 1, not 0"},
		{"start --max-message-size -1", "max-message-size: must be at least 1, not -1"},
		{"start --request-timeout 0s", "request-timeout: must be above 0, not 0s"},
		{"start --start-timeout -1s", "start-timeout: must be above 0, not -1s"},
		{"cancel", "KEY is missing"},
		{"cancel -- -1", `KEY: "-1" is not a key`},
		{"cancel abc", `KEY: "abc" is not a key`},
		{"cancel 4711", `KEY: "4711" is not a key: those have 16 digits or more, as commands print them`},
		{"resolve 0", `INCIDENT-KEY: "0" is not a key`},
		{"set 5", "variables: are missing"},
		{"modify 5", "activate: is missing, and terminate too"},
		{"modify 5 --terminate 6 --variables {}", "variables: need --activate"},
		{"modify 5 --activate a@b", `activate: "b" is not a key`},
		{"modify 5 --terminate x", `terminate: "x" is not a key`},
		{"migrate 5", "to: is missing"},
		{"migrate 5 --to x", `to: "x" is not a key`},
		{"migrate 2251799813685249 --to 2251799813685250 --map a=", `map: "a=" is not SOURCE=TARGET`},
		{"publish", "NAME is missing"},
		{"publish a --ttl -1s", "ttl: must not be below 0"},
		{"publish a --variables 1", "variables: not a JSON object"},
		{"signal", "NAME is missing"},
		{"signal a --variables 1", "variables: not a JSON object"},
		{"decide", "ID is missing, or --key"},
		{"decide a b", `unexpected argument "b"`},
		{"decide a --key 5", "key: not together with ID"},
		{"decide --key x", `key: "x" is not a key`},
		{"delete x", `KEY: "x" is not a key`},
		{"jobs throw 5", "code: is missing"},
		{"jobs throw 5 --code a --variables 1", "variables: not a JSON object"},
		{"jobs timeout x", `KEY: "x" is not a key`},
		{"incidents --limit 0", "limit: must be at least 1"},
		{"incidents --watch --every 0s", "every: must be above 0"},
		{"instances a b", `unexpected argument "b"`},
		{"messages --limit x", `invalid argument "x" for "--limit"`},
		{"instance", "KEY is missing"},
		{"instance x", `KEY: "x" is not a key`},
		{"jobs", ""},
		{"jobs frob", `no command "frob"`},
		{"jobs activate", "TYPE is missing"},
		{"jobs complete 5 --variables x", "variables: not a JSON object"},
		{"jobs fail 5", "retries: are missing"},
		{"frob", `no command "frob" (see grevy --help)`},
		{"version -o xml", `output: must be text or json, not "xml"`},
		{"bench walk", `no mode "walk"`},
		{"bench create now", `unexpected argument "now"`},
		{"bench -c 0", "callers: must be at least 1"},
		{"bench -d 0s", "duration: must be above 0"},
		{"deployments --limit 0", "limit: must be at least 1"},
		{"status --watch --every 0s", "every: must be above 0"},
		{"demo --deployments 0", "must be at least 1"},
	} {
		t.Run(c.args, func(t *testing.T) {
			if r := grevyRun(t, strings.Fields(c.args)...); c.want == "" {
				r.ok(t)
			} else {
				r.oneLine(t, "grevy: ", c.want)
			}
		})
	}
}

func TestClient_WhatAGatewaySays(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1})
	t.Setenv("ZEEBE_ADDRESS", gatewayOf(b))
	bad := filepath.Join(t.TempDir(), "bad.bpmn")
	if err := os.WriteFile(bad, []byte("<x/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	grevyRun(t, "deploy", bad).refused(t, "INVALID_ARGUMENT: Command 'CREATE' rejected with code 'INVALID_ARGUMENT'", "'bad.bpmn'")
	grevyRun(t, "create", "nope").refused(t, "NOT_FOUND: Command 'CREATE' rejected", "grevy deployments")
	grevyRun(t, "cancel", "9007199254740993").refused(t, "UNAVAILABLE: Expected to execute command on partition 4", "a key of this cluster")
	t.Setenv("GREVY_ADDRESS", localhost+":1") // goes before ZEEBE_ADDRESS
	grevyRun(t, "create", "nope").nobody(t, "127.0.0.1:1: connection refused")
	grevyRun(t, "create", "nope", "--address", gatewayOf(b)).refused(t, "NOT_FOUND: ", "grevy deployments")
}

func TestExplainCall_HintsByCode(t *testing.T) {
	for _, c := range []struct {
		code codes.Code
		text string
		hint string
	}{
		{codes.Unavailable, "UNAVAILABLE: x", "nothing was executed"},
		{codes.ResourceExhausted, "RESOURCE_EXHAUSTED: x", "nothing was executed"},
		{codes.DeadlineExceeded, "DEADLINE_EXCEEDED: x", "it may or may not have happened"},
		{codes.Unimplemented, "UNIMPLEMENTED: x", "docs/compatibility.md"},
		{codes.Internal, "INTERNAL: x", ""},
		{codes.FailedPrecondition, "FAILED_PRECONDITION: x", ""},
		{codes.Canceled, "CANCELLED: x", ""},
		{codes.OutOfRange, "OUT_OF_RANGE: x", ""},
	} {
		text, hint, ok := explainCall(&callError{"a:1", status.Error(c.code, "x")})
		if !ok || text != c.text || !strings.HasPrefix(hint, c.hint) || (hint == "") != (c.hint == "") {
			t.Errorf("%s: %q, %q, %v", c.code, text, hint, ok)
		}
	}
	if _, _, ok := explainCall(errors.New("x")); ok {
		t.Error("an error of our own is taken for a gateway's")
	}
}

// What is too large is not cured by trying again.
func TestClient_ALargeRequestNamesTheSetting(t *testing.T) {
	b := openBroker(t, grevy.Config{Partitions: 1, MaxMessageSize: 1000})
	file := filepath.Join(t.TempDir(), "vars.json")
	for size, text := range map[int]string{
		2000: "RESOURCE_EXHAUSTED: gRPC message exceeds maximum size 1000: 20", 5000: "RESOURCE_EXHAUSTED: grpc: received message larger than max (50",
	} {
		if err := os.WriteFile(file, []byte(`{"a":"`+strings.Repeat("x", size)+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		grevyRun(t, "create", "order", "--variables", "@"+file, "--address", gatewayOf(b)).refused(t, text, "--max-message-size")
	}
}

func TestVersion(t *testing.T) {
	grevyRun(t, "version").ok(t).matches(t, `grevy \S+( [0-9a-f]+)?, Zeebe protocol 8\.6\.0, go\S+, \S+/\S+`)
	var v versionInfo
	grevyRun(t, "version", "-o", "json").ok(t).decode(t, &v)
	if v.Protocol != grevy.Version || v.Version == "" {
		t.Errorf("%+v", v)
	}
}
