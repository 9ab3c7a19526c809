package grevy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// freeOffset finds a port offset of which all ports are free.
func freeOffset(t *testing.T) int {
	t.Helper()
	for range 200 {
		offset := 10 * (1 + rand.IntN(600))
		if free(offset) {
			return offset
		}
	}
	t.Fatal("no free ports")
	return 0
}

func free(offset int) bool {
	for _, port := range []int{grevy.GatewayPort, grevy.RemotePort, grevy.RaftPort, grevy.GossipPort, grevy.HTTPPort} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+offset))
		if err != nil {
			return false
		}
		if l.Close() != nil {
			return false
		}
	}
	return true
}

var quick = raftadapter.Tuning{Heartbeat: 500 * time.Millisecond, CommitTimeout: 50 * time.Millisecond, NoSync: true}

func config(t *testing.T) grevy.Config {
	return grevy.Config{DataDir: t.TempDir(), PortOffset: freeOffset(t), Log: slog.New(slog.DiscardHandler), StartTimeout: 30 * time.Second, Tuning: quick}
}

func open(t *testing.T, c grevy.Config) *grevy.Broker {
	t.Helper()
	b, err := grevy.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// trio opens a cluster of three nodes in this process.
func trio(t *testing.T) ([]*grevy.Broker, []grevy.Config) {
	t.Helper()
	configs := make([]grevy.Config, 3)
	var join []string
	for i := range configs {
		configs[i] = config(t)
		configs[i].NodeID, configs[i].ClusterSize, configs[i].Host = i, 3, "127.0.0.1"
		join = append(join, fmt.Sprintf("127.0.0.1:%d", grevy.GossipPort+configs[i].PortOffset))
	}
	brokers := make([]*grevy.Broker, 3)
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for i := range configs {
		configs[i].Join = join
		wg.Go(func() { brokers[i], errs[i] = grevy.Open(configs[i]) })
	}
	wg.Wait()
	for _, b := range brokers {
		if b != nil {
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return brokers, configs
}

func process(id, note string) protocol.Resource {
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x"><!-- ` + note + ` -->` +
		`<bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/><bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>`)}
}

func execute(t *testing.T, b *grevy.Broker, p protocol.PartitionID, c protocol.Command) protocol.Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := b.Execute(ctx, p, c)
	if err != nil {
		t.Fatalf("%s on partition %d: %v", c.Intent(), p, err)
	}
	return r
}

func latest(id string) *protocol.CreateInstance {
	return &protocol.CreateInstance{ProcessID: id, Version: -1, DefinitionKey: -1}
}

