package state

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// ElementState is where an element instance stands in its life. The names are
// the original's.
type ElementState byte

// The states. What has ended leaves no record.
const (
	Activating ElementState = iota + 1
	Activated
	Completing
	Terminating
)

// Variable is one name of a scope and its JSON text.
type Variable struct {
	Name  string
	Value []byte
}

// ElementInstance is one process, sub-process or waiting element, with all that
// is known of it in one record: keys per command are what costs most, so the
// variables of its scope, its children and its joins stand inside.
type ElementInstance struct {
	Key, Scope, Instance, Definition protocol.Key // Scope 0: the process itself
	Element                          string       // id in the model; the process id for the process itself
	State                            ElementState
	Job, Incident                    protocol.Key
	Variables                        []Variable // in order of first write
	// Children are the keys of active children; beyond MaxInlineChildren they
	// stand in TableChild, and Spilled counts them.
	Children []protocol.Key
	Spilled  int64
	// Joins counts tokens that wait at parallel gateways inside this scope.
	Joins []Join
	// AwaitResult and Fetch belong to the process's creator.
	AwaitResult bool
	Fetch       []string
	// Process: the definition's id and version, only in the process's record.
	ProcessID string
	Version   int32
	// Started is when a process instance began, in ms since 1970.
	Started int64
	// Extra is nil for most.
	Extra *Extra

	apart   bool // the variables stand in a row of their own
	loaded  bool // they were read from there
	changed bool // they differ from what is stored

	places map[string]int // of names in Variables, once they were asked for often
	scans  int
}

// MaxInlineVariables is how many bytes of variables stand in their scope's
// record. More stand in a row of their own, which is written only when one of
// them changes: a step through the process then costs the same however large
// they are.
const MaxInlineVariables = 1 << 10

// Join is a parallel gateway that some incoming flows have reached.
type Join struct {
	Element string
	Flows   []FlowCount
}

// FlowCount counts the tokens that one sequence flow has brought.
type FlowCount struct {
	Flow  string
	Count int64
}

// MaxInlineChildren bounds the children that stand in their scope's record.
const MaxInlineChildren = 32

// Variable returns the JSON text of a name, nil if the scope lacks it.
func (e *ElementInstance) Variable(name string) []byte {
	if i := e.find(name); i >= 0 {
		return e.Variables[i].Value
	}
	return nil
}

// SetVariable writes a name of the scope.
func (e *ElementInstance) SetVariable(name string, value []byte) {
	e.changed = true
	if i := e.find(name); i >= 0 {
		e.Variables[i].Value = value
		return
	}
	e.Variables = append(e.Variables, Variable{Name: name, Value: value})
}

const (
	// manyVariables are so many that they are not looked through again and again.
	manyVariables = 32
	// fewScans is how often they are before their places are noted.
	fewScans = 8
)

// find is the place of a name in Variables, -1 if it is not there. A command may
// ask for as many names as a document has.
func (e *ElementInstance) find(name string) int {
	if len(e.Variables) > manyVariables {
		if e.scans++; e.scans > fewScans {
			return e.findNoted(name)
		}
	}
	for i := range e.Variables {
		if e.Variables[i].Name == name {
			return i
		}
	}
	return -1
}

// findNoted is find by a map of the places. Names are only ever appended; if the
// list was read anew, or shortened, the map is made anew.
func (e *ElementInstance) findNoted(name string) int {
	if e.places == nil || len(e.places) > len(e.Variables) {
		e.places = make(map[string]int, 2*len(e.Variables))
	}
	for i := len(e.places); i < len(e.Variables); i++ {
		e.places[e.Variables[i].Name] = i
	}
	if i, ok := e.places[name]; ok && e.Variables[i].Name == name {
		return i
	}
	return -1
}

