package pb_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grevy-io/grevy/gateway/pb"
)

// rpcs is every RPC, with its messages where these are not XRequest -> XResponse.
var rpcs = map[string]string{
	"ActivateJobs": "ActivateJobsRequest -> stream ActivateJobsResponse", "StreamActivatedJobs": "StreamActivatedJobsRequest -> stream ActivatedJob",
	"CompleteJob": "", "FailJob": "", "ThrowError": "", "UpdateJobRetries": "", "UpdateJobTimeout": "",
	"CreateProcessInstance": "", "CreateProcessInstanceWithResult": "", "CancelProcessInstance": "", "ModifyProcessInstance": "",
	"MigrateProcessInstance": "", "SetVariables": "", "ResolveIncident": "", "PublishMessage": "", "BroadcastSignal": "",
	"DeployResource": "", "DeployProcess": "", "DeleteResource": "", "EvaluateDecision": "", "Topology": "",
}

func TestServiceDescriptor(t *testing.T) {
	s := pb.File_gateway_proto.Services().ByName("Gateway")
	if s == nil || s.FullName() != "gateway_protocol.Gateway" {
		t.Fatalf("service: %v", s)
	}
	if len(rpcs) != 21 || s.Methods().Len() != 21 {
		t.Errorf("%d RPCs, %d in the contract, want 21", s.Methods().Len(), len(rpcs))
	}
	for i := range s.Methods().Len() {
		m := s.Methods().Get(i)
		want, ok := rpcs[string(m.Name())]
		if want == "" {
			want = fmt.Sprintf("%sRequest -> %[1]sResponse", m.Name())
		}
		kind := ""
		if m.IsStreamingServer() {
			kind = "stream "
		}
		if got := local(m.Input()) + " -> " + kind + local(m.Output()); !ok || got != want || m.IsStreamingClient() {
			t.Errorf("%s: got %q, want %q", m.Name(), got, want)
		}
		if dep := m.Options().(*descriptorpb.MethodOptions).GetDeprecated(); dep != (m.Name() == "DeployProcess") {
			t.Errorf("%s: deprecated is %v", m.Name(), dep)
		}
	}
}

// TestServerDescription holds what grpc-go serves against what the descriptor says.
func TestServerDescription(t *testing.T) {
	d := pb.Gateway_ServiceDesc
	if d.ServiceName != "gateway_protocol.Gateway" || d.Metadata != "gateway.proto" {
		t.Errorf("service %q of file %v", d.ServiceName, d.Metadata)
	}
	streams := map[string]bool{}
	for _, m := range d.Methods {
		streams[m.MethodName] = false
	}
	for _, m := range d.Streams {
		streams[m.StreamName] = m.ServerStreams && !m.ClientStreams
	}
	if len(streams) != len(rpcs) {
		t.Errorf("%d RPCs served, want %d", len(streams), len(rpcs))
	}
	for name, want := range rpcs {
		if got, ok := streams[name]; !ok || got != strings.Contains(want, "stream ") {
			t.Errorf("%s: served %v, streaming %v", name, ok, got)
		}
	}
}

// TestStubsAreUpToDate fails when gateway.proto was changed and go generate was not run.
func TestStubsAreUpToDate(t *testing.T) {
	proto, err := os.ReadFile("gateway.proto")
	if err != nil {
		t.Fatal(err)
	}
	stubs, err := os.ReadFile("gateway.pb.go")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^// Made from gateway\.proto, sha256 ([0-9a-f]{64})\.$`).FindSubmatch(stubs)
	if m == nil {
		t.Fatal("gateway.pb.go names no digest of its source")
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(proto)); string(m[1]) != want {
		t.Errorf("gateway.pb.go was made from another gateway.proto: run go generate ./gateway/pb")
	}
	for _, file := range []string{"gateway.pb.go", "gateway_grpc.pb.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`).Match(text) {
			t.Errorf("%s lacks the header of generated code", file)
		}
	}
}
