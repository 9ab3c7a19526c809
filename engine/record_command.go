package engine

import (
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// recordCommand records the command of a client that is about to be executed;
// what follows has it as its source. If it is rejected nothing of it is kept:
// a command that writes nothing has no entry.
func (r *run) recordCommand(cmd protocol.Command) {
	c := r.rec
	switch m := cmd.(type) {
	case *protocol.CreateInstance:
		o := c.begin().str("bpmnProcessId", m.ProcessID).num("processDefinitionKey", int64(m.DefinitionKey)).key("processInstanceKey", 0).
			num("version", int64(m.Version)).members("variables", documentOf(m.Variables))
		startInstructionsOf(o, m)
		intent := "CREATE"
		if m.AwaitResult {
			intent = "CREATE_WITH_AWAITING_RESULT"
		}
		c.command("PROCESS_INSTANCE_CREATION", intent, 0)
	case *protocol.DeleteResource:
		c.begin().key("resourceKey", m.ResourceKey)
		c.command("RESOURCE_DELETION", "DELETE", m.ResourceKey)
	case *protocol.EvaluateDecision:
		c.begin().str("decisionId", m.DecisionID).num("decisionKey", int64(m.DecisionKey)).members("variables", documentOf(m.Variables))
		c.command("DECISION_EVALUATION", "EVALUATE", 0)
	case *protocol.ActivateJobs:
		batchValue(c.begin(), m, false)
		c.value.json("jobs", []byte("[]")).json("jobKeys", []byte("[]"))
		c.command("JOB_BATCH", "ACTIVATE", 0)
	case *protocol.CompleteJob:
		r.jobCommand(m.JobKey, "COMPLETE", -1, jobDetails{variables: jsondoc.Append(nil, documentOf(m.Variables))})
	case *protocol.FailJob:
		r.jobCommand(m.JobKey, "FAIL", m.Retries, jobDetails{variables: jsondoc.Append(nil, documentOf(m.Variables)), message: m.Message, backOff: m.BackOff})
	case *protocol.ThrowError:
		r.jobCommand(m.JobKey, "THROW_ERROR", -1, jobDetails{variables: jsondoc.Append(nil, documentOf(m.Variables)), message: m.Message, code: m.Code})
	case *protocol.UpdateJobRetries:
		r.jobCommand(m.JobKey, "UPDATE_RETRIES", m.Retries, jobDetails{})
	case *protocol.UpdateJobTimeout:
		r.jobCommand(m.JobKey, "UPDATE_TIMEOUT", -1, jobDetails{})
	case *protocol.SetVariables:
		document(c.begin(), m).members("variables", documentOf(m.Variables))
		c.command("VARIABLE_DOCUMENT", "UPDATE", 0)
	case *protocol.CancelInstance:
		c.begin().key("processInstanceKey", m.InstanceKey)
		c.command("PROCESS_INSTANCE", "CANCEL", m.InstanceKey)
	case *protocol.ModifyInstance:
		modificationOf(c.begin(), m, nil)
		c.command("PROCESS_INSTANCE_MODIFICATION", "MODIFY", m.InstanceKey)
	case *protocol.MigrateInstance:
		migrationOf(c.begin(), m)
		c.command("PROCESS_INSTANCE_MIGRATION", "MIGRATE", m.InstanceKey)
	case *protocol.ResolveIncident:
		c.begin().key("jobKey", 0)
		c.command("INCIDENT", "RESOLVE", m.IncidentKey)
	case *protocol.PublishMessage:
		c.begin().str("name", m.Name).str("correlationKey", m.CorrelationKey).str("messageId", m.MessageID).
			num("timeToLive", m.TimeToLive).num("deadline", -1).members("variables", documentOf(m.Variables))
		c.command("MESSAGE", "PUBLISH", 0)
	case *protocol.BroadcastSignal:
		c.begin().str("signalName", m.Name).members("variables", documentOf(m.Variables))
		c.command("SIGNAL", "BROADCAST", 0)
	case *protocol.Deploy:
		c.recordDeploy(m)
	}
}

// documentOf reads a client's document, of which only valid ones get into the log.
func documentOf(doc []byte) []jsondoc.Member {
	list, err := jsondoc.Parse(doc)
	if err != nil {
		return nil // the command will be rejected
	}
	return list
}

// jobCommand records what a worker asks for; the original knows nothing else of
// the job then.
func (r *run) jobCommand(key protocol.Key, intent string, retries int32, d jobDetails) {
	r.jobValue(r.rec.begin(), &state.Job{Retries: retries}, &d)
	r.rec.command("JOB", intent, key)
}
