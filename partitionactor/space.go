package partitionactor

import (
	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/protocol"
)

// roomFor tells whether a command may be executed with so much room on the disk.
// When it is scarce what makes the state grow is turned away, and what ends work
// goes on: jobs, cancellations, incidents, deletions, all that partitions tell each
// other. When it has ended, nothing is written.
func roomFor(c protocol.Command, l diskspace.Level) bool {
	switch l {
	case diskspace.Scarce:
		return !grows(c)
	case diskspace.Ended:
		return onlyReads(c)
	}
	return true
}

// grows tells whether a client's command makes the state larger.
func grows(c protocol.Command) bool {
	switch c.(type) {
	case *protocol.CreateInstance, *protocol.Deploy, *protocol.PublishMessage, *protocol.BroadcastSignal, *protocol.SetVariables,
		*protocol.ModifyInstance, *protocol.MigrateInstance, *protocol.Restore:
		return true
	}
	return false
}

// onlyReads tells whether a command writes nothing.
func onlyReads(c protocol.Command) bool {
	switch c.(type) {
	case *protocol.PartitionInfo, *protocol.ListDeployments, *protocol.Watermark, *protocol.PullDefinition, *protocol.AwaitJobs,
		*protocol.Survey, *protocol.ListDefinitions, *protocol.FetchDefinitions, *protocol.AwaitDistributed,
		*protocol.Hold, *protocol.Cut:
		return true
	}
	return false
}

// full tells whether nothing may be written any more.
func (l *leader) full() bool { return l.p.Space.Level() == diskspace.Ended }
