package protocol_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/protocol"
)

var rewrite = flag.Bool("rewrite", false, "write the golden bytes anew: only for a format that nobody stores yet")

// sample is something with bytes of its own.
type sample struct {
	name  string
	bytes []byte
}

var hash = protocol.Hash{0: 0xAA, 31: 0xBB}

var definition = protocol.Definition{
	Kind: protocol.DecisionDefinition, Key: 2251799813685250, ID: "order", Name: "Order", Version: 3, VersionTag: "stable",
	ResourceName: "order.dmn", Hash: hash, DeploymentID: 2251799813685249, Index: 1, Parent: 2251799813685251, ParentID: "orders",
	Duplicate: true, Deleted: true,
}

var deployment = protocol.Deployment{Key: 2251799813685249, Definitions: []protocol.Definition{definition}, Time: 1700000000000}

var subscription = protocol.Subscription{
	Key: 2251799813685257, Element: 2251799813685254, Instance: 2251799813685252, ProcessID: "order", ElementID: "c",
	Name: "paid", CorrelationKey: "o-1", Interrupting: true,
}

func goldenCommands() []protocol.Command {
	return []protocol.Command{
		&protocol.Deploy{Resources: []protocol.Resource{{Name: "a.bpmn", Content: []byte("<x/>")}}, TenantID: "<default>"},
		&protocol.CreateInstance{
			DefinitionKey: -1, ProcessID: "order", Version: -1, Variables: []byte(`{"a":1}`), StartElements: []string{"t"},
			AwaitResult: true, FetchVariables: []string{"a", "b"}, TenantID: "<default>", DeploymentSeq: 300,
		},
		&protocol.CancelInstance{InstanceKey: 2251799813685252},
		&protocol.ActivateJobs{
			Type: "work", Worker: "w", Timeout: 60000, Max: 32, FetchVariables: []string{"a"}, TenantIDs: []string{"<default>"},
			MaxBytes: 1000, Park: true,
		},
		&protocol.AwaitJobs{Type: "work"},
		&protocol.CompleteJob{JobKey: 2251799813685253, Variables: []byte(`{"b":2}`)},
		&protocol.FailJob{JobKey: 2251799813685253, Retries: 2, Message: "no", BackOff: 1000, Variables: []byte(`{}`)},
		&protocol.YieldJobs{Keys: []protocol.Key{2251799813685253}, Deadlines: []int64{1700000060000}},
		&protocol.UpdateJobRetries{JobKey: 2251799813685253, Retries: 5},
		&protocol.UpdateJobTimeout{JobKey: 2251799813685253, Timeout: 5000},
		&protocol.SetVariables{ElementKey: 2251799813685254, Variables: []byte(`{}`), Local: true},
		&protocol.ResolveIncident{IncidentKey: 2251799813685255},
		&protocol.Receive{
			Source: 1, Epoch: 77, Lane: protocol.LaneDeployments, Items: []protocol.Item{{Seq: 9, Command: &protocol.Distribute{Deployment: deployment}}},
			Bodies: []protocol.Body{{Hash: hash, Data: []byte("<x/>")}},
		},
		&protocol.PullDefinition{DefinitionKey: 9, Want: protocol.FormDefinition, ID: "order", Deployment: 8, VersionTag: "stable", Version: -1},
		&protocol.ListDeployments{Before: 2251799813685260, Limit: 50},
		&protocol.PartitionInfo{},
		&protocol.TakeBase{
			Source: 1, Epoch: 77, Lane: protocol.LaneDeployments, UpTo: 12, Definitions: []protocol.Definition{definition},
			Bodies: []protocol.Body{{Hash: hash, Data: []byte("<x/>")}},
		},
		&protocol.Watermark{},
		&protocol.Survey{From: 3},
		&protocol.ListDefinitions{After: 2251799813685249, Limit: 1000},
		&protocol.FetchDefinitions{Keys: []protocol.Key{2251799813685249, 2251799813685250}},
		&protocol.ListIncidents{After: 2251799813685255, ProcessID: "order", Limit: 500},
		&protocol.ListInstances{After: 2251799813685252, ProcessID: "order", Limit: 500},
		&protocol.InspectInstance{Key: 2251799813685252, MaxValue: 100},
		&protocol.ListMessages{After: place, Name: "paid", Limit: 500},
		&protocol.AwaitDistributed{Seq: 12, Deployment: 2251799813685249, Wait: 5000, Reachable: true},
		&protocol.ReadPlan{},
		&protocol.WritePlan{Expected: 3, Plan: []byte("{}")},
		&protocol.Hold{Token: 77, For: 5000},
		&protocol.Cut{Token: 77},
		&protocol.Restore{Step: protocol.RestoreWrites, Backup: "b", Writes: []byte{1}},
		&protocol.DeleteResource{ResourceKey: 9, Definitions: []protocol.Definition{definition.Tombstone()}},
		&protocol.EvaluateDecision{DecisionKey: 9, DecisionID: "rate", Variables: []byte(`{"a":1}`), TenantID: "<default>", DeploymentSeq: 300},
		&protocol.ThrowError{JobKey: 2251799813685253, Code: "E1", Message: "no", Variables: []byte(`{"b":2}`)},
		&protocol.PublishMessage{
			Name: "paid", CorrelationKey: "o-1", TimeToLive: 60000, MessageID: "m", Variables: []byte(`{"b":2}`), DeploymentSeq: 300,
		},
		&protocol.BroadcastSignal{Name: "stop", Variables: []byte(`{"b":2}`), Key: 2251799813685256, DeploymentSeq: 300},
		&protocol.Distribute{Deployment: deployment},
		&protocol.OpenSubscription{Subscription: subscription},
		&protocol.Correlate{
			Element: 2251799813685254, Subscription: 2251799813685257, Message: 4503599627370499,
			Name: "paid", CorrelationKey: "o-1", ProcessID: "order", Variables: []byte(`{"b":2}`),
		},
		&protocol.Correlated{
			Element: 2251799813685254, Subscription: 2251799813685257, Message: 4503599627370499,
			Name: "paid", CorrelationKey: "o-1", ProcessID: "order", Refused: true,
		},
		&protocol.CloseSubscription{Element: 2251799813685254, Subscription: 2251799813685257, Name: "paid", CorrelationKey: "o-1"},
		&protocol.ModifyInstance{
			InstanceKey: 2251799813685252, Terminate: []protocol.Key{2251799813685254},
			Activate: []protocol.ActivateElement{{
				ElementID: "t", Ancestor: -1, Variables: []protocol.ScopeVariables{{ScopeID: "sub", Variables: []byte(`{"a":1}`)}},
			}},
		},
		&protocol.MigrateInstance{
			InstanceKey: 2251799813685252, TargetKey: 2251799813685250,
			Mappings: []protocol.ElementMapping{{SourceID: "t", TargetID: "u"}},
		},
	}
}

