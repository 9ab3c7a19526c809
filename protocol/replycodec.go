package protocol

func (p *Done) encode(b []byte) []byte { return b }
func (p *Done) decode(*Reader)         {}

func (p *Deployed) encode(b []byte) []byte {
	d := Deployment{Key: p.Key, Definitions: p.Definitions}
	return AppendUint(AppendDeployment(b, &d), p.Seq)
}

func (p *Deployed) decode(r *Reader) {
	d := ReadDeployment(r)
	p.Key, p.Definitions, p.Seq = d.Key, d.Definitions, r.Uint()
}

func (p *Created) encode(b []byte) []byte {
	b = AppendInt(AppendInt(b, int64(p.DefinitionKey)), int64(p.InstanceKey))
	return AppendInt(AppendString(b, p.ProcessID), int64(p.Version))
}

func (p *Created) decode(r *Reader) {
	*p = Created{DefinitionKey: r.Key(), InstanceKey: r.Key(), ProcessID: r.String(), Version: int32(r.Int())}
}

func (p *Result) encode(b []byte) []byte { return AppendBytes(p.Created.encode(b), p.Variables) }
func (p *Result) decode(r *Reader)       { p.Created.decode(r); p.Variables = r.Bytes() }

func (p *Jobs) encode(b []byte) []byte {
	b = AppendBool(b, p.Truncated)
	b = AppendUint(b, uint64(len(p.Jobs)))
	for i := range p.Jobs {
		b = appendJob(b, &p.Jobs[i])
	}
	return b
}

func (p *Jobs) decode(r *Reader) {
	p.Truncated = r.Bool()
	p.Jobs = make([]Job, r.Count(12))
	for i := range p.Jobs {
		p.Jobs[i] = readJob(r)
	}
}

func appendJob(b []byte, j *Job) []byte {
	for _, k := range [...]Key{j.Key, j.InstanceKey, j.DefinitionKey, j.ElementKey} {
		b = AppendInt(b, int64(k))
	}
	for _, s := range [...]string{j.Type, j.ProcessID, j.ElementID, j.Worker} {
		b = AppendString(b, s)
	}
	b = AppendInt(AppendInt(b, int64(j.Version)), int64(j.Retries))
	b = AppendInt(b, j.Deadline)
	return AppendBytes(AppendBytes(b, j.Headers), j.Variables)
}

func readJob(r *Reader) Job {
	return Job{
		Key: r.Key(), InstanceKey: r.Key(), DefinitionKey: r.Key(), ElementKey: r.Key(),
		Type: r.String(), ProcessID: r.String(), ElementID: r.String(), Worker: r.String(),
		Version: int32(r.Int()), Retries: int32(r.Int()), Deadline: r.Int(),
		Headers: r.Bytes(), Variables: r.Bytes(),
	}
}

func (p *KeyReply) encode(b []byte) []byte { return AppendInt(b, int64(p.Key)) }
func (p *KeyReply) decode(r *Reader)       { p.Key = r.Key() }

func appendRefused(b []byte, list []RefusedItem) []byte {
	b = AppendUint(b, uint64(len(list)))
	for _, i := range list {
		b = AppendString(AppendUint(b, i.Seq), i.Reason)
	}
	return b
}

func readRefused(r *Reader) []RefusedItem {
	n := r.Count(2)
	if n == 0 {
		return nil
	}
	list := make([]RefusedItem, n)
	for i := range list {
		list[i] = RefusedItem{Seq: r.Uint(), Reason: r.String()}
	}
	return list
}

func (p *Received) encode(b []byte) []byte {
	b = AppendUint(AppendUint(b, p.Epoch), p.UpTo)
	b = AppendBool(appendRefused(b, p.Refused), p.Gap)
	b = AppendUint(b, uint64(len(p.Missing)))
	for i := range p.Missing {
		b = append(b, p.Missing[i][:]...)
	}
	return b
}

