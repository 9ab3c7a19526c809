package protocol

import "fmt"

// EncodeCommand appends the kind and the fields of c.
func EncodeCommand(b []byte, c Command) []byte {
	return c.encode(append(b, byte(c.Kind())))
}

// DecodeCommand reads what EncodeCommand made. The command may share memory
// with b. A kind that this version does not know is an error, not a panic.
func DecodeCommand(b []byte) (Command, error) {
	r := NewReader(b)
	c := newCommand(Kind(r.Byte()))
	if c == nil {
		return nil, fmt.Errorf("%w: unknown command kind", ErrCorrupt)
	}
	c.decode(r)
	return c, r.Done()
}

// unreadable stands for a row of a command that this version does not know, as
// during an update. The receiver refuses it like any that it cannot apply: its
// lane goes on (Zeebe issue #24300).
var unreadable = &Unprocessable{Reason: "this version of grevy cannot read it"}

// readRow reads a command inside of another, which must be one that travels in
// an outbox: a command never holds itself.
func readRow(r *Reader) Command {
	b := r.Bytes()
	if r.Err() != nil || len(b) == 0 || !Travels(Kind(b[0])) {
		return unreadable
	}
	c, err := DecodeCommand(b)
	if err != nil {
		return unreadable
	}
	return c
}

// Travels tells which commands may stand in outboxes.
func Travels(k Kind) bool {
	switch k {
	case KindDistribute, KindDeleteResource, KindBroadcastSignal, KindOpenSubscription, KindCorrelate, KindCloseSubscription, KindCorrelated:
		return true
	}
	return false
}

func newCommand(k Kind) Command {
	switch k {
	case KindDeploy:
		return new(Deploy)
	case KindCreateInstance:
		return new(CreateInstance)
	case KindCancelInstance:
		return new(CancelInstance)
	case KindActivateJobs:
		return new(ActivateJobs)
	case KindAwaitJobs:
		return new(AwaitJobs)
	case KindCompleteJob:
		return new(CompleteJob)
	case KindFailJob:
		return new(FailJob)
	case KindYieldJobs:
		return new(YieldJobs)
	case KindUpdateJobRetries:
		return new(UpdateJobRetries)
	case KindUpdateJobTimeout:
		return new(UpdateJobTimeout)
	case KindSetVariables:
		return new(SetVariables)
	case KindResolveIncident:
		return new(ResolveIncident)
	case KindReceive:
		return new(Receive)
	case KindPullDefinition:
		return new(PullDefinition)
	case KindListDeployments:
		return new(ListDeployments)
	case KindPartitionInfo:
		return new(PartitionInfo)
	case KindWatermark:
		return new(Watermark)
	case KindSurvey:
		return new(Survey)
	case KindListDefinitions:
		return new(ListDefinitions)
	case KindFetchDefinitions:
		return new(FetchDefinitions)
	case KindAwaitDistributed:
		return new(AwaitDistributed)
	case KindListIncidents:
		return new(ListIncidents)
	case KindListInstances:
		return new(ListInstances)
	case KindInspectInstance:
		return new(InspectInstance)
	case KindListMessages:
		return new(ListMessages)
	case KindTakeBase:
		return new(TakeBase)
	case KindThrowError:
		return new(ThrowError)
	case KindModifyInstance:
		return new(ModifyInstance)
	case KindMigrateInstance:
		return new(MigrateInstance)
	case KindEvaluateDecision:
		return new(EvaluateDecision)
	case KindHold:
		return new(Hold)
	case KindCut:
		return new(Cut)
	case KindRestore:
		return new(Restore)
	case KindReadPlan:
		return new(ReadPlan)
	case KindWritePlan:
		return new(WritePlan)
	case KindDeleteResource:
		return new(DeleteResource)
	case KindPublishMessage:
		return new(PublishMessage)
	case KindBroadcastSignal:
		return new(BroadcastSignal)
	case KindDistribute:
		return new(Distribute)
	case KindOpenSubscription:
		return new(OpenSubscription)
	case KindCorrelate:
		return new(Correlate)
	case KindCloseSubscription:
		return new(CloseSubscription)
	case KindCorrelated:
		return new(Correlated)
	}
	// Tick, Continue, Acknowledge, Pulled, Unprocessable and Exported never leave their leader.
	return nil
}

func (c *Deploy) encode(b []byte) []byte {
	b = AppendString(b, c.TenantID)
	b = AppendUint(b, uint64(len(c.Resources)))
	for _, r := range c.Resources {
		b = AppendString(b, r.Name)
		b = AppendBytes(b, r.Content)
	}
	return b
}

