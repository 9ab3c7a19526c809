package grevy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/recordlog"
	"github.com/grevy-io/grevy/remote"
	"github.com/grevy-io/grevy/state/badgerkv"
)

// Broker is one running node.
type Broker struct {
	Config
	identity  atomic.Pointer[identity]
	noting    sync.Mutex // while the identity is changed
	lock      *os.File
	ownSystem bool
	faults    *linkfault.Switch
	kv        *badgerkv.KV
	records   recordlog.Sink // nil: none are made

	storeKept    string                // where a damaged store was set aside at this start
	storeProblem atomic.Pointer[error] // what is wrong with the store since

	nodeCerts, clientCerts *certs.Store // nil: no TLS there

	models    *engine.Models
	members   *remote.Members
	post      *remote.Post
	router    *remote.Router
	raft      *raftadapter.Node
	gateway   *gateway.Server
	http      *httpServer
	metrics   *metrics
	pid       *actor.PID
	started   time.Time
	unmoved   atomic.Int64                 // when leadership could last not be moved, in ns since 1970; see balance
	plans     chan *cluster.Plan           // for a node that has none yet
	following sync.Mutex                   // while partitions are started or stopped here
	newest    atomic.Pointer[cluster.Plan] // heard of, perhaps not followed yet
	followNow chan struct{}
	driving   driverMemory

	partsMu sync.RWMutex // for the two
	parts   map[protocol.PartitionID]*partitionactor.Partition
	damaged map[protocol.PartitionID]repair // what was found damaged and is not replaced yet
	joined  atomic.Bool                     // the cluster's plan is known
	ready   atomic.Bool
	turn    atomic.Uint64 // round robin of Execute
	marks   *watermarks
	life    context.Context
	end     context.CancelFunc
	closing sync.Mutex // while life ends, or something is begun aside
	wg      sync.WaitGroup
	closers []func() error // in the order of opening
	space   *diskspace.Watch
	diskUse atomic.Int64 // bytes of the data directory, some seconds ago
	fatal   chan error
	close   sync.Once
	closed  error
}

// Open starts a node and returns when its gateway serves: the cluster has
// formed and every partition has a leader. An error is one line that says what
// to change.
func Open(c Config) (*Broker, error) { return OpenContext(context.Background(), c) }

// OpenContext is Open for a caller who may lose patience: if ctx ends first,
// the node is closed again and the error wraps the context's. Once the node is
// open, ctx means nothing to it.
func OpenContext(ctx context.Context, c Config) (*Broker, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	b := &Broker{Config: c.withDefaults(), started: time.Now(), fatal: make(chan error, 1)}
	b.parts = map[protocol.PartitionID]*partitionactor.Partition{}
	b.damaged = map[protocol.PartitionID]repair{}
	b.plans, b.followNow = make(chan *cluster.Plan, 1), make(chan struct{}, 1)
	b.life, b.end = context.WithCancel(context.Background())
	opening, cancel := context.WithTimeout(b.life, b.StartTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	if err := b.open(opening); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Broker) open(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		b.openCerts, b.openDir, b.openStore, b.openNetwork, b.join, b.openPartitions, b.openRuntime, b.awaitLeaders, b.openGateway,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	b.ready.Store(true)
	return nil
}

func (b *Broker) onClose(f func() error) { b.closers = append(b.closers, f) }

func (b *Broker) openDir(context.Context) (err error) {
	id, lock, err := openIdentity(b.Config)
	if err != nil {
		return err
	}
	b.lock = lock
	b.identity.Store(id)
	b.onClose(b.lock.Close)
	if err := b.openSpace(); err != nil {
		return err
	}
	if b.faults, err = linkfault.FromEnv(protocol.NodeID(b.NodeID), b.Log); err != nil {
		return err
	}
	if b.System == nil {
		b.System, b.ownSystem = actors.NewSystem(b.Log), true
	}
	b.models = engine.NewModels(b.ModelCache)
	b.metrics = newMetrics(b)
	return b.openRecords()
}

// openRecords finds out where records go.
func (b *Broker) openRecords() error {
	var sinks recordlog.Both
	if b.RecordLog != "" {
		file, err := recordlog.OpenFile(b.RecordLog)
		if err != nil {
			return err
		}
		b.onClose(file.Close)
		sinks = append(sinks, file)
	}
	if b.OnRecord != nil {
		sinks = append(sinks, recordlog.Func(b.OnRecord))
	}
	if len(sinks) > 0 {
		b.records = sinks
	}
	return nil
}

// openNetwork takes all ports before anything else happens, so that one in use
// is said at once.
func (b *Broker) openNetwork(context.Context) error {
	raftListener, err := b.listen("raft", b.nodeAddr(RaftPort))
	if err != nil {
		return err
	}
	if err := b.openPost(); err != nil {
		return errors.Join(err, raftListener.Close())
	}
	if err := b.openMembers(); err != nil {
		return errors.Join(err, raftListener.Close())
	}
	b.raft, err = raftadapter.Open(raftadapter.Config{
		NodeID: protocol.NodeID(b.NodeID), ServerID: b.self().ServerID, Replica: b.replica, Dir: filepath.Join(b.DataDir, "raft"), KV: b.kv,
		Listener: raftListener, Resolve: b.raftAddr, NodeOf: b.nodeOf, Secure: b.nodeCerts, Faults: b.faults, BootID: bootID(), Log: b.Log, Tuning: b.Tuning,
		Room: func() bool { return b.space.Level() != diskspace.Ended },
	})
	if err != nil {
		return errors.Join(err, raftListener.Close())
	}
	b.onClose(b.raft.Close)
	return b.openHTTP()
}

func (b *Broker) listen(what, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("%s: cannot listen on %s: %w (choose another --port-offset or --host)", what, addr, err)
	}
	return l, nil
}

