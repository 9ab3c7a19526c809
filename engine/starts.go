package engine

import (
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Only the newest version of a process is started by events. Messages and signals
// find it on every partition; timers on one, chosen by the process id, so that
// they are spread (the original runs them all on partition 1).

// addDefinition writes a definition and, if it is the newest version of a
// process now, lets its start events take the place of the older version's.
func (r *run) addDefinition(d *protocol.Definition) {
	old := r.tx.Newest(d.Kind, d.ID)
	r.tx.PutDefinition(d)
	r.e.drain.keep(d)
	r.recordDefinition(d, "CREATED")
	if d.Kind != protocol.ProcessDefinition || old == d.Key || r.tx.Newest(d.Kind, d.ID) != d.Key {
		return
	}
	if old != 0 {
		r.closeStarts(old)
	}
	r.openStarts(d.Key)
}

// closeStarts ends what starts instances of a definition.
func (r *run) closeStarts(key protocol.Key) {
	def := r.e.definition(r.tx, key)
	if def == nil {
		return
	}
	for _, m := range def.process.Root.RootStarts {
		if s := r.startOf(def, m); s != nil {
			s.Key = r.tx.StartKeyOf(s)
			r.tx.DeleteStart(s)
			r.recordStart(s, nil, 0, "DELETED")
		}
	}
	if old := r.tx.StartTimers(key); old != nil {
		r.tx.PutStartTimers(key, old, nil)
		for i := range old {
			r.recordStartTimer(key, &old[i], "CANCELED")
		}
	}
}

// checkStarts works out the start timers of a deployment before anything of it is
// written.
func (r *run) checkStarts(list []deployed) *failure {
	for i := range list {
		if list[i].model == nil {
			continue
		}
		for _, p := range list[i].model.Processes {
			if fail := r.startTimers(p); fail != nil {
				return fail
			}
		}
	}
	return nil
}

// startTimers tells what keeps the start timers of a process from being set.
func (r *run) startTimers(p *bpmn.Process) *failure {
	for _, m := range p.Root.RootStarts {
		if m.Timer == nil {
			continue
		}
		if _, fail := r.timer(m.Timer, nil); fail != nil {
			return fail
		}
	}
	return nil
}

// openStarts lets events start instances of a definition.
func (r *run) openStarts(key protocol.Key) {
	def := r.e.definition(r.tx, key)
	if def == nil {
		return
	}
	var timers []state.Timer
	for _, m := range def.process.Root.RootStarts {
		if s := r.startOf(def, m); s != nil {
			s.Key = r.key()
			r.tx.PutStart(s)
			r.recordStart(s, nil, 0, "CREATED")
			continue
		}
		if !r.startsTimers(def) {
			continue
		}
		t, fail := r.timer(m.Timer, nil)
		if fail != nil { // checked before anything was written
			r.tx.Fail(fmt.Errorf("start timer %s of definition %d: %s", m.ID, key, fail.text))
			return
		}
		t.Key, t.Event = r.key(), m.ID
		timers = append(timers, t)
		r.recordStartTimer(key, &t, "CREATED")
	}
	if len(timers) > 0 {
		r.tx.PutStartTimers(key, nil, timers)
	}
}

// startsTimers tells whether this partition starts a process by time.
func (r *run) startsTimers(def *definition) bool {
	return r.e.messagePartition(def.ID) == r.e.Partition
}

// startOf is the row by which a message or signal finds a start event, nil for a
// timer. Its name was checked to need no variables when it was deployed.
func (r *run) startOf(def *definition, m *bpmn.Element) *state.Start {
	s := &state.Start{Kind: state.MessageStart, ProcessID: def.ID, Definition: def.Key, Event: m.ID}
	name := m.Signal
	switch {
	case m.Message != nil:
		name = m.Message.Name
	case m.Signal != nil:
		s.Kind = state.SignalStart
	default:
		return nil
	}
	if name.IsStatic() {
		s.Name = name.Static()
		return s
	}
	res, err := r.evaluate(name, nil)
	text, ok := res.Value.(feel.String)
	if err != nil || !ok {
		r.tx.Fail(fmt.Errorf("name of start event %s of definition %d: %w", m.ID, def.Key, protocol.ErrCorrupt))
		return nil
	}
	s.Name = string(text)
	return s
}

// startBy begins an instance at a start event that has happened.
func (r *run) startBy(key protocol.Key, event string, vars []state.Variable) *elem {
	def := r.e.definition(r.tx, key)
	if def == nil {
		return nil
	}
	return r.startAs(r.key(), def, event, vars)
}

// startAs does the same with a key that was minted before.
func (r *run) startAs(key protocol.Key, def *definition, event string, vars []state.Variable) *elem {
	root := r.newRoot(def, key)
	r.remember(root)
	r.startWith(root, def.process.Element(event), vars)
	return root
}

// newRoot makes the record of a new instance.
func (r *run) newRoot(def *definition, key protocol.Key) *elem {
	root := r.newElem()
	*root.ElementInstance = state.ElementInstance{
		Key: key, Instance: key, Definition: def.Key, Element: def.ID, State: state.Activating,
		ProcessID: def.ID, Version: def.Version, Started: r.now,
	}
	root.model, root.def, root.dirty = def.process.Root, def, true
	return root
}

// startBySignal begins an instance of a definition that a signal starts.
func (r *run) startBySignal(s *state.Start, doc []byte) {
	if !state.IsShared(doc) {
		r.startBy(s.Definition, s.Event, r.eventVariables(doc))
		return
	}
	r.postpone(&state.Later{
		What: protocol.Correlate{Name: s.Name, ProcessID: s.ProcessID, Variables: doc}, Definition: s.Definition, Root: r.key(), Event: s.Event,
	})
}

// startsOf lists the processes that a message starts. With a correlation key there
// is one instance at a time (reference: Zeebe 8.6, messages).
func (r *run) startsOf(m *state.Message, had map[string]bool) (list []state.Start) {
	for _, s := range r.tx.Starts(state.MessageStart, m.Name) {
		if had[s.ProcessID] || m.CorrelationKey != "" && r.tx.KeyLock(s.ProcessID, m.CorrelationKey) != 0 {
			continue
		}
		had[s.ProcessID] = true
		list = append(list, s)
	}
	return list
}

// startByMessage begins an instance, or lets it begin later. Its key is minted
// here: it locks the correlation key from now on.
func (r *run) startByMessage(s *state.Start, m *state.Message) {
	r.noteHad(m, s.ProcessID)
	l := &state.Later{What: protocol.Correlate{
		Message: m.Key, Subscription: s.Key, Name: s.Name, CorrelationKey: m.CorrelationKey, ProcessID: s.ProcessID, Variables: m.Variables,
	}, Definition: s.Definition, Root: r.key(), Event: s.Event}
	if m.CorrelationKey != "" {
		r.tx.SetKeyLock(s.ProcessID, m.CorrelationKey, l.Root)
	}
	if state.IsShared(m.Variables) {
		r.postpone(l)
	} else {
		r.start(l)
	}
}

// startable finds the definition of an instance that is to begin. If it was deleted
// meanwhile, nothing begins, and the correlation key is free again.
func (r *run) startable(l *state.Later) (def *definition) {
	if d := r.tx.Definition(l.Definition); d != nil && !d.Deleted {
		def = r.e.definition(r.tx, l.Definition)
	}
	if def == nil && l.What.CorrelationKey != "" {
		r.free(l.What.ProcessID, l.What.CorrelationKey)
	}
	return def
}

// start begins an instance by a message or signal.
func (r *run) start(l *state.Later) {
	m, def := &l.What, r.startable(l)
	if def == nil {
		return
	}
	root := r.startAs(l.Root, def, l.Event, r.eventVariables(m.Variables))
	if m.Message == 0 {
		return
	}
	s := &state.Start{Kind: state.MessageStart, Name: m.Name, ProcessID: m.ProcessID, Definition: l.Definition, Event: l.Event, Key: m.Subscription}
	r.recordStart(s, m, root.Key, "CORRELATED")
	if m.CorrelationKey != "" {
		root.More().StartKey = m.CorrelationKey
	}
}

// unlock frees the correlation key of an instance that is over.
func (r *run) unlock(root *elem) {
	if root.Extra != nil && root.Extra.StartKey != "" {
		r.free(root.def.ID, root.Extra.StartKey)
	}
}

// free lets the next kept message with a correlation key begin an instance of a
// process, of the newest version.
func (r *run) free(id, correlationKey string) {
	r.tx.ClearKeyLock(id, correlationKey)
	def := r.e.definition(r.tx, r.tx.Newest(protocol.ProcessDefinition, id))
	if def == nil {
		return
	}
	if s, m := r.oldestStart(def, correlationKey); m != nil {
		m.Variables = r.share(m.Variables, 2) // what has ended is not held up by a large one
		r.startByMessage(s, m)
		r.tx.Release(m.Variables)
	}
}

// oldestStart is the oldest message that is kept for one of the start events.
func (r *run) oldestStart(def *definition, correlationKey string) (start *state.Start, oldest *state.Message) {
	for _, event := range def.process.Root.RootStarts {
		s := r.startOf(def, event)
		if s == nil || s.Kind != state.MessageStart {
			continue
		}
		if s.Key = r.tx.StartKeyOf(s); s.Key == 0 {
			continue
		}
		if m := r.oldest(s.Name, correlationKey, def.ID); m != nil && (oldest == nil || m.Key < oldest.Key) {
			start, oldest = s, m
		}
	}
	return start, oldest
}

// fireStart begins an instance by time.
func (r *run) fireStart(d state.DueTimer) {
	timers := r.tx.StartTimers(d.Definition)
	i := slices.IndexFunc(timers, func(t state.Timer) bool { return t.Key == d.Timer })
	if i < 0 {
		r.tx.Fail(fmt.Errorf("timer %d of definition %d: %w", d.Timer, d.Definition, protocol.ErrCorrupt))
		return
	}
	t := timers[i]
	r.recordStartTimer(d.Definition, &t, "TRIGGERED")
	rest := slices.Delete(slices.Clone(timers), i, i+1)
	if again, ok := r.again(t); ok {
		r.recordStartTimer(d.Definition, &again, "CREATED")
		rest = append(rest, again)
	}
	r.tx.PutStartTimers(d.Definition, timers, rest)
	r.startBy(d.Definition, t.Event, nil)
}