func (c *Deploy) decode(r *Reader) {
	c.TenantID = r.String()
	c.Resources = make([]Resource, r.Count(2))
	for i := range c.Resources {
		c.Resources[i] = Resource{Name: r.String(), Content: r.Bytes()}
	}
}

func (c *CreateInstance) encode(b []byte) []byte {
	b = AppendInt(b, int64(c.DefinitionKey))
	b = AppendString(b, c.ProcessID)
	b = AppendInt(b, int64(c.Version))
	b = AppendBytes(b, c.Variables)
	b = AppendStrings(b, c.StartElements)
	b = AppendBool(b, c.AwaitResult)
	b = AppendStrings(b, c.FetchVariables)
	return AppendUint(AppendString(b, c.TenantID), c.DeploymentSeq)
}

func (c *CreateInstance) decode(r *Reader) {
	*c = CreateInstance{
		DefinitionKey: r.Key(), ProcessID: r.String(), Version: int32(r.Int()), Variables: r.Bytes(),
		StartElements: r.Strings(), AwaitResult: r.Bool(), FetchVariables: r.Strings(), TenantID: r.String(),
		DeploymentSeq: r.Uint(),
	}
}

func (c *CancelInstance) encode(b []byte) []byte { return AppendInt(b, int64(c.InstanceKey)) }
func (c *CancelInstance) decode(r *Reader)       { c.InstanceKey = r.Key() }

func (c *ActivateJobs) encode(b []byte) []byte {
	b = AppendString(b, c.Type)
	b = AppendString(b, c.Worker)
	b = AppendInt(b, c.Timeout)
	b = AppendInt(b, int64(c.Max))
	b = AppendStrings(b, c.FetchVariables)
	b = AppendStrings(b, c.TenantIDs)
	b = AppendInt(b, c.MaxBytes)
	return AppendBool(b, c.Park)
}

func (c *ActivateJobs) decode(r *Reader) {
	*c = ActivateJobs{
		Type: r.String(), Worker: r.String(), Timeout: r.Int(), Max: int32(r.Int()),
		FetchVariables: r.Strings(), TenantIDs: r.Strings(), MaxBytes: r.Int(), Park: r.Bool(),
	}
}

func (c *AwaitJobs) encode(b []byte) []byte { return AppendString(b, c.Type) }
func (c *AwaitJobs) decode(r *Reader)       { c.Type = r.String() }

func (c *CompleteJob) encode(b []byte) []byte {
	return AppendBytes(AppendInt(b, int64(c.JobKey)), c.Variables)
}

func (c *CompleteJob) decode(r *Reader) { c.JobKey, c.Variables = r.Key(), r.Bytes() }

func (c *FailJob) encode(b []byte) []byte {
	b = AppendInt(b, int64(c.JobKey))
	b = AppendInt(b, int64(c.Retries))
	b = AppendString(b, c.Message)
	b = AppendInt(b, c.BackOff)
	return AppendBytes(b, c.Variables)
}

func (c *FailJob) decode(r *Reader) {
	*c = FailJob{JobKey: r.Key(), Retries: int32(r.Int()), Message: r.String(), BackOff: r.Int(), Variables: r.Bytes()}
}

func (c *ThrowError) encode(b []byte) []byte {
	b = AppendString(AppendInt(b, int64(c.JobKey)), c.Code)
	return AppendBytes(AppendString(b, c.Message), c.Variables)
}

func (c *ThrowError) decode(r *Reader) {
	*c = ThrowError{JobKey: r.Key(), Code: r.String(), Message: r.String(), Variables: r.Bytes()}
}

func (c *YieldJobs) encode(b []byte) []byte {
	b = AppendUint(b, uint64(len(c.Keys)))
	for i, k := range c.Keys {
		b = AppendInt(AppendInt(b, int64(k)), c.Deadlines[i])
	}
	return b
}

func (c *YieldJobs) decode(r *Reader) {
	n := r.Count(2)
	c.Keys, c.Deadlines = make([]Key, n), make([]int64, n)
	for i := range c.Keys {
		c.Keys[i], c.Deadlines[i] = r.Key(), r.Int()
	}
}

func (c *UpdateJobRetries) encode(b []byte) []byte {
	return AppendInt(AppendInt(b, int64(c.JobKey)), int64(c.Retries))
}
func (c *UpdateJobRetries) decode(r *Reader) { c.JobKey, c.Retries = r.Key(), int32(r.Int()) }