var place = protocol.MessagePlace{Deadline: 1700000060000, Key: 2251799813685258}

func goldenReplies() []protocol.Reply {
	incident := protocol.IncidentRow{
		Key: 7, Instance: 3, Element: 5, Job: 6, Definition: 2, ProcessID: "order", Version: 3, ElementID: "t", Type: "JOB_NO_RETRIES", Message: "no", Since: 1700000000000,
	}
	instance := protocol.InstanceRow{
		Key: 3, Definition: 2, Caller: 1, ProcessID: "order", Version: 3, State: 2, Started: 1700000000000, Children: 4, Incidents: 1, At: []string{"t", "u"},
	}
	created := protocol.Created{DefinitionKey: 2251799813685250, InstanceKey: 4503599627370497, ProcessID: "order", Version: 3}
	return []protocol.Reply{
		&protocol.Done{},
		&protocol.Deployed{Key: 2251799813685249, Definitions: []protocol.Definition{definition}, Seq: 9},
		&created,
		&protocol.Result{Created: created, Variables: []byte(`{"a":1}`)},
		&protocol.Jobs{Truncated: true, Jobs: []protocol.Job{{
			Key: 1, InstanceKey: 2, DefinitionKey: 3, ElementKey: 4, Type: "work", ProcessID: "order", ElementID: "t", Worker: "w",
			Version: 3, Retries: 2, Deadline: 1700000060000, Headers: []byte(`{}`), Variables: []byte(`{"a":1}`),
		}}},
		&protocol.Incidents{List: []protocol.IncidentRow{incident}, Next: 7},
		&protocol.Instances{List: []protocol.InstanceRow{instance}, Next: 3},
		&protocol.InstanceTree{Instance: instance, Elements: []protocol.ElementRow{{
			Key: 5, Scope: 3, ElementID: "t", State: 2, Variables: []protocol.VariableRow{{Name: "a", Value: []byte("12"), Size: 4}}, MoreVars: 1, MoreInside: 2,
			Timers:   []protocol.TimerRow{{Event: "b", Due: 1700000060000, Repeats: -1}},
			Messages: []protocol.SubscriptionRow{{Event: "c", Name: "paid", CorrelationKey: "o-1", Signal: true}},
			Joins:    []protocol.JoinRow{{ElementID: "j", Flows: []string{"f"}}},
			Job:      &protocol.JobRow{Key: 6, Type: "work", Worker: "w", State: 3, Retries: 2, Deadline: 1700000060000},
			Incident: &incident, Called: 8, UserTask: 9, Loop: []int64{4, 3, 2, 1}, Listener: 2, Follows: "b", Interrupts: true, Compensate: true,
		}}},
		&protocol.Messages{Next: place, List: []protocol.MessageRow{{Place: place, Name: "paid", CorrelationKey: "o-1", ID: "m", Size: 7, Had: []string{"order"}}}},
		&protocol.KeyReply{Key: 2251799813685256},
		&protocol.Received{Epoch: 77, UpTo: 9, Refused: []protocol.RefusedItem{{Seq: 9, Reason: "no"}}, Gap: true, Missing: []protocol.Hash{hash}},
		&protocol.DefinitionReply{Epoch: 77, Seq: 9, Key: 8, Definitions: []protocol.Definition{definition}, Bodies: []protocol.Body{{Hash: hash, Data: []byte("<x/>")}}},
		&protocol.Deployments{Seq: 9, List: []protocol.DeploymentStatus{{
			Deployment: deployment, Pending: []protocol.PendingPush{{Partition: 2, Since: 5, Attempts: 3, Error: "cut"}},
			Refused: []protocol.RefusedPush{{Partition: 3, Reason: "no"}},
		}}},
		&protocol.Plan{Version: 4, Plan: []byte("{}")},
		&protocol.Restored{Done: true},
		&protocol.Evaluated{
			Decision: protocol.EvaluatedDecision{Key: 9, ID: "rate", Name: "Rate", Version: 2, Output: []byte(`7`)}, RequirementsID: "rules", RequirementsKey: 8,
			Decisions: []protocol.EvaluatedDecision{{
				Key: -1, ID: "base", Name: "Base", Version: -1, Type: "DECISION_TABLE", Output: []byte("null"),
				Inputs: []protocol.DecisionValue{{ID: "i", Name: "in", Value: []byte("1")}},
				Rules:  []protocol.MatchedRule{{ID: "r", Index: 1, Outputs: []protocol.DecisionValue{{ID: "o", Name: "out", Value: []byte("2")}}}},
			}}, FailedID: "base", FailureMessage: "no",
		},
		&protocol.Surveyed{
			Epoch: 77, Seq: 9, Digest: protocol.Digest{{Count: 2, Sum: protocol.Sum{0: 0xCC}}, 3: {Count: 300, Sum: protocol.Sum{15: 0xDD}}}, First: 8,
			Lanes: []protocol.LaneMark{{Lane: protocol.LaneMessages, Epoch: 78, Seq: 300}},
		},
		&protocol.DefinitionList{List: []protocol.DefinitionSum{{Key: 2251799813685250, Sum: protocol.Sum{0: 0xCC}, Deleted: true}}},
		&protocol.Distribution{
			Pending: []protocol.PendingPush{{Partition: 3, Since: 1700000000000, Attempts: 4, Error: "no link"}},
			Refused: []protocol.RefusedPush{{Partition: 2, Reason: "no"}},
		},
		&protocol.Info{Partition: 2, Term: 3, Applied: 4, DeploymentSeq: 5, OldestPending: 6, Pending: 7, Instances: 8, JobsWaiting: 9, JobsActive: 10, Incidents: 11, OldestIncident: 12, Messages: 13, RecordLog: "disk full", Restoring: "b",
			Lanes:    []protocol.LaneInfo{{Target: 3, Lane: protocol.LaneMessages, Pending: 12, Oldest: 1700000000000, Attempts: 4, Error: "no link"}},
			Compared: protocol.CompareInfo{At: 1700000000000, Differs: 1, Repaired: 2, Why: "one", Error: "none"}},
	}
}

