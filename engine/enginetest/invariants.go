package enginetest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Check reads everything that is committed of a partition and returns what
// must never be the case. Nothing of it needs to know which command was last.
func (p *Partition) Check() ([]string, error) {
	c, err := p.Contents()
	if err != nil {
		return nil, err
	}
	c.Raised = p.restored
	return c.Check(p.ID, p.cluster.spread())
}

// Check returns what must never be the case of a partition's contents, in a
// cluster that spreads messages by so many partitions.
func (c *Contents) Check(p protocol.PartitionID, spread int) ([]string, error) {
	k := &checker{Contents: c, partition: p, spread: spread}
	k.elements()
	k.children()
	k.variables()
	k.jobs()
	k.indexes()
	k.timers()
	k.subscriptions()
	k.messages()
	k.shared()
	k.starts()
	k.calls()
	k.listeners()
	k.compensation()
	k.loops()
	k.incidents()
	k.definitions()
	k.lanes()
	k.counters()
	return k.wrong, c.tx.Err()
}

type checker struct {
	*Contents
	partition protocol.PartitionID
	spread    int // as in engine.Config.MessagePartitions
	wrong     []string
}

func (k *checker) fail(format string, args ...any) {
	k.wrong = append(k.wrong, fmt.Sprintf(format, args...))
}

func (k *checker) elements() {
	for key, e := range k.Elements {
		switch root := k.Elements[e.Instance]; {
		case e.Key != key:
			k.fail("element %d is stored under %d", e.Key, key)
		case e.State < state.Activating || e.State > state.Terminating:
			k.fail("element %d is in state %d", key, e.State)
		case root == nil || root.Scope != 0:
			k.fail("element %d has no instance %d", key, e.Instance)
		case e.Scope == 0 && (e.Instance != key || e.ProcessID == ""):
			k.fail("process %d: instance %d, id %q", key, e.Instance, e.ProcessID)
		case e.Scope != 0 && k.Elements[e.Scope] == nil:
			k.fail("element %d (%s) is without its scope %d", key, e.Element, e.Scope)
		case e.State == state.Terminating && k.Suspends == 0:
			k.fail("element %d (%s) is terminating and nothing goes on with it", key, e.Element)
		}
		if k.Definitions[e.Definition] == nil {
			k.fail("element %d has no definition %d", key, e.Definition)
		}
		if e.Scope == 0 && (e.AwaitResult || len(e.Fetch) == 0) == false {
			k.fail("process %d fetches %v for nobody", key, e.Fetch)
		}
		waits := e.Job != 0 || e.Incident != 0 || e.HasChildren() || len(e.Joins) > 0 || e.Extra != nil && (len(e.Extra.Timers) > 0 || len(e.Extra.Subscriptions) > 0 || e.Extra.Called != 0 || e.Extra.UserTask != 0)
		waits = waits || k.compensates(e)
		if !waits && k.Suspends == 0 {
			k.fail("element %d (%s) waits for nothing", key, e.Element)
		}
		for _, j := range e.Joins {
			for _, f := range j.Flows {
				if f.Count < 1 {
					k.fail("element %d: %d tokens at %s from %s", key, f.Count, j.Element, f.Flow)
				}
			}
		}
	}
}

// children compares both directions of the tree.
func (k *checker) children() {
	listed := map[protocol.Key]protocol.Key{}
	list := func(scope, child protocol.Key) {
		if listed[child] != 0 {
			k.fail("element %d is listed twice", child)
		}
		listed[child] = scope
	}
	spilled := map[protocol.Key]int64{}
	for _, row := range k.Rows[state.TableChild] {
		scope := protocol.Key(number(row, 1))
		spilled[scope]++
		list(scope, protocol.Key(number(row, 0)))
	}
	for key, e := range k.Elements {
		for _, child := range e.Children {
			list(key, child)
		}
		if e.Spilled != spilled[key] {
			k.fail("element %d counts %d spilled children, there are %d", key, e.Spilled, spilled[key])
		}
		delete(spilled, key)
	}
	for scope := range spilled {
		k.fail("children of %d, which is not there", scope)
	}
	for child, scope := range listed {
		if e := k.Elements[child]; e == nil || e.Scope != scope {
			k.fail("%d is listed as a child of %d", child, scope)
		}
	}
	for key, e := range k.Elements {
		if e.Scope != listed[key] {
			k.fail("element %d is not listed by its scope %d", key, e.Scope)
		}
	}
}

