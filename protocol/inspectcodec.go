package protocol

func (c *ListIncidents) encode(b []byte) []byte {
	return AppendInt(AppendString(AppendInt(b, int64(c.After)), c.ProcessID), int64(c.Limit))
}
func (c *ListIncidents) decode(r *Reader) {
	*c = ListIncidents{After: r.Key(), ProcessID: r.String(), Limit: int32(r.Int())}
}

func (c *ListInstances) encode(b []byte) []byte {
	return AppendInt(AppendString(AppendInt(b, int64(c.After)), c.ProcessID), int64(c.Limit))
}
func (c *ListInstances) decode(r *Reader) {
	*c = ListInstances{After: r.Key(), ProcessID: r.String(), Limit: int32(r.Int())}
}

func (c *InspectInstance) encode(b []byte) []byte {
	return AppendInt(AppendInt(b, int64(c.Key)), int64(c.MaxValue))
}
func (c *InspectInstance) decode(r *Reader) { c.Key, c.MaxValue = r.Key(), int32(r.Int()) }

func (c *ListMessages) encode(b []byte) []byte {
	return AppendInt(AppendString(appendPlace(b, c.After), c.Name), int64(c.Limit))
}
func (c *ListMessages) decode(r *Reader) {
	*c = ListMessages{After: readPlace(r), Name: r.String(), Limit: int32(r.Int())}
}

func appendPlace(b []byte, p MessagePlace) []byte {
	return AppendInt(AppendInt(b, p.Deadline), int64(p.Key))
}
func readPlace(r *Reader) MessagePlace { return MessagePlace{Deadline: r.Int(), Key: r.Key()} }

func appendIncident(b []byte, i *IncidentRow) []byte {
	for _, k := range [...]Key{i.Key, i.Instance, i.Element, i.Job, i.Definition} {
		b = AppendInt(b, int64(k))
	}
	b = AppendInt(AppendString(b, i.ProcessID), int64(i.Version))
	for _, s := range [...]string{i.ElementID, i.Type, i.Message} {
		b = AppendString(b, s)
	}
	return AppendInt(b, i.Since)
}

func readIncident(r *Reader) IncidentRow {
	return IncidentRow{
		Key: r.Key(), Instance: r.Key(), Element: r.Key(), Job: r.Key(), Definition: r.Key(),
		ProcessID: r.String(), Version: int32(r.Int()), ElementID: r.String(), Type: r.String(), Message: r.String(), Since: r.Int(),
	}
}

func (p *Incidents) encode(b []byte) []byte {
	return AppendInt(appendList(b, p.List, appendIncident), int64(p.Next))
}
func (p *Incidents) decode(r *Reader) { p.List, p.Next = readList(r, 11, readIncident), r.Key() }

func appendInstance(b []byte, i *InstanceRow) []byte {
	for _, k := range [...]Key{i.Key, i.Definition, i.Caller} {
		b = AppendInt(b, int64(k))
	}
	b = append(AppendInt(AppendString(b, i.ProcessID), int64(i.Version)), i.State)
	return AppendStrings(AppendInt(AppendInt(AppendInt(b, i.Started), i.Children), i.Incidents), i.At)
}

func readInstance(r *Reader) InstanceRow {
	return InstanceRow{
		Key: r.Key(), Definition: r.Key(), Caller: r.Key(), ProcessID: r.String(), Version: int32(r.Int()), State: r.Byte(),
		Started: r.Int(), Children: r.Int(), Incidents: r.Int(), At: r.Strings(),
	}
}

func (p *Instances) encode(b []byte) []byte {
	return AppendInt(appendList(b, p.List, appendInstance), int64(p.Next))
}
func (p *Instances) decode(r *Reader) { p.List, p.Next = readList(r, 10, readInstance), r.Key() }

func (p *InstanceTree) encode(b []byte) []byte {
	return appendList(appendInstance(b, &p.Instance), p.Elements, appendElement)
}
func (p *InstanceTree) decode(r *Reader) {
	p.Instance, p.Elements = readInstance(r), readList(r, 19, readElement)
}