func goldenEntries() []sample {
	header := protocol.EntryHeader{Kind: protocol.EntryWrites, Guard: protocol.Guard{Term: 300, Incarnation: 0x0102030405060708, Seq: 9}}
	open := protocol.EntryHeader{Kind: protocol.EntryOpen, Guard: protocol.Guard{Term: 2, Incarnation: 1}}
	op := func(o protocol.Op) []byte { return protocol.AppendOp(nil, &o) }
	return []sample{
		{"entry open", protocol.AppendEntryHeader(nil, open)},
		{"entry writes", protocol.AppendEntryHeader(nil, header)},
		{"op put", op(protocol.Op{Kind: protocol.OpPut, Key: []byte{0x20, 1}, Value: []byte("value")})},
		{"op delete", op(protocol.Op{Kind: protocol.OpDelete, Key: []byte{0x20, 1}})},
		{"op body", op(protocol.Op{Kind: protocol.OpBody, Key: hash[:], Value: []byte("<x/>"), Chunk: 2, Last: true})},
		{"op records", op(protocol.Op{Kind: protocol.OpRecords, Value: slices.Concat(protocol.AppendInt(nil, 1700000000000), goldenRecords())})},
	}
}

func goldenRecords() (b []byte) {
	for _, r := range []protocol.Record{
		{Type: protocol.RecordCommand, ValueType: "JOB", Intent: "COMPLETE", Key: 2251799813685253, Value: []byte(`{}`)},
		{Type: protocol.RecordEvent, ValueType: "JOB", Intent: "COMPLETED", Key: 2251799813685253, Source: 1, Value: []byte(`{"retries":3}`)},
		{Type: protocol.RecordRejection, ValueType: "JOB", Intent: "FAIL", Key: -1, RejectionType: "NOT_FOUND", Reason: "none", Value: []byte(`{}`)},
	} {
		b = protocol.AppendRecord(b, &r)
	}
	return b
}

