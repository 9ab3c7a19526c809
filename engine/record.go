package engine

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"strconv"

	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Records are what the original's exporters see: one for each thing that a
// command leads to, in order, with the original's fields (docs/records.md). They
// are made only when Config.Records is on; else run.rec is nil, and each of the
// functions in the files record*.go is a comparison with nil and nothing more.
//
// A new kind of record is one function here that writes its value, and one line
// where it happens.

// recorder collects the records of one command.
type recorder struct {
	buf    []byte // as they stand in the entry
	value  object // of the record being made
	count  uint64
	source uint64 // the number of the command that has led to what comes
	// content is the last one that was recorded.
	content recordedContent
}

func (c *recorder) reset() {
	if cap(c.buf) > 4*maxRecordBytes {
		*c = recorder{}
	}
	*c = recorder{buf: c.buf[:0], value: c.value[:0]}
}

// event adds an event; its value is what was written to c.value.
func (c *recorder) event(valueType, intent string, key protocol.Key) {
	c.add(protocol.RecordEvent, valueType, intent, key)
}

// command adds a command. What comes after it follows from it.
func (c *recorder) command(valueType, intent string, key protocol.Key) {
	c.source = 0
	c.add(protocol.RecordCommand, valueType, intent, key)
	c.source = c.count
}

func (c *recorder) add(t protocol.RecordType, valueType, intent string, key protocol.Key) {
	c.count++
	c.buf = protocol.AppendRecord(c.buf, &protocol.Record{
		Type: t, ValueType: valueType, Intent: intent, Key: key, Source: c.source, Value: c.value.end(),
	})
}

// object is a JSON object while it is written.
type object []byte

// begin starts the value of the next record, which is of the one tenant there
// is.
func (c *recorder) begin() *object {
	c.value = append(c.value[:0], `{"tenantId":"<default>"`...)
	return &c.value
}

func (o *object) end() []byte {
	*o = append(*o, '}')
	return *o
}

func (o *object) name(name string) *object {
	*o = append(append(append(*o, ',', '"'), name...), '"', ':')
	return o
}

func (o *object) str(name, v string) *object {
	o.name(name)
	*o = jsondoc.AppendName(*o, v)
	return o
}

func (o *object) num(name string, v int64) *object {
	o.name(name)
	*o = strconv.AppendInt(*o, v, 10)
	return o
}

// key writes an entity's key; the original has -1 where there is none.
func (o *object) key(name string, k protocol.Key) *object {
	if k == 0 {
		k = -1
	}
	return o.num(name, int64(k))
}

func (o *object) bool(name string, v bool) *object {
	o.name(name)
	*o = strconv.AppendBool(*o, v)
	return o
}

// json writes a value that is JSON already; none is an empty object.
func (o *object) json(name string, v []byte) *object {
	if len(v) == 0 {
		v = []byte("{}")
	}
	o.name(name)
	*o = append(*o, v...)
	return o
}

func (o *object) members(name string, list []jsondoc.Member) *object {
	o.name(name)
	*o = jsondoc.Append(*o, list)
	return o
}

func (o *object) keys(name string, list []protocol.Key) *object {
	o.name(name)
	*o = append(*o, '[')
	for i, k := range list {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = strconv.AppendInt(*o, int64(k), 10)
	}
	*o = append(*o, ']')
	return o
}

// process writes which process and instance a value is of.
func (o *object) process(el *elem) *object {
	return o.str("bpmnProcessId", el.def.ID).key("processDefinitionKey", el.Definition).key("processInstanceKey", el.Instance)
}

// variableKey names a variable in records. The state has no key for it, so one
// is made of its scope and name, above all that are minted: those of the
// partition with the counter's top bit.
func variableKey(p protocol.PartitionID, scope protocol.Key, name string) protocol.Key {
	h := fnv.New64a()
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 64), uint64(scope))
	h.Write(append(b, name...)) // never fails
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd // the names of one scope differ in few bits
	const bits = 50
	return protocol.NewKey(p, 1<<bits|int64((x^x>>33)>>(64-bits)))
}

// recordVariable records a variable that is about to be written.
func (r *run) recordVariable(el *elem, name string, value []byte) {
	if r.rec == nil || r.waits(el) {
		return // it is recorded when the element begins
	}
	intent := "CREATED"
	if old := el.Variable(name); old != nil {
		if bytes.Equal(old, value) {
			return // the original records only what changes
		}
		intent = "UPDATED"
	}
	r.rec.variable(r.e.Partition, el, intent, name, value)
}