func (p *Received) decode(r *Reader) {
	*p = Received{Epoch: r.Uint(), UpTo: r.Uint(), Refused: readRefused(r), Gap: r.Bool()}
	if n := r.Count(len(Hash{})); n > 0 {
		p.Missing = make([]Hash, n)
		for i := range p.Missing {
			p.Missing[i] = r.Hash()
		}
	}
}

func (p *DefinitionReply) encode(b []byte) []byte {
	b = AppendInt(AppendUint(AppendUint(b, p.Epoch), p.Seq), int64(p.Key))
	b = appendDefinitions(b, p.Definitions)
	return appendBodies(b, p.Bodies)
}

func (p *DefinitionReply) decode(r *Reader) {
	*p = DefinitionReply{Epoch: r.Uint(), Seq: r.Uint(), Key: r.Key(), Definitions: readDefinitions(r), Bodies: readBodies(r)}
}

func (p *Deployments) encode(b []byte) []byte {
	b = AppendUint(b, p.Seq)
	b = AppendUint(b, uint64(len(p.List)))
	for i := range p.List {
		b = appendStatus(b, &p.List[i])
	}
	return b
}

func appendStatus(b []byte, s *DeploymentStatus) []byte {
	return appendPushes(AppendDeployment(b, &s.Deployment), s.Pending, s.Refused)
}

func (p *Deployments) decode(r *Reader) {
	p.Seq = r.Uint()
	p.List = make([]DeploymentStatus, r.Count(5))
	for i := range p.List {
		s := DeploymentStatus{Deployment: ReadDeployment(r)}
		s.Pending, s.Refused = readPushes(r)
		p.List[i] = s
	}
}

func (p *Info) encode(b []byte) []byte {
	b = AppendUint(b, uint64(p.Partition))
	for _, v := range [...]uint64{p.Term, p.Applied, p.DeploymentSeq} {
		b = AppendUint(b, v)
	}
	for _, v := range [...]int64{p.OldestPending, p.Pending, p.Instances, p.JobsWaiting, p.JobsActive, p.Incidents, p.OldestIncident, p.Messages} {
		b = AppendInt(b, v)
	}
	b = AppendUint(AppendString(AppendString(b, p.RecordLog), p.Restoring), uint64(len(p.Lanes)))
	for i := range p.Lanes {
		b = appendLaneInfo(b, &p.Lanes[i])
	}
	c := &p.Compared
	b = AppendInt(AppendInt(AppendInt(b, c.At), c.Differs), c.Repaired)
	return AppendString(AppendString(b, c.Why), c.Error)
}

func appendLaneInfo(b []byte, l *LaneInfo) []byte {
	b = append(AppendUint(b, uint64(l.Target)), byte(l.Lane))
	b = AppendInt(AppendInt(b, l.Pending), l.Oldest)
	return AppendString(AppendInt(b, int64(l.Attempts)), l.Error)
}

func readLaneInfo(r *Reader) LaneInfo {
	return LaneInfo{Target: PartitionID(r.Uint()), Lane: Lane(r.Byte()), Pending: r.Int(), Oldest: r.Int(), Attempts: int32(r.Int()), Error: r.String()}
}

func (p *Info) decode(r *Reader) {
	*p = Info{
		Partition: PartitionID(r.Uint()), Term: r.Uint(), Applied: r.Uint(), DeploymentSeq: r.Uint(),
		OldestPending: r.Int(), Pending: r.Int(), Instances: r.Int(), JobsWaiting: r.Int(), JobsActive: r.Int(), Incidents: r.Int(),
		OldestIncident: r.Int(), Messages: r.Int(),
		RecordLog: r.String(), Restoring: r.String(),
	}
	if n := r.Count(6); n > 0 {
		p.Lanes = make([]LaneInfo, n)
		for i := range p.Lanes {
			p.Lanes[i] = readLaneInfo(r)
		}
	}
	p.Compared = CompareInfo{At: r.Int(), Differs: r.Int(), Repaired: r.Int(), Why: r.String(), Error: r.String()}
}
