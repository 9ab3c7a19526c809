package state

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Tx collects the writes of one command. Nothing of it is seen by others until
// Commit; a Tx that is not committed leaves no trace. It belongs to the goroutine
// that owns the overlay.
//
// An error of the store below ends the leadership anyway, so reads do not
// return it one by one: the first one sticks, and Err reports it.
type Tx struct {
	over   *Overlay
	writes map[string]write
	order  []string
	size   int
	err    error
	bodies []protocol.Body
	// records are those of the record log, as they stand in the entry.
	records []byte
	keyBuf  uint64 // the counter of keys, once it was read
	minted  bool
	undone  bool   // a key of the order has been taken back
	lookup  []byte // reused for keys
}

// write is one key's new value, as it is stored if it is not too big: with its
// first byte.
type write struct {
	stored        []byte
	delete, fresh bool
}

// row begins a value of about size bytes in the form in which it is stored.
func row(size int) []byte { return append(make([]byte, 0, size+1), inline) }

// NewTx begins a command over o.
func NewTx(o *Overlay) *Tx { return &Tx{over: o, writes: map[string]write{}} }

// maxKept is how many writes a Tx may have had for its map to be used again.
const maxKept = 256

// Reset makes the Tx new again, to save an allocation per command.
func (t *Tx) Reset() {
	if len(t.order) > maxKept {
		t.writes = map[string]write{} // clearing takes as long as it has ever been large
	}
	clear(t.writes)
	*t = Tx{over: t.over, writes: t.writes, order: t.order[:0], lookup: t.lookup, records: t.records[:0]}
}

// Err returns the first error of the store below.
func (t *Tx) Err() error { return t.err }

// Fail notes an error found while decoding what was read.
func (t *Tx) Fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// Get returns a value, nil if there is none.
func (t *Tx) Get(key []byte) []byte {
	if w, ok := t.writes[string(key)]; ok {
		if w.delete {
			return nil
		}
		return w.stored[1:]
	}
	v, err := t.over.Get(key)
	if err != nil {
		t.Fail(err)
	}
	return v
}

// get returns the value of one entity, without making a key for it.
func (t *Tx) get(table Table, k protocol.Key) []byte { return t.Get(t.key(table, k)) }

// key makes the key of an entity's row. It is valid until the next one is made.
func (t *Tx) key(table Table, k protocol.Key) []byte {
	t.lookup = binary.BigEndian.AppendUint64(append(t.lookup[:0], byte(table)), uint64(k))
	return t.lookup
}

// Put writes a value.
func (t *Tx) Put(key, value []byte) { t.putRow(key, append(row(len(value)), value...)) }

// putRow writes what row began. The slice belongs to the Tx from now on.
func (t *Tx) putRow(key, stored []byte) { t.set(key, write{stored: stored}) }

// insertRow does the same at a key that is absent.
func (t *Tx) insertRow(key, stored []byte) { t.set(key, write{stored: stored, fresh: true}) }

// Insert writes a value at a key that is absent, such as one with a newly minted
// key: if it is deleted again before its entry is proposed, nothing of it is
// written at all.
func (t *Tx) Insert(key, value []byte) { t.insertRow(key, append(row(len(value)), value...)) }

// Delete removes a key.
func (t *Tx) Delete(key []byte) {
	if w, ok := t.writes[string(key)]; ok && w.fresh {
		t.size -= len(key) + len(w.stored)
		delete(t.writes, string(key))
		t.undone = true
		return
	}
	t.set(key, write{delete: true})
}

func (t *Tx) set(key []byte, w write) {
	k := string(key)
	if old, ok := t.writes[k]; ok {
		w.fresh = old.fresh && !w.delete
		t.size += len(w.stored) - len(old.stored)
	} else {
		t.order = append(t.order, k)
		t.size += len(key) + len(w.stored)
	}
	t.writes[k] = w
}

// Size is about how many bytes the writes take in an entry, without the records.
func (t *Tx) Size() int { return t.size }

// Empty tells whether the command has written nothing. A key that was minted is
// a write, even if nothing else is left of what it was for.
func (t *Tx) Empty() bool { return len(t.writes) == 0 && len(t.bodies) == 0 && !t.minted }

// AddRecords notes what goes into the record log: encoded records of one command,
// decided at a time in ms. They are part of the entry and not of the state.
func (t *Tx) AddRecords(now int64, records []byte) {
	if len(records) > 0 {
		t.records = append(protocol.AppendInt(t.records[:0], now), records...)
	}
}