func (b *Broker) openPost() error {
	l, err := b.listen("nodes", b.nodeAddr(RemotePort))
	if err != nil {
		return err
	}
	if b.post, err = remote.Open(remote.Config{NodeID: protocol.NodeID(b.NodeID), Listener: l, Secure: b.nodeCerts, Faults: b.faults, Logger: b.Log}); err != nil {
		return errors.Join(err, l.Close())
	}
	b.onClose(b.post.Close)
	if p := b.plan(); p != nil {
		b.post.SetCluster(p.ID())
	}
	b.router = remote.NewRouter(b.post, directory{b}, protocol.NodeID(b.NodeID))
	b.marks = newWatermarks(b)
	b.post.Handle(kindNode, b.tellInfo)
	b.post.Handle(kindPlan, b.takePlan)
	b.post.Handle(kindNewer, b.tellPlan)
	b.post.Handle(kindForce, b.takeForce)
	b.post.Handle(kindCut, b.tellCut)
	return nil
}

func (b *Broker) openMembers() (err error) {
	c := remote.MembersConfig{
		NodeID: protocol.NodeID(b.NodeID), Bind: b.nodeAddr(GossipPort), Host: b.Host, Ports: b.ports(), RaftID: b.self().ServerID,
		Version: b.Version, JoinAddrs: b.Join, Secure: b.nodeCerts, Faults: b.faults, Logger: b.Log,
		OnDuplicate: func(err error) { b.fail(err) },
	}
	if p := b.plan(); p != nil {
		c.Cluster = p.ID()
	}
	if b.members, err = remote.OpenMembers(c); err != nil {
		return err
	}
	b.onClose(b.members.Close)
	b.post.SetPeers(b.members.RemoteAddrs())
	cancel := b.members.Watch(b.onMembers)
	b.onClose(func() error { cancel(); return nil })
	cancelLinks := b.post.Watch(b.onLink)
	b.onClose(func() error { cancelLinks(); return nil })
	return nil
}

// fail ends the node for a reason that leaves no choice; Failed tells.
func (b *Broker) fail(err error) {
	select {
	case b.fatal <- err:
	default:
	}
}

// Failed gives the reason if the node can not go on, for instance because
// another one has its id. The program should close it and end.
func (b *Broker) Failed() <-chan error { return b.fatal }

func (b *Broker) openPartitions(context.Context) error {
	b.joined.Store(true)
	here := append(b.plan().Held(b.NodeID), b.surplus()...) // others may still count on the latter
	if err := b.raft.RemoveDropped(); err != nil {
		return fmt.Errorf("clean up logs: %w", err)
	}
	if err := b.raft.Sweep(here); err != nil {
		return fmt.Errorf("clean up state: %w", err)
	}
	for _, p := range here {
		if err := b.startPartition(p); err != nil {
			return err
		}
	}
	if err := b.raft.Started(); err != nil {
		return err
	}
	b.report()
	b.every(repairEvery, b.repair)
	b.every(verifyEvery, b.verifyStore)
	return nil
}

func (b *Broker) partitionConfig(p protocol.PartitionID) partitionactor.Config {
	limits := b.Limits
	if limits.JobBytes == 0 {
		limits.JobBytes = b.MaxMessageSize
	}
	return partitionactor.Config{
		Partition: p, Partitions: b.partitionCount(), Layout: b.targets, System: b.System, Node: b.raft, Models: b.models, Log: b.Log,
		Bootstrap: b.bootstrapOf(p), Observer: b.metrics, Execute: b.router.Execute, Distributor: b.distributor,
		Changed: b.onChange, Deployed: b.marks.deployed, Limits: limits, Records: b.records, Version: b.Version, Space: b.space, Skew: b.faults.Skew,
	}
}

// Close hands leadership over, lets commands under way finish, and stops the
// node. It is safe to call more than once.
func (b *Broker) Close() error {
	b.close.Do(func() { b.closed = b.shutdown() })
	return b.closed
}

func (b *Broker) shutdown() error {
	b.ready.Store(false)
	var errs []error
	if b.gateway != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		errs = append(errs, b.gateway.Stop(ctx))
		cancel()
	}
	b.handLeadershipOver()
	b.closing.Lock()
	b.end()
	b.closing.Unlock()
	if b.pid != nil {
		actors.Stop(b.System, b.pid)
	}
	b.wg.Wait()
	for _, p := range b.partitions() {
		errs = append(errs, p.Stop())
	}
	if b.members != nil {
		if err := b.members.Leave(leaveTimeout); err != nil {
			// Nobody is left to hear it, as when all nodes stop together.
			b.Log.Info("left without a word to the others", "err", err)
		}
	}
	for i := len(b.closers) - 1; i >= 0; i-- {
		errs = append(errs, b.closers[i]())
	}
	if b.ownSystem {
		b.System.Shutdown()
	}
	b.faults.Close()
	return errors.Join(errs...)
}

const (
	stopTimeout  = 5 * time.Second
	leaveTimeout = time.Second
)
