package engine_test

import (
	"strings"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// What is recorded of the leader's own work counts too: it is done in smaller parts
// when its records are too much, though its writes are few.
func TestInsist_RecordsCount(t *testing.T) {
	const limit = 4000
	cluster, err := enginetest.NewCluster(enginetest.Config{CommandBytes: limit, Records: true})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", `start s -> catch c timer=PT1S -> script t expr='= 1' result=r each='= for i in 1..200 return i' seq outc=all oute='= r' -> service w type=work -> end e`)
	check(t, err)
	execute := func(cmd protocol.Command) (more bool) {
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		e, err := p.Pack()
		check(t, err)
		switch cmd.(type) {
		case *protocol.Tick, *protocol.Continue:
			if n := len(e.Data); n > 6*limit {
				t.Errorf("%T makes an entry of %d bytes", cmd, n)
			}
		}
		check(t, p.Apply())
		return out.Effects.Continue
	}
	execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	execute(&protocol.CreateInstance{ProcessID: "p", Version: -1})
	cluster.Now += 1000
	for more := execute(&protocol.Tick{}); more; {
		more = execute(&protocol.Continue{})
	}
	seen, err := p.Contents()
	check(t, err)
	if len(seen.Jobs) != 1 || len(seen.Rows[state.TableIncident]) > 0 {
		t.Errorf("%d jobs, %d incidents", len(seen.Jobs), len(seen.Rows[state.TableIncident]))
	}
	for _, e := range seen.Elements {
		if e.Scope == 0 && strings.Count(string(e.Variable("all")), "1") != 200 {
			t.Errorf("all is %s", e.Variable("all"))
		}
	}
}

// A try that hits a damaged row leaves nothing behind in the engine: the next one does
// what it had done before that row, such as the walk for what is deleted.
func TestInsist_ForgetsAFailedTry(t *testing.T) {
	cluster, err := enginetest.NewCluster(enginetest.Config{})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", "start s -> end e")
	check(t, err)
	execute := func(cmd protocol.Command) protocol.Reply {
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		check(t, p.CommitAll())
		return out.Reply
	}
	deployed := execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}}).(*protocol.Deployed)
	execute(&protocol.DeleteResource{ResourceKey: deployed.Definitions[0].Key})
	execute(&protocol.PublishMessage{Name: "m", CorrelationKey: "k", TimeToLive: 1000})
	seen, err := p.Contents()
	check(t, err)
	check(t, p.Damage(seen.Rows[state.TableMessage][0], []byte{0, 0xff}))
	cluster.Now += 2000
	execute(&protocol.Tick{})
	seen, err = p.Contents()
	check(t, err)
	if n := len(seen.Rows[state.TableDraining]); n > 0 || len(seen.Rows[state.TableExpiry]) == 0 {
		t.Errorf("%d deleted definitions are not forgotten", n)
	}
}
