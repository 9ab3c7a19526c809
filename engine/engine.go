package engine

import (
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Config says which partition an engine works for.
type Config struct {
	Partition  protocol.PartitionID
	Partitions int // of the cluster, numbered from 1
	// MessagePartitions is by how many of them messages are spread: those with which
	// the cluster began, so that who waits and what comes meet after partitions were
	// added. 0: Partitions.
	MessagePartitions int
	Models            *Models
	// Epoch is a random number that names this partition's life as a sender, if
	// none was chosen before.
	Epoch uint64
	// MaxJobBytes bounds the jobs of one answer, in bytes; 0: 4 MiB, what clients
	// take by default.
	MaxJobBytes int64
	// Records says that what happens is recorded, for the record log. They go
	// into the entry with the writes (state.Tx.Records).
	Records bool
	// ShareAbove is how many bytes of one document a command writes again for each
	// who gets it; more are written once (state/shared.go). 0: 256 kB.
	ShareAbove int
	// Before, if it is set, is called before each unit of work. A test makes it panic.
	Before func(Unit)
}

// Engine executes the commands of one partition.
type Engine struct {
	Config
	// Asked are what the deployment partition was asked for on behalf of the next
	// command. Settled: it is not asked for anything more.
	Asked       []Asked
	Settled     bool
	drain       drain
	run         run
	definitions map[protocol.Key]*definition
	cursors     map[string]protocol.Key // by job type: no activatable job has a smaller key

	care  care          // of this try
	done  int           // units of work that this try has begun
	last  Unit          // of them
	aside map[Unit]bool // what this leadership does not do
}

// New makes an engine for one leadership.
func New(c Config) *Engine {
	if c.MaxJobBytes == 0 {
		c.MaxJobBytes = 4 << 20
	}
	if c.ShareAbove == 0 {
		c.ShareAbove = state.MaxValue
	}
	e := &Engine{Config: c, definitions: map[protocol.Key]*definition{}, cursors: map[string]protocol.Key{}}
	e.run.init(e)
	return e
}

// messagePartition is where the messages of a correlation key are.
func (e *Engine) messagePartition(correlationKey string) protocol.PartitionID {
	n := e.MessagePartitions
	if n == 0 {
		n = e.Partitions
	}
	return protocol.MessagePartition(correlationKey, n)
}

// Outcome is what a command leads to, beside its writes. Exactly one of Reply,
// Err, Miss, Behind, Await and Park says how its sender is answered.
type Outcome struct {
	Reply protocol.Reply
	// Err is a *protocol.Rejection: the command changes nothing.
	Err error
	// Miss: the definition is unknown here; ask the deployment partition and
	// execute again.
	Miss *protocol.PullDefinition
	// Behind: this partition has not applied a deployment that the sender knows of;
	// execute again when it has.
	Behind bool
	// Await: the reply comes with the Completed effect of this instance.
	Await protocol.Key
	// Park: nothing to hand out yet; execute again when a job of the type may
	// be activated.
	Park    string
	Effects Effects
}

// Effects are to be performed once the writes are committed.
type Effects struct {
	// JobTypes have a job that has become activatable, in order of appearance.
	JobTypes []string
	// Completed are instances whose creator waits for the result.
	Completed []Completed
	// Pushed says that rows were added to the outbox.
	Pushed []state.OutboxRow
	// Acked are lanes whose rows were deleted.
	Acked []protocol.Ack
	// Continue says that work was cut off and waits for a Continue command.
	Continue bool
	// DeploymentSeq is the deployment lane's new counter, 0 if unchanged.
	DeploymentSeq uint64
}

// Completed is an awaited instance that has come to its end.
type Completed struct {
	Instance protocol.Key
	// Result is nil if the instance was cancelled.
	Result *protocol.Result
}

// Execute decides one command. Its writes are in tx, uncommitted. now is in ms
// since 1970. The error is one of the store below; the command's own failure
// stands in the outcome.
func (e *Engine) Execute(tx *state.Tx, cmd protocol.Command, now int64) (Outcome, error) {
	r := &e.run
	r.begin(tx, now)
	e.done = 0
	if r.rec != nil {
		r.recordCommand(cmd)
	}
	r.dispatch(cmd)
	if r.out.Err == nil && !r.out.Behind {
		r.steps()
	}
	if r.out.Miss != nil {
		r.out = Outcome{Miss: r.out.Miss}
	} else if r.out.Err == nil && !r.out.Behind {
		r.flush()
	}
	if err := tx.Err(); err != nil {
		return Outcome{}, fmt.Errorf("execute %s: %w", cmd.Intent(), err)
	}
	return r.out, nil
}

// Discard tells the engine that the last command's writes were thrown away.
func (e *Engine) Discard() {
	clear(e.cursors)
	clear(e.definitions)
	e.drain = drain{}
	e.run.init(e)
}

func (r *run) dispatch(cmd protocol.Command) {
	switch c := cmd.(type) {
	case *protocol.CreateInstance:
		r.create(c)
	case *protocol.DeleteResource:
		r.deleteResource(c)
	case *protocol.EvaluateDecision:
		r.evaluateDecision(c)
	case *protocol.ActivateJobs:
		r.activateJobs(c)
	case *protocol.CompleteJob:
		r.completeJob(c)
	case *protocol.FailJob:
		r.failJob(c)
	case *protocol.ThrowError:
		r.throwJobError(c)
	case *protocol.YieldJobs:
		r.yieldJobs(c)
	case *protocol.AwaitJobs:
		r.awaitJobs(c)
	case *protocol.UpdateJobRetries:
		r.updateRetries(c)
	case *protocol.UpdateJobTimeout:
		r.updateTimeout(c)
	case *protocol.SetVariables:
		r.setVariables(c)
	case *protocol.CancelInstance:
		r.cancel(c)
	case *protocol.ResolveIncident:
		r.resolve(c)
	case *protocol.ModifyInstance:
		r.modify(c)
	case *protocol.PublishMessage:
		r.publish(c)
	case *protocol.BroadcastSignal:
		r.broadcastSignal(c)
	case *protocol.MigrateInstance:
		r.migrate(c)
	case *protocol.Deploy:
		r.deploy(c)
	case *protocol.Receive:
		r.receive(c)
	case *protocol.Watermark:
		r.out.Reply = &protocol.KeyReply{Key: protocol.Key(r.deploymentSeq())}
	case *protocol.ReadPlan:
		r.readPlan()
	case *protocol.WritePlan:
		r.writePlan(c)
	case *protocol.TakeBase:
		r.takeBase(c)
	case *protocol.Acknowledge:
		r.acknowledge(c)
	case *protocol.Survey:
		r.survey(c)
	case *protocol.ListDefinitions:
		r.listDefinitions(c)
	case *protocol.FetchDefinitions:
		r.fetchDefinitions(c)
	case *protocol.Reconcile:
		r.reconcile(c)
	case *protocol.PullDefinition:
		r.pull(c)
	case *protocol.Pulled:
		r.pulled(c)
	case *protocol.Tick:
		r.tick()
	case *protocol.Exported:
		r.exported(c)
	case *protocol.Continue:
		r.resume()
	default:
		r.reject(protocol.Reject(protocol.InvalidArgument, cmd.Intent(), "Expected a command that this version knows, but got %T", cmd))
	}
}
