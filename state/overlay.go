package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidwall/btree"

	"github.com/grevy-io/grevy/protocol"
)

// Overlay is committed state plus what a leader has packed or proposed and not
// yet seen applied. It belongs to one leader actor and is thrown away with it.
type Overlay struct {
	base    *View
	rows    map[string]*overRow
	sorted  btree.Map[string, *overRow] // only keys of scanned tables
	packing uint64                      // seq of the entry being packed
	touched []string                    // its keys, in order of first touch
	entries []proposed
	big     map[string]int // keys whose value is stored in parts, and how many
	bodies  []flyingBody   // of entries that are not applied yet
	spare   []overRow      // made at once, used one by one
}

// flyingBody is a resource's content that is on its way to the base.
type flyingBody struct {
	protocol.Body
	seq uint64
}

// overRow is one key's newest value above the base, as it will be stored.
type overRow struct {
	value  []byte
	delete bool
	fresh  bool // made by the entry being packed, absent before
	packed bool // written to its entry
	seq    uint64
}

type proposed struct {
	seq  uint64
	keys []string
}

// NewOverlay starts above base; the first entry to be packed has seq first.
func NewOverlay(base *View, first uint64) (*Overlay, error) {
	o := &Overlay{base: base, rows: map[string]*overRow{}, packing: first, big: map[string]int{}}
	it := base.Iterate([]byte{byte(TableParts)}, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		k := it.Key()
		if len(k) < 5 {
			return nil, fmt.Errorf("row %x: %w", k, protocol.ErrCorrupt)
		}
		o.big[string(k[1:len(k)-4])]++
	}
	return o, nil
}

// Base returns the committed state below.
func (o *Overlay) Base() *View { return o.base }

// Rebase replaces the base by a newer one and forgets what entries up to seq
// laid over it: it is in the base now.
func (o *Overlay) Rebase(base *View, seq uint64) {
	o.base.Close()
	o.base = base
	n := 0
	for ; n < len(o.entries) && o.entries[n].seq <= seq; n++ {
		for _, k := range o.entries[n].keys {
			if r := o.rows[k]; r != nil && r.seq <= seq {
				o.drop(k)
			}
		}
	}
	o.entries = append(o.entries[:0], o.entries[n:]...)
	o.bodies = slices.DeleteFunc(o.bodies, func(b flyingBody) bool { return b.seq <= seq })
}

func (o *Overlay) addBodies(list []protocol.Body) {
	for _, b := range list {
		o.bodies = append(o.bodies, flyingBody{b, o.packing})
	}
}

// body returns a resource's content, also one that is on its way: its
// definition can be seen already.
func (o *Overlay) body(h protocol.Hash) ([]byte, error) {
	for i := range o.bodies {
		if o.bodies[i].Hash == h {
			return o.bodies[i].Data, nil
		}
	}
	return o.base.Body(h)
}

// Len returns how many keys lie over the base.
func (o *Overlay) Len() int { return len(o.rows) }

// newRow takes one of the spare rows.
func (o *Overlay) newRow() *overRow {
	if len(o.spare) == 0 {
		o.spare = make([]overRow, 32)
	}
	r := &o.spare[0]
	o.spare = o.spare[1:]
	return r
}

func (o *Overlay) drop(k string) {
	if r := o.rows[k]; r != nil {
		r.value = nil // its neighbours may live on
	}
	delete(o.rows, k)
	if scanned(k[0]) {
		o.sorted.Delete(k)
	}
}

func (o *Overlay) raw(key []byte) ([]byte, error) {
	if r := o.rows[string(key)]; r != nil {
		if r.delete {
			return nil, nil
		}
		return r.value, nil
	}
	return o.base.Raw(key)
}

// Get returns a value, nil if there is none.
func (o *Overlay) Get(key []byte) ([]byte, error) {
	b, err := o.raw(key)
	if err != nil || b == nil {
		return nil, err
	}
	return joinParts(b, func(i int) ([]byte, error) { return o.raw(partKey(key, i)) })
}

// set lays one stored value (or a deletion) over the base, in the entry being
// packed. A key that the entry itself made and removes again leaves no trace.
func (o *Overlay) set(k string, value []byte, remove, fresh bool) {
	r := o.rows[k]
	if r != nil && r.seq == o.packing {
		if remove && r.fresh {
			o.drop(k)
			return
		}
		r.value, r.delete = value, remove
		return
	}
	// Over an older row the key is not known to be absent below: that row may
	// be a deletion which is still under way.
	n := o.newRow()
	*n = overRow{value: value, delete: remove, fresh: fresh && r == nil, seq: o.packing}
	o.rows[k] = n
	if scanned(k[0]) {
		o.sorted.Set(k, n)
	}
	o.touched = append(o.touched, k)
}