func TestOpen_OneNodeAndAgain(t *testing.T) {
	c := config(t)
	for round := range int32(3) {
		b := open(t, c)
		execute(t, b, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", fmt.Sprint(round))}})
		for p := protocol.PartitionID(1); p <= 3; p++ {
			created := execute(t, b, p, latest("p")).(*protocol.Created)
			if created.InstanceKey.Partition() != p {
				t.Errorf("instance %d is not of partition %d", created.InstanceKey, p)
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen_SaysWhatIsWrongInOneLine(t *testing.T) {
	c := config(t)
	b := open(t, c)
	taken := config(t)
	taken.PortOffset = c.PortOffset
	inUse := c
	inUse.PortOffset = freeOffset(t)
	file := config(t)
	file.DataDir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file.DataDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		c    grevy.Config
		want string
	}{
		"port":      {taken, "--port-offset"},
		"directory": {inUse, "in use by another process"},
		"file":      {file, "data-dir"},
		"empty":     {grevy.Config{}, "data-dir"},
		"node id":   {grevy.Config{DataDir: "x", NodeID: 5}, "node-id"},
		"alone":     {grevy.Config{DataDir: "x", ClusterSize: 3}, "join"},
		"factor":    {grevy.Config{DataDir: "x", ReplicationFactor: 2}, "replication-factor"},
	} {
		_, err := grevy.Open(bad.c)
		if err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(strings.TrimSpace(err.Error()), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	other := c
	other.Partitions = 5
	if _, err := grevy.Open(other); err == nil || !strings.Contains(err.Error(), "partitions: the cluster in") {
		t.Errorf("another number of partitions: %v", err)
	}
}

// After an acknowledged deployment nobody sees NOT_FOUND or an older version,
// on any partition, through any node (DESIGN §3 "Latest means latest").
func TestCluster_LatestMeansLatest(t *testing.T) {
	brokers, _ := trio(t)
	var version int32
	for round := range 60 {
		via := brokers[round%3]
		d := execute(t, via, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", fmt.Sprint(round))}}).(*protocol.Deployed)
		if got := d.Definitions[0].Version; got != version+1 {
			t.Fatalf("version %d after %d", got, version)
		}
		version++
		for _, b := range brokers {
			for p := protocol.PartitionID(1); p <= 3; p++ {
				c := latest("p")
				c.DeploymentSeq = d.Seq
				if got := execute(t, b, p, c).(*protocol.Created).Version; got != version {
					t.Fatalf("round %d, partition %d: version %d instead of %d", round, p, got, version)
				}
			}
		}
	}
}

// The actor behind PID takes commands and feeds workers that are actors.
func TestPID_CommandsAndWorkers(t *testing.T) {
	c := config(t)
	c.WithoutGateway, c.WithoutHTTP = true, true
	c.System = actors.NewSystem(nil)
	t.Cleanup(c.System.Shutdown)
	b := open(t, c)
	answers := make(chan error, 1)
	b.System.Send(b.PID(), actors.Deploy(context.Background(), func(_ protocol.Reply, err error) { answers <- err },
		protocol.Resource{Name: "w.bpmn", Content: []byte(strings.ReplaceAll(string(process("w", "").Content), `<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/>`,
			`<bpmn:serviceTask id="t"><bpmn:extensionElements><z:taskDefinition xmlns:z="http://camunda.org/schema/zeebe/1.0" type="work"/></bpmn:extensionElements></bpmn:serviceTask><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/><bpmn:sequenceFlow id="g" sourceRef="t" targetRef="e"/>`))}))
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	const n = 60
	worked := make(chan protocol.Key, n)
	worker := b.System.Spawn(actors.Props{New: func() actors.Actor {
		return actors.Func(func(ctx *actors.Context) {
			if j, ok := ctx.Message().(*actors.JobOffer); ok {
				j.Complete(context.Background(), []byte(`{"done":true}`), func(err error) {
					if err == nil {
						worked <- j.Key
					}
				})
			}
		})
	}})
	// Fewer jobs at a time than there are partitions: none may hold the only place while it has no job.
	b.System.Send(b.PID(), &actors.Work{Worker: worker, Type: "work", MaxActive: 1})
	results := make(chan error, n)
	for range n {
		m := actors.Create(context.Background(), "w", nil, func(_ protocol.Reply, err error) { results <- err })
		m.Command.(*protocol.CreateInstance).AwaitResult = true
		b.System.Send(b.PID(), m)
	}
	seen := map[protocol.Key]bool{}
	timeout := time.After(20 * time.Second)
	for range n {
		select {
		case err := <-results:
			if err != nil {
				t.Fatal(err)
			}
			k := <-worked
			if seen[k] {
				t.Errorf("job %d worked on twice", k)
			}
			seen[k] = true
		case <-timeout:
			t.Fatalf("%d of %d jobs done", len(seen), n)
		}
	}
	for i := range 6 { // one at a time, on every partition
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		m := actors.Create(ctx, "w", nil, func(_ protocol.Reply, err error) { results <- err })
		m.Command.(*protocol.CreateInstance).AwaitResult = true
		b.System.Send(b.PID(), m)
		if err := <-results; err != nil {
			t.Fatalf("instance %d alone: %v", i, err)
		}
		cancel()
		<-worked
	}
}

func TestStatus_TellsOfANodeThatIsAway(t *testing.T) {
	brokers, _ := trio(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	healthy := func(want bool) grevy.Status {
		for {
			s := brokers[0].Status(ctx)
			if s.Healthy == want || ctx.Err() != nil {
				return s
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
	if s := healthy(true); !s.Healthy {
		t.Fatalf("%v", s.Problems)
	}
	if err := brokers[2].Close(); err != nil {
		t.Fatal(err)
	}
	if s := healthy(false); s.Healthy || len(s.Problems) == 0 {
		t.Error("a node is away and nobody is told")
	}
}
