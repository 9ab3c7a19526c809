package grevy

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/grpc"

	"github.com/grevy-io/grevy/actors"
	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

func joinHostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// Execute runs a command on the leader of a partition, wherever it is, and
// waits for the answer. The error is a *protocol.Rejection if the command was
// looked at and refused, a *protocol.Refusal if it was certainly not executed,
// and wraps protocol.ErrOutcomeUnknown if nobody can tell.
func (b *Broker) Execute(ctx context.Context, p protocol.PartitionID, c protocol.Command) (protocol.Reply, error) {
	run := b.router.Execute
	if gateway.IsImpatient(ctx) {
		run = b.router.Once
	}
	return wait(func(done func(protocol.Reply, error)) { run(ctx, p, c, done) })
}

// wait runs what calls back once, and returns what it says.
func wait(run func(done func(protocol.Reply, error))) (protocol.Reply, error) {
	type answer struct {
		reply protocol.Reply
		err   error
	}
	ch := make(chan answer, 1)
	run(func(r protocol.Reply, err error) { ch <- answer{r, err} })
	a := <-ch
	return a.reply, a.err
}

// ask is Execute for a command that is answered by an R.
func ask[R protocol.Reply](ctx context.Context, b *Broker, p protocol.PartitionID, c protocol.Command) (reply R, err error) {
	r, err := b.Execute(ctx, p, c)
	if err != nil {
		return reply, err
	}
	reply, ok := r.(R)
	if !ok {
		return reply, fmt.Errorf("%w: partition %d answers %s with %T", protocol.ErrInternal, p, c.Intent(), r)
	}
	return reply, nil
}

// gatewayBroker is what the gateway sees of the broker.
type gatewayBroker struct{ *Broker }

// Topology describes the cluster as gossip knows it.
func (g gatewayBroker) Topology() gateway.Topology {
	b := g.Broker
	t := gateway.Topology{ClusterSize: len(b.nodes()), Partitions: b.partitionCount(), ReplicationFactor: b.factor(), Version: b.Version}
	if p := b.plan(); p != nil {
		t.Existing, t.Messages = p.Targets(), p.MessagePartitions()
	}
	for _, m := range b.members.List() {
		if !m.Alive {
			continue
		}
		n := gateway.Node{ID: m.NodeID, Host: m.Host, Port: m.Ports.Remote, Version: m.Version}
		for _, p := range m.Partitions {
			n.Partitions = append(n.Partitions, gateway.NodePartition{ID: p.Partition, Role: role(p.Role), Health: health(p)})
		}
		t.Nodes = append(t.Nodes, n)
	}
	return t
}

func role(r remote.Role) gateway.Role {
	switch r {
	case remote.Leader:
		return gateway.RoleLeader
	case remote.Inactive:
		return gateway.RoleInactive
	}
	return gateway.RoleFollower
}

func health(p remote.PartitionInfo) gateway.Health {
	if p.Healthy {
		return gateway.Healthy
	}
	return gateway.Dead
}

// HasLeader tells whether a partition has a known leader.
func (g gatewayBroker) HasLeader(p protocol.PartitionID) bool { return g.hasLeader(p) }

// DeploymentSeq is the deployment lane's watermark.
func (g gatewayBroker) DeploymentSeq() uint64 { return g.marks.current() }

func (b *Broker) openGateway(context.Context) error {
	b.pid = actors.Spawn(b.System, "broker", actors.Props(func() actor.Actor { return newDesk(b) }, actors.Bounded(deskMailbox)))
	if b.WithoutGateway {
		return nil
	}
	l, err := b.listen("gateway", b.addr(GatewayPort))
	if err != nil {
		return err
	}
	b.gateway = gateway.New(gateway.Config{
		MaxMessageSize: b.MaxMessageSize, RequestTimeout: b.RequestTimeout, Logger: b.Log, Version: b.Version, Observer: b.metrics,
		TLS: b.clientTLS(), MaxClients: b.MaxClients,
		WaitDistributed: gateway.Wait{Limit: b.WaitDistributed, Reachable: b.WaitReachable},
		Services:        func(r grpc.ServiceRegistrar) { adminpb.RegisterClusterServer(r, &adminService{b: b}) },
	}, gatewayBroker{b})
	b.wg.Go(func() {
		if err := b.gateway.Serve(l); err != nil {
			b.fail(err)
		}
	})
	return nil
}

// PID is the actor that takes the messages of package actors: Execute and Work.
// It lives in Config.System; the program's own contexts send to it.
func (b *Broker) PID() *actor.PID { return b.pid }
