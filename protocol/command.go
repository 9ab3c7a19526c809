package protocol

// Kind numbers the commands on the wire. Numbers are never used again.
type Kind uint8

// The commands.
const (
	KindDeploy Kind = iota + 1
	KindCreateInstance
	KindCancelInstance
	KindActivateJobs
	KindCompleteJob
	KindFailJob
	KindYieldJobs
	KindUpdateJobRetries
	KindUpdateJobTimeout
	KindSetVariables
	KindResolveIncident
	KindTick
	KindContinue
	KindReceive
	KindAcknowledge
	KindPulled
	KindAwaitJobs
	KindPullDefinition
	KindListDeployments
	KindPartitionInfo
	KindTakeBase
	KindWatermark
	KindThrowError
	KindPublishMessage
	KindBroadcastSignal
	KindDistribute
	KindOpenSubscription
	KindCorrelate
	KindCloseSubscription
	KindCorrelated
	KindUnprocessable

	KindEvaluateDecision Kind = 32
	KindDeleteResource   Kind = 33
	KindListIncidents    Kind = 42
	KindListInstances    Kind = 43
	KindAwaitDistributed Kind = 44
	KindSurvey           Kind = 45
	KindListDefinitions  Kind = 46
	KindFetchDefinitions Kind = 47
	KindReconcile        Kind = 48
	KindInspectInstance  Kind = 52
	KindListMessages     Kind = 53
)

// Command is what a partition is asked to do.
type Command interface {
	Kind() Kind
	// Intent is the original's name of the command, shown in rejections.
	Intent() string
	encode(b []byte) []byte
	decode(r *Reader)
}

// Resource is one file of a deployment.
type Resource struct {
	Name    string
	Content []byte
}

// Deploy makes resources known to the cluster. Only the deployment partition
// takes it.
type Deploy struct {
	Resources []Resource
	TenantID  string
}

// CreateInstance starts an instance of a process: by key, or by id and version
// (-1: the latest).
type CreateInstance struct {
	DefinitionKey  Key
	ProcessID      string
	Version        int32
	Variables      []byte // JSON object
	StartElements  []string
	AwaitResult    bool
	FetchVariables []string // of the result; empty: all
	TenantID       string
	// DeploymentSeq is the deployment lane's watermark that the gateway knows:
	// a partition that has not applied it yet asks before it resolves "latest".
	DeploymentSeq uint64
}

// CancelInstance ends an instance and all that is in it.
type CancelInstance struct{ InstanceKey Key }

// ActivateJobs locks up to Max jobs of a type for a worker.
type ActivateJobs struct {
	Type, Worker   string
	Timeout        int64 // ms
	Max            int32
	FetchVariables []string
	TenantIDs      []string
	// MaxBytes bounds the jobs of one answer; 0: the message limit.
	MaxBytes int64
	// Park lets an empty answer wait at the leader until a job is there, so
	// that one entry makes a job, locks it and pushes it.
	Park bool
}

// AwaitJobs is answered once a job of the type may be activated. It locks
// nothing and is never rejected.
type AwaitJobs struct{ Type string }

// CompleteJob ends a job with success.
type CompleteJob struct {
	JobKey    Key
	Variables []byte // JSON object
}

// FailJob reports that a worker could not do a job.
type FailJob struct {
	JobKey    Key
	Retries   int32
	Message   string
	BackOff   int64 // ms
	Variables []byte
}

// ThrowError reports that a worker has met an error that the process may know
// what to do with.
type ThrowError struct {
	JobKey        Key
	Code, Message string
	Variables     []byte // JSON object
}

// YieldJobs hands back jobs that could not be delivered. No retry is used up.
// A job that is no longer locked until the given deadline is left alone.
type YieldJobs struct {
	Keys      []Key
	Deadlines []int64
}

// UpdateJobRetries sets how often a job may still be tried.
type UpdateJobRetries struct {
	JobKey  Key
	Retries int32
}

// UpdateJobTimeout moves the deadline of a locked job to now plus Timeout.
type UpdateJobTimeout struct {
	JobKey  Key
	Timeout int64 // ms
}

