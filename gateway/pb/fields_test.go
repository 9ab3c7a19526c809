package pb_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grevy-io/grevy/gateway/pb"
)

// wire is the contract, written down a second time and by hand: "number name type" of every
// field. A type in capitals is a message or enum; * is repeated, ? has presence.
var wire = map[string]string{
	"ActivateJobsRequest":  "1 type string, 2 worker string, 3 timeout int64, 4 maxJobsToActivate int32, 5 fetchVariable string*, 6 requestTimeout int64, 7 tenantIds string*",
	"ActivateJobsResponse": "1 jobs ActivatedJob*",
	"ActivatedJob": "1 key int64, 2 type string, 3 processInstanceKey int64, 4 bpmnProcessId string, 5 processDefinitionVersion int32, " +
		"6 processDefinitionKey int64, 7 elementId string, 8 elementInstanceKey int64, 9 customHeaders string, 10 worker string, " +
		"11 retries int32, 12 deadline int64, 13 variables string, 14 tenantId string",
	"StreamActivatedJobsRequest":    "1 type string, 2 worker string, 3 timeout int64, 5 fetchVariable string*, 6 tenantIds string*",
	"CancelProcessInstanceRequest":  "1 processInstanceKey int64, 2 operationReference uint64?",
	"CancelProcessInstanceResponse": "",
	"CompleteJobRequest":            "1 jobKey int64, 2 variables string",
	"CompleteJobResponse":           "",
	"CreateProcessInstanceRequest": "1 processDefinitionKey int64, 2 bpmnProcessId string, 3 version int32, 4 variables string, " +
		"5 startInstructions ProcessInstanceCreationStartInstruction*, 6 tenantId string, 7 operationReference uint64?",
	"ProcessInstanceCreationStartInstruction": "1 elementId string",
	"CreateProcessInstanceResponse":           "1 processDefinitionKey int64, 2 bpmnProcessId string, 3 version int32, 4 processInstanceKey int64, 5 tenantId string",
	"CreateProcessInstanceWithResultRequest":  "1 request CreateProcessInstanceRequest?, 2 requestTimeout int64, 3 fetchVariables string*",
	"CreateProcessInstanceWithResultResponse": "1 processDefinitionKey int64, 2 bpmnProcessId string, 3 version int32, 4 processInstanceKey int64, 5 variables string, 6 tenantId string",
	"EvaluateDecisionRequest":                 "1 decisionKey int64, 2 decisionId string, 3 variables string, 4 tenantId string",
	"EvaluateDecisionResponse": "1 decisionKey int64, 2 decisionId string, 3 decisionName string, 4 decisionVersion int32, 5 decisionRequirementsId string, " +
		"6 decisionRequirementsKey int64, 7 decisionOutput string, 8 evaluatedDecisions EvaluatedDecision*, 9 failedDecisionId string, " +
		"10 failureMessage string, 11 tenantId string, 12 decisionInstanceKey int64",
	"EvaluatedDecision": "1 decisionKey int64, 2 decisionId string, 3 decisionName string, 4 decisionVersion int32, 5 decisionType string, " +
		"6 decisionOutput string, 7 matchedRules MatchedDecisionRule*, 8 evaluatedInputs EvaluatedDecisionInput*, 9 tenantId string",
	"EvaluatedDecisionInput":       "1 inputId string, 2 inputName string, 3 inputValue string",
	"EvaluatedDecisionOutput":      "1 outputId string, 2 outputName string, 3 outputValue string",
	"MatchedDecisionRule":          "1 ruleId string, 2 ruleIndex int32, 3 evaluatedOutputs EvaluatedDecisionOutput*",
	"DeployProcessRequest":         "1 processes ProcessRequestObject*",
	"ProcessRequestObject":         "1 name string, 2 definition bytes",
	"DeployProcessResponse":        "1 key int64, 2 processes ProcessMetadata*",
	"DeployResourceRequest":        "1 resources Resource*, 2 tenantId string",
	"Resource":                     "1 name string, 2 content bytes",
	"DeployResourceResponse":       "1 key int64, 2 deployments Deployment*, 3 tenantId string",
	"Deployment":                   "1 process ProcessMetadata?, 2 decision DecisionMetadata?, 3 decisionRequirements DecisionRequirementsMetadata?, 4 form FormMetadata?",
	"ProcessMetadata":              "1 bpmnProcessId string, 2 version int32, 3 processDefinitionKey int64, 4 resourceName string, 5 tenantId string",
	"DecisionMetadata":             "1 dmnDecisionId string, 2 dmnDecisionName string, 3 version int32, 4 decisionKey int64, 5 dmnDecisionRequirementsId string, 6 decisionRequirementsKey int64, 7 tenantId string",
	"DecisionRequirementsMetadata": "1 dmnDecisionRequirementsId string, 2 dmnDecisionRequirementsName string, 3 version int32, 4 decisionRequirementsKey int64, 5 resourceName string, 6 tenantId string",
	"FormMetadata":                 "1 formId string, 2 version int32, 3 formKey int64, 4 resourceName string, 5 tenantId string",
	"FailJobRequest":               "1 jobKey int64, 2 retries int32, 3 errorMessage string, 4 retryBackOff int64, 5 variables string",
	"FailJobResponse":              "",
	"ThrowErrorRequest":            "1 jobKey int64, 2 errorCode string, 3 errorMessage string, 4 variables string",
	"ThrowErrorResponse":           "",
	"PublishMessageRequest":        "1 name string, 2 correlationKey string, 3 timeToLive int64, 4 messageId string, 5 variables string, 6 tenantId string",
	"PublishMessageResponse":       "1 key int64, 2 tenantId string",
	"ResolveIncidentRequest":       "1 incidentKey int64, 2 operationReference uint64?",
	"ResolveIncidentResponse":      "",
	"SetVariablesRequest":          "1 elementInstanceKey int64, 2 variables string, 3 local bool, 4 operationReference uint64?",
	"SetVariablesResponse":         "1 key int64",
	"TopologyRequest":              "",
	"TopologyResponse":             "1 brokers BrokerInfo*, 2 clusterSize int32, 3 partitionsCount int32, 4 replicationFactor int32, 5 gatewayVersion string",
	"BrokerInfo":                   "1 nodeId int32, 2 host string, 3 port int32, 4 partitions Partition*, 5 version string",
	"Partition":                    "1 partitionId int32, 2 role Partition.PartitionBrokerRole, 3 health Partition.PartitionBrokerHealth",
	"UpdateJobRetriesRequest":      "1 jobKey int64, 2 retries int32, 3 operationReference uint64?",
	"UpdateJobRetriesResponse":     "",
	"UpdateJobTimeoutRequest":      "1 jobKey int64, 2 timeout int64, 3 operationReference uint64?",
	"UpdateJobTimeoutResponse":     "",
	"ModifyProcessInstanceRequest": "1 processInstanceKey int64, 2 activateInstructions ModifyProcessInstanceRequest.ActivateInstruction*, " +
		"3 terminateInstructions ModifyProcessInstanceRequest.TerminateInstruction*, 4 operationReference uint64?",
	"ModifyProcessInstanceRequest.ActivateInstruction":  "1 elementId string, 2 ancestorElementInstanceKey int64, 3 variableInstructions ModifyProcessInstanceRequest.VariableInstruction*",
	"ModifyProcessInstanceRequest.VariableInstruction":  "1 variables string, 2 scopeId string",
	"ModifyProcessInstanceRequest.TerminateInstruction": "1 elementInstanceKey int64",
	"ModifyProcessInstanceResponse":                     "",
	"MigrateProcessInstanceRequest":                     "1 processInstanceKey int64, 2 migrationPlan MigrateProcessInstanceRequest.MigrationPlan?, 3 operationReference uint64?",
	"MigrateProcessInstanceRequest.MigrationPlan":       "1 targetProcessDefinitionKey int64, 2 mappingInstructions MigrateProcessInstanceRequest.MappingInstruction*",
	"MigrateProcessInstanceRequest.MappingInstruction":  "1 sourceElementId string, 2 targetElementId string",
	"MigrateProcessInstanceResponse":                    "",
	"DeleteResourceRequest":                             "1 resourceKey int64, 2 operationReference uint64?",
	"DeleteResourceResponse":                            "",
	"BroadcastSignalRequest":                            "1 signalName string, 2 variables string, 3 tenantId string",
	"BroadcastSignalResponse":                           "1 key int64, 2 tenantId string",
}

