package protocol

// DefinitionKind says what a definition is. The numbers stand in keys and rows.
type DefinitionKind uint8

// The kinds of definitions.
const (
	ProcessDefinition DefinitionKind = iota + 1
	// RequirementsDefinition is a DMN resource, whose decisions are definitions
	// of their own.
	RequirementsDefinition
	DecisionDefinition
	FormDefinition
)

var definitionKinds = [...]string{"definition", "process", "decision requirements", "decision", "form"}

// String is the kind's name.
func (k DefinitionKind) String() string {
	if int(k) < len(definitionKinds) {
		return definitionKinds[k]
	}
	return definitionKinds[0]
}

// Hash is the SHA-256 of a resource's bytes.
type Hash [32]byte

// Definition is one thing that a deployment makes known, as every partition
// that has it keeps it. Its id and version are its own among those of its kind.
type Definition struct {
	Kind DefinitionKind
	Key  Key
	ID   string
	// Name is that of decisions and their requirements.
	Name         string
	Version      int32
	VersionTag   string
	ResourceName string
	Hash         Hash
	DeploymentID Key
	Index        int32 // among those of its kind in the resource
	// Parent and ParentID are the requirements that a decision belongs to.
	Parent    Key
	ParentID  string
	Duplicate bool // in a deploy reply: it was there before
	// Deleted: nothing new begins with it; it is kept until the last instance
	// has ended.
	Deleted bool
}

// Deployment is what travels to the other partitions: definitions, and by
// hash the resources that they need.
type Deployment struct {
	Key         Key
	Definitions []Definition
	Time        int64 // ms since 1970, when it was made
}

// Body is the content of a resource, found by its hash.
type Body struct {
	Hash Hash
	Data []byte
}

// The flags of an encoded definition.
const (
	flagDuplicate = 1 << iota
	flagDeleted
)

// AppendDefinition encodes d.
func AppendDefinition(b []byte, d *Definition) []byte {
	b = AppendInt(append(b, byte(d.Kind)), int64(d.Key))
	b = AppendString(AppendString(b, d.ID), d.Name)
	b = AppendString(AppendInt(b, int64(d.Version)), d.VersionTag)
	b = append(AppendString(b, d.ResourceName), d.Hash[:]...)
	b = AppendInt(AppendInt(b, int64(d.DeploymentID)), int64(d.Index))
	b = AppendString(AppendInt(b, int64(d.Parent)), d.ParentID)
	var flags uint64
	if d.Duplicate {
		flags |= flagDuplicate
	}
	if d.Deleted {
		flags |= flagDeleted
	}
	return AppendUint(b, flags)
}

// ReadDefinition decodes what AppendDefinition made.
func ReadDefinition(r *Reader) Definition {
	d := Definition{
		Kind: DefinitionKind(r.Byte()), Key: r.Key(), ID: r.String(), Name: r.String(), Version: int32(r.Int()),
		VersionTag: r.String(), ResourceName: r.String(), Hash: r.Hash(), DeploymentID: r.Key(), Index: int32(r.Int()),
		Parent: r.Key(), ParentID: r.String(),
	}
	flags := r.Uint()
	d.Duplicate, d.Deleted = flags&flagDuplicate != 0, flags&flagDeleted != 0
	if d.Kind < ProcessDefinition || d.Kind > FormDefinition || flags >= flagDeleted<<1 {
		r.fail("definition")
	}
	return d
}

// Hash reads 32 bytes.
func (r *Reader) Hash() (h Hash) {
	if len(r.b) < len(h) {
		r.fail("hash")
		return h
	}
	copy(h[:], r.b)
	r.b = r.b[len(h):]
	return h
}

// AppendDeployment encodes d.
func AppendDeployment(b []byte, d *Deployment) []byte {
	b = AppendInt(b, int64(d.Key))
	b = AppendInt(b, d.Time)
	return appendDefinitions(b, d.Definitions)
}

// minDefinition is how many bytes a definition has at least: its small fields
// and a hash.
const minDefinition = 12 + len(Hash{})

// ReadDeployment decodes what AppendDeployment made.
func ReadDeployment(r *Reader) Deployment {
	return Deployment{Key: r.Key(), Time: r.Int(), Definitions: readDefinitions(r)}
}

func appendDefinitions(b []byte, list []Definition) []byte {
	b = AppendUint(b, uint64(len(list)))
	for i := range list {
		b = AppendDefinition(b, &list[i])
	}
	return b
}

func readDefinitions(r *Reader) []Definition {
	list := make([]Definition, r.Count(minDefinition))
	for i := range list {
		list[i] = ReadDefinition(r)
	}
	return list
}
