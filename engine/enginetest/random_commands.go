package enginetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Commander makes random commands for a partition, mostly for things that are
// there or were there.
type Commander struct {
	rnd *rand.Rand
	id  protocol.PartitionID
	// processes and names of resources that may be deployed.
	models [][]byte
	// elements are the ids of all elements of the models, by process.
	elements [][]string
	// keys from answers.
	instances, jobs []protocol.Key
	pushed          map[protocol.Lane][]state.OutboxRow // all that was ever committed, by seq
	// Bodies are the contents that were deployed.
	Bodies map[protocol.Hash][]byte
	// Strays is where keys begin of which nobody knows whether they are there.
	Strays int64
	// Seen is what its partition has committed. Whoever reads it keeps it fresh.
	Seen *Contents
}

// NewCommander makes one for a partition. The i-th model is that of process p<i>.
func NewCommander(rnd *rand.Rand, id protocol.PartitionID, models [][]byte) *Commander {
	c := &Commander{
		rnd: rnd, id: id, models: models, Bodies: map[protocol.Hash][]byte{}, pushed: map[protocol.Lane][]state.OutboxRow{},
	}
	for _, content := range models {
		ids := []string{"nope"}
		if model, err := bpmn.Parse("p.bpmn", content); err == nil { // not all may be deployed
			for _, e := range model.Processes[0].Elements[1:] {
				ids = append(ids, e.ID)
			}
		}
		c.elements = append(c.elements, ids)
	}
	return c
}

// Note learns from an outcome.
func (c *Commander) Note(out *engine.Outcome) {
	c.NoteReply(out.Reply)
	if out.Await != 0 {
		c.instances = append(c.instances, out.Await)
	}
}

// NoteReply learns from an answer.
func (c *Commander) NoteReply(reply protocol.Reply) {
	switch p := reply.(type) {
	case *protocol.Created:
		c.instances = append(c.instances, p.InstanceKey)
	case *protocol.Jobs:
		for i := range p.Jobs {
			c.jobs = append(c.jobs, p.Jobs[i].Key)
		}
	}
}

// Remember keeps the rows of the outbox that are committed: only those are
// sent, and they may be sent again when they are acknowledged.
func (c *Commander) Remember() {
	for _, row := range c.Seen.Outbox {
		lane := c.pushed[row.Lane]
		if n := len(lane); n == 0 || lane[n-1].Seq < row.Seq {
			row.Command = c.Seen.Whole(row.Command)
			c.pushed[row.Lane] = append(lane, row)
		}
	}
}

func (c *Commander) of(list []protocol.Key) protocol.Key {
	if len(list) == 0 || c.rnd.IntN(50) == 0 {
		return protocol.NewKey(c.id, c.Strays+c.rnd.Int64N(1000))
	}
	if c.rnd.IntN(2) == 0 {
		list = list[max(0, len(list)-10):]
	}
	return list[c.rnd.IntN(len(list))]
}

func (c *Commander) stored(t state.Table) protocol.Key { return c.of(c.Seen.Order[t]) }

func (c *Commander) variables() []byte {
	list := []string{"", "{}", `{"v":0}`, `{"v":1}`, `{"v":2,"w":1}`, `{"w":null}`, `{"v":3,"w":[1,{"a":2}]}`, `{"x`, `[1]`}
	if c.rnd.IntN(300) == 0 {
		return fmt.Appendf(nil, `{"huge":"%0*d"}`, 200_000+c.rnd.IntN(400_000), 1)
	}
	if c.rnd.IntN(20) == 0 {
		return fmt.Appendf(nil, `{"big":"%0*d","v":1}`, 900+c.rnd.IntN(400), 1)
	}
	return []byte(list[c.rnd.IntN(len(list))])
}

// event is the name of a message or signal.
func (c *Commander) event() string { return []string{"m", "n"}[c.rnd.IntN(2)] }

func (c *Commander) jobType() string { return string(rune('a' + c.rnd.IntN(3))) }

