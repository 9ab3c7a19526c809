package grevy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy"
	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// hearing is a process that makes a job for each message with its key, while it
// waits at another.
func hearing() protocol.Resource {
	return protocol.Resource{Name: "hearing.bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">
  <message id="m" name="said"><extensionElements><zeebe:subscription correlationKey="= k"/></extensionElements></message>
  <process id="hearing" isExecutable="true">
    <startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
    <serviceTask id="t"><extensionElements><zeebe:taskDefinition type="waits"/></extensionElements></serviceTask>
    <boundaryEvent id="b" attachedToRef="t" cancelActivity="false"><extensionElements><zeebe:ioMapping><zeebe:output source="= n" target="heard"/></zeebe:ioMapping></extensionElements><messageEventDefinition id="md" messageRef="m"/></boundaryEvent>
    <sequenceFlow id="g" sourceRef="b" targetRef="h"/>
    <serviceTask id="h"><extensionElements><zeebe:taskDefinition type="heard"/><zeebe:ioMapping><zeebe:input source="= k + &quot;/&quot; + string(heard)" target="what"/></zeebe:ioMapping></extensionElements></serviceTask>
  </process>
</definitions>`)}
}

// speakers publish messages to instances on all partitions, from all gateways.
type speakers struct {
	mu   sync.Mutex
	said map[string]bool // true: acknowledged
	wg   sync.WaitGroup
	stop atomic.Bool
}

func speak(brokers []*grevy.Broker, keys []string) *speakers {
	s := &speakers{said: map[string]bool{}}
	for i := range 4 {
		s.wg.Go(func() {
			for n := i; !s.stop.Load(); n += 4 {
				key := keys[n%len(keys)]
				what := fmt.Sprintf("%s/%d", key, n)
				s.note(what, false)
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				_, err := brokers[n%len(brokers)].Execute(ctx, protocol.MessagePartition(key, 3), &protocol.PublishMessage{
					Name: "said", CorrelationKey: key, TimeToLive: time.Hour.Milliseconds(), Variables: fmt.Appendf(nil, `{"n":%d}`, n),
				})
				cancel()
				s.note(what, err == nil)
			}
		})
	}
	return s
}

func (s *speakers) note(what string, sure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said[what] = sure
}

// so gives what was acknowledged by now, or begun.
func (s *speakers) so(acknowledged bool) map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := map[string]bool{}
	for what, sure := range s.said {
		if sure || !acknowledged {
			list[what] = true
		}
	}
	return list
}

func (s *speakers) end() {
	s.stop.Store(true)
	s.wg.Wait()
}

// backup takes one, as bytes that were on their way.
func backup(t *testing.T, b *grevy.Broker) (parts [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := b.Backup(ctx, func(p *adminpb.BackupPart) error {
		bytes, err := proto.Marshal(p)
		parts = append(parts, bytes)
		return err
	}); err != nil {
		t.Fatalf("backup: %v", err)
	}
	return parts
}

func partsOf(parts [][]byte) func() (*adminpb.BackupPart, error) {
	return func() (*adminpb.BackupPart, error) {
		if len(parts) == 0 {
			return nil, io.EOF
		}
		p := new(adminpb.BackupPart)
		err := proto.Unmarshal(parts[0], p)
		parts = parts[1:]
		return p, err
	}
}

func restoreInto(b *grevy.Broker, parts [][]byte) ([]*adminpb.BackupEnd, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	return b.Restore(ctx, partsOf(parts))
}

// heard takes the jobs of all partitions until none is left.
func heard(t *testing.T, b *grevy.Broker, got map[string]int) {
	t.Helper()
	for p := protocol.PartitionID(1); p <= 3; p++ {
		for {
			jobs := execute(t, b, p, &protocol.ActivateJobs{Type: "heard", Worker: "w", Timeout: time.Hour.Milliseconds(), Max: 500}).(*protocol.Jobs).Jobs
			if len(jobs) == 0 {
				break
			}
			for _, j := range jobs {
				var v struct{ What string }
				if err := json.Unmarshal(j.Variables, &v); err != nil {
					t.Fatal(err)
				}
				got[v.What]++
			}
		}
	}
}

// A cluster of three nodes is backed up while messages go from each partition to
// each other, and is restored into clusters of other sizes. What was acknowledged
// before is there once, what was begun afterwards is not there, deployments and
// numbers go on.
func TestBackup_OfARunningCluster(t *testing.T) {
	t.Parallel()
	brokers, _ := trio(t)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{hearing(), process("p", "1")}})
	deployed := execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "2")}}).(*protocol.Deployed)
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprintf("k%d", i))
		c := latest("hearing")
		c.Variables, c.DeploymentSeq = fmt.Appendf(nil, `{"k":%q}`, keys[i]), deployed.Seq
		execute(t, brokers[i%3], protocol.PartitionID(1+i%3), c)
	}
	s := speak(brokers, keys)
	defer s.end()
	for i, size := range []int{1, 2} {
		had := len(s.so(true))
		statusUntil(t, brokers[0], "messages are said", func(grevy.Status) bool { return len(s.so(true)) > had+300 })
		before := s.so(true)
		parts := backup(t, brokers[i])
		begun := s.so(false)
		in := filled(t, size, parts)
		compareHeard(t, in, before, begun)
		again := execute(t, in, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "3")}}).(*protocol.Deployed)
		if d := again.Definitions[0]; d.Version != 3 || d.Key <= deployed.Definitions[0].Key {
			t.Errorf("the next version is %d with key %d, after %d", d.Version, d.Key, deployed.Definitions[0].Key)
		}
		for p := protocol.PartitionID(1); p <= 3; p++ {
			c := latest("p")
			c.DeploymentSeq = again.Seq
			if v := execute(t, in, p, c).(*protocol.Created).Version; v != 3 {
				t.Errorf("partition %d begins version %d", p, v)
			}
		}
	}
}

// filled opens an empty cluster and restores a backup into it.
func filled(t *testing.T, size int, parts [][]byte) *grevy.Broker {
	t.Helper()
	configs := trioConfigs(t)[:size]
	for i := range configs {
		configs[i].ClusterSize, configs[i].Partitions, configs[i].ReplicationFactor, configs[i].Join = size, 3, size, configs[i].Join[:size]
	}
	b := openAll(t, configs)[size-1]
	ends, err := restoreInto(b, parts)
	if err != nil || len(ends) != 3 {
		t.Fatalf("restore: %v, %v", ends, err)
	}
	return b
}

func compareHeard(t *testing.T, b *grevy.Broker, before, begun map[string]bool) {
	t.Helper()
	got := map[string]int{}
	statusUntil(t, b, "all that was said is heard", func(grevy.Status) bool {
		heard(t, b, got)
		for what := range before {
			if got[what] == 0 {
				return false
			}
		}
		return true
	})
	statusUntil(t, b, "nothing is under way", func(s grevy.Status) bool { return s.Healthy })
	heard(t, b, got)
	for what, times := range got {
		if times > 1 || !begun[what] {
			t.Errorf("%s was heard %d times, begun before the backup had ended: %t", what, times, begun[what])
		}
	}
	t.Logf("%d were said before, %d were heard", len(before), len(got))
}

// The node that leads ends while it is read. The backup fails and says so, nothing
// is held up, and the next one has everything.
func TestBackup_ALeaderEndsMeanwhile(t *testing.T) {
	t.Parallel()
	brokers, _ := trio(t)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", strings.Repeat("x", 3<<20))}})
	leader := -1
	statusUntil(t, brokers[0], "partition 3 has what was deployed", func(s grevy.Status) bool {
		leader = s.Partitions[2].Leader
		return s.Healthy && s.Partitions[2].Behind == 0
	})
	by := brokers[(leader+1)%3]
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	closing := make(chan error, 1)
	pieces := 0
	err := by.Backup(ctx, func(p *adminpb.BackupPart) error {
		if p.GetData().GetPartition() != 3 {
			return nil
		}
		if pieces++; pieces == 1 {
			closing <- brokers[leader].Close()
		}
		return nil
	})
	if err == nil {
		t.Error("the backup has not noticed")
	}
	if err := <-closing; err != nil {
		t.Error(err)
	}
	statusUntil(t, by, "all partitions have leaders", func(s grevy.Status) bool {
		return !slices.ContainsFunc(s.Partitions, func(p grevy.PartitionStatus) bool { return p.Leader < 0 || p.Leader == leader })
	})
	in := filled(t, 1, backup(t, by))
	for p := protocol.PartitionID(1); p <= 3; p++ {
		execute(t, in, p, latest("p"))
	}
}

// What cannot be restored is refused with a reason, leaves no half cluster at work,
// and what was cut off can be begun again.
func TestRestore_Refusals(t *testing.T) {
	t.Parallel()
	b := open(t, config(t))
	execute(t, b, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "1"), process("q", strings.Repeat("x", 3<<20))}})
	c := latest("p")
	execute(t, b, 2, c)
	parts := backup(t, b)
	refused := func(in *grevy.Broker, parts [][]byte, want string) {
		t.Helper()
		if _, err := restoreInto(in, parts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("restore: %v, wanted %q", err, want)
		}
	}
	refused(b, parts, "to be empty")
	other := config(t)
	other.Partitions = 2
	refused(open(t, other), parts, "--partitions 3")
	empty := open(t, config(t))
	refused(empty, parts[1:], "begins with a header")
	refused(empty, parts[:len(parts)-1], "before the end of partition 3")
	_, err := empty.Execute(t.Context(), 2, latest("p"))
	var refusal *protocol.Refusal
	if !errors.As(err, &refusal) || refusal.Code != protocol.Restoring {
		t.Errorf("a half restored partition answers %v", err)
	}
	damaged := append([][]byte{}, parts...)
	damaged[1] = append([]byte{}, parts[1]...)
	damaged[1][len(damaged[1])/2] ^= 1
	refused(empty, damaged, "partition 1")
	if _, err := restoreInto(empty, parts); err != nil {
		t.Fatalf("begun again: %v", err)
	}
	if _, err := restoreInto(empty, parts); err != nil {
		t.Errorf("once more, when all is done: %v", err)
	}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		execute(t, empty, p, latest("q"))
	}
}

// Messages find those who wait for them by the number of partitions with which the
// cluster had begun, also where it is restored.
func TestRestore_AfterPartitionsWereAdded(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Partitions = 2
	b := open(t, c)
	execute(t, b, 1, &protocol.Deploy{Resources: []protocol.Resource{receiving("m")}})
	early := waitingFor(t, b, 1, "m", "early")
	change(t, b, cluster.Request{What: cluster.AddPartitions, Count: 5})
	late := waitingFor(t, b, 5, "m", "late")
	parts := backup(t, b)
	to := config(t)
	to.Partitions = 5
	in := open(t, to)
	if _, err := restoreInto(in, parts); err != nil {
		t.Fatal(err)
	}
	for key, as := range map[protocol.Key]string{early: "early", late: "late"} {
		execute(t, in, protocol.MessagePartition(as, 2), &protocol.PublishMessage{Name: "come", CorrelationKey: as, Variables: []byte("{}")})
		gone(t, in, key)
	}
	yet := waitingFor(t, in, 4, "m", "yet")
	execute(t, in, protocol.MessagePartition("yet", 2), &protocol.PublishMessage{Name: "come", CorrelationKey: "yet", TimeToLive: 60_000, Variables: []byte("{}")})
	gone(t, in, yet)
}

// What is to be read last is kept however long the first takes, on each node.
func TestBackup_TakenSlowly(t *testing.T) {
	t.Parallel()
	configs := trioConfigs(t)
	for i := range configs {
		configs[i].Limits.Cut = time.Second
	}
	b := openAll(t, configs)[1]
	ends := 0
	err := b.Backup(t.Context(), func(p *adminpb.BackupPart) error {
		if p.GetEnd() != nil {
			if ends++; ends == 1 {
				<-time.After(3 * time.Second) // three times as long as a cut is kept
			}
		}
		return nil
	})
	if err != nil || ends != 3 {
		t.Errorf("%d partitions, %v", ends, err)
	}
}
