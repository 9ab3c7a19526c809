package protocol

import (
	"errors"
	"fmt"
	"strings"
)

// ReplyKind numbers the replies on the wire.
type ReplyKind uint8

// The replies; the first three are answers without a body of their own.
const (
	replyRejection ReplyKind = iota + 1
	replyRefusal
	replyUnknown
	replyInternal
	ReplyDone
	ReplyDeployed
	ReplyCreated
	ReplyResult
	ReplyJobs
	ReplyKey
	ReplyReceived
	ReplyDefinition
	ReplyDeployments
	ReplyInfo
	ReplyDecision

	ReplyDistribution   ReplyKind = 24
	ReplySurveyed       ReplyKind = 25
	ReplyDefinitionList ReplyKind = 26
	ReplyIncidents      ReplyKind = 32
	ReplyInstances      ReplyKind = 33
	ReplyInstanceTree   ReplyKind = 34
	ReplyMessages       ReplyKind = 35
)

// Reply is the answer to a command that was not rejected.
type Reply interface {
	ReplyKind() ReplyKind
	encode(b []byte) []byte
	decode(r *Reader)
}

// Done is the reply that says nothing more.
type Done struct{}

// Deployed answers Deploy. Definitions of all resources in document order.
type Deployed struct {
	Key         Key
	Definitions []Definition
	// Seq is the deployment lane's counter after this deployment.
	Seq uint64
}

// Created answers CreateInstance.
type Created struct {
	DefinitionKey, InstanceKey Key
	ProcessID                  string
	Version                    int32
}

// Result answers CreateInstance with AwaitResult, once the instance is done.
type Result struct {
	Created
	Variables []byte // JSON object
}

// Job is one activated job.
type Job struct {
	Key, InstanceKey, DefinitionKey, ElementKey Key
	Type, ProcessID, ElementID, Worker          string
	Version, Retries                            int32
	Deadline                                    int64  // ms since 1970
	Headers, Variables                          []byte // JSON objects
}

// Jobs answers ActivateJobs and, always empty, AwaitJobs.
type Jobs struct {
	Jobs []Job
	// Truncated says that more jobs were there than fit in one answer.
	Truncated bool
}

// KeyReply answers with one key.
type KeyReply struct{ Key Key }

// Received answers Receive, from applied state only.
type Received struct {
	Epoch uint64
	// UpTo is the last row applied; Next > UpTo+1 never happens. A row that
	// was refused is applied, with its reason here while the receiver knows it.
	UpTo    uint64
	Refused []RefusedItem
	// Gap: the rows sent begin after UpTo+1; send from there.
	Gap bool
	// Missing lists bodies that must come with the next try.
	Missing []Hash
}

// DefinitionReply answers PullDefinition.
type DefinitionReply struct {
	Epoch       uint64
	Seq         uint64
	Key         Key // of the one that was asked for
	Definitions []Definition
	Bodies      []Body
}

// DeploymentStatus is one deployment and how far it is spread.
type DeploymentStatus struct {
	Deployment Deployment
	Pending    []PendingPush
	Refused    []RefusedPush
}

// PendingPush is a partition that does not have a deployment yet.
type PendingPush struct {
	Partition PartitionID
	Since     int64 // ms since 1970
	Attempts  int32
	Error     string
}

// RefusedPush is a partition that refused a deployment for good.
type RefusedPush struct {
	Partition PartitionID
	Reason    string
}

// Deployments answers ListDeployments, newest first.
type Deployments struct {
	List []DeploymentStatus
	Seq  uint64 // of the deployment lane
}

// Info answers PartitionInfo.
type Info struct {
	Partition     PartitionID
	Term          uint64
	Applied       uint64
	DeploymentSeq uint64 // own lane counter, or inbox of the deployment lane
	OldestPending int64  // ms since 1970; 0: none
	Pending       int64
	Instances     int64 // active process instances
	JobsWaiting   int64
	JobsActive    int64
	Incidents     int64
	// OldestIncident is since when that is, in ms since 1970; 0: there is none.
	OldestIncident int64
	Messages       int64 // that are kept
	// Lanes are those that have something pending, or could not be sent.
	Lanes []LaneInfo
	// Compared is how the definitions compare with those of other partitions.
	Compared CompareInfo
	// RecordLog is why records cannot be written, "" if nothing is wrong.
	RecordLog string
	// Restoring is the backup that the partition is being filled from, "" if none.
	Restoring string
}

// LaneInfo is one lane to one target, with what it has not applied.
type LaneInfo struct {
	Target   PartitionID
	Lane     Lane
	Pending  int64
	Oldest   int64 // ms since 1970
	Attempts int32
	Error    string
}