// Next makes a command.
func (c *Commander) Next(now int64) protocol.Command {
	switch n := c.rnd.IntN(100); {
	case n < 22:
		return c.create()
	case n < 40:
		return &protocol.ActivateJobs{
			Type: c.jobType(), Worker: "w", Max: int32(c.rnd.IntN(6)), Timeout: 1 + c.rnd.Int64N(3000), Park: c.rnd.IntN(2) == 0,
			MaxBytes: []int64{0, 0, 500, 5000}[c.rnd.IntN(4)],
		}
	case n < 44:
		return &protocol.ThrowError{JobKey: c.of(c.jobs), Code: []string{"E1", "E2", "E3"}[c.rnd.IntN(3)], Variables: c.variables()}
	case n < 48:
		return c.modify()
	case n < 50:
		return c.migrate()
	case n < 62:
		return &protocol.CompleteJob{JobKey: c.of(c.jobs), Variables: c.variables()}
	case n < 68:
		return &protocol.FailJob{JobKey: c.of(c.jobs), Retries: int32(c.rnd.IntN(3)), BackOff: c.rnd.Int64N(2) * 1500, Variables: c.variables()}
	case n < 72:
		return &protocol.SetVariables{ElementKey: c.stored(state.TableElement), Variables: c.variables(), Local: c.rnd.IntN(3) == 0}
	case n < 75:
		return &protocol.CancelInstance{InstanceKey: c.of(c.instances)}
	case n < 80:
		return &protocol.ResolveIncident{IncidentKey: c.stored(state.TableIncident)}
	case n < 83:
		return &protocol.UpdateJobRetries{JobKey: c.stored(state.TableJob), Retries: int32(c.rnd.IntN(4))}
	case n < 85:
		return &protocol.UpdateJobTimeout{JobKey: c.of(c.jobs), Timeout: c.rnd.Int64N(4000)}
	case n < 87:
		return c.yield()
	case n < 92:
		return &protocol.Tick{}
	case n < 94:
		return &protocol.Continue{}
	case n < 96:
		return &protocol.PublishMessage{
			Name: c.event(), CorrelationKey: []string{"0", "1", "2", ""}[c.rnd.IntN(4)], TimeToLive: c.rnd.Int64N(2) * 3000,
			MessageID: []string{"", "", "x"}[c.rnd.IntN(3)], Variables: c.variables(),
		}
	case n < 97 && c.rnd.IntN(2) == 0:
		return &protocol.DeleteResource{ResourceKey: c.stored(state.TableDefinition)}
	case n < 97:
		return &protocol.BroadcastSignal{Name: c.event(), Variables: c.variables()}
	}
	return c.distribution(now)
}

func (c *Commander) create() protocol.Command {
	return &protocol.CreateInstance{
		ProcessID: fmt.Sprintf("p%d", c.rnd.IntN(len(c.models))), Version: -1, Variables: c.variables(),
		AwaitResult: c.rnd.IntN(4) == 0, DeploymentSeq: c.rnd.Uint64N(3),
	}
}

// element is some element of an instance's process, or of any.
func (c *Commander) element(instance protocol.Key) string {
	ids := c.elements[c.rnd.IntN(len(c.elements))]
	if e := c.Seen.Elements[instance]; e != nil && c.rnd.IntN(20) > 0 {
		for i, list := range c.elements {
			if fmt.Sprintf("p%d", i) == e.ProcessID {
				ids = list
			}
		}
	}
	return ids[c.rnd.IntN(len(ids))]
}

// modify begins at some elements and ends some instances of others, not all of
// them in the same instance.
func (c *Commander) modify() protocol.Command {
	m := &protocol.ModifyInstance{InstanceKey: c.of(c.instances)}
	for range c.rnd.IntN(3) {
		a := protocol.ActivateElement{ElementID: c.element(m.InstanceKey)}
		switch c.rnd.IntN(4) {
		case 0:
			a.Ancestor = c.stored(state.TableElement)
		case 1:
			a.Ancestor = m.InstanceKey
		}
		if c.rnd.IntN(3) == 0 {
			scope := []string{"", a.ElementID, c.element(m.InstanceKey)}[c.rnd.IntN(3)]
			a.Variables = []protocol.ScopeVariables{{ScopeID: scope, Variables: c.variables()}}
		}
		m.Activate = append(m.Activate, a)
	}
	for range c.rnd.IntN(3) {
		m.Terminate = append(m.Terminate, c.stored(state.TableElement))
	}
	return m
}