// AppendInstance encodes e.
func AppendInstance(b []byte, e *ElementInstance) []byte {
	for _, k := range [...]protocol.Key{e.Key, e.Scope, e.Instance, e.Definition, e.Job, e.Incident} {
		b = protocol.AppendInt(b, int64(k))
	}
	b = append(protocol.AppendString(b, e.Element), byte(e.State))
	b = protocol.AppendBool(b, e.apart)
	if !e.apart {
		b = appendVariables(b, e.Variables)
	}
	b = protocol.AppendUint(b, uint64(len(e.Children)))
	for _, k := range e.Children {
		b = protocol.AppendInt(b, int64(k))
	}
	b = protocol.AppendInt(b, e.Spilled)
	b = protocol.AppendUint(b, uint64(len(e.Joins)))
	for i := range e.Joins {
		b = protocol.AppendString(b, e.Joins[i].Element)
		b = protocol.AppendUint(b, uint64(len(e.Joins[i].Flows)))
		for _, f := range e.Joins[i].Flows {
			b = protocol.AppendInt(protocol.AppendString(b, f.Flow), f.Count)
		}
	}
	b = protocol.AppendStrings(protocol.AppendBool(b, e.AwaitResult), e.Fetch)
	b = protocol.AppendInt(protocol.AppendString(b, e.ProcessID), int64(e.Version))
	if e.Scope == 0 {
		b = protocol.AppendInt(b, e.Started)
	}
	return appendExtra(b, e.Extra)
}

// ReadInstance decodes what AppendInstance made. It shares memory with b.
func ReadInstance(b []byte) (*ElementInstance, error) {
	e := new(ElementInstance)
	if err := e.read(b); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *ElementInstance) read(b []byte) error {
	r := protocol.NewReader(b)
	*e = ElementInstance{
		Key: r.Key(), Scope: r.Key(), Instance: r.Key(), Definition: r.Key(), Job: r.Key(), Incident: r.Key(),
		Element: text(r), State: ElementState(r.Byte()),
	}
	if e.apart = r.Bool(); !e.apart {
		e.Variables, e.places = readVariables(r), nil
	}
	if n := r.Count(1); n > 0 {
		e.Children = make([]protocol.Key, n)
		for i := range e.Children {
			e.Children[i] = r.Key()
		}
	}
	e.Spilled = r.Int()
	if n := r.Count(2); n > 0 {
		e.Joins = make([]Join, n)
		for i := range e.Joins {
			e.Joins[i] = readJoin(r)
		}
	}
	e.AwaitResult, e.Fetch = r.Bool(), r.Strings()
	e.ProcessID, e.Version = text(r), int32(r.Int())
	if e.Scope == 0 {
		e.Started = r.Int()
	}
	var err error
	if e.Extra, err = readExtra(r); err != nil {
		return err
	}
	return r.Done()
}

func readJoin(r *protocol.Reader) Join {
	j := Join{Element: r.String()}
	j.Flows = make([]FlowCount, r.Count(2))
	for i := range j.Flows {
		j.Flows[i] = FlowCount{Flow: r.String(), Count: r.Int()}
	}
	return j
}

func appendVariables(b []byte, list []Variable) []byte {
	b = protocol.AppendUint(b, uint64(len(list)))
	for i := range list {
		b = protocol.AppendBytes(protocol.AppendString(b, list[i].Name), list[i].Value)
	}
	return b
}

func readVariables(r *protocol.Reader) []Variable {
	n := r.Count(2)
	if n == 0 {
		return nil
	}
	list := make([]Variable, n, n+2)
	for i := range list {
		list[i] = Variable{Name: text(r), Value: r.Bytes()}
	}
	return list
}

func sizeOf(list []Variable) (n int) {
	for i := range list {
		n += len(list[i].Name) + len(list[i].Value) + 4
	}
	return n
}

// LoadVariables reads the variables of a scope if they stand in a row of their
// own. It must be called before Variables is used.
func (t *Tx) LoadVariables(e *ElementInstance) {
	if !e.apart || e.loaded {
		return
	}
	e.loaded = true
	r := protocol.NewReader(t.get(TableVariables, e.Key))
	e.Variables, e.places = readVariables(r), nil
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
}