// recordVariables records the variables that an element instance begins with.
func (r *run) recordVariables(el *elem) {
	if r.rec == nil {
		return
	}
	for i := range el.Variables {
		r.rec.variable(r.e.Partition, el, "CREATED", el.Variables[i].Name, el.Variables[i].Value)
	}
}

// maxRecordedResults bounds the lists of which every change is recorded: of a
// larger one only the beginning is, or records would grow with its square.
const maxRecordedResults = 2000

// recordResults records the list that a multi-instance activity gathers, which
// the state keeps apart from its variables.
func (r *run) recordResults(body *elem) {
	loop, name := body.Extra.Loop, body.model.Loop.OutputCollection
	if r.rec == nil || name == "" {
		return
	}
	intent := "CREATED"
	if loop.Created > 0 {
		intent = "UPDATED"
	}
	if intent == "CREATED" || loop.Total <= maxRecordedResults {
		r.rec.variable(r.e.Partition, body, intent, name, r.resultList(body))
	}
}

func (c *recorder) variable(p protocol.PartitionID, el *elem, intent, name string, value []byte) {
	c.begin().process(el).key("scopeKey", el.Key).str("name", name).str("value", string(value))
	c.event("VARIABLE", intent, variableKey(p, el.Key, name))
}

// recordDocument records that variables were set from outside.
func (r *run) recordDocument(c *protocol.SetVariables, key protocol.Key, list []jsondoc.Member) {
	if r.rec == nil {
		return
	}
	document(r.rec.begin(), c).members("variables", list)
	r.rec.event("VARIABLE_DOCUMENT", "UPDATED", key)
}

func document(o *object, c *protocol.SetVariables) *object {
	semantics := "PROPAGATE"
	if c.Local {
		semantics = "LOCAL"
	}
	return o.key("scopeKey", c.ElementKey).str("updateSemantics", semantics)
}

// recordIncident records what happens to an incident. el is nil if its element
// is gone.
func (r *run) recordIncident(el *elem, i *state.Incident, intent string) {
	if r.rec == nil || i == nil {
		return
	}
	o := r.rec.begin()
	if el != nil {
		o.process(el).str("elementId", el.Element)
		r.paths(o, el)
	}
	o.key("elementInstanceKey", i.Element).key("variableScopeKey", i.Element).key("jobKey", i.Job).
		str("errorType", i.Type).str("errorMessage", i.Message)
	r.rec.event("INCIDENT", intent, i.Key)
}

// paths writes the way to an element: for each instance from the topmost one the
// elements, its definition, and the call activity that has called the next.
func (r *run) paths(o *object, el *elem) {
	var elements [][]protocol.Key
	var definitions []protocol.Key
	var calls []int64
	for at := el; at != nil; {
		var path []protocol.Key
		definitions = append([]protocol.Key{at.Definition}, definitions...)
		root := at
		for ; at != nil; at = r.scope(at) {
			path = append([]protocol.Key{at.Key}, path...)
			root = at
		}
		elements = append([][]protocol.Key{path}, elements...)
		if at = r.caller(root); at != nil {
			calls = append([]int64{int64(at.model.Index)}, calls...)
		}
	}
	o.name("elementInstancePath")
	*o = append(*o, '[')
	for i, path := range elements {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = appendKeys(*o, path)
	}
	*o = append(*o, ']')
	o.keys("processDefinitionPath", definitions)
	o.name("callingElementPath")
	*o = append(*o, '[')
	for i, n := range calls {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = strconv.AppendInt(*o, n, 10)
	}
	*o = append(*o, ']')
}

func appendKeys(b []byte, list []protocol.Key) []byte {
	b = append(b, '[')
	for i, k := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(k), 10)
	}
	return append(b, ']')
}

// recordTimer records what happens to a timer of an element.
func (r *run) recordTimer(el *elem, t *state.Timer, intent string) {
	if r.rec == nil {
		return
	}
	r.rec.begin().key("processDefinitionKey", el.Definition).key("processInstanceKey", el.Instance).
		key("elementInstanceKey", el.Key).str("targetElementId", t.Event).num("dueDate", t.Due).num("repetitions", t.Repeats)
	r.rec.event("TIMER", intent, t.Key)
}