// put lays a whole value over the base, in parts if it is big.
func (o *Overlay) put(k string, stored []byte, fresh bool) {
	had := o.big[k]
	if len(stored) <= MaxValue+1 && had == 0 {
		o.set(k, stored, false, fresh)
		return
	}
	head, parts := splitValue(stored)
	o.set(k, head, false, fresh)
	for i, p := range parts {
		o.set(string(partKey([]byte(k), i)), p, false, i >= had)
	}
	for i := len(parts); i < had; i++ {
		o.set(string(partKey([]byte(k), i)), nil, true, false)
	}
	if len(parts) > 0 {
		o.big[k] = len(parts)
	} else {
		delete(o.big, k)
	}
}

func (o *Overlay) remove(k string) {
	for i := range o.big[k] {
		o.set(string(partKey([]byte(k), i)), nil, true, false)
	}
	delete(o.big, k)
	o.set(k, nil, true, false)
}

// Pack ends the entry being packed: its writes are appended to b and stay in
// the overlay until Rebase. The next entry has the next seq. It returns b
// unchanged and false if there is nothing to write.
func (o *Overlay) Pack(b []byte) ([]byte, bool) {
	wrote := false
	keys := o.touched[:0]
	for _, k := range o.touched {
		r := o.rows[k]
		if r == nil || r.seq != o.packing || r.packed {
			continue // cancelled out, or touched twice
		}
		op := protocol.Op{Kind: protocol.OpPut, Key: []byte(k), Value: r.value}
		if r.delete {
			op = protocol.Op{Kind: protocol.OpDelete, Key: []byte(k)}
		}
		b = protocol.AppendOp(b, &op)
		keys = append(keys, k)
		r.fresh, r.packed = false, true
		wrote = true
	}
	o.touched = make([]string, 0, len(keys)) // the next entry is likely to be as large
	o.entries = append(o.entries, proposed{seq: o.packing, keys: keys})
	o.packing++
	return b, wrote
}

// Packing returns the seq of the entry being packed.
func (o *Overlay) Packing() uint64 { return o.packing }

// overlayIterator merges the sorted rows over the base's keys.
type overlayIterator struct {
	base   Iterator
	over   btree.MapIter[string, *overRow]
	overOK bool
	prefix []byte
	key    []byte
	value  []byte
	isBase bool
	err    error
}

// iterate walks a scanned table's stored values.
func (o *Overlay) iterate(prefix, from []byte) *overlayIterator {
	if from == nil {
		from = prefix
	}
	it := &overlayIterator{base: o.base.Iterate(prefix, from), over: o.sorted.Iter(), prefix: prefix}
	it.overOK = it.over.Seek(string(from))
	it.settle()
	return it
}

// settle finds the next key that exists, and skips base keys that are covered.
func (i *overlayIterator) settle() {
	for {
		i.key, i.value = nil, nil
		over := ""
		if i.overOK {
			over = i.over.Key()
			if !bytes.HasPrefix([]byte(over), i.prefix) {
				i.overOK = false
				continue
			}
		}
		if !i.overOK && !i.base.Valid() {
			return
		}
		order := -1
		if i.overOK && i.base.Valid() {
			order = bytes.Compare(i.base.Key(), []byte(over))
		} else if i.overOK {
			order = 1
		}
		if order < 0 {
			i.key, i.isBase = i.base.Key(), true
			return
		}
		if order == 0 {
			i.base.Next()
		}
		r := i.over.Value()
		if r.delete {
			i.overOK = i.over.Next()
			continue
		}
		i.key, i.value, i.isBase = []byte(over), r.value, false
		return
	}
}

func (i *overlayIterator) Valid() bool { return i.key != nil }
func (i *overlayIterator) Key() []byte { return i.key }

func (i *overlayIterator) Value() ([]byte, error) {
	if i.isBase {
		return i.base.Value()
	}
	return i.value, nil
}

func (i *overlayIterator) Next() {
	if i.isBase {
		i.base.Next()
	} else {
		i.overOK = i.over.Next()
	}
	i.settle()
}

func (i *overlayIterator) Close() { i.base.Close() }

// Counter reads a number kept under a name in the meta table.
func (o *Overlay) Counter(name string) (uint64, error) {
	b, err := o.Get(append(TableMeta.Key(len(name)), name...))
	if err != nil || len(b) < 8 {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}