func appendElement(b []byte, e *ElementRow) []byte {
	b = append(AppendString(AppendInt(AppendInt(b, int64(e.Key)), int64(e.Scope)), e.ElementID), e.State)
	b = appendList(b, e.Variables, func(b []byte, v *VariableRow) []byte {
		return AppendInt(AppendBytes(AppendString(b, v.Name), v.Value), v.Size)
	})
	b = AppendInt(AppendInt(b, e.MoreVars), e.MoreInside)
	b = appendList(b, e.Timers, func(b []byte, t *TimerRow) []byte {
		return AppendInt(AppendInt(AppendString(b, t.Event), t.Due), t.Repeats)
	})
	b = appendList(b, e.Messages, func(b []byte, s *SubscriptionRow) []byte {
		return AppendBool(AppendString(AppendString(AppendString(b, s.Event), s.Name), s.CorrelationKey), s.Signal)
	})
	b = appendList(b, e.Joins, func(b []byte, j *JoinRow) []byte { return AppendStrings(AppendString(b, j.ElementID), j.Flows) })
	if b = AppendBool(b, e.Job != nil); e.Job != nil {
		b = appendJobRow(b, e.Job)
	}
	if b = AppendBool(b, e.Incident != nil); e.Incident != nil {
		b = appendIncident(b, e.Incident)
	}
	b = AppendInt(AppendInt(b, int64(e.Called)), int64(e.UserTask))
	b = appendList(b, e.Loop, func(b []byte, n *int64) []byte { return AppendInt(b, *n) })
	b = AppendString(AppendInt(b, e.Listener), e.Follows)
	return AppendBool(AppendBool(b, e.Interrupts), e.Compensate)
}

func readElement(r *Reader) ElementRow {
	e := ElementRow{Key: r.Key(), Scope: r.Key(), ElementID: r.String(), State: r.Byte()}
	e.Variables = readList(r, 3, func(r *Reader) VariableRow { return VariableRow{Name: r.String(), Value: r.Bytes(), Size: r.Int()} })
	e.MoreVars, e.MoreInside = r.Int(), r.Int()
	e.Timers = readList(r, 3, func(r *Reader) TimerRow { return TimerRow{Event: r.String(), Due: r.Int(), Repeats: r.Int()} })
	e.Messages = readList(r, 4, func(r *Reader) SubscriptionRow {
		return SubscriptionRow{Event: r.String(), Name: r.String(), CorrelationKey: r.String(), Signal: r.Bool()}
	})
	e.Joins = readList(r, 2, func(r *Reader) JoinRow { return JoinRow{ElementID: r.String(), Flows: r.Strings()} })
	if r.Bool() {
		j := readJobRow(r)
		e.Job = &j
	}
	if r.Bool() {
		i := readIncident(r)
		e.Incident = &i
	}
	e.Called, e.UserTask = r.Key(), r.Key()
	e.Loop = readList(r, 1, (*Reader).Int)
	e.Listener, e.Follows, e.Interrupts, e.Compensate = r.Int(), r.String(), r.Bool(), r.Bool()
	return e
}

func appendJobRow(b []byte, j *JobRow) []byte {
	b = append(AppendString(AppendString(AppendInt(b, int64(j.Key)), j.Type), j.Worker), j.State)
	return AppendInt(AppendInt(b, int64(j.Retries)), j.Deadline)
}

func readJobRow(r *Reader) JobRow {
	return JobRow{Key: r.Key(), Type: r.String(), Worker: r.String(), State: r.Byte(), Retries: int32(r.Int()), Deadline: r.Int()}
}

func (p *Messages) encode(b []byte) []byte {
	b = appendList(b, p.List, func(b []byte, m *MessageRow) []byte {
		b = appendPlace(b, m.Place)
		b = AppendString(AppendString(AppendString(b, m.Name), m.CorrelationKey), m.ID)
		return AppendStrings(AppendInt(b, m.Size), m.Had)
	})
	return appendPlace(b, p.Next)
}

func (p *Messages) decode(r *Reader) {
	p.List = readList(r, 7, func(r *Reader) MessageRow {
		return MessageRow{Place: readPlace(r), Name: r.String(), CorrelationKey: r.String(), ID: r.String(), Size: r.Int(), Had: r.Strings()}
	})
	p.Next = readPlace(r)
}

func appendList[T any](b []byte, list []T, one func([]byte, *T) []byte) []byte {
	b = AppendUint(b, uint64(len(list)))
	for i := range list {
		b = one(b, &list[i])
	}
	return b
}

// readList reads what appendList made; size is the least that one takes.
func readList[T any](r *Reader, size int, one func(*Reader) T) []T {
	list := make([]T, r.Count(size))
	for i := range list {
		list[i] = one(r)
	}
	return list
}
