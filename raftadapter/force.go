package raftadapter

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
)

// Names under which raft keeps its vote.
const (
	lastVoteTerm  = "LastVoteTerm"
	lastCandidate = "LastVoteCand"
)

// ForceAlone makes this node's replica of a partition, whose group must be closed,
// the only member of its group, for a group that has lost its majority for good.
// What only the others have is lost, and if they come back there are two groups
// that both believe to be the partition: who calls it must know that they do not.
//
// It is written as an entry of the log, as a leader of the next term would have
// done, so that all that is in the log is kept, and other replicas follow it as
// they would any leader.
func (n *Node) ForceAlone(p protocol.PartitionID) error {
	g := &Group{partition: p, node: n}
	if err := g.openLog(); err != nil {
		return fmt.Errorf("force partition %d: %w", p, err)
	}
	if err := errors.Join(g.forceAlone(), g.log.Close()); err != nil {
		return fmt.Errorf("force partition %d: %w", p, err)
	}
	return nil
}

func (g *Group) forceAlone() error {
	index, term, err := g.end()
	if err != nil {
		return err
	}
	voted, err := g.log.GetUint64([]byte(currentTerm))
	if err != nil {
		return fmt.Errorf("its term: %w", err)
	}
	term = max(term, voted) + 1
	id := g.node.ServerOf(g.partition)
	if err := errors.Join(
		g.log.SetUint64([]byte(currentTerm), term), g.log.SetUint64([]byte(lastVoteTerm), term), g.log.Set([]byte(lastCandidate), []byte(id)), g.Failure(),
	); err != nil {
		return err
	}
	alone := raft.Configuration{Servers: []raft.Server{{ID: raft.ServerID(id), Address: raft.ServerAddress(id), Suffrage: raft.Voter}}}
	return g.log.StoreLogs([]*raft.Log{{Index: index + 1, Term: term, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(alone)}})
}

// end finds where the log ends: its last entry, or the snapshot if there is none.
func (g *Group) end() (index, term uint64, err error) {
	if index, err = g.log.LastIndex(); err != nil {
		return 0, 0, err
	}
	meta, err := (&snapshots{node: g.node, partition: g.partition}).meta()
	if err != nil {
		return 0, 0, err
	}
	if meta != nil && meta.Index >= index {
		return meta.Index, meta.Term, nil
	}
	if index == 0 {
		return 0, 0, errors.New("there is nothing in its log")
	}
	var last raft.Log
	err = g.log.GetLog(index, &last)
	return index, last.Term, err
}

// LogEnd is the index and term of the last entry of the log: of two replicas of a
// group that has no leader, the one with the higher term, or of one term the
// higher index, has all that the other has and more.
func (g *Group) LogEnd() (index, term uint64, err error) { return g.end() }