// CompareInfo sums up comparisons of definitions.
type CompareInfo struct {
	At       int64 // ms since 1970, of the oldest of the last ones; 0: one is still to be made
	Differs  int64
	Repaired int64
	Why      string // what differs
	Error    string // why one could not be made
}

func (*Done) ReplyKind() ReplyKind            { return ReplyDone }
func (*Deployed) ReplyKind() ReplyKind        { return ReplyDeployed }
func (*Created) ReplyKind() ReplyKind         { return ReplyCreated }
func (*Result) ReplyKind() ReplyKind          { return ReplyResult }
func (*Jobs) ReplyKind() ReplyKind            { return ReplyJobs }
func (*KeyReply) ReplyKind() ReplyKind        { return ReplyKey }
func (*Received) ReplyKind() ReplyKind        { return ReplyReceived }
func (*DefinitionReply) ReplyKind() ReplyKind { return ReplyDefinition }
func (*Deployments) ReplyKind() ReplyKind     { return ReplyDeployments }
func (*Info) ReplyKind() ReplyKind            { return ReplyInfo }

// EncodeAnswer appends a reply or, if err is set, the error: a rejection, a
// refusal, an unknown outcome or an internal failure keep what they are.
func EncodeAnswer(b []byte, reply Reply, err error) []byte {
	var rejection *Rejection
	var refusal *Refusal
	switch {
	case err == nil:
		return reply.encode(append(b, byte(reply.ReplyKind())))
	case errors.As(err, &rejection):
		b = append(b, byte(replyRejection), byte(rejection.Type))
		return AppendString(AppendString(b, rejection.Intent), rejection.Reason)
	case errors.As(err, &refusal):
		b = append(b, byte(replyRefusal), byte(refusal.Code))
		return AppendString(AppendUint(b, uint64(refusal.Partition)), refusal.Detail)
	case errors.Is(err, ErrInternal):
		return AppendString(append(b, byte(replyInternal)), trimPrefix(err, ErrInternal))
	}
	return AppendString(append(b, byte(replyUnknown)), trimPrefix(err, ErrOutcomeUnknown))
}

func trimPrefix(err, sentinel error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), sentinel.Error()), ": ")
}

// DecodeAnswer reads what EncodeAnswer made.
func DecodeAnswer(b []byte) (Reply, error) {
	r := NewReader(b)
	kind := ReplyKind(r.Byte())
	switch kind {
	case replyRejection:
		return nil, firstError(&Rejection{Type: RejectionType(r.Byte()), Intent: r.String(), Reason: r.String()}, r)
	case replyRefusal:
		return nil, firstError(&Refusal{Code: RefusalCode(r.Byte()), Partition: PartitionID(r.Uint()), Detail: r.String()}, r)
	case replyInternal:
		return nil, firstError(fmt.Errorf("%w: %s", ErrInternal, r.String()), r)
	case replyUnknown:
		return nil, firstError(fmt.Errorf("%w: %s", ErrOutcomeUnknown, r.String()), r)
	}
	reply := newReply(kind)
	if reply == nil {
		return nil, fmt.Errorf("%w: unknown reply kind %d", ErrCorrupt, kind)
	}
	reply.decode(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return reply, nil
}

func firstError(answer error, r *Reader) error {
	if err := r.Done(); err != nil {
		return err
	}
	return answer
}

func newReply(k ReplyKind) Reply {
	switch k {
	case ReplyDone:
		return new(Done)
	case ReplyDeployed:
		return new(Deployed)
	case ReplyCreated:
		return new(Created)
	case ReplyResult:
		return new(Result)
	case ReplyJobs:
		return new(Jobs)
	case ReplyKey:
		return new(KeyReply)
	case ReplyReceived:
		return new(Received)
	case ReplyDefinition:
		return new(DefinitionReply)
	case ReplyDeployments:
		return new(Deployments)
	case ReplyInfo:
		return new(Info)
	case ReplyIncidents:
		return new(Incidents)
	case ReplyInstances:
		return new(Instances)
	case ReplyInstanceTree:
		return new(InstanceTree)
	case ReplyMessages:
		return new(Messages)
	case ReplyDecision:
		return new(Evaluated)
	case ReplySurveyed:
		return new(Surveyed)
	case ReplyDefinitionList:
		return new(DefinitionList)
	case ReplyDistribution:
		return new(Distribution)
	case ReplyPlan:
		return new(Plan)
	case ReplyRestored:
		return new(Restored)
	}
	return nil
}