// SetVariables writes variables at an element instance.
type SetVariables struct {
	ElementKey Key
	Variables  []byte
	Local      bool
}

// ResolveIncident tries again what an incident stopped.
type ResolveIncident struct{ IncidentKey Key }

// Tick lets the partition do what time brings: jobs time out, back-offs end.
type Tick struct{}

// Continue goes on with work that a step limit cut off.
type Continue struct{}

// PullDefinition asks the deployment partition for a definition that another
// partition lacks, and all that was deployed with it. It is a read. What is
// wanted is said by the key or, if there is an ID, by the kind, the ID and the
// first of these that is given: the deployment, the tag, the version (-1: the
// latest).
type PullDefinition struct {
	DefinitionKey Key
	Want          DefinitionKind
	ID            string
	Deployment    Key
	VersionTag    string
	Version       int32
}

// ListDeployments asks the deployment partition for its deployments, newest
// first, and how far they are spread. It is a read.
type ListDeployments struct {
	Before Key // 0: from the newest
	Limit  int32
}

// PartitionInfo asks a leader about its partition. It is a read.
type PartitionInfo struct{}

// Watermark asks a partition how far it knows the deployment lane. It is a
// read, answered with a KeyReply.
type Watermark struct{}

func (*Deploy) Kind() Kind           { return KindDeploy }
func (*CreateInstance) Kind() Kind   { return KindCreateInstance }
func (*CancelInstance) Kind() Kind   { return KindCancelInstance }
func (*ActivateJobs) Kind() Kind     { return KindActivateJobs }
func (*AwaitJobs) Kind() Kind        { return KindAwaitJobs }
func (*CompleteJob) Kind() Kind      { return KindCompleteJob }
func (*FailJob) Kind() Kind          { return KindFailJob }
func (*ThrowError) Kind() Kind       { return KindThrowError }
func (*YieldJobs) Kind() Kind        { return KindYieldJobs }
func (*UpdateJobRetries) Kind() Kind { return KindUpdateJobRetries }
func (*UpdateJobTimeout) Kind() Kind { return KindUpdateJobTimeout }
func (*SetVariables) Kind() Kind     { return KindSetVariables }
func (*ResolveIncident) Kind() Kind  { return KindResolveIncident }
func (*Tick) Kind() Kind             { return KindTick }
func (*Continue) Kind() Kind         { return KindContinue }
func (*PullDefinition) Kind() Kind   { return KindPullDefinition }
func (*ListDeployments) Kind() Kind  { return KindListDeployments }
func (*PartitionInfo) Kind() Kind    { return KindPartitionInfo }
func (*Watermark) Kind() Kind        { return KindWatermark }

// Intent names are the original's.
func (*Deploy) Intent() string { return "CREATE" }
func (c *CreateInstance) Intent() string {
	if c.AwaitResult {
		return "CREATE_WITH_AWAITING_RESULT"
	}
	return "CREATE"
}
func (*CancelInstance) Intent() string   { return "CANCEL" }
func (*ActivateJobs) Intent() string     { return "ACTIVATE" }
func (*AwaitJobs) Intent() string        { return "AWAIT" }
func (*CompleteJob) Intent() string      { return "COMPLETE" }
func (*FailJob) Intent() string          { return "FAIL" }
func (*ThrowError) Intent() string       { return "THROW_ERROR" }
func (*YieldJobs) Intent() string        { return "YIELD" }
func (*UpdateJobRetries) Intent() string { return "UPDATE_RETRIES" }
func (*UpdateJobTimeout) Intent() string { return "UPDATE_TIMEOUT" }
func (*SetVariables) Intent() string     { return "UPDATE" }
func (*ResolveIncident) Intent() string  { return "RESOLVE" }
func (*Tick) Intent() string             { return "TICK" }
func (*Continue) Intent() string         { return "CONTINUE" }
func (*PullDefinition) Intent() string   { return "PULL" }
func (*ListDeployments) Intent() string  { return "LIST" }
func (*Watermark) Intent() string        { return "WATERMARK" }
func (*PartitionInfo) Intent() string    { return "INFO" }