func (c *UpdateJobTimeout) encode(b []byte) []byte {
	return AppendInt(AppendInt(b, int64(c.JobKey)), c.Timeout)
}
func (c *UpdateJobTimeout) decode(r *Reader) { c.JobKey, c.Timeout = r.Key(), r.Int() }

func (c *SetVariables) encode(b []byte) []byte {
	return AppendBool(AppendBytes(AppendInt(b, int64(c.ElementKey)), c.Variables), c.Local)
}

func (c *SetVariables) decode(r *Reader) {
	c.ElementKey, c.Variables, c.Local = r.Key(), r.Bytes(), r.Bool()
}

func (c *ResolveIncident) encode(b []byte) []byte { return AppendInt(b, int64(c.IncidentKey)) }
func (c *ResolveIncident) decode(r *Reader)       { c.IncidentKey = r.Key() }

func (c *Receive) encode(b []byte) []byte {
	b = AppendUint(b, uint64(c.Source))
	b = AppendUint(b, c.Epoch)
	b = append(b, byte(c.Lane))
	b = AppendUint(b, uint64(len(c.Items)))
	for i := range c.Items {
		b = AppendUint(b, c.Items[i].Seq)
		b = AppendBytes(b, EncodeCommand(nil, c.Items[i].Command))
	}
	return appendBodies(b, c.Bodies)
}

func appendBodies(b []byte, bodies []Body) []byte {
	b = AppendUint(b, uint64(len(bodies)))
	for i := range bodies {
		b = append(b, bodies[i].Hash[:]...)
		b = AppendBytes(b, bodies[i].Data)
	}
	return b
}

func readBodies(r *Reader) []Body {
	bodies := make([]Body, r.Count(33))
	for i := range bodies {
		bodies[i] = Body{Hash: r.Hash(), Data: r.Bytes()}
	}
	return bodies
}

func (c *TakeBase) encode(b []byte) []byte {
	b = AppendUint(AppendUint(b, uint64(c.Source)), c.Epoch)
	b = AppendUint(append(b, byte(c.Lane)), c.UpTo)
	d := Deployment{Definitions: c.Definitions}
	return appendBodies(AppendDeployment(b, &d), c.Bodies)
}

func (c *TakeBase) decode(r *Reader) {
	*c = TakeBase{Source: PartitionID(r.Uint()), Epoch: r.Uint(), Lane: Lane(r.Byte()), UpTo: r.Uint()}
	d := ReadDeployment(r)
	c.Definitions = d.Definitions
	c.Bodies = readBodies(r)
}

func (c *Receive) decode(r *Reader) {
	*c = Receive{Source: PartitionID(r.Uint()), Epoch: r.Uint(), Lane: Lane(r.Byte())}
	c.Items = make([]Item, r.Count(3))
	for i := range c.Items {
		c.Items[i].Seq = r.Uint()
		c.Items[i].Command = readRow(r)
	}
	c.Bodies = readBodies(r)
}

func (c *PullDefinition) encode(b []byte) []byte {
	b = AppendString(append(AppendInt(b, int64(c.DefinitionKey)), byte(c.Want)), c.ID)
	b = AppendString(AppendInt(b, int64(c.Deployment)), c.VersionTag)
	return AppendInt(b, int64(c.Version))
}

func (c *PullDefinition) decode(r *Reader) {
	*c = PullDefinition{
		DefinitionKey: r.Key(), Want: DefinitionKind(r.Byte()), ID: r.String(), Deployment: r.Key(), VersionTag: r.String(), Version: int32(r.Int()),
	}
}

func (c *ListDeployments) encode(b []byte) []byte {
	return AppendInt(AppendInt(b, int64(c.Before)), int64(c.Limit))
}
func (c *ListDeployments) decode(r *Reader) { c.Before, c.Limit = r.Key(), int32(r.Int()) }

func (c *Watermark) encode(b []byte) []byte { return b }
func (c *Watermark) decode(*Reader)         {}

func (c *PartitionInfo) encode(b []byte) []byte { return b }
func (c *PartitionInfo) decode(*Reader)         {}

// Commands that never leave their leader have no bytes.
func (c *Tick) encode(b []byte) []byte        { return b }
func (c *Tick) decode(*Reader)                {}
func (c *Continue) encode(b []byte) []byte    { return b }
func (c *Continue) decode(*Reader)            {}
func (c *Acknowledge) encode(b []byte) []byte { return b }
func (c *Acknowledge) decode(*Reader)         {}
func (c *Pulled) encode(b []byte) []byte      { return b }
func (c *Pulled) decode(*Reader)              {}
