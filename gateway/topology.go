package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

var pbRoles = map[Role]pb.Partition_PartitionBrokerRole{
	RoleLeader:   pb.Partition_LEADER,
	RoleFollower: pb.Partition_FOLLOWER,
	RoleInactive: pb.Partition_INACTIVE,
}

var pbHealth = map[Health]pb.Partition_PartitionBrokerHealth{
	Healthy:   pb.Partition_HEALTHY,
	Unhealthy: pb.Partition_UNHEALTHY,
	Dead:      pb.Partition_DEAD,
}

func (s service) Topology(context.Context, *pb.TopologyRequest) (*pb.TopologyResponse, error) {
	t := s.broker.Topology()
	resp := &pb.TopologyResponse{
		ClusterSize:       int32(t.ClusterSize),
		PartitionsCount:   int32(t.Partitions),
		ReplicationFactor: int32(t.ReplicationFactor),
		GatewayVersion:    s.cfg.Version,
	}
	if resp.GatewayVersion == "" {
		resp.GatewayVersion = t.Version
	}
	for _, n := range t.Nodes {
		info := &pb.BrokerInfo{NodeId: int32(n.ID), Host: n.Host, Port: int32(n.Port), Version: n.Version}
		for _, p := range n.Partitions {
			info.Partitions = append(info.Partitions, &pb.Partition{PartitionId: int32(p.ID), Role: pbRoles[p.Role], Health: pbHealth[p.Health]})
		}
		resp.Brokers = append(resp.Brokers, info)
	}
	return resp, nil
}