// variables: a row of their own exactly for scopes with many of them.
func (k *checker) variables() {
	apart := map[protocol.Key]bool{}
	for _, row := range k.Rows[state.TableVariables] {
		key := protocol.Key(number(row, 0))
		apart[key] = true
		if k.Elements[key] == nil {
			k.fail("variables of %d, which is not there", key)
		}
	}
	for key, e := range k.Elements {
		size := 0
		for _, v := range e.Variables {
			size += len(v.Name) + len(v.Value) + 4
		}
		if apart[key] != (size > state.MaxInlineVariables) {
			k.fail("element %d has %d bytes of variables, in a row of their own: %v", key, size, apart[key])
		}
	}
}

func (k *checker) jobs() {
	for key, j := range k.Jobs {
		switch e := k.Elements[j.Element]; {
		case j.Key != key:
			k.fail("job %d is stored under %d", j.Key, key)
		case e == nil || e.Job != key || e.Instance != j.Instance:
			k.fail("job %d is without its element %d", key, j.Element)
		case j.Incident != 0 && j.State != state.JobFailed && j.State != state.JobErrorThrown:
			k.fail("job %d is %s and has incident %d", key, j.State, j.Incident)
		case (j.State == state.JobFailed && j.Deadline == 0 || j.State == state.JobErrorThrown) && j.Incident == 0:
			k.fail("job %d is failed for ever", key)
		}
	}
	for key, e := range k.Elements {
		if e.Job != 0 && k.Jobs[e.Job] == nil {
			k.fail("element %d is without its job %d", key, e.Job)
		}
	}
}

// indexes: every job has exactly the index row that its state asks for, and no
// other row is there.
func (k *checker) indexes() {
	want := map[string]bool{}
	for key, j := range k.Jobs {
		switch {
		case j.State == state.JobActivatable:
			want[string(state.TableActivatable.OfString(j.Type, uint64(key)))] = true
		case j.State == state.JobActivated:
			want[string(state.TableDeadline.Of(uint64(j.Deadline), uint64(key)))] = true
		case j.Deadline > 0:
			want[string(state.TableBackOff.Of(uint64(j.Deadline), uint64(key)))] = true
		}
	}
	for _, t := range []state.Table{state.TableActivatable, state.TableDeadline, state.TableBackOff} {
		for _, row := range k.Rows[t] {
			if !want[string(row)] {
				k.fail("index row %x has no such job", row)
			}
			delete(want, string(row))
		}
	}
	for row := range want {
		k.fail("index row %x is missing", row)
	}
}

// listeners: one that is at work has its job, before the element is active or
// after it was.
func (k *checker) listeners() {
	for key, e := range k.Elements {
		if e.Extra == nil || e.Extra.Listener == 0 {
			continue
		}
		if e.State == state.Activated || e.State == state.Terminating || (e.Job == 0 || e.Incident != 0) && k.Suspends == 0 {
			k.fail("element %d (%s) is %d at listener %d, job %d, incident %d", key, e.Element, e.State, e.Extra.Listener, e.Job, e.Incident)
		}
	}
}

// calls: a call activity and the instance it has started know each other.
func (k *checker) calls() {
	for key, e := range k.Elements {
		if e.Extra == nil {
			continue
		}
		if c := e.Extra.Called; c != 0 && (k.Elements[c] == nil || k.Elements[c].Extra == nil || k.Elements[c].Extra.Caller != key) {
			k.fail("element %d has called %d, which does not know it", key, c)
		}
		if c := e.Extra.Caller; c != 0 && (k.Elements[c] == nil || k.Elements[c].Extra == nil || k.Elements[c].Extra.Called != key) {
			k.fail("instance %d was called by %d, which does not know it", key, c)
		}
	}
}

// loops: rows of lists belong to a body, and a body knows how many instances
// are active in it.
func (k *checker) loops() {
	for _, row := range k.Rows[state.TableLoop] {
		body := protocol.Key(number(row, 2))
		if e := k.Elements[body]; e == nil || e.Extra == nil || e.Extra.Loop == nil {
			k.fail("loop row %x of %d, which is no body", row, body)
		}
	}
	for key, e := range k.Elements {
		if e.Extra == nil || e.Extra.Loop == nil || e.State != state.Activated || e.Extra.Pending != nil {
			continue
		}
		l := e.Extra.Loop
		if n := int64(len(e.Children)) + e.Spilled; l.Created < l.Done || l.Created > l.Total || n != l.Created-l.Done-l.Terminated {
			k.fail("body %d has %d instances and counts %+v", key, n, *l)
		}
	}
}