// Records returns the value of the op that carries the records, nil if there are none.
// It is valid until Reset.
func (t *Tx) Records() []byte {
	if len(t.records) == 0 {
		return nil
	}
	return t.records
}

// RecordBytes is how many bytes the records take in an entry.
func (t *Tx) RecordBytes() int { return len(t.records) }

// AddBody makes the partition refer to a resource's content. The bytes go into
// the log in chunks before the entry that names it.
func (t *Tx) AddBody(h protocol.Hash, data []byte) {
	key := append(TableContentRef.Key(32), h[:]...)
	if t.Get(key) != nil {
		return
	}
	t.Put(key, BodyRef(len(data)))
	t.bodies = append(t.bodies, protocol.Body{Hash: h, Data: data})
}

// Bodies returns the contents that must be in the log before the writes.
func (t *Tx) Bodies() []protocol.Body { return t.bodies }

// HasBody tells whether the partition refers to a content already.
func (t *Tx) HasBody(h protocol.Hash) bool {
	return t.Get(append(TableContentRef.Key(32), h[:]...)) != nil
}

// Body returns a content that the partition refers to, or that this command
// adds; nil if there is none.
func (t *Tx) Body(h protocol.Hash) []byte {
	for _, b := range t.bodies {
		if b.Hash == h {
			return b.Data
		}
	}
	data, err := t.over.body(h)
	if err != nil {
		t.Fail(err)
	}
	return data
}

var counterKey = append(TableMeta.Key(7), "counter"...)

// NextKey mints a key of partition p. Keys are never used again: the counter
// is written by the same entry as what uses the key.
func (t *Tx) NextKey(p protocol.PartitionID) protocol.Key {
	t.readCounter()
	t.minted = true
	t.keyBuf++
	return protocol.NewKey(p, int64(t.keyBuf))
}

// RaiseCounter lets no key up to k be minted any more.
func (t *Tx) RaiseCounter(k protocol.Key) {
	t.readCounter()
	if c := uint64(k.Counter()); c > t.keyBuf {
		t.keyBuf, t.minted = c, true
	}
}

func (t *Tx) readCounter() {
	if t.minted {
		return
	}
	if b := t.Get(counterKey); len(b) == 8 {
		t.keyBuf = binary.BigEndian.Uint64(b)
	}
}

// Commit lays the writes over the overlay, as part of the entry being packed.
func (t *Tx) Commit() {
	if t.minted {
		t.Put(counterKey, binary.BigEndian.AppendUint64(nil, t.keyBuf))
	}
	t.over.addBodies(t.bodies)
	for _, k := range t.order {
		w, ok := t.writes[k]
		if !ok {
			continue
		}
		if t.undone {
			delete(t.writes, k) // a key may stand twice in the order
		}
		if w.delete {
			t.over.remove(k)
		} else {
			t.over.put(k, w.stored, w.fresh)
		}
	}
}

// Scan walks the keys of a scanned table under prefix in order, from the first
// not below from (nil: the start of the prefix), until fn returns false. The
// slices are valid only during the call; fn may write to the Tx.
func (t *Tx) Scan(prefix, from []byte, fn func(key, value []byte) bool) {
	if from == nil {
		from = prefix
	}
	own := t.ownKeys(prefix, from)
	it := t.over.iterate(prefix, from)
	defer it.Close()
	for it.Valid() || len(own) > 0 {
		order := 1
		if it.Valid() {
			order = -1
			if len(own) > 0 {
				order = bytes.Compare(it.Key(), []byte(own[0]))
			}
		}
		if order < 0 {
			key := it.Key()
			stored, err := it.Value()
			if err == nil {
				stored, err = joinParts(stored, func(i int) ([]byte, error) { return t.over.raw(partKey(key, i)) })
			}
			if err != nil {
				t.Fail(err)
				return
			}
			if !fn(key, stored) {
				return
			}
			it.Next()
			continue
		}
		if order == 0 {
			it.Next()
		}
		k := own[0]
		own = own[1:]
		if w, ok := t.writes[k]; ok && !w.delete && !fn([]byte(k), w.stored[1:]) {
			return
		}
	}
}

// ownKeys lists the Tx's own keys in a range, deletions included.
func (t *Tx) ownKeys(prefix, from []byte) []string {
	var own []string
	for k := range t.writes {
		if len(k) >= len(prefix) && k[:len(prefix)] == string(prefix) && k >= string(from) {
			own = append(own, k)
		}
	}
	slices.Sort(own)
	return own
}
