package protocol

// EvaluateDecision evaluates a decision: the newest version of an id, or, if
// there is no id, the one with this key.
type EvaluateDecision struct {
	DecisionKey Key
	DecisionID  string
	Variables   []byte // JSON object
	TenantID    string
	// DeploymentSeq is the watermark that the gateway knows, as for a creation.
	DeploymentSeq uint64
}

// Kind is KindEvaluateDecision.
func (*EvaluateDecision) Kind() Kind { return KindEvaluateDecision }

// Intent is the original's.
func (*EvaluateDecision) Intent() string { return "EVALUATE" }

func (c *EvaluateDecision) encode(b []byte) []byte {
	b = AppendString(AppendInt(b, int64(c.DecisionKey)), c.DecisionID)
	b = AppendString(AppendBytes(b, c.Variables), c.TenantID)
	return AppendUint(b, c.DeploymentSeq)
}

func (c *EvaluateDecision) decode(r *Reader) {
	*c = EvaluateDecision{
		DecisionKey: r.Key(), DecisionID: r.String(), Variables: r.Bytes(), TenantID: r.String(), DeploymentSeq: r.Uint(),
	}
}

// Evaluated answers EvaluateDecision, also when the evaluation failed.
type Evaluated struct {
	Decision        EvaluatedDecision // that was asked for, without inputs and rules
	RequirementsID  string
	RequirementsKey Key
	// Decisions are all that were evaluated, in the order in which they ended.
	Decisions []EvaluatedDecision
	// FailedID is the decision that failed, empty if none did.
	FailedID, FailureMessage string
}

// EvaluatedDecision is a decision with its value. A knowledge model that was
// called has key and version -1.
type EvaluatedDecision struct {
	Key      Key
	ID, Name string
	Version  int32
	Type     string
	Output   []byte // JSON, empty if the evaluation failed
	Inputs   []DecisionValue
	Rules    []MatchedRule
}

// DecisionValue is the value of an input or output of a decision table.
type DecisionValue struct {
	ID, Name string
	Value    []byte // JSON
}

// MatchedRule is a rule that matched; Index counts from 1.
type MatchedRule struct {
	ID      string
	Index   int32
	Outputs []DecisionValue
}

// ReplyKind is ReplyDecision.
func (*Evaluated) ReplyKind() ReplyKind { return ReplyDecision }

func (p *Evaluated) encode(b []byte) []byte {
	b = appendEvaluated(b, &p.Decision)
	b = AppendInt(AppendString(b, p.RequirementsID), int64(p.RequirementsKey))
	b = AppendUint(b, uint64(len(p.Decisions)))
	for i := range p.Decisions {
		b = appendEvaluated(b, &p.Decisions[i])
	}
	return AppendString(AppendString(b, p.FailedID), p.FailureMessage)
}

func (p *Evaluated) decode(r *Reader) {
	*p = Evaluated{Decision: readEvaluated(r), RequirementsID: r.String(), RequirementsKey: r.Key()}
	p.Decisions = make([]EvaluatedDecision, r.Count(8))
	for i := range p.Decisions {
		p.Decisions[i] = readEvaluated(r)
	}
	p.FailedID, p.FailureMessage = r.String(), r.String()
}

func appendEvaluated(b []byte, d *EvaluatedDecision) []byte {
	b = AppendString(AppendString(AppendInt(b, int64(d.Key)), d.ID), d.Name)
	b = AppendString(AppendInt(b, int64(d.Version)), d.Type)
	b = appendValues(AppendBytes(b, d.Output), d.Inputs)
	b = AppendUint(b, uint64(len(d.Rules)))
	for i := range d.Rules {
		rule := &d.Rules[i]
		b = appendValues(AppendInt(AppendString(b, rule.ID), int64(rule.Index)), rule.Outputs)
	}
	return b
}

func readEvaluated(r *Reader) EvaluatedDecision {
	d := EvaluatedDecision{
		Key: r.Key(), ID: r.String(), Name: r.String(), Version: int32(r.Int()), Type: r.String(), Output: r.Bytes(), Inputs: readValues(r),
	}
	d.Rules = make([]MatchedRule, r.Count(3))
	for i := range d.Rules {
		d.Rules[i] = MatchedRule{ID: r.String(), Index: int32(r.Int()), Outputs: readValues(r)}
	}
	return d
}

func appendValues(b []byte, list []DecisionValue) []byte {
	b = AppendUint(b, uint64(len(list)))
	for i := range list {
		b = AppendBytes(AppendString(AppendString(b, list[i].ID), list[i].Name), list[i].Value)
	}
	return b
}

func readValues(r *Reader) []DecisionValue {
	list := make([]DecisionValue, r.Count(3))
	for i := range list {
		list[i] = DecisionValue{ID: r.String(), Name: r.String(), Value: r.Bytes()}
	}
	return list
}
