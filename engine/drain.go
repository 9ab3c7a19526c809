package engine

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// drain finds the deleted definitions that nobody needs any more, and forgets them.
// It walks over all instances, as they are not counted by definition (that would cost
// each of them two writes), then over all definitions, for those with the same
// content. A part of it is done with each tick.
type drain struct {
	next    int64 // when it begins or goes on, in ms since 1970
	began   int64 // 0: it has not
	at      protocol.Key
	looking map[protocol.Key]bool  // deleted definitions: whether an instance was found
	gone    []protocol.Key         // of them those that nobody needs
	drains  map[protocol.Hash]int  // contents of those, and how many have it
	used    map[protocol.Hash]bool // contents of all others
	counted bool                   // drains and used are complete
}

const (
	drainRows  = 1000 // elements, and definitions, of one tick
	drainGone  = 100  // definitions that one tick forgets
	drainAgain = 5000 // ms between two walks, at least
)

// drainDeleted goes on with the walk.
func (r *run) drainDeleted() {
	w := &r.e.drain
	if r.now < w.next || r.spent() || !r.unit(Unit{kind: unitDrain}) {
		return
	}
	if w.began == 0 && !r.beginDrain(w) {
		return
	}
	if w.used == nil && !r.instancesOf(w) || !w.counted && !r.hashesOf(w) {
		return // the next tick goes on
	}
	for n := 0; n < drainGone && len(w.gone) > 0 && (n == 0 || !r.large()); n++ {
		if d := r.tx.Definition(w.gone[0]); d != nil {
			r.forgetDefinition(d, w)
		}
		w.gone = w.gone[1:]
	}
	if len(w.gone) == 0 {
		*w = drain{next: r.now + max(drainAgain, 10*(r.now-w.began))}
	}
}

// beginDrain tells whether there is anything to look for.
func (r *run) beginDrain(w *drain) bool {
	*w = drain{next: r.now + drainAgain}
	looking := map[protocol.Key]bool{}
	for _, key := range r.tx.Draining() {
		if r.tx.IsDraining(key) {
			looking[key] = false
		}
	}
	if len(looking) == 0 {
		return false
	}
	*w = drain{began: r.now, looking: looking}
	return true
}

// instancesOf looks for instances of deleted processes, and tells whether it is done.
// It looks at committed rows only: no instance can have begun after the deletion, so
// one that is not found does not exist.
func (r *run) instancesOf(w *drain) bool {
	var roots []state.Root
	roots, w.at = r.tx.Roots(w.at, drainRows)
	for _, root := range roots {
		if _, ok := w.looking[root.Definition]; ok {
			w.looking[root.Definition] = true
		}
	}
	if w.at != 0 {
		return false
	}
	if !r.undelivered() {
		for _, key := range r.tx.Draining() {
			if found, looked := w.looking[key]; looked && !found {
				w.gone = append(w.gone, key)
			}
		}
	}
	w.drains, w.used = map[protocol.Hash]int{}, map[protocol.Hash]bool{}
	if w.counted = len(w.gone) == 0; !w.counted {
		w.count(r.tx.UncommittedDefinitions())
	}
	return true
}

// hashesOf counts who has which content, by the committed definitions, and tells
// whether it is done. No content is read for that.
func (r *run) hashesOf(w *drain) bool {
	list, err := r.tx.Definitions(w.at, drainRows)
	if err != nil {
		r.tx.Fail(err)
		return false
	}
	w.count(list)
	if w.counted = len(list) < drainRows; !w.counted {
		w.at = list[len(list)-1].Key
	}
	return w.counted
}

func (w *drain) count(list []protocol.Definition) {
	for i := range list {
		d := &list[i]
		switch found, looked := w.looking[d.Key]; {
		case d.Gone(): // it has none any more
		case looked && !found:
			w.drains[d.Hash]++
		default:
			w.used[d.Hash] = true
		}
	}
}

// keep notes that a definition has come, wherever the walk is.
func (w *drain) keep(d *protocol.Definition) {
	if w.used != nil {
		w.used[d.Hash] = true
	}
}

// forgetDefinition keeps only a tombstone of a definition, and its content only while
// others have it.
func (r *run) forgetDefinition(d *protocol.Definition, w *drain) {
	if d.Kind == protocol.ProcessDefinition {
		r.recordDefinition(d, "DELETED")
	}
	r.tx.DeleteDraining(d.Key)
	r.tx.PutTombstone(d)
	if w.drains[d.Hash]--; w.drains[d.Hash] == 0 && !w.used[d.Hash] {
		r.tx.DropBody(d.Hash)
	}
}

// undelivered tells whether other partitions have not applied all deployments:
// they may still need the contents.
func (r *run) undelivered() (any bool) {
	for p := 1; p <= r.e.Partitions; p++ {
		r.tx.Scan(state.OutboxPrefix(protocol.PartitionID(p), protocol.LaneDeployments), nil, func(_, _ []byte) bool {
			any = true
			return false
		})
	}
	return any
}
