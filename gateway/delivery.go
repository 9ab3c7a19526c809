package gateway

import (
	"context"
	"errors"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy/protocol"
)

func activatedJob(j *protocol.Job) *pb.ActivatedJob {
	return &pb.ActivatedJob{
		Key:                      int64(j.Key),
		Type:                     j.Type,
		ProcessInstanceKey:       int64(j.InstanceKey),
		BpmnProcessId:            j.ProcessID,
		ProcessDefinitionVersion: j.Version,
		ProcessDefinitionKey:     int64(j.DefinitionKey),
		ElementId:                j.ElementID,
		ElementInstanceKey:       int64(j.ElementKey),
		CustomHeaders:            objectText(j.Headers),
		Worker:                   j.Worker,
		Retries:                  j.Retries,
		Deadline:                 j.Deadline,
		Variables:                objectText(j.Variables),
		TenantId:                 defaultTenant,
	}
}

// batches splits jobs into responses of at most limit bytes, in order. A job
// that is larger by itself gets a response of its own.
func batches(jobs []protocol.Job, limit int) [][]*pb.ActivatedJob {
	var all [][]*pb.ActivatedJob
	size := 0
	for i := range jobs {
		j := activatedJob(&jobs[i])
		n := protowire.SizeTag(1) + protowire.SizeBytes(proto.Size(j))
		if len(all) == 0 || size+n > limit {
			all, size = append(all, nil), 0
		}
		last := &all[len(all)-1]
		*last = append(*last, j)
		size += n
	}
	return all
}

// yield hands jobs back that did not reach their client. It returns at once;
// Stop waits for what is on its way. A job that cannot be handed back returns
// when its lock runs out.
func (s *Server) yield(jobs []protocol.Job) {
	if len(jobs) == 0 {
		return
	}
	byPartition := map[protocol.PartitionID]*protocol.YieldJobs{}
	for i := range jobs {
		p := jobs[i].Key.Partition()
		cmd := byPartition[p]
		if cmd == nil {
			cmd = &protocol.YieldJobs{}
			byPartition[p] = cmd
		}
		cmd.Keys = append(cmd.Keys, jobs[i].Key)
		cmd.Deadlines = append(cmd.Deadlines, jobs[i].Deadline)
	}
	for p, cmd := range byPartition {
		s.background.Go(func() { s.sendYield(p, cmd) })
	}
}

// sendYield tries again after anything but an answer: a second YieldJobs does
// no harm, since the jobs are no longer locked until the deadlines it names.
func (s *Server) sendYield(p protocol.PartitionID, cmd *protocol.YieldJobs) {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.RequestTimeout)
	defer cancel()
	var b backoff
	for {
		_, err := s.call(ctx, p, cmd)
		var rejection *protocol.Rejection
		if err == nil {
			return
		}
		if ctx.Err() != nil || errors.As(err, &rejection) || errors.Is(err, protocol.ErrInternal) {
			s.log.Warn("hand back undelivered jobs", "partition", p, "jobs", len(cmd.Keys), "error", err)
			return
		}
		b.wait(ctx)
	}
}
