package grevy

import (
	"context"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// DeploymentStatus is one deployment and where it is.
type DeploymentStatus struct {
	Key         string           `json:"key"`
	Time        time.Time        `json:"time"`
	Definitions []DefinitionInfo `json:"definitions"`
	Partitions  []int            `json:"partitions"` // that have it
	Pending     []PendingInfo    `json:"pending"`
	Refused     []RefusedInfo    `json:"refused"`
	State       string           `json:"state"` // everywhere, spreading, refused
}

// DefinitionInfo is one process, decision, form or decision requirements of a
// deployment.
type DefinitionInfo struct {
	Key        string `json:"key"`
	Kind       string `json:"kind"` // process, decision requirements, decision, form
	ID         string `json:"id"`
	Version    int32  `json:"version"`
	VersionTag string `json:"versionTag,omitempty"`
	Resource   string `json:"resource"`
}

// PendingInfo is a partition that does not have a deployment yet, and why.
type PendingInfo struct {
	Partition int       `json:"partition"`
	Since     time.Time `json:"since"`
	Attempts  int       `json:"attempts"`
	Error     string    `json:"error,omitempty"`
}

// RefusedInfo is a partition that refused a deployment for good.
type RefusedInfo struct {
	Partition int    `json:"partition"`
	Reason    string `json:"reason"`
}

// Deployments lists deployments, newest first: those with a key below before,
// or from the newest if before is 0.
func (b *Broker) Deployments(ctx context.Context, before protocol.Key, limit int) ([]DeploymentStatus, error) {
	reply, err := ask[*protocol.Deployments](ctx, b, protocol.DeploymentPartition, &protocol.ListDeployments{Before: before, Limit: int32(limit)})
	if err != nil {
		return nil, err
	}
	list := []DeploymentStatus{}
	for _, s := range reply.List {
		list = append(list, b.deploymentStatus(&s))
	}
	return list, nil
}

func (b *Broker) deploymentStatus(s *protocol.DeploymentStatus) DeploymentStatus {
	d := DeploymentStatus{
		Key: s.Deployment.Key.String(), Time: time.UnixMilli(s.Deployment.Time), State: "everywhere",
		Definitions: []DefinitionInfo{}, Pending: []PendingInfo{}, Refused: []RefusedInfo{}, Partitions: []int{},
	}
	for _, def := range s.Deployment.Definitions {
		d.Definitions = append(d.Definitions, DefinitionInfo{
			Key: def.Key.String(), Kind: def.Kind.String(), ID: def.ID, Version: def.Version, VersionTag: def.VersionTag, Resource: def.ResourceName,
		})
	}
	without := map[int]bool{}
	for _, p := range s.Refused {
		without[int(p.Partition)] = true
		d.State = "refused"
		d.Refused = append(d.Refused, RefusedInfo{Partition: int(p.Partition), Reason: p.Reason})
	}
	for _, p := range s.Pending {
		without[int(p.Partition)] = true
		d.State = "spreading"
		d.Pending = append(d.Pending, PendingInfo{Partition: int(p.Partition), Since: time.UnixMilli(p.Since), Attempts: int(p.Attempts), Error: p.Error})
	}
	for p := 1; p <= b.partitionCount(); p++ {
		if !without[p] {
			d.Partitions = append(d.Partitions, p)
		}
	}
	return d
}