func goldenAnswers() []sample {
	answer := func(err error) []byte { return protocol.EncodeAnswer(nil, nil, err) }
	return []sample{
		{"answer rejection", answer(protocol.Reject(protocol.NotFound, "CANCEL", "none"))},
		{"answer refusal", answer(protocol.Refuse(protocol.NotLeader, 3, "node 2"))},
		{"answer unknown", answer(fmt.Errorf("%w: cut", protocol.ErrOutcomeUnknown))},
		{"answer internal", answer(fmt.Errorf("%w: oops", protocol.ErrInternal))},
		{"answer any other error", answer(errors.New("cut"))},
	}
}

func samples() (list []sample) {
	list = goldenEntries()
	for _, c := range goldenCommands() {
		list = append(list, sample{"command " + reflect.TypeOf(c).Elem().Name(), protocol.EncodeCommand(nil, c)})
	}
	list = append(list, goldenAnswers()...)
	for _, p := range goldenReplies() {
		list = append(list, sample{"reply " + reflect.TypeOf(p).Elem().Name(), protocol.EncodeAnswer(nil, p, nil)})
	}
	return list
}

const goldenFile = "testdata/golden.txt"

// TestGolden: what one version writes, another reads. A difference here is a
// change of a format that stands in logs or travels between nodes.
func TestGolden(t *testing.T) {
	if *rewrite {
		writeGolden(t)
	}
	want := readGolden(t)
	for _, s := range samples() {
		if got := fmt.Sprintf("%x", s.bytes); got != want[s.name] {
			t.Errorf("%s\n got %s\nwant %s", s.name, got, want[s.name])
		}
		delete(want, s.name)
	}
	for name := range want {
		t.Errorf("nothing makes %q any more", name)
	}
}

// Each command and reply that travels has a sample.
func TestGolden_IsComplete(t *testing.T) {
	if n, m := len(goldenCommands()), len(commands()); n != m {
		t.Errorf("%d of %d commands have golden bytes", n, m)
	}
	if n, m := len(goldenReplies()), len(replies()); n != m {
		t.Errorf("%d of %d replies have golden bytes", n, m)
	}
	known := 0
	for kind := range 256 {
		if _, err := protocol.DecodeCommand([]byte{byte(kind)}); err == nil || !strings.Contains(err.Error(), "unknown command kind") {
			known++
		}
	}
	if n := len(commands()); n != known {
		t.Errorf("the tests know %d of %d kinds of commands", n, known)
	}
}

func readGolden(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, text, ok := strings.Cut(s.Text(), ": "); ok {
			want[name] = text
		}
	}
	return want
}

func writeGolden(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, s := range samples() {
		fmt.Fprintf(&b, "%s: %x\n", s.name, s.bytes)
	}
	if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