// timers: every timer of an element has exactly one row, at its time.
func (k *checker) timers() {
	want := map[string]protocol.Key{}
	for key, e := range k.Elements {
		if e.Extra == nil {
			continue
		}
		in := k.Incidents[e.Incident] // to go on with what it stopped, when it is resolved
		goes := k.Suspends > 0 || in != nil && in.Step != 0 || e.State == state.Activating && e.Job != 0
		if e.Extra.Pending != nil && !goes {
			k.fail("element %d (%s) in state %d: %q is pending and nothing goes on with it", key, e.Element, e.State, e.Extra.Pending.Event)
		}
		for _, t := range e.Extra.Timers {
			want[string(state.TableTimer.Of(uint64(t.Due), uint64(t.Key)))] = key
			if e.State == state.Terminating || t.Event == "" || t.Repeats < -1 || t.Cycle == "" && t.Repeats != 1 {
				k.fail("element %d waits for %+v", key, t)
			}
		}
	}
	for key := range k.Definitions {
		for _, t := range k.tx.StartTimers(key) {
			want[string(state.TableTimer.Of(uint64(t.Due), uint64(t.Key)))] = key
		}
	}
	for _, row := range k.Rows[state.TableTimer] {
		r := protocol.NewReader(k.tx.Get(row))
		at := r.Key()
		if at == 0 {
			at = r.Key()
		}
		if want[string(row)] != at || r.Done() != nil {
			k.fail("timer row %x of element or definition %d has no such timer", row, at)
		}
		delete(want, string(row))
	}
	for row := range want {
		k.fail("timer row %x is missing", row)
	}
}

func (k *checker) incidents() {
	for key, i := range k.Incidents {
		e, j := k.Elements[i.Element], k.Jobs[i.Job]
		switch {
		case i.Key != key:
			k.fail("incident %d is stored under %d", i.Key, key)
		case e == nil || e.Instance != i.Instance:
			k.fail("incident %d is without its element %d", key, i.Element)
		case i.Job != 0 && (j == nil || j.Incident != key):
			k.fail("incident %d is not known to its job %d", key, i.Job)
		case i.Job == 0 && e.Incident != key:
			k.fail("incident %d is not known to its element %d", key, i.Element)
		case i.Type == "" || i.Message == "":
			k.fail("incident %d says %q %q", key, i.Type, i.Message)
		}
	}
	for key, e := range k.Elements {
		if e.Incident != 0 && k.Incidents[e.Incident] == nil {
			k.fail("element %d is without its incident %d", key, e.Incident)
		}
	}
	for key, j := range k.Jobs {
		if j.Incident != 0 && k.Incidents[j.Incident] == nil {
			k.fail("job %d is without its incident %d", key, j.Incident)
		}
	}
}