func TestFields(t *testing.T) {
	got := map[string]string{}
	eachMessage(pb.File_gateway_proto.Messages(), func(m protoreflect.MessageDescriptor) {
		got[local(m)] = fields(m)
	})
	for name, want := range wire {
		t.Run(name, func(t *testing.T) {
			if have, ok := got[name]; !ok || have != want {
				t.Errorf("got  %q\nwant %q", have, want)
			}
		})
	}
	for name := range got {
		if _, ok := wire[name]; !ok {
			t.Errorf("message %s is not in the contract", name)
		}
	}
}

func TestEnums(t *testing.T) {
	enums := pb.File_gateway_proto.Messages().ByName("Partition").Enums()
	for _, c := range []struct{ name, want string }{
		{"PartitionBrokerRole", "0 LEADER, 1 FOLLOWER, 2 INACTIVE"},
		{"PartitionBrokerHealth", "0 HEALTHY, 1 UNHEALTHY, 2 DEAD"},
	} {
		var vs []string
		values := enums.ByName(protoreflect.Name(c.name)).Values()
		for i := range values.Len() {
			vs = append(vs, fmt.Sprintf("%d %s", values.Get(i).Number(), values.Get(i).Name()))
		}
		if got := strings.Join(vs, ", "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if n := pb.File_gateway_proto.Enums().Len() + enums.Len(); n != 2 {
		t.Errorf("%d enums, want 2", n)
	}
}

func TestDeploymentIsOneOf(t *testing.T) {
	m := pb.File_gateway_proto.Messages().ByName("Deployment")
	if m.Oneofs().Len() != 1 || m.Oneofs().Get(0).Name() != "Metadata" || m.Oneofs().Get(0).Fields().Len() != 4 {
		t.Errorf("oneofs of Deployment: %v", m.Oneofs())
	}
}

func eachMessage(ms protoreflect.MessageDescriptors, do func(protoreflect.MessageDescriptor)) {
	for i := range ms.Len() {
		do(ms.Get(i))
		eachMessage(ms.Get(i).Messages(), do)
	}
}

// local is a name without the package.
func local(d protoreflect.Descriptor) string {
	return strings.TrimPrefix(string(d.FullName()), "gateway_protocol.")
}

func fields(m protoreflect.MessageDescriptor) string {
	var fs []protoreflect.FieldDescriptor
	for i := range m.Fields().Len() {
		fs = append(fs, m.Fields().Get(i))
	}
	sort.Slice(fs, func(i, j int) bool { return fs[i].Number() < fs[j].Number() })
	var out []string
	for _, f := range fs {
		typ := f.Kind().String()
		switch {
		case f.Message() != nil:
			typ = local(f.Message())
		case f.Enum() != nil:
			typ = local(f.Enum())
		}
		switch {
		case f.IsList():
			typ += "*"
		case f.HasPresence():
			typ += "?"
		}
		if f.JSONName() != string(f.Name()) {
			typ += " as " + f.JSONName()
		}
		out = append(out, fmt.Sprintf("%d %s %s", f.Number(), f.Name(), typ))
	}
	return strings.Join(out, ", ")
}
