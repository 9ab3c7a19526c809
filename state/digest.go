package state

import "github.com/grevy-io/grevy/protocol"

var digestKey = append(TableMeta.Key(6), "digest"...)

// Digest stands for all definitions of the partition, deleted ones included. It
// is kept with every change of one, so that two partitions can be compared
// without a walk.
func (t *Tx) Digest() (d protocol.Digest) {
	b := t.Get(digestKey)
	if b == nil {
		return d
	}
	r := protocol.NewReader(b)
	d = protocol.ReadDigest(r)
	if err := r.Done(); err != nil {
		t.Fail(err)
	}
	return d
}

// redigest notes that a definition has taken another's place; nil: none.
func (t *Tx) redigest(old, now *protocol.Definition) {
	d := t.Digest()
	before := d
	if old != nil {
		d.Toggle(protocol.SumOf(old), old.Kind, -1)
	}
	d.Toggle(protocol.SumOf(now), now.Kind, 1)
	if d == before {
		return // a deleted one that is forgotten
	}
	t.Put(digestKey, protocol.AppendDigest(nil, &d))
}