// migrate goes to some definition, often another version of the same process.
func (c *Commander) migrate() protocol.Command {
	m := &protocol.MigrateInstance{InstanceKey: c.of(c.instances), TargetKey: c.stored(state.TableDefinition)}
	ids := c.elements[c.rnd.IntN(len(c.elements))]
	for i, list := range c.elements {
		if e := c.Seen.Elements[m.InstanceKey]; e != nil && fmt.Sprintf("p%d", i) == e.ProcessID {
			ids = list
		}
	}
	for _, id := range ids[1:] {
		switch c.rnd.IntN(20) {
		case 0:
			m.Mappings = append(m.Mappings, protocol.ElementMapping{SourceID: id, TargetID: c.element(0)})
		case 1:
		default:
			m.Mappings = append(m.Mappings, protocol.ElementMapping{SourceID: id, TargetID: id})
		}
	}
	return m
}

func (c *Commander) yield() protocol.Command {
	y := &protocol.YieldJobs{}
	for range 1 + c.rnd.IntN(3) {
		key, deadline := c.stored(state.TableJob), int64(1)
		if j := c.Seen.Jobs[key]; j != nil {
			deadline = j.Deadline
		}
		y.Keys, y.Deadlines = append(y.Keys, key), append(y.Deadlines, deadline)
	}
	return y
}

// distribution makes what keeps the deployments: on partition 1 they are made,
// on the others they come in.
func (c *Commander) distribution(int64) protocol.Command {
	if c.id == protocol.DeploymentPartition {
		n := c.rnd.IntN(len(c.models))
		r := protocol.Resource{Name: fmt.Sprintf("p%d.bpmn", n), Content: c.models[n]}
		if c.rnd.IntN(3) == 0 {
			r.Content = append(slices.Clone(r.Content), ' ')
		}
		c.Bodies[engine.HashOf(r.Content)] = r.Content
		return &protocol.Deploy{Resources: []protocol.Resource{r}}
	}
	return &protocol.Tick{}
}

// Delivery makes a command that brings another partition's rows, in any order,
// with or without what belongs to them.
func (c *Commander) Delivery(from *Commander, epoch uint64, lane protocol.Lane) protocol.Command {
	cmd := &protocol.Receive{Source: from.id, Epoch: epoch, Lane: lane}
	rows := from.pushed[lane]
	if len(rows) == 0 {
		return cmd
	}
	start := c.rnd.IntN(len(rows))
	for _, row := range rows[start:min(len(rows), start+1+c.rnd.IntN(4))] {
		cmd.Items = append(cmd.Items, protocol.Item{Seq: row.Seq, Command: row.Command})
		for _, h := range Hashes(row.Command) {
			if c.rnd.IntN(4) > 0 {
				cmd.Bodies = append(cmd.Bodies, protocol.Body{Hash: h, Data: from.Bodies[h]})
			}
		}
	}
	return cmd
}

// Hashes are the resources that a row names.
func Hashes(row protocol.Command) (list []protocol.Hash) {
	if d, ok := row.(*protocol.Distribute); ok {
		for i := range d.Deployment.Definitions {
			list = append(list, d.Deployment.Definitions[i].Hash)
		}
	}
	return list
}

// Pulled makes a command that brings a deployment of partition 1, as if it had
// been asked for at some time.
func (c *Commander) Pulled(from *Commander, epoch uint64) protocol.Command {
	keys := from.Seen.Order[state.TableDefinition]
	if len(keys) == 0 {
		return &protocol.Tick{}
	}
	wanted := from.Seen.Definitions[keys[c.rnd.IntN(len(keys))]].DeploymentID
	cmd := &protocol.Pulled{Source: protocol.DeploymentPartition, Epoch: epoch, Seq: c.rnd.Uint64N(from.Seen.Lane + 1)}
	for _, key := range keys {
		if d := from.Seen.Definitions[key]; d.DeploymentID == wanted {
			cmd.Definitions = append(cmd.Definitions, *d)
			cmd.Bodies = append(cmd.Bodies, protocol.Body{Hash: d.Hash, Data: from.Bodies[d.Hash]})
		}
	}
	return cmd
}
