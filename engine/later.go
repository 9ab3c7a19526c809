package engine

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// share makes a document one that is written once, if it would be written copies
// times and that is too much for one command. This command holds it until it
// releases it.
func (r *run) share(doc []byte, copies int) []byte {
	switch {
	case state.IsShared(doc):
		r.tx.Hold(doc)
		return doc
	case len(doc)*copies <= r.e.ShareAbove || copies < 2:
		return doc
	}
	return r.tx.Share(r.key(), doc)
}

// postpone lets a message or signal with a shared document happen here in a command
// of its own: each that gets it writes it again.
func (r *run) postpone(l *state.Later) {
	r.tx.AddLater(l)
	r.suspend([]step{{op: stepLater, key: l.Key()}})
}

func (r *run) doLater(key protocol.Key) {
	l := r.tx.Later(key)
	if l == nil {
		return
	}
	if l.Definition != 0 {
		r.start(l)
	} else {
		r.correlate(&l.What)
	}
	r.tx.DeleteLater(l)
}

// blameLater makes an incident where a message or signal cannot happen.
func (r *run) blameLater(b *unfit) {
	l := r.tx.Later(b.key)
	if l == nil {
		return
	}
	if l.Definition != 0 {
		r.beginWithout(l, b)
	} else if el := r.elem(l.What.Element); el != nil && !el.gone && el.Incident == 0 {
		r.incident(el, b.kind, "A message did not happen here. "+b.text, 0)
	}
	r.tx.DeleteLater(l)
	if l.Definition == 0 { // the next message has the same row
		r.passedOver(&l.What)
	}
}

func (r *run) doPassOver(key protocol.Key) {
	if l := r.tx.Later(key); l != nil {
		r.tx.DeleteLater(l)
		r.passedOver(&l.What)
	}
}

// blamePassOver lets a subscriber wait for what is published from now on, where not
// even that which waits already can be given to it.
func (r *run) blamePassOver(key protocol.Key) {
	l := r.tx.Later(key)
	if l == nil {
		return
	}
	r.tx.DeleteLater(l)
	if s := r.tx.Subscriber(l.What.Name, l.What.CorrelationKey, l.What.Element, l.What.Subscription); s != nil && s.Message == l.What.Message {
		s.Message = 0
		r.tx.PutSubscriber(s, false)
	}
}

// beginWithout makes the instance that cannot begin with its variables, with an
// incident: it begins without them when that is resolved.
func (r *run) beginWithout(l *state.Later, b *unfit) {
	if def := r.startable(l); def != nil {
		root := r.newRoot(def, l.Root)
		r.remember(root)
		root.More().Pending = &state.Pending{Event: l.Event}
		root.More().StartKey = l.What.CorrelationKey
		r.incident(root, b.kind, "The variables of what begins this instance are not here. "+b.text, stepActivate)
	}
}
