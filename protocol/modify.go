package protocol

// The commands that change a running instance from outside its process.
const (
	KindModifyInstance  Kind = 36
	KindMigrateInstance Kind = 37
)

// ModifyInstance begins at some elements of an instance and ends others: all of
// it, or nothing.
type ModifyInstance struct {
	InstanceKey Key
	Activate    []ActivateElement
	Terminate   []Key // of element instances
}

// ActivateElement is an element to begin at.
type ActivateElement struct {
	ElementID string
	// Ancestor is the element instance inside which scopes that are missing are
	// made; below 1: the engine looks for the scope.
	Ancestor  Key
	Variables []ScopeVariables
}

// ScopeVariables are variables to set before an element begins.
type ScopeVariables struct {
	// ScopeID is the element itself or a scope around it; empty: the process.
	ScopeID   string
	Variables []byte // JSON object
}

// MigrateInstance lets an instance go on in another definition.
type MigrateInstance struct {
	InstanceKey, TargetKey Key
	Mappings               []ElementMapping
}

// ElementMapping says which element of the target takes over.
type ElementMapping struct{ SourceID, TargetID string }

// Kind numbers the command.
func (*ModifyInstance) Kind() Kind { return KindModifyInstance }

// Kind numbers the command.
func (*MigrateInstance) Kind() Kind { return KindMigrateInstance }

// Intent is the original's name of the command.
func (*ModifyInstance) Intent() string { return "MODIFY" }

// Intent is the original's name of the command.
func (*MigrateInstance) Intent() string { return "MIGRATE" }

func (c *ModifyInstance) encode(b []byte) []byte {
	b = AppendUint(AppendInt(b, int64(c.InstanceKey)), uint64(len(c.Activate)))
	for i := range c.Activate {
		a := &c.Activate[i]
		b = AppendInt(AppendString(b, a.ElementID), int64(a.Ancestor))
		b = AppendUint(b, uint64(len(a.Variables)))
		for _, v := range a.Variables {
			b = AppendBytes(AppendString(b, v.ScopeID), v.Variables)
		}
	}
	b = AppendUint(b, uint64(len(c.Terminate)))
	for _, k := range c.Terminate {
		b = AppendInt(b, int64(k))
	}
	return b
}

func (c *ModifyInstance) decode(r *Reader) {
	c.InstanceKey = r.Key()
	c.Activate = make([]ActivateElement, r.Count(3))
	for i := range c.Activate {
		a := &c.Activate[i]
		a.ElementID, a.Ancestor = r.String(), r.Key()
		a.Variables = make([]ScopeVariables, r.Count(2))
		for j := range a.Variables {
			a.Variables[j] = ScopeVariables{ScopeID: r.String(), Variables: r.Bytes()}
		}
	}
	c.Terminate = make([]Key, r.Count(1))
	for i := range c.Terminate {
		c.Terminate[i] = r.Key()
	}
}

func (c *MigrateInstance) encode(b []byte) []byte {
	b = AppendInt(AppendInt(b, int64(c.InstanceKey)), int64(c.TargetKey))
	b = AppendUint(b, uint64(len(c.Mappings)))
	for _, m := range c.Mappings {
		b = AppendString(AppendString(b, m.SourceID), m.TargetID)
	}
	return b
}

func (c *MigrateInstance) decode(r *Reader) {
	c.InstanceKey, c.TargetKey = r.Key(), r.Key()
	c.Mappings = make([]ElementMapping, r.Count(2))
	for i := range c.Mappings {
		c.Mappings[i] = ElementMapping{SourceID: r.String(), TargetID: r.String()}
	}
}
