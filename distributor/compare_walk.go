package distributor

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/protocol"
)

// walk compares two partitions definition by definition and takes what is
// lacking here. It adds, and marks as deleted what is deleted there; it never
// takes anything away, and leaves alone what both have with another content.
type walk struct {
	*comparison
	inbox bool // set it in the end: the sender believes that all was received
	own   map[protocol.Key]protocol.DefinitionSum
	seen  int // of own, there too

	lacking   []protocol.Key
	conflicts []protocol.Key
	theirsDue int // what they do not know to be deleted
	refused   []string
}

const (
	listPage  = 1000
	fetchPage = 50
)

func (c *comparison) walk(inbox bool) {
	w := &walk{comparison: c, inbox: inbox, own: map[protocol.Key]protocol.DefinitionSum{}}
	w.listOwn(0)
}

func (w *walk) listOwn(after protocol.Key) {
	ask(w.Carrier, w.out.Partition(), &protocol.ListDefinitions{After: after, Limit: listPage}, or(w.comparison, func(l *protocol.DefinitionList) {
		for _, d := range l.List {
			w.own[d.Key] = d
		}
		if len(l.List) == listPage {
			w.listOwn(l.List[listPage-1].Key)
			return
		}
		w.listTheirs(0)
	}))
}

func (w *walk) listTheirs(after protocol.Key) {
	ask(w.Carrier, w.Target, &protocol.ListDefinitions{After: after, Limit: listPage}, or(w.comparison, func(l *protocol.DefinitionList) {
		for _, d := range l.List {
			w.look(d)
		}
		if len(l.List) == listPage {
			w.listTheirs(l.List[listPage-1].Key)
			return
		}
		w.fetch(w.lacking)
	}))
}

// look compares one definition of theirs with that of the same key here.
func (w *walk) look(d protocol.DefinitionSum) {
	mine, ok := w.own[d.Key]
	if ok {
		w.seen++
	}
	switch {
	case !ok, d.Deleted && !mine.Deleted:
		w.lacking = append(w.lacking, d.Key)
	case d.Sum == mine.Sum:
	case mine.Deleted && !d.Deleted:
		w.theirsDue++
	default:
		w.conflicts = append(w.conflicts, d.Key)
	}
}

// fetch takes what is lacking, some at a time.
func (w *walk) fetch(keys []protocol.Key) {
	if len(keys) == 0 {
		w.finish()
		return
	}
	page := keys[:min(len(keys), fetchPage)]
	ask(w.Carrier, w.Target, &protocol.FetchDefinitions{Keys: page}, or(w.comparison, func(r *protocol.DefinitionReply) {
		if len(r.Definitions) == 0 {
			w.fetch(keys[len(page):]) // they are gone there, too
			return
		}
		last := r.Definitions[len(r.Definitions)-1].Key
		rest := keys
		for len(rest) > 0 && rest[0] <= last { // in the order of keys
			rest = rest[1:]
		}
		w.take(r, func() { w.fetch(rest) })
	}))
}

// take brings definitions in.
func (w *walk) take(r *protocol.DefinitionReply, then func()) {
	taken := func(got *protocol.Received) {
		for _, f := range got.Refused {
			w.refused = append(w.refused, f.Reason)
		}
		if len(got.Refused) == 0 {
			w.Repaired += uint64(len(r.Definitions))
			w.config.Repaired(w.Target, len(r.Definitions))
			w.config.Log.Info("definitions taken from another partition", "from", w.Target, "definitions", len(r.Definitions))
		}
		then()
	}
	if w.out.Partition() == protocol.DeploymentPartition {
		w.takeBack(&protocol.Reconcile{Definitions: r.Definitions, Bodies: r.Bodies}, taken)
		return
	}
	ask(w.Carrier, w.out.Partition(), &protocol.TakeBase{
		Source: w.Target, Epoch: w.theirs.Epoch, Lane: protocol.LaneDeployments, Definitions: r.Definitions, Bodies: r.Bodies,
	}, or(w.comparison, taken))
}

// takeBack lets the deployment partition count above what the other one has
// seen of it before it writes any row.
func (w *walk) takeBack(c *protocol.Reconcile, then func(*protocol.Received)) {
	c.From, c.Lanes = w.Target, w.theirs.Lanes
	w.reconcile(c, or(w.comparison, then))
}

func (w *walk) finish() {
	switch {
	case w.out.Partition() == protocol.DeploymentPartition:
		w.takeBack(&protocol.Reconcile{}, func(*protocol.Received) { w.verdict() })
	case w.inbox && len(w.refused) == 0:
		ask(w.Carrier, w.out.Partition(), &protocol.TakeBase{
			Source: w.Target, Epoch: w.theirs.Epoch, Lane: protocol.LaneDeployments, UpTo: w.theirs.Seq,
		}, or(w.comparison, func(*protocol.Received) { w.verdict() }))
	default:
		w.verdict()
	}
}

// verdict compares once more if something was taken in, or says what is left.
func (w *walk) verdict() {
	if (len(w.lacking) > 0 || w.inbox) && len(w.refused) == 0 && w.rounds < compareRounds {
		w.round()
		return
	}
	extra := len(w.own) - w.seen + w.theirsDue
	w.differ(len(w.conflicts)+len(w.refused)+extra, w.why(extra))
}

func (w *walk) why(extra int) string {
	var parts []string
	if extra > 0 {
		parts = append(parts, fmt.Sprintf("%d are known here only", extra))
	}
	if n := len(w.conflicts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d have another content under the same key, the first is %d", n, w.conflicts[0]))
	}
	if len(w.refused) > 0 {
		parts = append(parts, "refused here: "+w.refused[0])
	}
	return strings.Join(parts, "; ")
}