// definitions are found by version, the newest as the latest, and their
// resource is there.
func (k *checker) definitions() {
	type id struct {
		kind protocol.DefinitionKind
		id   string
	}
	newest := map[id]*protocol.Definition{}
	var digest protocol.Digest
	tagged, alive := 0, 0
	for key, d := range k.Definitions {
		if d.Key != key {
			k.fail("definition %d is stored under %d", d.Key, key)
		}
		digest.Toggle(protocol.SumOf(d), d.Kind, 1)
		if d.Deleted {
			k.deleted(d)
			continue
		}
		alive++
		if at := k.tx.Version(d.Kind, d.ID, d.Version); at != key {
			k.fail("%s is %d, not %d", definitionText(d), at, key)
		}
		if at := k.tx.Member(d.DeploymentID, d.Kind, d.ID); at != key {
			k.fail("%s of deployment %d is %d, not %d", definitionText(d), d.DeploymentID, at, key)
		}
		if n := newest[id{d.Kind, d.ID}]; n == nil || n.Version < d.Version {
			newest[id{d.Kind, d.ID}] = d
		}
		if d.VersionTag != "" {
			tagged++
		}
		if up := k.Definitions[d.Parent]; d.Kind == protocol.DecisionDefinition && (up == nil || up.ID != d.ParentID || up.Hash != d.Hash) {
			k.fail("%s is without its requirements %d", definitionText(d), d.Parent)
		}
		if body := k.tx.Body(d.Hash); engine.HashOf(body) != d.Hash {
			k.fail("definition %d: its resource has %d bytes of another content", key, len(body))
		}
	}
	if kept := k.tx.Digest(); kept != digest {
		k.fail("the digest of definitions is %v, not %v", kept, digest)
	}
	for id, d := range newest {
		if l := k.tx.Latest(id.kind, id.id); l == nil || l.Key != d.Key || l.Version != d.Version || l.Hash != d.Hash || l.ResourceName != d.ResourceName {
			k.fail("the latest of %s %s is %+v, not %+v", id.kind, id.id, l, d)
		}
	}
	if n, m := len(k.Rows[state.TableVersion]), alive; n != m {
		k.fail("%d versions of %d definitions", n, m)
	}
	if n := len(k.Rows[state.TableMember]); n != alive {
		k.fail("%d members of deployments, but %d definitions", n, alive)
	}
	if n := len(k.Rows[state.TableTagged]); n != tagged {
		k.fail("%d rows of %d tagged definitions", n, tagged)
	}
	if n, m := len(k.Rows[state.TableLatest]), len(newest); n < m {
		k.fail("%d rows of the latest of %d ids", n, m)
	}
	k.contents()
}

// deleted definitions are not found, and wait for their instances or are only
// remembered.
func (k *checker) deleted(d *protocol.Definition) {
	if at := k.tx.Version(d.Kind, d.ID, d.Version); at == d.Key {
		k.fail("%s is found", definitionText(d))
	}
	draining := slices.Contains(k.tx.Draining(), d.Key)
	if draining == d.Gone() {
		k.fail("%s drains: %v", definitionText(d), draining)
	}
	if body := k.tx.Body(d.Hash); draining && engine.HashOf(body) != d.Hash {
		k.fail("definition %d: its resource has %d bytes of another content", d.Key, len(body))
	}
}

// contents that are referred to are those of the definitions.
func (k *checker) contents() {
	used := map[protocol.Hash]bool{}
	for _, d := range k.Definitions {
		if !d.Gone() {
			used[d.Hash] = true
		}
	}
	if n := len(k.Rows[state.TableContentRef]); n != len(used) {
		k.fail("%d contents, but %d are used", n, len(used))
	}
	for key, e := range k.Elements {
		if d := k.Definitions[e.Definition]; d == nil || d.Gone() {
			k.fail("element %d is without its definition %d", key, e.Definition)
		}
	}
}

// lanes: what is not acknowledged is the end of the lane, without a gap.
func (k *checker) lanes() {
	same := func(i, j int) bool {
		return k.Outbox[i].Target == k.Outbox[j].Target && k.Outbox[i].Lane == k.Outbox[j].Lane
	}
	for i, row := range k.Outbox {
		lane := k.tx.LaneSeqTo(row.Lane, row.Target)
		if row.Seq > lane {
			k.fail("outbox row %d to %d is beyond the lane's %d", row.Seq, row.Target, lane)
		}
		if k.Raised {
			continue
		}
		if i > 0 && same(i-1, i) && k.Outbox[i-1].Seq+1 != row.Seq {
			k.fail("outbox to %d: %d follows %d", row.Target, row.Seq, k.Outbox[i-1].Seq)
		}
		last := i == len(k.Outbox)-1 || !same(i, i+1)
		if last && row.Seq != lane {
			k.fail("outbox to %d ends at %d, the lane at %d", row.Target, row.Seq, lane)
		}
	}
}

// counters: no key stands in the state that the counter has not reached.
func (k *checker) counters() {
	for table, keys := range k.Order {
		for _, key := range keys {
			if key.Partition() == k.partition && key.Counter() > k.Counter {
				k.fail("key %d of table %x is beyond the counter %d", key, table, k.Counter)
			}
		}
		if !slices.IsSorted(keys) {
			k.fail("table %x is not in the order of keys", table)
		}
	}
	for _, row := range k.Rows[state.TableParts] {
		if head := row[1 : len(row)-4]; k.tx.Get(bytes.Clone(head)) == nil {
			k.fail("part %x belongs to no value", row)
		}
	}
}
