package engine_test

import (
	"reflect"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// drain lets everything come to its end: jobs are completed, incidents
// resolved, and what waits for ever is cancelled. Then nothing may be left but
// the definitions, and the partitions must agree on those.
func (w *world) drain() {
	w.draining = true
	for range 1000 {
		w.deliverAll()
		if w.round(0)+w.round(1) == 0 {
			break
		}
	}
	for i := range w.parts {
		w.cancelAll(i)
	}
	w.deliverAll()
	for i := range w.parts {
		w.round(i) // messages outlive those who waited
		w.look(i)
	}
	w.deliverAll()
	for i := range w.parts {
		w.cancelAll(i) // what their messages had started
	}
	w.deliverAll()
	for i := range w.parts {
		w.forgetDeleted(i)
		w.nothingLeft(i)
	}
	w.sameDefinitions()
}

// forgetDeleted lets the walk for what is deleted come to its end: it begins again
// only after ten times as long as the last one took.
func (w *world) forgetDeleted(i int) {
	for n := 0; len(w.makers[i].Seen.Rows[state.TableDraining]) > 0; n++ {
		if n > 1000 {
			w.t.Fatalf("partition %d does not forget what is deleted", i+1)
		}
		w.cluster.Now += 10_000
		w.now(i, &protocol.Tick{})
		w.look(i)
	}
}

// sameDefinitions: the partitions agree on what was deployed and what was deleted.
func (w *world) sameDefinitions() {
	here, there := w.makers[0].Seen.Definitions, w.makers[1].Seen.Definitions
	if len(here) != len(there) {
		w.t.Errorf("partition 1 has %d definitions, partition 2 %d", len(here), len(there))
	}
	for key, d := range here {
		if !reflect.DeepEqual(d, there[key]) {
			w.t.Errorf("definition %d: partition 1 has\n%+v\n, partition 2\n%+v", key, d, there[key])
		}
	}
}

// now executes a command and commits it.
func (w *world) now(i int, cmd protocol.Command) (continues bool) {
	out := w.execute(i, cmd)
	check(w.t, w.parts[i].CommitAll())
	w.packing[i]++
	for n := 0; out.Effects.Continue; n++ {
		if n > 10_000 {
			w.t.Fatalf("partition %d: %T leads to work without end", i+1, cmd)
		}
		out = w.execute(i, &protocol.Continue{})
		check(w.t, w.parts[i].CommitAll())
		w.packing[i]++
	}
	return len(out.Effects.Completed) > 0
}

// round does once what can be done, and says how much that was.
func (w *world) round(i int) (done int) {
	w.cluster.Now += 10_000
	w.now(i, &protocol.Continue{})
	waiting := len(w.makers[i].Seen.Rows[state.TableTimer])
	w.now(i, &protocol.Tick{})
	w.look(i)
	done = max(0, waiting-len(w.makers[i].Seen.Rows[state.TableTimer]))
	for _, key := range w.makers[i].Seen.Order[state.TableIncident] {
		in := w.makers[i].Seen.Incidents[key]
		if in.Job != 0 {
			w.now(i, &protocol.UpdateJobRetries{JobKey: in.Job, Retries: 1})
		}
		for _, key := range []protocol.Key{in.Element, w.makers[i].Seen.Elements[in.Element].Scope} {
			if key != 0 { // the events of event sub-processes see the scope only
				w.now(i, &protocol.SetVariables{ElementKey: key, Variables: []byte(`{"v":1,"w":1}`), Local: true})
			}
		}
		w.now(i, &protocol.ResolveIncident{IncidentKey: key})
		if !stays(in) {
			done++
		}
	}
	for _, jobType := range []string{"a", "b", "c"} {
		out := w.execute(i, &protocol.ActivateJobs{Type: jobType, Max: 1000, Timeout: 1000, FetchVariables: []string{"none"}})
		for _, j := range out.Reply.(*protocol.Jobs).Jobs {
			w.now(i, &protocol.CompleteJob{JobKey: j.Key, Variables: []byte(`{"v":1,"w":1}`)})
			done++
		}
	}
	check(w.t, w.parts[i].CommitAll())
	w.packing[i]++
	w.look(i)
	return done
}

// cancelAll ends what is left. It may only be what waits at a join, or the end
// event of an error that nothing catches, or a call of what is not there.
func (w *world) cancelAll(i int) {
	for _, key := range w.makers[i].Seen.Order[state.TableElement] {
		e := w.makers[i].Seen.Elements[key]
		if (e.Job != 0 || e.Incident != 0) && !stays(w.makers[i].Seen.Incidents[e.Incident]) {
			w.t.Errorf("partition %d: %s did not end: %+v", i+1, e.Element, e)
		}
		if e.Scope == 0 && (e.Extra == nil || e.Extra.Caller == 0) {
			w.now(i, &protocol.CancelInstance{InstanceKey: key})
		}
	}
	w.look(i)
}

// stays tells whether an incident is made again whenever it is resolved.
func stays(in *state.Incident) bool {
	return in != nil && in.Job == 0 && (in.Type == "UNHANDLED_ERROR_EVENT" || in.Type == "CALLED_ELEMENT_ERROR" || in.Type == "CALLED_DECISION_ERROR")
}

func (w *world) nothingLeft(i int) {
	for _, table := range []state.Table{
		state.TableElement, state.TableJob, state.TableActivatable, state.TableDeadline, state.TableBackOff,
		state.TableIncident, state.TableChild, state.TableTimer, state.TableLoop, state.TableVariables,
		state.TableSubscriber, state.TableMessage, state.TableExpiry, state.TableMessageID, state.TableCorrelated, state.TableKeyLock,
		state.TableSignal, state.TableBroadcast, state.TableShared, state.TableHolders, state.TableLater, state.TableContinue, state.TableParts, state.TableCompensable, state.TableCompensating, state.TableOutbox,
	} {
		if n := len(w.makers[i].Seen.Rows[table]); n > 0 {
			w.t.Errorf("partition %d: %d rows of table %x are left", i+1, n, table)
		}
	}
}

// deliverAll sends the rows of both partitions until they are applied.
func (w *world) deliverAll() {
	for tries := 0; len(w.makers[0].Seen.Outbox)+len(w.makers[1].Seen.Outbox) > 0; tries++ {
		if tries > 3000 {
			w.t.Fatalf("%d and %d rows are not delivered", len(w.makers[0].Seen.Outbox), len(w.makers[1].Seen.Outbox))
		}
		for i := range w.parts {
			for _, row := range w.makers[1-i].Seen.Outbox {
				cmd := &protocol.Receive{Source: w.parts[1-i].ID, Epoch: epochOf(2 - i), Lane: row.Lane}
				cmd.Items = []protocol.Item{{Seq: row.Seq, Command: w.makers[1-i].Seen.Whole(row.Command)}}
				for _, h := range enginetest.Hashes(row.Command) {
					cmd.Bodies = append(cmd.Bodies, protocol.Body{Hash: h, Data: w.makers[1-i].Bodies[h]})
				}
				w.now(i, cmd)
			}
			w.look(i)
		}
		for i := range w.parts {
			w.acknowledge(i)
			w.now(i, &protocol.Tick{})
			w.look(i)
		}
	}
}