// saveVariables writes the variables' own row if they are many and changed.
func (t *Tx) saveVariables(e *ElementInstance) {
	if e.apart && !e.loaded {
		return
	}
	size := sizeOf(e.Variables)
	apart := size > MaxInlineVariables
	switch {
	case apart && (e.changed || !e.apart):
		stored := appendVariables(row(size+8), e.Variables)
		t.set(t.key(TableVariables, e.Key), write{stored: stored, fresh: !e.apart})
	case !apart && e.apart:
		t.Delete(t.key(TableVariables, e.Key))
	}
	e.apart, e.loaded, e.changed = apart, true, false
}

// Element reads an element instance, nil if there is none.
func (t *Tx) Element(k protocol.Key) *ElementInstance {
	e := new(ElementInstance)
	if !t.ReadElement(k, e) {
		return nil
	}
	return e
}

// ReadElement reads an element instance into e, and tells whether there is one.
func (t *Tx) ReadElement(k protocol.Key, e *ElementInstance) bool {
	b := t.get(TableElement, k)
	if b == nil {
		return false
	}
	if err := e.read(b); err != nil {
		t.Fail(err)
		return false
	}
	return true
}

// instanceSize and jobSize are how much room records are given at first.
const (
	instanceSize = 160
	jobSize      = 128
)

// InsertElement writes a new element instance.
func (t *Tx) InsertElement(e *ElementInstance) {
	t.saveVariables(e)
	t.insertRow(t.key(TableElement, e.Key), AppendInstance(row(instanceSize), e))
}

// PutElement writes a changed element instance.
func (t *Tx) PutElement(e *ElementInstance) {
	t.saveVariables(e)
	t.putRow(t.key(TableElement, e.Key), AppendInstance(row(instanceSize), e))
}

// DeleteElement removes an element instance.
func (t *Tx) DeleteElement(e *ElementInstance) {
	t.Delete(t.key(TableElement, e.Key))
	if e.apart {
		t.Delete(t.key(TableVariables, e.Key))
	}
}

// AddChild notes an active child in its scope's record. The caller writes the
// record.
func (t *Tx) AddChild(scope *ElementInstance, child protocol.Key) {
	if len(scope.Children) < MaxInlineChildren {
		scope.Children = append(scope.Children, child)
		return
	}
	t.Insert(TableChild.Of(uint64(scope.Key), uint64(child)), []byte{})
	scope.Spilled++
}

// RemoveChild forgets a child that has ended. The caller writes the record.
func (t *Tx) RemoveChild(scope *ElementInstance, child protocol.Key) {
	if i := slices.Index(scope.Children, child); i >= 0 {
		scope.Children = slices.Delete(scope.Children, i, i+1)
		return
	}
	key := TableChild.Of(uint64(scope.Key), uint64(child))
	if t.Get(key) != nil {
		t.Delete(key)
		scope.Spilled--
	}
}

// HasChildren tells whether anything is active inside a scope.
func (e *ElementInstance) HasChildren() bool { return len(e.Children) > 0 || e.Spilled > 0 }

// Children lists up to limit active children of a scope, oldest first.
func (t *Tx) Children(scope *ElementInstance, limit int) []protocol.Key {
	keys := slices.Clone(scope.Children[:min(limit, len(scope.Children))])
	if scope.Spilled > 0 && len(keys) < limit {
		t.Scan(TableChild.Of(uint64(scope.Key)), nil, func(key, _ []byte) bool {
			keys = append(keys, protocol.Key(number(key, 0)))
			return len(keys) < limit
		})
	}
	return keys
}

// IsRoot tells, from an encoded record, whether it is a process instance: one
// without a scope.
func IsRoot(b []byte) bool {
	r := protocol.NewReader(b)
	r.Int()
	return r.Int() == 0 && r.Err() == nil
}
